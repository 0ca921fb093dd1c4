"""Deposits: what is checked before an envelope may stand in the log.

Of the envelope alone, before it waits for anything:

1. size (by the caller, while reading)
2. form: a canonical DSSE envelope
3. payload type, then the statement's own type and form
4. signature, by the key that the statement names

Against the registers, in the transaction that appends, so that nothing can change in between:

5. the API key and the organisation: still admitted
6. depositor: exactly as registered
7. the signing key: enrolled for this organisation and not revoked (but a deposit that stands is given again)
8. the organisation's quota, if it has one: there is room for one more entry

The notary never sees what was sealed: a statement carries a commitment and nothing of the content.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mizheng.notary.companies.api_keys import Caller, authenticate_again
from mizheng.notary.companies.quotas import Quota, use_quotas
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.intake.rows import Insert, Lookup
from mizheng.notary.log.append import NewEntry
from mizheng.notary.models import company_keys, deposits, events
from mizheng.verifier import dsse
from mizheng.verifier.canonical import parse, parse_object
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.statement import (
    STATEMENT_PAYLOAD_TYPE,
    STATEMENT_TYPE,
    Depositor,
    Statement,
    parse_statement,
)
from sqlalchemy import Connection, Engine, Table, select

_COLUMNS = ("leaf_index", "organisation_id", "keyid", "envelope", "received_at")
# By what the log's entry is of; both tables have the same columns.
_TABLES = {"deposit": deposits, "event": events}
_ADD = {kind: Insert(table, *(table.c[name] for name in _COLUMNS)) for kind, table in _TABLES.items()}
_KEYS = Lookup(
    select(company_keys.c.keyid, company_keys.c.organisation_id, company_keys.c.revocation_index),
    company_keys.c.keyid,
)


@dataclass(frozen=True, slots=True)
class Deposit:
    """A checked envelope on its way into the log: a statement's, or an event's (`events`)."""

    entry: NewEntry
    envelope: bytes = field(repr=False)
    depositor: Depositor | None
    """As the statement names him; an event names none."""
    keyid: str
    caller: Caller
    received_at: int


def check_deposit(caller: Caller, body: bytes) -> Deposit:
    """Steps 2 to 4; Problem at the first that fails."""
    envelope = _parse_envelope(body)
    statement = _parse_statement(envelope.payload)
    try:
        envelope.verify(statement.public_key)
    except MizhengError:
        raise Problem("signature-wrong") from None
    entry = NewEntry(bytes.fromhex(envelope.sha256), "deposit")
    keyid = statement.public_key.keyid
    return Deposit(entry, body, statement.depositor, keyid, caller, int(time.time()))


class DepositRules:
    """Steps 5 to 8, and the rows of what was accepted; see `mizheng.notary.log.sequencer.Rules`."""

    def __init__(self) -> None:
        # Companies with a quota among those of the present batch: nearly always none.
        self._limited: frozenset[int] = frozenset()

    def refusals(
        self, connection: Connection, batch: Sequence[Deposit]
    ) -> Callable[[Collection[bytes]], Mapping[int, Problem]]:
        callers = authenticate_again(connection, {item.caller.api_key_id for item in batch})
        keys = _KEYS.ask(connection, {item.keyid for item in batch})

        def answer(known: Collection[bytes]) -> Mapping[int, Problem]:
            found = callers()
            refused = _find_refusals(batch, found, keys(), known)
            quotas = {
                caller.organisation_id: caller.quota
                for caller in found.values()
                if isinstance(caller, Caller) and caller.quota is not None
            }
            self._limited = frozenset(quotas)
            return {**refused, **_find_excess(batch, quotas, {*known}, refused)} if quotas else refused

        return answer

    def record(self, connection: Connection, placed: Sequence[tuple[Deposit, int]]) -> None:
        for kind, add in _ADD.items():
            rows = [
                (index, item.caller.organisation_id, item.keyid, item.envelope, item.received_at)
                for item, index in placed
                if item.entry.kind == kind
            ]
            if rows:
                add.run(connection, rows)
        if self._limited:
            companies = (item.caller.organisation_id for item, _ in placed)
            use_quotas(connection, (one for one in companies if one in self._limited), time.time())


def load_received_at(engine: Engine, leaf_indices: Sequence[int], table: Table = deposits) -> dict[int, int]:
    """When the deposits (or events) at these places were first received, by the notary's clock."""
    query = select(table.c.leaf_index, table.c.received_at).where(table.c.leaf_index.in_(leaf_indices))
    with reading(engine) as connection:
        return {row.leaf_index: row.received_at for row in connection.execute(query)}


def _find_refusals(
    batch: Sequence[Deposit],
    callers: Mapping[int, Caller | Problem],
    key_rows: Iterable[Any],
    known: Collection[bytes],
) -> dict[int, Problem]:
    keys = {row.keyid: (row.organisation_id, row.revocation_index is None) for row in key_rows}
    refused: dict[int, Problem] = {}
    gone = Problem("api-key-wrong")
    for number, item in enumerate(batch):
        is_known = item.entry.envelope_sha256 in known
        caller = callers.get(item.caller.api_key_id, gone)
        problem = _refusal(item, caller, keys.get(item.keyid), is_known)
        if problem is not None:
            refused[number] = problem
    return refused


def _find_excess(
    batch: Sequence[Deposit],
    quotas: Mapping[int, Quota],
    known: set[bytes],
    refused: Collection[int],
) -> dict[int, Problem]:
    """New entries for which there is no room; what stands already, or before in the batch, takes none."""
    excess: dict[int, Problem] = {}
    more: dict[int, int] = {}
    now = time.time()
    for number, item in enumerate(batch):
        company = item.caller.organisation_id
        if company not in quotas or number in refused or item.entry.envelope_sha256 in known:
            continue
        problem = quotas[company].refusal(more.get(company, 0), now)
        if problem is not None:
            excess[number] = problem
            continue
        known.add(item.entry.envelope_sha256)
        more[company] = more.get(company, 0) + 1
    return excess


def _refusal(
    item: Deposit, caller: Caller | Problem, key: tuple[int, bool] | None, is_known: bool
) -> Problem | None:
    if isinstance(caller, Problem):
        return caller
    if item.depositor is not None and item.depositor != caller.depositor:
        return Problem("depositor-mismatch")
    if key is None or key[0] != caller.organisation_id:
        return Problem("key-not-enrolled")
    if not key[1] and not is_known:
        return Problem("key-revoked")
    return None


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
    except MizhengError:
        pass
    # Told apart only once it has failed: is it a document of ours, of another type or a later version?
    try:
        value = parse(payload)
    except MizhengError:
        raise Problem("statement-malformed") from None
    if isinstance(value, dict) and value.get("type", STATEMENT_TYPE) != STATEMENT_TYPE:
        raise Problem("statement-type-wrong")
    raise Problem("statement-malformed")
