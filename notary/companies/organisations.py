"""Organisations that may deposit, and their API keys. The operator's side: every function is one
transaction.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.rows import OPERATOR, Detail
from mizheng.notary.companies.identifiers import normalize_identifier
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import OperatorError
from mizheng.notary.models import api_keys, company_keys, organisations
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.statement import Depositor, parse_depositor
from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

API_KEY_MARK = "mzk_"
# "mzk_" and eight characters: enough to find a row and to tell keys apart, useless for guessing the rest.
PREFIX_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Organisation:
    """A registered company. `number` is the notary's own, for its command line."""

    number: int
    depositor: Depositor
    is_disabled: bool
    active_keyid: str | None
    may_reenrol: bool
    """The operator has allowed the next key to replace the active one without a proof by it."""


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """An API key in full: shown once and not kept. Not a dataclass repr, so that it cannot slip into a
    log.
    """

    secret: str
    prefix: str
    expires_at: int | None

    def __repr__(self) -> str:
        return f"IssuedApiKey({self.prefix}…)"


def add_organisation(
    engine: Engine, name: str, id_scheme: str, identifier: str, *, key_days: int | None = None
) -> tuple[Organisation, IssuedApiKey]:
    """Register a company and issue its first API key."""
    number = normalize_identifier(id_scheme, identifier)
    depositor = _depositor(name, id_scheme, number)
    try:
        with writing(engine) as connection:
            row_id = connection.execute(
                insert(organisations)
                .values(
                    name=depositor.name,
                    id_scheme=depositor.id_scheme,
                    identifier=depositor.id,
                    created_at=int(time.time()),
                )
                .returning(organisations.c.id)
            ).scalar_one()
            record(connection, "organisation.add", f"organisation:{row_id}")
            key = issue_api_key(connection, row_id, key_days)
            return load_organisation(connection, row_id), key
    except IntegrityError:
        raise OperatorError(
            "{scheme} {number} is registered already",
            hint="see: mizheng-notary org list; a further API key: mizheng-notary org new-api-key",
            scheme=id_scheme,
            number=number,
        ) from None


def list_organisations(engine: Engine) -> list[Organisation]:
    """All registered companies in the order of registration."""
    with reading(engine) as connection:
        numbers = connection.execute(select(organisations.c.id).order_by(organisations.c.id)).scalars()
        return [load_organisation(connection, number) for number in numbers.all()]


def find_organisation(connection: Connection, reference: str) -> Organisation:
    """The company named by its identifier, or by its number in the list; OperatorError if there is none."""
    query = select(organisations.c.id).where(organisations.c.identifier == reference.strip().upper())
    found = connection.execute(query).scalars().all()
    if not found:
        query = select(organisations.c.id).where(organisations.c.identifier == reference.strip())
        found = connection.execute(query).scalars().all()
    if not found and reference.isascii() and reference.isdecimal() and len(reference) < 10:
        query = select(organisations.c.id).where(organisations.c.id == int(reference))
        found = connection.execute(query).scalars().all()
    if len(found) != 1:
        raise OperatorError(
            "no organisation {reference!r} is registered",
            hint="see: mizheng-notary org list",
            reference=reference,
        )
    return load_organisation(connection, found[0])


def set_name(connection: Connection, reference: str, name: str) -> Organisation:
    """Give a company its new legal name, in the caller's transaction; the company as it was.

    Whoever calls this revokes its key: an enrolment names the company as it was called then.
    """
    organisation = find_organisation(connection, reference)
    present = organisation.depositor
    renamed = _depositor(name, present.id_scheme, present.id)
    if renamed == present:
        raise OperatorError("the organisation has this name already", hint="nothing was changed")
    connection.execute(
        update(organisations).where(organisations.c.id == organisation.number).values(name=renamed.name)
    )
    return organisation


def _depositor(name: str, id_scheme: str, identifier: str) -> Depositor:
    try:
        return parse_depositor({"name": name.strip(), "id_scheme": id_scheme, "id": identifier})
    except MizhengError:
        raise OperatorError(
            "the name is empty, too long or has control characters",
            hint="give the legal name exactly as it is registered",
        ) from None


def set_disabled(engine: Engine, reference: str, *, disabled: bool) -> Organisation:
    """Bar a company from everything, or let it in again. Its evidence stays what it is."""
    with writing(engine) as connection:
        organisation = find_organisation(connection, reference)
        connection.execute(
            update(organisations)
            .where(organisations.c.id == organisation.number)
            .values(disabled_at=int(time.time()) if disabled else None)
        )
        action = "organisation.disable" if disabled else "organisation.enable"
        record(connection, action, f"organisation:{organisation.number}")
        return load_organisation(connection, organisation.number)


def allow_reenrolment(engine: Engine, reference: str) -> Organisation:
    """Let the company's next key replace its lost one, once, without a proof by the lost one."""
    with writing(engine) as connection:
        organisation = find_organisation(connection, reference)
        if organisation.active_keyid is None:
            raise OperatorError(
                "the organisation has no active key", hint="nothing to allow: its next key is enrolled freely"
            )
        connection.execute(
            update(organisations)
            .where(organisations.c.id == organisation.number)
            .values(reenrol_allowed_at=int(time.time()))
        )
        record(connection, "organisation.allow-reenrolment", f"organisation:{organisation.number}")
        return load_organisation(connection, organisation.number)


def new_api_key(
    engine: Engine,
    reference: str,
    *,
    keep_others: bool,
    key_days: int | None = None,
    scopes: Sequence[str] = (),
) -> tuple[Organisation, IssuedApiKey]:
    """Issue a further API key, for these uses or for all; the others are disabled unless `keep_others`."""
    with writing(engine) as connection:
        organisation = find_organisation(connection, reference)
        if not keep_others:
            end_api_keys(connection, organisation.number)
        return organisation, issue_api_key(connection, organisation.number, key_days, scopes)


def load_organisation(connection: Connection, number: int) -> Organisation:
    """The company with the notary's own number."""
    row = connection.execute(select(organisations).where(organisations.c.id == number)).one()
    active = connection.execute(
        select(company_keys.c.keyid).where(
            company_keys.c.organisation_id == number, company_keys.c.revocation_index.is_(None)
        )
    ).scalar_one_or_none()
    return Organisation(
        number,
        Depositor(row.name, row.id_scheme, row.identifier),
        row.disabled_at is not None,
        active,
        row.reenrol_allowed_at is not None,
    )


def hash_api_key(secret: str) -> bytes:
    """What is kept of an API key. It has 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(secret.encode()).digest()


def issue_api_key(
    connection: Connection,
    organisation_id: int,
    days: int | None,
    scopes: Sequence[str] = (),
    *,
    by: str = OPERATOR,
) -> IssuedApiKey:
    """Make an API key that expires after so many days, or never; without scopes for everything."""
    now = int(time.time())
    secret = API_KEY_MARK + secrets.token_urlsafe(32)
    expires_at = None if days is None else now + days * 86400
    number = connection.execute(
        insert(api_keys)
        .values(
            organisation_id=organisation_id,
            prefix=secret[:PREFIX_LENGTH],
            key_sha256=hash_api_key(secret),
            created_at=now,
            expires_at=expires_at,
            scopes=" ".join(sorted(set(scopes))) or None,
        )
        .returning(api_keys.c.id)
    ).scalar_one()
    detail: Detail = {"organisation": organisation_id, "scopes": " ".join(sorted(set(scopes)))}
    record(connection, "api-key.make", f"api-key:{number}", actor=by, detail=detail)
    return IssuedApiKey(secret, secret[:PREFIX_LENGTH], expires_at)


def list_api_keys(connection: Connection, organisation_id: int) -> Sequence[Row[Any]]:
    """All that a company ever had, the newest first."""
    query = select(api_keys).where(api_keys.c.organisation_id == organisation_id)
    return connection.execute(query.order_by(api_keys.c.id.desc())).all()


def end_api_keys(
    connection: Connection, organisation_id: int, number: int | None = None, *, by: str = OPERATOR
) -> bool:
    """End one API key of a company, or all of them; whether any was still good."""
    query = update(api_keys).where(
        api_keys.c.organisation_id == organisation_id, api_keys.c.disabled_at.is_(None)
    )
    if number is not None:
        query = query.where(api_keys.c.id == number)
    ended = connection.execute(query.values(disabled_at=int(time.time())).returning(api_keys.c.id))
    numbers = ended.scalars().all()
    for found in numbers:
        record(connection, "api-key.disable", f"api-key:{found}", actor=by)
    return bool(numbers)
