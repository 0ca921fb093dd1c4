"""Company keys: enrolled, rotated, enrolled again after a loss, revoked. Each step is signed and stands in
the log.

The rules are checked in the transaction that holds the head's lock, so that no two processes decide on the
same state. A new key's enrolment comes first and the old key's revocation right behind it: whatever the old
key signed before keeps its place before its revocation and stays what it was.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from mizheng.notary.auditing.recording import record
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.companies.organisations import load_organisation, set_name
from mizheng.notary.database import reading
from mizheng.notary.errors import OperatorError, Problem
from mizheng.notary.keys.files import NotaryKeys
from mizheng.notary.keys.settled import check_issuer
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.guard import LogGuard, Turn, writing_log
from mizheng.notary.log.head import load_head
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.tiles import TileReader
from mizheng.notary.models import company_keys, enrolments, organisations, revocations
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.enrolment import Enrolment, Revocation, enrolment_request
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PublicKey
from mizheng.verifier.statement import Depositor
from mizheng.verifier.words import N_
from sqlalchemy import Connection, Engine, Row, func, insert, select, update

# Who changes his key every day needs the operator after some three years. Each change is two entries of the
# log, which no quota counts: a stolen key must be replaceable, however much its thief has used up.
MAX_KEYS = 1_000


class Method(Enum):
    """How the company was authenticated, as its enrolment says."""

    API_KEY = "api-key"
    PREVIOUS_KEY = "api-key+previous-key"
    OPERATOR = "api-key+operator"


METHOD_WORDS = {
    Method.API_KEY.value: N_("held the API key that this service gave to the company"),
    Method.PREVIOUS_KEY.value: N_(
        "held the API key that this service gave to the company, and signed with the previous key"
    ),
    Method.OPERATOR.value: N_(
        "held the API key that this service gave to the company, and the service's operator confirmed it"
    ),
}
"""A method as people read it; the certificate's PDF says the same."""


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What a company sends to have its key enrolled; signatures are over `enrolment_request`."""

    public_key: PublicKey
    proof: bytes
    """By the key itself: whoever enrols it holds it."""
    replaces: str | None
    replaces_proof: bytes | None
    """By the key that is replaced; None when that one is lost."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolment and where it stands."""

    envelope: bytes
    leaf_index: int
    tlog_proof: bytes
    is_new: bool


class KeyRegister:
    """Writes enrolments and revocations; usable in any process that holds the notary's keys."""

    def __init__(self, engine: Engine, keys: NotaryKeys, signer: NoteSigner, guard: LogGuard) -> None:
        self._engine = engine
        self._issuer = keys.issuer
        self._signer = signer
        self._guard = guard

    def enrol(self, caller: Caller, request: EnrolmentRequest) -> Enrolled:
        """Enrol a key for the calling company; asked again for the same active key, answer the same."""
        keyid = request.public_key.keyid
        message = enrolment_request(caller.depositor, keyid)
        _verify(request.public_key, request.proof, message)
        with self._writing() as turn:
            connection, head = turn.connection, turn.head
            found = _find_key(connection, keyid)
            if found is not None:
                return self._repeat(connection, caller, found)
            _require_room(connection, caller.organisation_id)
            active = _active_key(connection, caller.organisation_id)
            method = _decide(connection, caller, active, request, message)
            replaces = active.keyid if active else _last_keyid(connection, caller.organisation_id)
            if request.replaces not in (None, replaces):
                raise Problem("replaces-wrong")
            now = format_instant(int(time.time()))
            # As the company is called now: it may have been renamed since the caller was let in.
            named = load_organisation(connection, caller.organisation_id).depositor
            enrolment = Enrolment(request.public_key, named, method.value, now, replaces).sign(self._issuer)
            new = [(enrolment, "enrolment")]
            if active:
                reason = "lost" if method is Method.OPERATOR else "rotated"
                new.append((Revocation(active.keyid, reason, now).sign(self._issuer), "revocation"))
            entries = [NewEntry(hashlib.sha256(data).digest(), kind) for data, kind in new]
            appended = append(connection, self._signer, head, entries)
            turn.head = appended.head
            index = head.tree_size
            if active:
                _record_revocation(connection, active.keyid, index + 1, new[1][0])
            _record_enrolment(connection, caller.organisation_id, request.public_key, index, enrolment)
            company = f"organisation:{caller.organisation_id}"
            detail = {"method": method.value}
            record(connection, "key.enrol", f"key:{keyid[:16]}", actor=company, detail=detail)
            return Enrolled(enrolment, index, tlog_proof(appended.reader, index, appended.head), True)

    def revoke(self, keyid: str, reason: str) -> int:
        """Revoke an active key by the operator's word; the leaf index from which its signatures do not
        count.
        """
        with self._writing() as turn:
            connection, head = turn.connection, turn.head
            found = _find_key(connection, keyid)
            if found is None or found.revocation_index is not None:
                raise OperatorError(
                    "no active key {keyid} is enrolled", hint="see: mizheng-notary key list", keyid=keyid[:64]
                )
            document = Revocation(keyid, reason, format_instant(int(time.time()))).sign(self._issuer)
            entry = NewEntry(hashlib.sha256(document).digest(), "revocation")
            turn.head = append(connection, self._signer, head, [entry]).head
            _record_revocation(connection, keyid, head.tree_size, document)
            record(connection, "key.revoke", f"key:{keyid[:16]}")
            return head.tree_size

    def rename(self, reference: str, name: str) -> None:
        """Give a company its new legal name and revoke its key, whose enrolment has the old one.

        Both or neither: a key that is enrolled for the old name must not sign statements of the new one. The
        next key is enrolled for the new name and names the old key as the one it follows.
        """
        with self._writing() as turn:
            connection, head = turn.connection, turn.head
            company = set_name(connection, reference, name)
            active = company.active_keyid
            if active is None:
                record(connection, "organisation.rename", f"organisation:{company.number}")
                return
            document = Revocation(active, "renamed", format_instant(int(time.time()))).sign(self._issuer)
            entry = NewEntry(hashlib.sha256(document).digest(), "revocation")
            turn.head = append(connection, self._signer, head, [entry]).head
            _record_revocation(connection, active, head.tree_size, document)
            record(connection, "organisation.rename", f"organisation:{company.number}")

    @contextmanager
    def _writing(self) -> Iterator[Turn]:
        with writing_log(self._engine, self._guard) as turn:
            # Another process may have changed it while this one ran.
            check_issuer(turn.connection, self._issuer.public)
            yield turn

    def _repeat(self, connection: Connection, caller: Caller, found: Row[tuple[object, ...]]) -> Enrolled:
        if found.organisation_id != caller.organisation_id or found.revocation_index is not None:
            raise Problem("key-known")
        document = connection.execute(
            select(enrolments.c.envelope).where(enrolments.c.leaf_index == found.enrolment_index)
        ).scalar_one()
        proof = tlog_proof(TileReader(connection), found.enrolment_index, load_head(connection))
        return Enrolled(document, found.enrolment_index, proof, False)


@dataclass(frozen=True, slots=True)
class CompanyKey:
    """A key as the operator lists it."""

    keyid: str
    depositor: Depositor
    enrolment_index: int
    revocation_index: int | None


def list_keys(engine: Engine) -> list[CompanyKey]:
    """All keys ever enrolled, in the order of their enrolments."""
    query = (
        select(company_keys, organisations.c.name, organisations.c.id_scheme, organisations.c.identifier)
        .select_from(company_keys.join(organisations))
        .order_by(company_keys.c.enrolment_index)
    )
    with reading(engine) as connection:
        return [
            CompanyKey(
                row.keyid,
                Depositor(row.name, row.id_scheme, row.identifier),
                row.enrolment_index,
                row.revocation_index,
            )
            for row in connection.execute(query)
        ]


def _decide(
    connection: Connection,
    caller: Caller,
    active: Row[tuple[object, ...]] | None,
    request: EnrolmentRequest,
    message: bytes,
) -> Method:
    if active is None:
        return Method.API_KEY
    if request.replaces_proof is not None:
        if request.replaces != active.keyid:
            raise Problem("replaces-wrong")
        _verify(PublicKey(active.public_key), request.replaces_proof, message)
        return Method.PREVIOUS_KEY
    allowed = connection.execute(
        select(organisations.c.reenrol_allowed_at).where(organisations.c.id == caller.organisation_id)
    ).scalar_one()
    if allowed is None:
        raise Problem("key-exists")
    return Method.OPERATOR


def _verify(key: PublicKey, signature: bytes, message: bytes) -> None:
    try:
        key.verify(signature, message)
    except MizhengError:
        raise Problem("proof-wrong") from None


def _find_key(connection: Connection, keyid: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(company_keys).where(company_keys.c.keyid == keyid)).one_or_none()


def _active_key(connection: Connection, organisation_id: int) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        select(company_keys).where(
            company_keys.c.organisation_id == organisation_id, company_keys.c.revocation_index.is_(None)
        )
    ).one_or_none()


def _last_keyid(connection: Connection, organisation_id: int) -> str | None:
    """The key that was active last: a new one follows it, also when it was revoked long ago."""
    keyid: str | None = connection.execute(
        select(company_keys.c.keyid)
        .where(company_keys.c.organisation_id == organisation_id)
        .order_by(company_keys.c.enrolment_index.desc())
        .limit(1)
    ).scalar_one_or_none()
    return keyid


def _require_room(connection: Connection, organisation_id: int) -> None:
    query = select(func.count()).where(company_keys.c.organisation_id == organisation_id)
    if connection.execute(query).scalar_one() >= MAX_KEYS:
        raise Problem("quota-in-all")


def _record_enrolment(
    connection: Connection, organisation_id: int, key: PublicKey, index: int, document: bytes
) -> None:
    connection.execute(
        insert(company_keys),
        {
            "keyid": key.keyid,
            "organisation_id": organisation_id,
            "public_key": key.spki,
            "enrolment_index": index,
        },
    )
    connection.execute(insert(enrolments), {"leaf_index": index, "keyid": key.keyid, "envelope": document})
    # Allowed once: the next loss needs the operator again.
    connection.execute(
        update(organisations).where(organisations.c.id == organisation_id).values(reenrol_allowed_at=None)
    )


def _record_revocation(connection: Connection, keyid: str, index: int, document: bytes) -> None:
    connection.execute(
        update(company_keys).where(company_keys.c.keyid == keyid).values(revocation_index=index)
    )
    connection.execute(insert(revocations), {"leaf_index": index, "keyid": keyid, "envelope": document})
