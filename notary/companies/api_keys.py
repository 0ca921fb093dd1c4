"""Who is calling: API keys sent as `Authorization: Bearer mzk_…` (RFC 6750 §2.1)."""

import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mizheng.notary.companies.organisations import API_KEY_MARK, PREFIX_LENGTH, hash_api_key
from mizheng.notary.companies.quotas import COLUMNS as QUOTA_COLUMNS
from mizheng.notary.companies.quotas import Quota, read_quota
from mizheng.notary.errors import Problem
from mizheng.notary.intake.rows import Lookup
from mizheng.notary.models import api_keys, organisations, quotas
from mizheng.notary.people.permissions import SCOPES, Action, Actor, Role, Target, decide
from mizheng.verifier.statement import Depositor
from sqlalchemy import Connection, bindparam, select

# 43 characters of Base64 carry the 32 random bytes; anything longer is not worth hashing.
_MAX_LENGTH = 100
# A caller is two numbers and three names, some 500 bytes; when there are more than this, begin anew.
_MAX_REMEMBERED = 10_000
# A new limit of a company takes hold within this time.
_REMEMBERED_SECONDS = 60.0

# Built once: to build a statement takes longer than to run it.
_COLUMNS = (
    api_keys.c.id.label("api_key_id"),
    api_keys.c.key_sha256,
    api_keys.c.expires_at,
    api_keys.c.disabled_at,
    api_keys.c.scopes,
    organisations.c.id,
    organisations.c.name,
    organisations.c.id_scheme,
    organisations.c.identifier,
    organisations.c.disabled_at.label("organisation_disabled_at"),
    *QUOTA_COLUMNS,
)
_CALLERS = select(*_COLUMNS).select_from(
    api_keys.join(organisations).outerjoin(quotas, quotas.c.organisation_id == organisations.c.id)
)
_BY_PREFIX = _CALLERS.where(api_keys.c.prefix == bindparam("prefix"))
_BY_ID = Lookup(_CALLERS, api_keys.c.id)


@dataclass(frozen=True, slots=True)
class Caller:
    """The organisation whose API key was sent."""

    api_key_id: int
    organisation_id: int
    depositor: Depositor
    quota: Quota | None = None
    """As it was when the caller was let in; None: no limits."""
    scopes: str | None = None
    """What the key may be used for, with a blank between; None: everything."""

    @property
    def actor(self) -> Actor:
        """As the table of permissions knows it."""
        scopes = SCOPES if self.scopes is None else map(Role, self.scopes.split())
        return Actor(frozenset(scopes), self.organisation_id)

    def require(self, action: Action) -> "Caller":
        """Problem unless the key may be used for this."""
        if not decide(self.actor, action, Target(self.organisation_id)):
            raise Problem("scope-missing")
        return self


def authenticate(connection: Connection, authorization: str | None) -> Caller:
    """The caller named by an Authorization header; Problem when it names none that may call."""
    secret = _read_header(authorization)
    # Found by its public prefix, then compared in constant time: how long it takes tells nothing of the rest.
    digest = hash_api_key(secret)
    for row in connection.execute(_BY_PREFIX, {"prefix": secret[:PREFIX_LENGTH]}).all():
        if hmac.compare_digest(row.key_sha256, digest):
            return _admit(row)
    raise Problem("api-key-wrong")


def authenticate_again(
    connection: Connection, api_key_ids: Iterable[int]
) -> Callable[[], Mapping[int, Caller | Problem]]:
    """Asked now, answered later: the callers of these API keys as they stand now, or why one may not call
    any more.
    """
    asked = _BY_ID.ask(connection, api_key_ids)

    def answer() -> Mapping[int, Caller | Problem]:
        found: dict[int, Caller | Problem] = {}
        for row in asked():
            try:
                found[row.api_key_id] = _admit(row)
            except Problem as problem:
                found[row.api_key_id] = problem
        return found

    return answer


class RememberedCallers:
    """Callers that were let in before, so that a deposit need not ask the database twice.

    Not the last word: whoever uses this asks `authenticate_again` in the transaction that matters.
    """

    def __init__(self) -> None:
        # With the moment until which it is remembered.
        self._callers: dict[bytes, tuple[Caller, float]] = {}

    def find(self, authorization: str | None) -> Caller | None:
        """The caller, if it was let in before."""
        found = self._callers.get(hash_api_key(_read_header(authorization)))
        return None if found is None or found[1] < time.monotonic() else found[0]

    def remember(self, authorization: str | None, caller: Caller) -> None:
        if len(self._callers) >= _MAX_REMEMBERED:
            self._callers.clear()
        until = time.monotonic() + _REMEMBERED_SECONDS
        self._callers[hash_api_key(_read_header(authorization))] = caller, until


def _read_header(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Problem("api-key-missing")
    if not secret.startswith(API_KEY_MARK) or len(secret) > _MAX_LENGTH or not secret.isascii():
        raise Problem("api-key-wrong")
    return secret


def _admit(row: Any) -> Caller:
    if row.disabled_at is not None:
        raise Problem("api-key-disabled")
    if row.expires_at is not None and row.expires_at <= time.time():
        raise Problem("api-key-expired")
    if row.organisation_disabled_at is not None:
        raise Problem("organisation-disabled")
    depositor = Depositor(row.name, row.id_scheme, row.identifier)
    return Caller(row.api_key_id, row.id, depositor, read_quota(row), row.scopes)
