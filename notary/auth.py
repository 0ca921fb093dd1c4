"""Who is calling: API keys sent as `Authorization: Bearer mzk_…` (RFC 6750 §2.1)."""

import hmac
import time
from dataclasses import dataclass

from mizheng.notary.errors import Problem
from mizheng.notary.models import api_keys, organisations
from mizheng.notary.organisations import API_KEY_MARK, PREFIX_LENGTH, hash_api_key
from mizheng.verifier.statement import Depositor
from sqlalchemy import Connection, select

# 43 characters of Base64 carry the 32 random bytes; anything longer is not worth hashing.
_MAX_LENGTH = 100

_QUERY = select(
    api_keys.c.key_sha256,
    api_keys.c.expires_at,
    api_keys.c.disabled_at,
    organisations.c.id,
    organisations.c.name,
    organisations.c.id_scheme,
    organisations.c.identifier,
    organisations.c.disabled_at.label("organisation_disabled_at"),
).select_from(api_keys.join(organisations))


@dataclass(frozen=True, slots=True)
class Caller:
    """The organisation whose API key was sent."""

    organisation_id: int
    depositor: Depositor


def authenticate(connection: Connection, authorization: str | None) -> Caller:
    """The caller named by an Authorization header; Problem when it names none that may call."""
    if not authorization:
        raise Problem("api-key-missing")
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Problem("api-key-missing")
    if not secret.startswith(API_KEY_MARK) or len(secret) > _MAX_LENGTH or not secret.isascii():
        raise Problem("api-key-wrong")
    # Found by its public prefix, then compared in constant time: how long it takes tells nothing of the rest.
    digest = hash_api_key(secret)
    rows = connection.execute(_QUERY.where(api_keys.c.prefix == secret[:PREFIX_LENGTH])).all()
    for row in rows:
        if hmac.compare_digest(row.key_sha256, digest):
            break
    else:
        raise Problem("api-key-wrong")
    if row.disabled_at is not None:
        raise Problem("api-key-disabled")
    if row.expires_at is not None and row.expires_at <= time.time():
        raise Problem("api-key-expired")
    if row.organisation_disabled_at is not None:
        raise Problem("organisation-disabled")
    return Caller(row.id, Depositor(row.name, row.id_scheme, row.identifier))
