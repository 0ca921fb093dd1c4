"""What a provider signs: taken from the right one, for us, for this login, now; and from nobody else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OctKey
from mizheng.notary.people.oidc import _read_id_token
from mizheng.notary.people.setup import Provider

SECRET = "s3cret" * 8
PROVIDER = Provider("unit", "", "https://id.example", "mizheng", SECRET, frozenset(), frozenset())
KEY = ECKey.generate_key("P-256", {"kid": "a"})
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "aud": "mizheng",
    "sub": "zhang",
    "nonce": "n",
    "iat": 0,
    "exp": 600,
}
"""Times in seconds from the moment at which a token is made."""


def make(key: Key = KEY, algorithm: str = "ES256", **changes: Any) -> str:
    """A signed token of now; a claim that is None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    now = int(time.time())
    claims |= {name: now + claims[name] for name in ("iat", "exp") if name in claims}
    return jwt.encode({"alg": algorithm, "kid": "a"}, claims, key, algorithms=[algorithm])


def read(token: str) -> Any:
    keys: Any = KeySet([KEY]).as_dict(private=False)
    return _read_id_token(PROVIDER, {"id_token": token}, keys, "n")


def test_the_right_one() -> None:
    assert read(make())["sub"] == "zhang"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://id.example.evil"},
        {"aud": "another"},
        {"aud": ["mizheng", "another"]},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": -600},
        {"exp": None},
        {"iat": 600},
        {"sub": ""},
        {"sub": "x" * 256},
        {"auth_time": "yesterday"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_claims_that_are_not_ours(changes: dict[str, Any]) -> None:
    with pytest.raises((JoseError, ValueError)):
        read(make(**changes))


def test_a_key_that_the_provider_does_not_publish() -> None:
    with pytest.raises(JoseError):
        read(make(ECKey.generate_key("P-256", {"kid": "a"})))


def test_a_signature_by_what_both_sides_know() -> None:
    """Whoever has the client's secret would be the provider."""
    with pytest.raises(JoseError):
        read(make(OctKey.import_key(SECRET), "HS256"))


def test_no_signature() -> None:
    # {"alg": "none"} and {"alg": "none", "kid": "a"}
    for head in ("eyJhbGciOiJub25lIn0", "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9"):
        with pytest.raises(JoseError):
            read(f"{head}.{make().split('.')[1]}.")
