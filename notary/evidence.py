"""How far a deposit has come, and all that the notary adds to a bundle.

Read from the database alone, in one snapshot: any process can answer, whether it anchors or not, and a
chain that is down takes no evidence away.
"""

from collections.abc import Iterable, Sequence

from mizheng.notary.anchoring.costs import load_costs
from mizheng.notary.chain.beacon import find_beacon
from mizheng.notary.chain.covering import find_covering, read_waiting_for
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.status import load_warnings
from mizheng.notary.chain.tables import observations, validator_seals
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head
from mizheng.notary.log.keys import is_believed, load_spans
from mizheng.notary.log.proofs import tlog_proof_for
from mizheng.notary.log.tiles import TileReader
from mizheng.notary.models import checkpoints, company_keys, deposits, enrolments, entries
from mizheng.notary.publishing.head import add_cosignatures, load_published_head
from mizheng.notary.timestamping.kept import load_first_stamps
from mizheng.verifier.beacon import dump_beacon
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.canonical import format_instant, to_base64
from mizheng.verifier.dsse import parse
from mizheng.verifier.enrolment import KeyStatus
from mizheng.verifier.foreign import KINDS as FOREIGN_KINDS
from mizheng.verifier.foreign import MAX_OBSERVATIONS, dump_foreign, parse_foreign
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, parse_statement
from mizheng.verifier.timestamp.token import dump_response
from sqlalchemy import Connection, Engine, Row, select

# What the anchorer's rows are called to depositors.
_STATES = {"prepared": "waiting", "sent": "waiting", "mined": "anchored", "final": "final"}


def load_status(
    engine: Engine, caller: Caller, deposit_id: str, profiles: Sequence[ChainProfile]
) -> dict[str, object]:
    """The fields of StatusAnswer; Problem `deposit-unknown` unless it is the caller's."""
    with reading(engine) as connection:
        deposit = find_deposit(connection, caller, deposit_id)
        rows = find_covering(connection, deposit.leaf_index, load_spans(connection))
        waits = [read_waiting_for(connection, profile, deposit.leaf_index) for profile in profiles]
        warnings = load_warnings(connection)
        costs = load_costs(connection, rows, profiles)
    chains = [
        {
            "chain": profile.name,
            "kind": profile.kind,
            "chain_id": profile.chain_id,
            "state": _furthest(
                row
                for row in rows
                if (row.chain_id, row.genesis_hash) == (profile.chain_id, profile.genesis_hash)
            ),
            "waiting_for": waiting_for,
            "warnings": warnings.get(profile.name, []),
        }
        for profile, waiting_for in zip(profiles, waits, strict=True)
    ]
    # Of anchors on chains that are no longer configured as well.
    state = _furthest(rows)
    waiting_for = next((chain["waiting_for"] for chain in chains if chain["state"] == state), None)
    return {
        "id": deposit_id,
        "leaf_index": deposit.leaf_index,
        "state": state,
        "received_at": format_instant(deposit.received_at),
        "waiting_for": None if state == "final" else waiting_for or "anchor-interval",
        "chains": chains,
        "anchors": [{**_describe(row), "cost": costs.get(row.id)} for row in rows],
    }


def assemble_evidence(instance: Instance, caller: Caller, deposit_id: str) -> dict[str, object]:
    """The fields of EvidenceAnswer; Problem `deposit-unknown` unless it is the caller's."""
    with reading(instance.engine) as connection:
        deposit = find_deposit(connection, caller, deposit_id)
        found = collect_evidence(connection, instance, deposit)
    assert found.enrolment and found.enrolment_proof and found.key_status  # noqa: S101 - collected always
    return {
        "id": deposit_id,
        "leaf_index": deposit.leaf_index,
        "heads": {str(size): proof.decode() for size, proof in sorted(found.heads.items())},
        "anchors": [to_base64(anchor) for anchor in found.anchors],
        "foreign": [to_base64(anchor) for anchor in found.foreign],
        "observations": [to_base64(envelope) for envelope in found.observations],
        "seals": [to_base64(evidence) for evidence in found.seals],
        "timestamps": [
            {"response": to_base64(response), "text": text.decode()} for response, text in found.timestamps
        ],
        "renewals": [to_base64(record) for record in found.renewals],
        "enrolment": to_base64(found.enrolment),
        "enrolment_proof": found.enrolment_proof.decode(),
        "key_status": to_base64(found.key_status),
        "beacon": None if found.beacon is None else to_base64(found.beacon),
        "platform": None if found.platform is None else to_base64(found.platform),
    }


def collect_evidence(
    connection: Connection, instance: Instance, deposit: Row[tuple[object, ...]]
) -> Evidence:
    """All that the notary adds to a bundle of this row of `deposits`."""
    head = load_head(connection)
    chosen = choose_anchors(connection, deposit.leaf_index)
    stamps = load_first_stamps(connection, deposit.leaf_index, load_spans(connection))
    notes = {row.tree_size: row.checkpoint_note for row in chosen}
    notes |= _kept_notes(connection, {stamp.tree_size for stamp in stamps} - set(notes))
    if not notes:
        # Nothing is anchored yet: there is inclusion in the published head, or else in the present one.
        published = load_published_head(connection)
        is_shown = published.tree_size > deposit.leaf_index and is_believed(
            load_spans(connection), published.tree_size
        )
        shown = published if is_shown else head
        notes = {shown.tree_size: shown.checkpoint}
    # Once for all that stands on a head: its note is the same bytes wherever it appears.
    notes = {size: add_cosignatures(connection, size, note) for size, note in notes.items()}
    reader = TileReader(connection)
    key = connection.execute(
        select(company_keys, enrolments.c.envelope)
        .select_from(company_keys.join(enrolments, company_keys.c.enrolment_index == enrolments.c.leaf_index))
        .where(company_keys.c.keyid == deposit.keyid)
    ).one()
    smallest = min(notes)
    not_before = parse_statement(parse(deposit.envelope, STATEMENT_PAYLOAD_TYPE).payload).not_before
    beacon = None if not_before is None else find_beacon(connection, not_before)
    blocks = {row.block_hash for row in chosen if row.kind not in FOREIGN_KINDS} | (
        {not_before.hash} if not_before else set()
    )
    return Evidence(
        heads={size: tlog_proof_for(reader, deposit.leaf_index, size, note) for size, note in notes.items()},
        timestamps=[(dump_response(stamp.token), stamp.text) for stamp in stamps],
        anchors=[row.evidence_final or row.evidence for row in chosen if row.kind not in FOREIGN_KINDS],
        foreign=[_with_observations(connection, row) for row in chosen if row.kind in FOREIGN_KINDS],
        observations=_observations(connection, blocks),
        renewals=[stamp.record for stamp in stamps if stamp.record is not None],
        seals=_seals(connection, blocks),
        enrolment=key.envelope,
        # An enrolment stands before every statement of its key, so each of these heads has it as well.
        enrolment_proof=tlog_proof_for(reader, key.enrolment_index, smallest, notes[smallest]),
        # Revocation and size are of one snapshot: the status cannot miss a revocation below its size.
        key_status=KeyStatus(deposit.keyid, key.revocation_index, head.tree_size).sign(instance.keys.issuer),
        beacon=None if beacon is None else dump_beacon(beacon),
        platform=instance.platform,
    )


def _with_observations(connection: Connection, row: Row[tuple[object, ...]]) -> bytes:
    """An anchor on a chain with foreign headers carries in itself what observers signed of it."""
    anchor = parse_foreign(row.evidence_final or row.evidence)
    envelopes = connection.execute(
        select(observations.c.envelope)
        .where(
            observations.c.chain_id == row.chain_id,
            observations.c.genesis_hash == row.genesis_hash,
            observations.c.block_hash == row.block_hash,
        )
        .order_by(observations.c.observer_keyid)
        .limit(MAX_OBSERVATIONS)
    ).scalars()
    return dump_foreign(anchor.with_observations(tuple(envelopes)))


def find_deposit(connection: Connection, caller: Caller, deposit_id: str) -> Row[tuple[object, ...]]:
    """The caller's deposit; Problem `deposit-unknown` for somebody else's and for none at all."""
    try:
        digest = bytes.fromhex(deposit_id)
    except ValueError:
        raise Problem("deposit-unknown") from None
    # Somebody else's deposit and none at all look the same.
    row = connection.execute(
        select(deposits)
        .select_from(deposits.join(entries))
        .where(entries.c.envelope_sha256 == digest, deposits.c.organisation_id == caller.organisation_id)
    ).one_or_none()
    if row is None or deposit_id != digest.hex():
        raise Problem("deposit-unknown")
    return row


def _kept_notes(connection: Connection, sizes: set[int]) -> dict[int, bytes]:
    """The signed checkpoints of these sizes, each of which was anchored."""
    rows = connection.execute(
        select(checkpoints.c.tree_size, checkpoints.c.note).where(checkpoints.c.tree_size.in_(sizes))
    )
    return {row.tree_size: row.note for row in rows}


def choose_anchors(connection: Connection, leaf_index: int) -> list[Row[tuple[object, ...]]]:
    """For each chain the first final anchor, the oldest date that stays; without one the first in a block."""
    rows = find_covering(connection, leaf_index, load_spans(connection))
    chosen: dict[tuple[int, bytes], Row[tuple[object, ...]]] = {}
    for state in ("final", "mined"):
        for row in rows:
            if row.state == state and (row.evidence_final or row.evidence):
                chosen.setdefault((row.chain_id, row.genesis_hash), row)
    return sorted(chosen.values(), key=lambda row: (row.tree_size, row.id))


def _furthest(rows: Iterable[Row[tuple[object, ...]]]) -> str:
    states = {_STATES[row.state] for row in rows}
    return next((name for name in ("final", "anchored") if name in states), "deposited")


def _describe(row: Row[tuple[object, ...]]) -> dict[str, object]:
    return {
        "chain": row.chain,
        "kind": row.kind,
        "chain_id": row.chain_id,
        "tree_size": row.tree_size,
        "state": _STATES[row.state],
        "transaction_hash": row.transaction_hash.hex(),
        "block_number": row.block_number,
        "block_hash": None if row.block_hash is None else row.block_hash.hex(),
    }


def _seals(connection: Connection, blocks: set[bytes]) -> Sequence[bytes]:
    return (
        connection.execute(
            select(validator_seals.c.evidence)
            .where(validator_seals.c.block_hash.in_(blocks))
            .order_by(validator_seals.c.chain_id, validator_seals.c.block_number)
        )
        .scalars()
        .all()
    )


def _observations(connection: Connection, blocks: set[bytes]) -> Sequence[bytes]:
    if not blocks:
        return []
    return (
        connection.execute(
            select(observations.c.envelope)
            .where(observations.c.block_hash.in_(blocks))
            .order_by(observations.c.block_number, observations.c.observer_keyid)
        )
        .scalars()
        .all()
    )
