"""Deposits: what is checked before an envelope may stand in the log.

1. size (by the caller, while reading)
2. form: a canonical DSSE envelope
3. payload type, then the statement's own type and form
4. the key: enrolled for the calling organisation and not revoked
5. signature
6. depositor: exactly as registered
7. in the transaction that appends: the key and the organisation once more, for things change while one waits

The notary never sees what was sealed: a statement carries a commitment and nothing of the content.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mizheng.notary.auth import Caller
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.log.append import NewEntry, find_entries
from mizheng.notary.log.head import load_head
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.sequencer import Sequenced
from mizheng.notary.log.tiles import TileReader
from mizheng.notary.models import company_keys, deposits, organisations
from mizheng.verifier import dsse
from mizheng.verifier.canonical import parse_object
from mizheng.verifier.errors import MizhengError, VersionError
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, Statement, parse_statement
from sqlalchemy import Connection, Engine, insert, select


@dataclass(frozen=True, slots=True)
class Deposit:
    """A checked envelope on its way into the log."""

    entry: NewEntry
    envelope: bytes = field(repr=False)
    organisation_id: int
    keyid: str
    received_at: int


def check_deposit(connection: Connection, caller: Caller, body: bytes) -> Deposit:
    """Steps 2 to 6; Problem at the first that fails."""
    envelope = _parse_envelope(body)
    statement = _parse_statement(envelope.payload)
    keyid = statement.public_key.keyid
    found = connection.execute(
        select(company_keys.c.organisation_id, company_keys.c.revocation_index).where(
            company_keys.c.keyid == keyid
        )
    ).one_or_none()
    if found is None or found.organisation_id != caller.organisation_id:
        raise Problem("key-not-enrolled")
    digest = hashlib.sha256(body).digest()
    # A key that was revoked after the deposit may still ask for it again: the deposit stands.
    if found.revocation_index is not None and not find_entries(connection, [digest]):
        raise Problem("key-revoked")
    try:
        envelope.verify(statement.public_key)
    except MizhengError:
        raise Problem("signature-wrong") from None
    if statement.depositor != caller.depositor:
        raise Problem("depositor-mismatch")
    return Deposit(NewEntry(digest, "deposit"), body, caller.organisation_id, keyid, int(time.time()))


def find_deposit(connection: Connection, deposit: Deposit) -> Sequenced | None:
    """The place of an envelope that is in the log already, proven against the head of now."""
    index = find_entries(connection, [deposit.entry.envelope_sha256]).get(deposit.entry.envelope_sha256)
    if index is None:
        return None
    return Sequenced(index, tlog_proof(TileReader(connection), index, load_head(connection)), False)


class DepositRules:
    """Step 7, and the rows of what was accepted; see `mizheng.notary.log.sequencer.Rules`."""

    def refusals(self, connection: Connection, batch: Sequence[Deposit]) -> Mapping[bytes, Problem]:
        query = (
            select(company_keys.c.keyid, organisations.c.disabled_at)
            .select_from(company_keys.join(organisations))
            .where(
                company_keys.c.keyid.in_({item.keyid for item in batch}),
                company_keys.c.revocation_index.is_(None),
            )
        )
        active = {row.keyid: row.disabled_at for row in connection.execute(query)}
        refused: dict[bytes, Problem] = {}
        for item in batch:
            if item.keyid not in active:
                refused[item.entry.envelope_sha256] = Problem("key-revoked")
            elif active[item.keyid] is not None:
                refused[item.entry.envelope_sha256] = Problem("organisation-disabled")
        return refused

    def record(self, connection: Connection, placed: Sequence[tuple[Deposit, int]]) -> None:
        connection.execute(
            insert(deposits),
            [
                {
                    "leaf_index": index,
                    "organisation_id": item.organisation_id,
                    "keyid": item.keyid,
                    "envelope": item.envelope,
                    "received_at": item.received_at,
                }
                for item, index in placed
            ],
        )


def _parse_envelope(body: bytes) -> dsse.Envelope:
    try:
        return dsse.parse(body, STATEMENT_PAYLOAD_TYPE)
    except MizhengError:
        pass
    # Told apart only once it has failed: is it an envelope at all, of something else?
    try:
        fields = parse_object(body, {"payload": str, "payloadType": str, "signatures": list})
    except MizhengError:
        raise Problem("envelope-malformed") from None
    if fields["payloadType"] != STATEMENT_PAYLOAD_TYPE:
        raise Problem("payload-type-wrong")
    raise Problem("envelope-malformed")


def _parse_statement(payload: bytes) -> Statement:
    try:
        return parse_statement(payload)
    except VersionError:
        raise Problem("statement-type-wrong") from None
    except MizhengError:
        raise Problem("statement-malformed") from None


def load_received_at(engine: Engine, leaf_index: int) -> int:
    """When the deposit at this place was first received, by the notary's clock."""
    with reading(engine) as connection:
        query = select(deposits.c.received_at).where(deposits.c.leaf_index == leaf_index)
        received_at: int = connection.execute(query).scalar_one()
        return received_at
