"""The tables [timestamps.NAME]: what is wrong with one is said by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.timestamp.algorithms import SHA256

from tests.support.opensslts import OpensslAuthority


def test_all_of_it(authority: OpensslAuthority, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer abc\n")
    row = {
        "url": "https://tsa.example/",
        "roots": str(authority.roots),
        "policy": "1.2.3",
        "hash": "sha512",
        "credentials": str(tmp_path / "token"),
        "interval": 60,
        "crls": ["http://ca.example/a.crl"],
        "ocsp": ["http://ocsp.example/"],
    }
    (found,) = parse_timestamps({"a-b.c": row})
    assert (found.name, found.policy, found.hash.name, found.interval) == ("a-b.c", "1.2.3", "sha512", 60.0)
    assert (found.authorization, found.trusted.policies) == ("Bearer abc", ("1.2.3",))
    assert (found.crls, found.ocsp) == (("http://ca.example/a.crl",), ("http://ocsp.example/",))
    (least,) = parse_timestamps({"x": {"roots": str(authority.roots)}})
    assert (least.url, least.policy, least.hash, least.trusted.policies) == (None, None, SHA256, ())
    assert parse_timestamps({}) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"roots": "/nowhere"},
        {"roots": 7},
        {"url": "ftp://tsa.example"},
        {"url": "https://"},
        {"url": "https://name:password@tsa.example/"},
        {"url": "http://[::1"},
        {"policy": "one"},
        {"policy": 1.2},
        {"hash": "sha1"},
        {"hash": 256},
        {"interval": -1},
        {"interval": True},
        {"interval": "daily"},
        {"crls": "http://ca.example/a.crl"},
        {"crls": ["ldap://ca.example"]},
        {"ocsp": "http://ocsp.example/"},
        {"credentials": "/nowhere"},
        {"adress": "https://tsa.example"},
    ],
)
def test_faults(authority: OpensslAuthority, change: dict[str, object]) -> None:
    row = {"url": "https://tsa.example/", "roots": str(authority.roots), **change}
    with pytest.raises(ConfigurationError, match=r"timestamps\.mine"):
        parse_timestamps({"mine": row})


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_roots_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "roots").write_text(content)
    with pytest.raises(ConfigurationError, match="roots"):
        parse_timestamps({"mine": {"roots": str(tmp_path / "roots")}})


@pytest.mark.parametrize("content", ["", "name", "name:pass\nword"])
def test_credentials_that_are_none(authority: OpensslAuthority, tmp_path: Path, content: str) -> None:
    """Not repeated: there may be half a secret in it."""
    (tmp_path / "file").write_text(content)
    with pytest.raises(ConfigurationError, match="credentials") as caught:
        parse_timestamps({"mine": {"roots": str(authority.roots), "credentials": str(tmp_path / "file")}})
    assert "word" not in str(caught.value).lower().replace("password", "")


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 41, "例"])
def test_names_that_cannot_be_used(authority: OpensslAuthority, name: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_timestamps({name: {"roots": str(authority.roots)}})
