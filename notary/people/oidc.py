"""Login by an OpenID provider: the code flow with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1).

Authlib writes and reads the protocol's messages and judges the id token's claims, joserfc its signature.
Everything is fetched from addresses that the operator configured, or that his provider named over TLS.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from mizheng.notary.outgoing import make_client
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.setup import PeopleSetup, Provider, is_safe_url

CALLBACK_PATH = "/login/oidc/callback"
# Signatures by a key that the provider publishes; never `none`, never a shared secret.
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# Clocks of two machines.
_LEEWAY = 60
_SECONDS = 10.0
_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider names."""

    issuer: str
    subject: str
    is_strong: bool
    """By the provider's word two factors were shown."""
    is_fresh: bool
    """By the provider's word that was for this login, and not for an earlier one that it still holds open."""
    logout_url: str | None
    """Where the browser goes to end the provider's session, too; None where the provider names nothing."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A login that was begun: where the browser goes, and what has to be kept until it comes back."""

    url: str
    data: dict[str, str | int]


def begin_login(setup: PeopleSetup, provider: Provider) -> Beginning:
    """LoginError when the provider cannot be asked."""
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    with make_client(_SECONDS) as client:
        metadata = _discover(client, provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = prepare_grant_uri(
        metadata["authorization_endpoint"],
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=setup.origin + CALLBACK_PATH,
        scope="openid",
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        # A login here is one there: a session of the provider that somebody left open is not enough. Both are
        # only words in an address, which a browser may change; so what comes back is looked at. With max_age
        # the provider has to say when the login was (OpenID Connect Core 1.0 §3.1.2.1).
        prompt="login",
        max_age=_LEEWAY,
    )
    data: dict[str, str | int] = {
        "provider": provider.name,
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "begun_at": int(time.time()),
    }
    return Beginning(url, data)


def finish_login(
    setup: PeopleSetup, provider: Provider, data: Mapping[str, str | int], answer: Mapping[str, str]
) -> Identity:
    """Whom the provider names; LoginError unless it answers this login. `answer`: the callback's query."""
    from authlib.oauth2.rfc6749.errors import OAuth2Error
    from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response
    from joserfc.errors import JoseError

    # RFC 9207: where the provider names itself, it must be the one that was asked.
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise LoginError("oidc-other-issuer")
    try:
        uri = f"{setup.origin}{CALLBACK_PATH}?{urlencode(answer)}"
        code = parse_authorization_code_response(uri, str(data["state"]))["code"]
        with make_client(_SECONDS) as client:
            metadata = _discover(client, provider)
            token = _fetch_token(client, setup, provider, metadata, code, str(data["verifier"]))
            keys = _fetch(client, metadata["jwks_uri"])
        claims = _read_id_token(provider, token, keys, str(data["nonce"]))
        amr, acr = claims.get("amr") or [], claims.get("acr")
        is_strong = not provider.strong_amr.isdisjoint(amr) or acr in provider.strong_acr
        is_fresh = int(claims.get("auth_time") or 0) >= int(data["begun_at"]) - _LEEWAY
    except (OAuth2Error, JoseError, KeyError, TypeError, ValueError):
        raise LoginError("oidc-answer-wrong") from None
    return Identity(
        provider.issuer, claims["sub"], is_strong, is_fresh, _logout_url(setup, provider, metadata)
    )


def _logout_url(setup: PeopleSetup, provider: Provider, metadata: Mapping[str, Any]) -> str | None:
    """By OpenID Connect RP-Initiated Logout 1.0 §2. Without `id_token_hint`: no id token is kept, so the
    provider asks whether it is meant.
    """
    endpoint = metadata.get("end_session_endpoint")
    # Of the provider's own origin: the page's policy lets no form lead elsewhere.
    if not isinstance(endpoint, str) or not endpoint.startswith(f"{provider.origin}/"):
        return None
    query = {"client_id": provider.client_id, "post_logout_redirect_uri": f"{setup.origin}/login"}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _read_id_token(
    provider: Provider, token: Mapping[str, Any], keys: dict[str, Any], nonce: str
) -> Mapping[str, Any]:
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

    read = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
    claims = CodeIDToken(read.claims, read.header, options, params)
    claims.validate(leeway=_LEEWAY)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise ValueError("sub")
    found: Mapping[str, Any] = claims
    return found


def _fetch_token(
    client: httpx.Client,
    setup: PeopleSetup,
    provider: Provider,
    metadata: Mapping[str, Any],
    code: str,
    verifier: str,
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": setup.origin + CALLBACK_PATH,
        "code_verifier": verifier,
    }
    credentials = (provider.client_id, provider.client_secret)
    return _read(lambda: client.post(metadata["token_endpoint"], data=form, auth=credentials))


def _discover(client: httpx.Client, provider: Provider) -> dict[str, Any]:
    from authlib.oidc.discovery import get_well_known_url

    metadata = _fetch(client, get_well_known_url(provider.issuer, external=True))
    # OpenID Connect Discovery 1.0 §4.3: exactly the issuer that was asked.
    if metadata.get("issuer") != provider.issuer:
        raise LoginError("oidc-other-issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(metadata.get(name), str) or not is_safe_url(metadata[name]):
            raise LoginError("oidc-metadata-wrong")
    return metadata


def _fetch(client: httpx.Client, url: str) -> dict[str, Any]:
    return _read(lambda: client.get(url))


def _read(ask: Any) -> dict[str, Any]:
    try:
        answer = ask()
        if answer.status_code != 200 or len(answer.content) > _MAX_BYTES:
            raise LoginError("oidc-refused")
        found = answer.json()
    except (httpx.HTTPError, ValueError):
        raise LoginError("oidc-unreachable") from None
    if not isinstance(found, dict):
        raise LoginError("oidc-answer-wrong")
    return found
