"""Home-made blocks in which everything fits together, and which no chain has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mizheng.verifier.anchor import AnchorEvidence

from tests.verifier.attacks.forging import FREE_NUMBER, IN_2020, forge_anchor, forge_state
from tests.verifier.evm import world as evm

from .case import Case, Cases
from .chains import observe, with_anchor, with_observations
from .setting import Members, Setting


def cases() -> list[Case]:
    return _forged()


def _forged() -> list[Case]:
    found = Cases("forged")
    free: Callable[[Setting], AnchorEvidence] = lambda s: forge_anchor(s.scene, number=FREE_NUMBER)  # noqa: E731
    code = "anchor.canonical"
    found.stays_open(
        "block-of-2020",
        "a home-made block of 2020 with the right event: whole in every bit, and of no chain",
        code,
        lambda s: with_anchor(s, free(s)),
    )
    found.stays_open(
        "state-of-2020",
        "a home-made state of 2020 with the right slot",
        code,
        lambda s: with_anchor(s, forge_state(s.scene, FREE_NUMBER)),
    )
    found.stays_open(
        "block-with-strangers",
        "a home-made block, and three strangers who say that they saw it",
        code,
        with_strangers,
    )
    for by, make in (("block", forge_anchor), ("state", forge_state)):
        found.fails(
            f"{by}-at-a-known-height",
            f"a home-made {by} at a height where observers saw another block",
            code,
            lambda s, make=make: with_anchor(s, make(s.scene, number=s.scene.anchor_block)),
        )
    found.fails(
        "under-the-honest-hash",
        "a home-made header under the hash of the honest block",
        "anchor.header",
        lambda s: with_anchor(s, under_honest(s, hash_only=True)),
    )
    found.fails(
        "receipt-in-the-honest-block",
        "a home-made receipt in the honest block",
        "anchor.receipt",
        lambda s: with_anchor(s, under_honest(s)),
    )
    found.add(
        "later-state",
        "an honest receipt, and a home-made later state that adds nothing",
        "valid",
        lambda s: with_anchor(s, replace(s.evidence, storage=forge_state(s.scene, FREE_NUMBER).storage)),
        open=("anchor.storage",),
    )
    found.fails(
        "event-of-another-contract",
        "a real block's event of a contract of one's own",
        "anchor.event",
        lambda s: with_anchor(s, other_event(s, contract=b"\x01" * 20)),
    )
    found.fails(
        "event-of-another-log",
        "a real block's event of another log id",
        "anchor.event",
        lambda s: with_anchor(s, other_event(s, log_id=b"\x01" * 32)),
    )
    found.fails(
        "time-past-all-calendars",
        "a block whose time no calendar has",
        "anchor.header",
        lambda s: with_anchor(s, forge_anchor(s.scene, number=FREE_NUMBER, timestamp=2**50)),
    )
    found.stays_open(
        "receipt-of-a-later-type",
        "a receipt of a transaction type that is not known here, in its block: nothing is said against it",
        "anchor.receipt",
        lambda s: with_anchor(s, of_later_type(s)),
    )
    return found.all


def of_later_type(s: Setting) -> AnchorEvidence:
    """Whole in every bit, but for what type 5 may mean."""
    honest = s.evidence
    place = {"contract": honest.contract, "log_id": honest.log_id}
    event = evm.anchored_log(honest.tree_size, honest.root_hash, **place)
    receipt = b"\x05" + evm.build_receipt(2, [event])[1:]
    block = evm.World(FREE_NUMBER, [receipt], timestamp=IN_2020)
    return replace(honest, block=block.block, receipt=block.receipt_proof(0, 0), storage=None)


def under_honest(s: Setting, *, hash_only: bool = False) -> AnchorEvidence:
    forged, honest = forge_anchor(s.scene, number=s.scene.anchor_block), s.evidence
    return replace(forged, block=replace(forged.block, hash=honest.block.hash) if hash_only else honest.block)


def other_event(s: Setting, **changes: bytes) -> AnchorEvidence:
    honest = s.evidence
    place = {"contract": honest.contract, "log_id": honest.log_id, **changes}
    event = evm.anchored_log(honest.tree_size, honest.root_hash, **place)
    block = evm.World(FREE_NUMBER, [evm.build_receipt(2, [event])], timestamp=IN_2020)
    return replace(honest, block=block.block, receipt=block.receipt_proof(0, 0), storage=None)


def with_strangers(s: Setting) -> Members:
    forged = forge_anchor(s.scene, number=FREE_NUMBER)
    seen = [observe(s, forged.block, s.stream.key()) for _ in range(3)]
    return with_observations(s, with_anchor(s, forged), *seen)
