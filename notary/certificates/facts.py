"""The facts of a deposit that a certificate states, read from the database in one snapshot.

All of them are the notary's own records or stand in what it hands out as evidence; of what was sealed it
knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.certificates.setup import CertificateSetup
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import observations
from mizheng.notary.evidence import choose_anchors, collect_evidence
from mizheng.notary.instance import Instance
from mizheng.notary.observers import parse_observers
from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.beacon import parse_beacon
from mizheng.verifier.bundlewriting import Evidence, evidence_members
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.checkpoint import parse_tlog_proof
from mizheng.verifier.dsse import parse
from mizheng.verifier.enrolment import parse_enrolment
from mizheng.verifier.evm.block import verify_block
from mizheng.verifier.foreign import KINDS as FOREIGN_KINDS
from mizheng.verifier.foreign import parse_foreign
from mizheng.verifier.members import STATEMENT
from mizheng.verifier.note import parse_note
from mizheng.verifier.paper.certificate import (
    AnchorFacts,
    Authentication,
    CertificateFacts,
    ProvenInstant,
    TokenFacts,
)
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, Statement, parse_statement
from mizheng.verifier.timestamp.token import parse_response, parse_token
from sqlalchemy import Connection, Row, select


@dataclass(frozen=True, slots=True)
class Issue:
    """What is decided when a certificate is issued; everything else is read."""

    number: str
    """As printed, with its marks."""
    code: str
    """As printed."""
    at: int
    signer: str
    """keyid of the key that signs the PDF, hex; empty: it is not signed."""


def gather_facts(
    connection: Connection,
    instance: Instance,
    profiles: Sequence[ChainProfile],
    setup: CertificateSetup,
    deposit: Row[Any],
    issue: Issue,
) -> CertificateFacts:
    """The facts of this row of `deposits`, which has to be final."""
    evidence = collect_evidence(connection, instance, deposit)
    statement = parse_statement(parse(deposit.envelope, STATEMENT_PAYLOAD_TYPE).payload)
    issuer = setup.issuer or instance.origin
    note = parse_note(parse_tlog_proof(evidence.heads[min(evidence.heads)]).note)
    log_lines = [line for line in note.signatures if line.name == instance.origin]
    anchors = tuple(
        _anchor(connection, instance, profiles, row)
        for row in choose_anchors(connection, deposit.leaf_index)
        if row.state == "final"
    )
    tokens = tuple(_token(response) for response, _ in evidence.timestamps)
    return CertificateFacts(
        number=issue.number,
        lookup_code=issue.code,
        holder=statement.depositor.name,
        holder_id_scheme=statement.depositor.id_scheme,
        holder_id=statement.depositor.id,
        operator=statement.operator,
        authentication=_authentication(evidence, issuer),
        holder_keyid=deposit.keyid,
        commitment=statement.commitment.hex(),
        envelope_sha256=deposit.envelope_sha256.hex(),
        leaf_index=deposit.leaf_index,
        log_origin=instance.origin,
        checkpoint=note.text.decode(),
        checkpoint_keyid=log_lines[0].key_hash.hex(),
        witnesses=tuple(line.name for line in note.signatures if line.name != instance.origin),
        claimed_at=parse_instant(statement.claimed_at),
        not_before=_not_before(statement, evidence, profiles),
        not_after=_not_after(anchors, tokens),
        anchors=anchors,
        tokens=tokens,
        issuer=issuer,
        issuer_keyid=issue.signer,
        issued_at=issue.at,
        attachments=proof_members(deposit.envelope, evidence),
    )


def proof_members(envelope: bytes, evidence: Evidence) -> Mapping[str, bytes]:
    """All that proves a deposit, by its name in a bundle: nothing of it opens a record."""
    return {STATEMENT: envelope, **evidence_members(evidence)}


def _authentication(evidence: Evidence, issuer: str) -> Authentication | None:
    if evidence.enrolment is None:
        return None
    enrolment, _ = parse_enrolment(evidence.enrolment)
    return Authentication(enrolment.method, enrolment.authenticated_at, issuer)


def _anchor(
    connection: Connection, instance: Instance, profiles: Sequence[ChainProfile], row: Row[Any]
) -> AnchorFacts:
    data = row.evidence_final or row.evidence
    if row.kind in FOREIGN_KINDS:
        block_at = parse_instant(parse_foreign(data).block_time)
    else:
        block_at = verify_block(parse_anchor(data).block).timestamp
    return AnchorFacts(
        chain_name=row.chain,
        chain_kind=row.kind,
        chain_id=row.chain_id,
        genesis_hash=row.genesis_hash.hex(),
        contract=row.contract.hex(),
        log_id=row.log_id.hex(),
        transaction_hash=row.transaction_hash.hex(),
        height=row.block_number,
        block_hash=row.block_hash.hex(),
        block_at=block_at,
        tree_size=row.tree_size,
        finality=_finality(profiles, row),
        observers=_observers(connection, instance, row),
    )


def _finality(profiles: Sequence[ChainProfile], row: Row[Any]) -> str:
    """The rule and by whose view, in both languages: the paper is one document for both."""
    for profile in profiles:
        if (profile.chain_id, profile.genesis_hash) == (row.chain_id, row.genesis_hash):
            rule = profile.finality.rule
            if profile.is_embedded:
                return f"{rule}：签发方的内置链 the issuer's own embedded chain"
            nodes = len(profile.rpc)
            return f"{rule}：签发方所问的 {nodes} 个节点 as {nodes} nodes asked by the issuer see it"
    return "签发方已不再使用该链 the issuer uses this chain no more"


def _observers(connection: Connection, instance: Instance, row: Row[Any]) -> tuple[str, ...]:
    """Who signed that the block is the chain's: by the name in the settings, else by key."""
    names = {peer.key.keyid: peer.name for peer in parse_observers(instance.settings.observers)}
    keyids = connection.execute(
        select(observations.c.observer_keyid)
        .where(
            observations.c.chain_id == row.chain_id,
            observations.c.genesis_hash == row.genesis_hash,
            observations.c.block_hash == row.block_hash,
        )
        .order_by(observations.c.observer_keyid)
    ).scalars()
    return tuple(names.get(keyid, keyid[:16]) for keyid in keyids)


def _token(response: bytes) -> TokenFacts:
    token = parse_token(parse_response(response))
    return TokenFacts(token.signer.name, token.latest, str(token.serial))


def _not_before(
    statement: Statement, evidence: Evidence, profiles: Sequence[ChainProfile]
) -> ProvenInstant | None:
    named = statement.not_before
    if named is None or evidence.beacon is None:
        return None
    chain = next(
        (
            profile.name
            for profile in profiles
            if (profile.chain_id, profile.genesis_hash) == (named.chain_id, named.genesis_hash)
        ),
        str(named.chain_id),
    )
    header = verify_block(parse_beacon(evidence.beacon).block)
    return ProvenInstant(header.timestamp, _block_words(chain, named.number))


def _not_after(anchors: Sequence[AnchorFacts], tokens: Sequence[TokenFacts]) -> ProvenInstant | None:
    """The earliest of final blocks and tokens. A block whose header proves no time dates nothing."""
    dated = [
        ProvenInstant(anchor.block_at, _block_words(anchor.chain_name, anchor.height))
        for anchor in anchors
        if anchor.chain_kind not in FOREIGN_KINDS
    ]
    dated += [
        ProvenInstant(token.latest_at, f"{token.authority} 的时间戳 time-stamp token") for token in tokens
    ]
    return min(dated, key=lambda found: found.at, default=None)


def _block_words(chain: str, number: int) -> str:
    return f"{chain} 链第 {number} 号区块 block {number} of {chain}"
