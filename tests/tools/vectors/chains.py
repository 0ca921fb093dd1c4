"""Anchors, each with one defect in its evidence or in what it is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.anchor import AnchorEvidence, dump_anchor
from mizheng.verifier.evm.block import Block
from mizheng.verifier.observation import Observation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust

from tests.support.world import AT

from .case import Bundle, Case, Cases
from .setting import ANCHOR, Members, Setting, ordered

Change = Callable[[AnchorEvidence, Setting], AnchorEvidence]


def cases() -> list[Case]:
    return _evidence()


def anchored(change: Change) -> Callable[[Setting], Bundle]:
    """The anchor changed; no token beside it, which would date the deposit all the same."""
    return lambda s: with_anchor(s, change(s.evidence, s))


def with_anchor(s: Setting, evidence: AnchorEvidence) -> Members:
    return {**untimed(s), ANCHOR: dump_anchor(evidence)}


def untimed(s: Setting) -> Members:
    """Nothing but the anchor, whose block two observers saw."""
    gone = ("timestamps/", "beacon", "observations/0003", "observations/0004")
    return {name: data for name, data in s.base.items() if not name.startswith(gone)}


def receipt(**changes: Any) -> Change:
    def change(it: AnchorEvidence, _: Setting) -> AnchorEvidence:
        assert it.receipt
        return replace(it, receipt=replace(it.receipt, **changes))

    return change


def storage(**changes: Any) -> Change:
    def change(it: AnchorEvidence, _: Setting) -> AnchorEvidence:
        assert it.storage
        return replace(it, storage=replace(it.storage, **changes))

    return change


def flipped(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def _evidence() -> list[Case]:
    found = Cases("anchor")

    def fails(name: str, why: str, code: str | tuple[str, ...], change: Change) -> None:
        found.fails(name, why, code, anchored(change))

    fails(
        "header-bit",
        "one bit of the header is another: its hash is not the block's",
        "anchor.header",
        lambda it, _: replace(it, block=replace(it.block, header=flipped(it.block.header))),
    )
    fails(
        "header-cut",
        "a header cut short",
        "anchor.header",
        lambda it, _: replace(it, block=replace(it.block, header=it.block.header[:-1])),
    )
    fails(
        "header-longer",
        "a byte after the header",
        "anchor.header",
        lambda it, _: replace(it, block=replace(it.block, header=it.block.header + b"\0")),
    )
    fails(
        "number",
        "another number than the header's",
        "anchor.header",
        lambda it, _: replace(it, block=replace(it.block, number=it.block.number + 1)),
    )
    fails(
        "hash",
        "another hash than the header's",
        "anchor.header",
        lambda it, _: replace(it, block=replace(it.block, hash=flipped(it.block.hash))),
    )
    fails(
        "receipt-bit",
        "one bit of the receipt is another",
        "anchor.receipt",
        lambda it, s: receipt(data=flipped(it.receipt.data))(it, s),
    )  # type: ignore[union-attr]
    fails("receipt-index", "the receipt of another transaction", "anchor.receipt", receipt(index=1))
    fails("receipt-proof-empty", "a receipt without its proof", "anchor.receipt", receipt(proof=()))
    fails(
        "receipt-proof-longer",
        "a proof with a node too many",
        "anchor.receipt",
        lambda it, s: receipt(proof=(*it.receipt.proof, it.receipt.proof[-1]))(it, s),
    )  # type: ignore[union-attr]
    fails("event-index", "an event that the receipt does not hold", "anchor.event", receipt(log_index=7))
    fails(
        "log-id",
        "the event is of another log id than the evidence says",
        ("anchor.event", "anchor.storage"),
        lambda it, _: replace(it, log_id=flipped(it.log_id)),
    )
    fails(
        "contract",
        "the event is of another contract than the evidence says",
        ("anchor.event", "anchor.storage"),
        lambda it, _: replace(it, contract=flipped(it.contract)),
    )
    fails(
        "root",
        "the event is of another root than the evidence says",
        ("anchor.checkpoint", "anchor.event", "anchor.storage"),
        lambda it, _: replace(it, root_hash=flipped(it.root_hash)),
    )
    fails(
        "size",
        "the event is of another tree size than the evidence says",
        ("anchor.checkpoint", "anchor.event", "anchor.storage"),
        lambda it, _: replace(it, tree_size=4),
    )
    fails(
        "state-proof-cut",
        "the last node of the account's proof is missing",
        "anchor.storage",
        lambda it, s: storage(account_proof=it.storage.account_proof[:-1])(it, s),
    )  # type: ignore[union-attr]
    fails(
        "slot-proof-bit",
        "one bit of the slot's proof is another",
        "anchor.storage",
        lambda it, s: storage(slot_proof=(flipped(it.storage.slot_proof[0]), *it.storage.slot_proof[1:]))(
            it, s
        ),
    )  # type: ignore[union-attr]
    fails(
        "slot-proof-longer",
        "a node too many in the slot's proof",
        "anchor.storage",
        lambda it, s: storage(slot_proof=(*it.storage.slot_proof, it.storage.slot_proof[-1]))(it, s),
    )  # type: ignore[union-attr]
    fails("code-hash", "another code than the account's", "anchor.storage", storage(code_hash=bytes(32)))
    fails(
        "storage-of-an-earlier-block",
        "a storage proof of an earlier block",
        "anchor.storage",
        earlier_storage,
    )
    fails(
        "no-proofs",
        "an anchor with neither receipt nor storage proof",
        "anchor.header",
        lambda it, _: replace(it, receipt=None, storage=None),
    )
    found.fails(
        "of-a-later-head",
        "the company's anchor of a later head, for which the bundle proves nothing",
        "anchor.checkpoint",
        lambda s: {**untimed(s), ANCHOR: s.scene.late_anchor[1]},
    )
    found.fails(
        "transaction-hash",
        "a field that anchors do not have, and that nothing would prove",
        "anchor.header",
        lambda s: {
            **untimed(s),
            ANCHOR: s.base[ANCHOR].replace(
                b',"tree_size"', b',"transaction_hash":"' + b"00" * 32 + b'","tree_size"'
            ),
        },
    )
    found.stays_open(
        "unknown-chain",
        "an anchor on a chain that the trust file does not know",
        "anchor.contract",
        lambda s: untimed(s),
        trust=lambda s: s.trust(chains=()),
    )
    found.stays_open(
        "other-genesis",
        "an anchor on a chain of this id and another genesis",
        "anchor.contract",
        anchored(lambda it, _: replace(it, chain=replace(it.chain, genesis_hash=bytes(32)))),
    )
    found.stays_open(
        "called-a-real-chain",
        "a trial chain that calls itself a real one",
        "anchor.contract",
        anchored(lambda it, _: replace(it, chain=replace(it.chain, kind="ethereum"))),
    )
    found.stays_open(
        "other-contract-trusted",
        "the trust file knows another contract",
        "anchor.contract",
        untimed,
        trust=lambda s: chain_of(s, contract=bytes(20)),
    )
    found.fails(
        "other-code-trusted",
        "the trust file knows the contract with other code",
        "anchor.storage",
        untimed,
        trust=lambda s: chain_of(s, code_hash=bytes(32)),
    )
    found.stays_open(
        "log-id-for-smaller-trees",
        "the trust file ends the log id before this size",
        "anchor.contract",
        untimed,
        trust=lambda s: log_id_of(s, last_size=4),
    )
    found.stays_open(
        "log-id-of-another-log",
        "the trust file gives the log id to another log",
        "anchor.contract",
        untimed,
        trust=lambda s: log_id_of(s, origin="log.example/other"),
    )
    return found.all


def earlier_storage(it: AnchorEvidence, s: Setting) -> AnchorEvidence:
    earlier = s.world.chain.block(it.block.number - 1)
    assert earlier
    return storage(block=earlier)(it, s)


def chain_of(s: Setting, **changes: Any) -> Trust:
    (chain,) = s.trust().chains
    return s.trust(chains=(replace(chain, **changes),))


def log_id_of(s: Setting, **changes: Any) -> Trust:
    (chain,) = s.trust().chains
    (item,) = chain.log_ids
    return chain_of(s, log_ids=(replace(item, **changes),))


def observe(s: Setting, block: Block, key: PrivateKey, **changes: Any) -> bytes:
    return Observation(replace(s.world.reference(block), **changes), "finalized", AT).sign(key)


def with_observations(s: Setting, members: Members, *observations: bytes) -> Members:
    kept = {name: data for name, data in members.items() if not name.startswith("observations/")}
    return ordered(
        {**kept, **{f"observations/{n:04}.dsse.json": one for n, one in enumerate(observations, 1)}}
    )
