"""Anchors on a chain: each proof of the evidence, then whether its block is the chain's at all.

A check that fails ends its anchor; what follows reads NOT_CHECKED. Only an anchor of which every
check passed gives a time.
"""

from __future__ import annotations

from ..anchor import (
    MAX_BYTES,
    AnchorEvidence,
    parse_anchor,
    verify_event,
    verify_header,
    verify_receipt,
    verify_storage,
)
from ..errors import ProofError
from ..evm.header import Header
from ..report import ProvenTime
from ..statement import BlockReference
from ..trust import TrustedChain
from ..words import N_
from .block import Observations, check_canonical, check_online_root, find_vouchers
from .context import Context

_TRIAL = "trial"


def check_anchors(context: Context, observations: Observations) -> None:
    names = context.bundle.group("anchors")
    for name in names:
        _check_anchor(context, name, observations)
    if not names:
        message = N_("the bundle carries no anchor")
        context.findings.not_provided("anchor.canonical", message=message)


def _check_anchor(context: Context, name: str, observations: Observations) -> None:
    findings = context.findings
    once = context.memory.once
    data = findings.attempt("anchor.header", name, lambda: context.bundle.read(name, MAX_BYTES))
    if data is None:
        return
    evidence = findings.attempt(
        "anchor.header", name, lambda: once("anchor", data, lambda: parse_anchor(data))
    )
    if evidence is None:
        return
    context.is_trial |= evidence.chain.kind == _TRIAL
    header = findings.attempt(
        "anchor.header", name, lambda: once("anchor.header", data, lambda: verify_header(evidence))
    )
    if header is None:
        return
    findings.passed("anchor.header", name, number=header.number, hash=header.hash.hex())
    is_proven = _check_receipt(context, name, evidence, header, data)
    is_proven &= _check_storage(context, name, evidence, observations, data)
    is_proven &= _check_checkpoint(context, name, evidence)
    chain = _check_contract(context, name, evidence)
    if not is_proven or chain is None:
        message = N_("not reached: a check of this anchor before it did not pass")
        findings.not_checked("anchor.canonical", name, message)
        return
    block = _reference(evidence, header)
    by = check_canonical(context, "anchor.canonical", name, chain, block, observations)
    if by is None:
        return
    context.anchored_sizes.add(evidence.tree_size)
    place = (evidence.contract, evidence.log_id, evidence.tree_size)
    check_online_root(context, name, block, place, evidence.root_hash)
    source = N_("block {number} of {chain}")
    context.latest.append(
        ProvenTime(header.timestamp, source, {"number": header.number, "chain": chain.name})
    )


def _check_receipt(
    context: Context, name: str, evidence: AnchorEvidence, header: Header, data: bytes
) -> bool:
    findings = context.findings
    if evidence.receipt is None:
        findings.not_provided("anchor.receipt", name)
        return True
    # The header is the evidence's own, so all of it is a function of the member's bytes.
    receipt = findings.attempt(
        "anchor.receipt",
        name,
        lambda: context.memory.once("anchor.receipt", data, lambda: verify_receipt(evidence, header)),
    )
    if receipt is None:
        return False
    message = N_("transaction {index} of block {number}")
    findings.passed("anchor.receipt", name, message, index=evidence.receipt.index, number=header.number)
    event = findings.attempt("anchor.event", name, lambda: verify_event(evidence, receipt))
    if event is None:
        return False
    findings.passed(
        "anchor.event",
        name,
        contract=evidence.contract.hex(),
        log_id=evidence.log_id.hex(),
        size=evidence.tree_size,
        root=evidence.root_hash.hex(),
    )
    return True


def _check_storage(
    context: Context, name: str, evidence: AnchorEvidence, observations: Observations, data: bytes
) -> bool:
    findings = context.findings
    if evidence.storage is None:
        findings.not_provided("anchor.storage", name)
        return True
    found = findings.attempt(
        "anchor.storage",
        name,
        lambda: context.memory.once("anchor.storage", data, lambda: verify_storage(evidence)),
    )
    if found is None:
        return False
    chain = _trusted_chain(context, evidence)
    # Another contract may be a newer one with other code: it is merely not known.
    is_known = chain and chain.contract == evidence.contract
    if chain and is_known and chain.code_hash != found.account.code_hash:
        findings.failed(
            "anchor.storage", name, ProofError("the contract has other code than the trusted one")
        )
        return False
    own_block = evidence.storage.block
    if own_block != evidence.block:
        block = BlockReference(
            evidence.chain.chain_id, evidence.chain.genesis_hash, own_block.number, own_block.hash
        )
        # The receipt already proves the anchor; state of a block nobody vouches for adds nothing.
        if chain is None or not find_vouchers(context, chain, block, observations):
            message = N_("nothing shows that the block of the storage proof belongs to the chain")
            findings.not_checked("anchor.storage", name, message)
            return True
    findings.passed(
        "anchor.storage",
        name,
        N_("block {number}"),
        number=found.header.number,
        slot=found.slot.hex(),
        value=found.value.hex(),
        code_hash=found.account.code_hash.hex(),
    )
    return True


def _check_checkpoint(context: Context, name: str, evidence: AnchorEvidence) -> bool:
    """The anchored size and root are those of a head that holds the entry and that the log signed."""
    for head in context.heads:
        if head.checkpoint.size == evidence.tree_size:
            if head.checkpoint.root != evidence.root_hash:
                error = ProofError("the anchored root is another than that of the checkpoint of its size")
                context.findings.failed("anchor.checkpoint", name, error)
                return False
            if not head.is_trusted:
                message = N_("the checkpoint's signature was not verified")
                context.findings.not_checked("anchor.checkpoint", name, message)
                return False
            context.findings.passed("anchor.checkpoint", name, size=evidence.tree_size)
            return True
    error = ProofError(
        "the anchor is of tree size {size}, for which the bundle proves nothing", size=evidence.tree_size
    )
    context.findings.failed("anchor.checkpoint", name, error)
    return False


def _check_contract(context: Context, name: str, evidence: AnchorEvidence) -> TrustedChain | None:
    """Not known is not false: another contract may be a newer one. But nothing follows from it."""
    findings = context.findings
    if context.trust is None:
        findings.not_checked("anchor.contract", name, N_("no trust file was given"))
        return None
    chain = _trusted_chain(context, evidence)
    if chain is None:
        message = N_("the trust file does not know this chain")
        findings.not_checked("anchor.contract", name, message, chain_id=evidence.chain.chain_id)
        return None
    origins = {head.checkpoint.origin for head in context.heads}
    is_known = chain.contract == evidence.contract and any(
        item.log_id == evidence.log_id and item.origin in origins and item.covers(evidence.tree_size)
        for item in chain.log_ids
    )
    if not is_known:
        message = N_("the trust file does not know this contract and log id for this log and size")
        findings.not_checked("anchor.contract", name, message, contract=evidence.contract.hex())
        return None
    message = N_("{chain}, contract {contract}")
    findings.passed(
        "anchor.contract",
        name,
        message,
        chain=chain.name,
        contract=evidence.contract.hex(),
        log_id=evidence.log_id.hex(),
    )
    return chain


def _reference(evidence: AnchorEvidence, header: Header) -> BlockReference:
    chain = evidence.chain
    return BlockReference(chain.chain_id, chain.genesis_hash, header.number, header.hash)


def _trusted_chain(context: Context, evidence: AnchorEvidence) -> TrustedChain | None:
    """The trust file's chain of this id and genesis, if it is also of this kind."""
    if context.trust is None:
        return None
    chain = context.trust.chain(evidence.chain.chain_id, evidence.chain.genesis_hash)
    return chain if chain and chain.kind == evidence.chain.kind else None
