"""The log beside the chain: what contracts hold as its heads, on nodes of the auditor's own choice.

The nodes are asked before the log is, so that the log, which publishes a head before it anchors it, can only
be further than the chain. The contract refuses heads that do not extend its last one, so its last head speaks
for all before it; the single sizes of its events are compared besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.cli.auditing.heads import proof_details
from mizheng.cli.auditing.state import ChainPlace
from mizheng.cli.auditing.tree import LogTree
from mizheng.cli.checking.node import Node
from mizheng.cli.errors import UsageFault
from mizheng.verifier.canonical import Json, to_base64
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLogId

# Sizes compared of one log id in one run, the newest ones: each is a question to the node. A log that is
# anchored every ten minutes and audited daily stays below.
_MOST_SIZES = 256


@dataclass(frozen=True, slots=True)
class ChainHeads:
    """What one node's contract holds for one log id."""

    node: str
    chain: TrustedChain
    log_id: TrustedLogId
    head: int
    """The last anchored size; 0 when none."""
    roots: dict[int, bytes]
    """Size to root, sizes that the trust file believes this log id for."""
    listed: bool
    """Whether the node listed the contract's events; otherwise only the last head is known."""
    next_block: int


def ask_nodes(
    addresses: Sequence[str], trust: Trust, origins: Iterable[str], places: Sequence[ChainPlace]
) -> list[ChainHeads]:
    """The heads of the logs `origins` on every node; events only from the blocks not read before."""
    wanted = set(origins)
    found: list[ChainHeads] = []
    for address in addresses:
        with Node(address) as node:
            chain = _identify(node, trust)
            for log_id in chain.log_ids:
                if log_id.origin in wanted:
                    found.append(_ask(node, chain, log_id, _first_block(chain, log_id, places)))
    if addresses and not found:
        raise UndecidedFault(
            "the trust file names no contract on these chains that anchors {origin}",
            "leave out the nodes, or ask whoever issued the trust file",
            origin=", ".join(sorted(wanted)),
        )
    return found


def compare_heads(found: Sequence[ChainHeads], origin: str, tree: LogTree) -> None:
    """MisbehaviourFault unless every root on the chain is one of the signed tree, and none is beyond it."""
    for heads in found:
        if heads.log_id.origin != origin:
            continue
        for size, root in sorted(heads.roots.items()):
            if size > tree.size:
                raise MisbehaviourFault(
                    "chain-ahead",
                    "the chain holds a head of {anchored} entries, the log shows only {size}",
                    "a notary restored from an old backup, or an old copy of the log",
                    details=_place(heads, size, root),
                    anchored=size,
                    size=tree.size,
                )
            if tree.root_at(size) != root:
                raise MisbehaviourFault(
                    "chain",
                    "the chain holds another root for {size} entries than the tree that the log signed",
                    details={**_place(heads, size, root), **proof_details(tree, size)},
                    size=size,
                )


def places_after(found: Sequence[ChainHeads], before: Sequence[ChainPlace]) -> tuple[ChainPlace, ...]:
    """Where the next audit goes on reading events: with several nodes, at the one that is least far."""
    places = {_key(place): place for place in before}
    asked: dict[tuple[int, bytes, bytes, bytes], ChainPlace] = {}
    for heads in found:
        if heads.listed:
            chain = heads.chain
            place = ChainPlace(
                chain.chain_id, chain.genesis_hash, chain.contract, heads.log_id.log_id, heads.next_block
            )
            known = asked.get(_key(place), place)
            asked[_key(place)] = replace(place, next_block=min(known.next_block, place.next_block))
    return tuple((places | asked).values())


def _identify(node: Node, trust: Trust) -> TrustedChain:
    number, genesis = node.chain_id(), node.block_hash(0)
    if genesis is None:
        raise node.nonsense()
    chain = trust.chain(number, genesis)
    if chain is None:
        raise UsageFault(
            "the node {name} is on chain {chain_id}, which the trust file does not name",
            "name a node of the log's own chain",
            name=node.name,
            chain_id=number,
        )
    if node.code_hash(chain.contract) != chain.code_hash:
        raise UndecidedFault(
            "on the node {name} the contract is not the one that the trust file names",
            "a node that is not in step, or a wrong trust file; nothing is held against the log",
            name=node.name,
        )
    return chain


def _ask(node: Node, chain: TrustedChain, log_id: TrustedLogId, first: int) -> ChainHeads:
    final = node.final_number()
    last = node.latest_number()
    head, root = node.head(chain.contract, log_id.log_id)
    roots = {head: root} if head and log_id.covers(head) else {}
    listed = node.anchored_sizes(chain.contract, log_id.log_id, first, last) if first <= last else []
    if listed is not None and first == 0 and head and head not in listed:
        # The contract itself says that there is at least this one: a node that has dropped its logs, or keeps
        # quiet about them, lists nothing for us. An empty list is never taken for "none".
        listed = None
    sizes = sorted({size for size in listed or () if log_id.covers(size)} - set(roots))[-_MOST_SIZES:]
    for size in sizes:
        roots[size] = node.root_of(chain.contract, log_id.log_id, size)
    # Blocks that are not final yet may be replaced: they are read again.
    following = max(first, final + 1) if final >= 0 else last + 1
    if listed is None and first == 0:
        following = 0
    return ChainHeads(node.name, chain, log_id, head, roots, listed is not None, following)


def _first_block(chain: TrustedChain, log_id: TrustedLogId, places: Sequence[ChainPlace]) -> int:
    wanted = (chain.chain_id, chain.genesis_hash, chain.contract, log_id.log_id)
    return next((place.next_block for place in places if _key(place) == wanted), 0)


def _key(place: ChainPlace) -> tuple[int, bytes, bytes, bytes]:
    return place.chain_id, place.genesis_hash, place.contract, place.log_id


def _place(heads: ChainHeads, size: int, root: bytes) -> dict[str, Json]:
    return {
        "node": heads.node,
        "chain_id": heads.chain.chain_id,
        "genesis_hash": heads.chain.genesis_hash.hex(),
        "contract": heads.chain.contract.hex(),
        "log_id": heads.log_id.log_id.hex(),
        "anchored_size": size,
        "anchored_root": to_base64(root),
    }
