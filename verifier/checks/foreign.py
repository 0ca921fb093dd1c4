"""Anchors on chains with foreign headers: nothing of them proves itself, observers may stand for them.

A quorum of trusted observers makes the check pass; it is no canonical anchor all the same, gives no time, and
a bundle with nothing else stays undetermined.
"""

from __future__ import annotations

from ..errors import ProofError
from ..foreign import MAX_BYTES, ForeignAnchor, parse_foreign, verify_foreign_observation
from ..statement import BlockReference
from ..words import N_
from .block import check_online_root
from .context import Context

_CODE = "foreign.observed"


def check_foreign(context: Context) -> None:
    names = context.bundle.group("foreign")
    for name in names:
        _check(context, name)
    if not names:
        context.findings.not_provided(_CODE)


def _check(context: Context, name: str) -> None:
    findings = context.findings
    anchor = findings.attempt(_CODE, name, lambda: parse_foreign(context.bundle.read(name, MAX_BYTES)))
    if anchor is None:
        return
    if not _has_checkpoint(context, anchor):
        error = ProofError("what is anchored there is not a checkpoint of this bundle")
        findings.failed(_CODE, name, error)
        return
    seen = []
    for envelope in anchor.observations:
        found = findings.attempt(_CODE, name, lambda: verify_foreign_observation(anchor, envelope))  # noqa: B023
        if found is None:
            return
        seen.append(found.signer)
    if not _is_trusted_place(context, anchor):
        message = N_("the trust file does not know this chain, contract and log id")
        findings.not_checked(_CODE, name, message)
        return
    assert context.trust is not None  # noqa: S101 - its chain was just found
    observers = {key: item.name for key in seen if (item := context.trust.observer(key))}
    block = BlockReference(anchor.chain.chain_id, anchor.chain.genesis_hash, anchor.number, anchor.hash)
    place = (anchor.contract, anchor.log_id, anchor.tree_size)
    check_online_root(context, name, block, place, anchor.root_hash)
    if len(observers) < context.trust.observer_quorum:
        message = N_(
            "nothing in this evidence proves itself offline: the chain's headers are foreign, and no quorum "
            "of trusted observers stands for it"
        )
        findings.not_checked(_CODE, name, message, block=anchor.number, root=anchor.root_hash.hex())
        return
    findings.passed(
        _CODE,
        name,
        N_("by the word of {observers}, no proof: block {block} of {chain} holds this root"),
        observers=", ".join(sorted(observers.values())),
        block=anchor.number,
        chain=anchor.chain.kind,
        size=anchor.tree_size,
        root=anchor.root_hash.hex(),
    )


def _has_checkpoint(context: Context, anchor: ForeignAnchor) -> bool:
    return any(
        (head.checkpoint.size, head.checkpoint.root) == (anchor.tree_size, anchor.root_hash)
        for head in context.heads
    )


def _is_trusted_place(context: Context, anchor: ForeignAnchor) -> bool:
    if context.trust is None:
        return False
    chain = context.trust.chain(anchor.chain.chain_id, anchor.chain.genesis_hash)
    if chain is None or (chain.kind, chain.contract, chain.code_hash) != (
        anchor.chain.kind,
        anchor.contract,
        anchor.code_hash,
    ):
        return False
    origins = {head.checkpoint.origin for head in context.heads if head.is_trusted}
    return any(
        item.log_id == anchor.log_id and item.origin in origins and item.covers(anchor.tree_size)
        for item in chain.log_ids
    )
