"""Whether a block belongs to its chain. A header alone proves nothing: anyone can build one.

A block counts when the trust file pins it, when a quorum of the chain's validators whom it names sealed
it, when a quorum of trusted observers signed that they saw it, or when every node that the verifier's
user asked has it as final. Anybody of these who has another block at that height makes it a failure.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dsse import MAX_ENVELOPE_BYTES
from ..errors import ProofError
from ..observation import Observation, parse_observation
from ..signature import PublicKey
from ..statement import BlockReference
from ..trust import TrustedChain
from ..words import N_
from .context import Context

Observations = Sequence[tuple[Observation, PublicKey]]


def check_observations(context: Context) -> Observations:
    """The observations whose signature is good and whose observer is trusted."""
    trusted = []
    for name in context.bundle.group("observations"):
        found = context.findings.attempt("observation.signature", name, lambda: _read(context, name))  # noqa: B023
        if found is None:
            continue
        observer = context.trust.observer(found[1]) if context.trust else None
        if observer is None:
            message = N_("the trust file does not know this observer")
            context.findings.not_checked("observation.signature", name, message)
            continue
        trusted.append(found)
        context.findings.passed(
            "observation.signature",
            name,
            N_("{observer} saw block {number} ({rule})"),
            observer=observer.name,
            number=found[0].block.number,
            rule=found[0].rule,
            observed_at=found[0].observed_at,
        )
    if not context.bundle.group("observations"):
        context.findings.not_provided("observation.signature")
    return trusted


def _read(context: Context, name: str) -> tuple[Observation, PublicKey]:
    data = context.bundle.read(name, MAX_ENVELOPE_BYTES)
    return context.memory.once("observation", data, lambda: parse_observation(data))


def check_canonical(
    context: Context, code: str, name: str, chain: TrustedChain, block: BlockReference, seen: Observations
) -> str | None:
    """Who vouches for the block, or None with a finding."""
    contradiction = _contradiction(context, chain, block, seen)
    if contradiction:
        error = ProofError(
            "{source} has another block {number} on this chain: {other}",
            source=contradiction[0],
            number=block.number,
            other=contradiction[1].hex(),
        )
        context.findings.failed(code, name, error)
        return None
    vouchers = find_vouchers(context, chain, block, seen)
    if not vouchers:
        message = N_(
            "nobody trusted vouches for this block: no pin, no seals of validators, no quorum of "
            "observers, no node was asked"
        )
        if any(_is_about(node.block, block) for node in context.online_blocks):
            message = N_("not every node that was asked has this block as final")
        context.findings.not_checked(code, name, message, number=block.number, hash=block.hash.hex())
        return None
    by = ", ".join(vouchers)
    context.findings.passed(
        code,
        name,
        N_("block {number}, by {by}"),
        number=block.number,
        by=by,
        hash=block.hash.hex(),
        chain=chain.name,
    )
    return by


def check_online_root(
    context: Context, name: str, block: BlockReference, place: tuple[bytes, bytes, int], root: bytes
) -> None:
    """What nodes of the user's choice say the contract holds today, where they were asked.

    `place`: contract, log id and size. A node that does not hold the anchor's block final may simply not be
    there yet: that it knows of no root then says nothing.
    """
    for answer in context.online_roots:
        where = (answer.contract, answer.log_id, answer.tree_size)
        if (answer.chain_id, answer.genesis_hash, *where) != (block.chain_id, block.genesis_hash, *place):
            continue
        holds_block = any(
            node.source == answer.source and node.is_final and node.block == block
            for node in context.online_blocks
        )
        if answer.root == root:
            context.findings.passed("online.root", name, source=answer.source, root=answer.root.hex())
        elif any(answer.root) or holds_block:
            error = ProofError("{source} says that the contract holds another root", source=answer.source)
            context.findings.failed("online.root", name, error)
        else:
            message = N_("{source} knows of no root at this size, nor of the block as final")
            context.findings.not_checked("online.root", name, message, source=answer.source)


def find_vouchers(
    context: Context, chain: TrustedChain, block: BlockReference, seen: Observations
) -> list[str]:
    """Names of what makes the block canonical; empty when nothing does."""
    if context.trust is None:
        return []
    vouchers = []
    if chain.pins.get(block.number) == block.hash:
        vouchers.append(f"trust.toml ({chain.name})")
    vouchers.extend(proven.by for proven in context.proven if proven.block == block)
    observers = {
        key: observer.name
        for observation, key in seen
        if observation.block == block and (observer := context.trust.observer(key))
    }
    if len(observers) >= context.trust.observer_quorum:
        vouchers.extend(sorted(observers.values()))
    nodes = [node for node in context.online_blocks if _is_about(node.block, block)]
    # Every node asked must call it final: one that does not yet leaves the question open.
    if nodes and all(node.is_final and node.block == block for node in nodes):
        vouchers.extend(node.source for node in nodes)
    return vouchers


def _contradiction(
    context: Context, chain: TrustedChain, block: BlockReference, seen: Observations
) -> tuple[str, bytes] | None:
    """Who that is trusted knows another block at this height: a fork, or evidence of one that is gone."""
    pinned = chain.pins.get(block.number)
    if pinned is not None and pinned != block.hash:
        return f"trust.toml ({chain.name})", pinned
    for proven in context.proven:
        if _is_about(proven.block, block) and proven.block.hash != block.hash:
            return proven.by, proven.block.hash
    for observation, key in seen:
        if _is_about(observation.block, block) and observation.block.hash != block.hash:
            observer = context.trust.observer(key) if context.trust else None
            return observer.name if observer else key.keyid, observation.block.hash
    for node in context.online_blocks:
        if _is_about(node.block, block) and node.block.hash not in (b"", block.hash):
            return node.source, node.block.hash
    return None


def _is_about(seen: BlockReference, block: BlockReference) -> bool:
    return (seen.chain_id, seen.genesis_hash, seen.number) == (
        block.chain_id,
        block.genesis_hash,
        block.number,
    )
