"""What nodes of the verifier's own choice say about the blocks of a bundle: plain JSON-RPC over HTTP.

Asked are chain id, genesis hash, the hash of each block that the bundle names, how far the node
calls the chain final, and the contract's rootOf. Nothing of a bundle but block numbers, contract
addresses and log ids leaves the machine. The answers are handed to the verifier, which judges them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mizheng.cli.checking.node import Node
from mizheng.cli.errors import UsageFault
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor
from mizheng.verifier.archive import Source
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.foreign import ForeignAnchor, parse_foreign
from mizheng.verifier.members import STATEMENT
from mizheng.verifier.statement import BlockReference, parse_envelope
from mizheng.verifier.verify import OnlineBlock, OnlineRoot


@dataclass(slots=True)
class Questions:
    """What a bundle makes one want to know, by (chain id, genesis hash)."""

    blocks: dict[tuple[int, bytes], set[int]] = field(default_factory=dict)
    anchors: list[AnchorEvidence | ForeignAnchor] = field(default_factory=list)

    def add_block(self, chain_id: int, genesis: bytes, number: int) -> None:
        self.blocks.setdefault((chain_id, genesis), set()).add(number)


def read_questions(source: Source) -> Questions:
    """The blocks and roots that a bundle names; a broken member asks nothing, the report will say so."""
    questions = Questions()
    try:
        with Bundle(source) as bundle:
            for name in bundle.group("anchors"):
                _read_anchor(questions, bundle, name)
            for name in bundle.group("foreign"):
                _read_foreign(questions, bundle, name)
            _envelope, statement = parse_envelope(bundle.read(STATEMENT))
            if statement.not_before is not None:
                block = statement.not_before
                questions.add_block(block.chain_id, block.genesis_hash, block.number)
    except MizhengError:
        pass
    return questions


def ask_nodes(
    addresses: Sequence[str], questions: Questions, rule: str = "finalized"
) -> tuple[list[OnlineBlock], list[OnlineRoot]]:
    """Every node's answers; UnavailableFault when one does not answer: it was asked for by name.

    `rule` is the user's, for the chain that he asks about: finalized, instant or confirmations:N.
    """
    depth = _read_rule(rule)
    blocks: list[OnlineBlock] = []
    roots: list[OnlineRoot] = []
    for address in addresses:
        with Node(address) as node:
            chain = node.chain_id(), node.block_hash(0)
            if chain[1] is None:
                raise node.nonsense()
            genesis = chain[1]
            if questions.blocks and (chain[0], genesis) not in questions.blocks:
                raise UsageFault(
                    "the node {name} is on chain {chain_id}, where this bundle has no block",
                    "name a node of the bundle's own chain, or verify without --online",
                    name=node.name,
                    chain_id=chain[0],
                )
            final = node.final_number() if depth is None else node.latest_number() - depth
            for number in sorted(questions.blocks.get((chain[0], genesis), ())):
                # No block there yet is an answer too: then not every node asked vouches for it.
                reference = BlockReference(chain[0], genesis, number, node.block_hash(number) or b"")
                blocks.append(OnlineBlock(node.name, reference, number <= final))
            for anchor in questions.anchors:
                if (anchor.chain.chain_id, anchor.chain.genesis_hash) == (chain[0], genesis):
                    root = node.root_of(anchor.contract, anchor.log_id, anchor.tree_size)
                    roots.append(
                        OnlineRoot(
                            node.name,
                            chain[0],
                            genesis,
                            anchor.contract,
                            anchor.log_id,
                            anchor.tree_size,
                            root,
                        )
                    )
    return blocks, roots


def _read_rule(rule: str) -> int | None:
    """How many blocks have to stand on a final one; None: the node says what it calls final."""
    match = re.fullmatch(r"finalized|instant|confirmations:([1-9][0-9]{0,5})", rule)
    if not match:
        raise UsageFault(
            "the finality rule {rule} is not known", "finalized, instant, or confirmations:N", rule=rule[:40]
        )
    return None if rule == "finalized" else int(match[1] or 0)


def _read_anchor(questions: Questions, bundle: Bundle, name: str) -> None:
    try:
        anchor = parse_anchor(bundle.read(name))
    except MizhengError:
        return
    questions.anchors.append(anchor)
    for block in (anchor.block, anchor.storage.block if anchor.storage else anchor.block):
        questions.add_block(anchor.chain.chain_id, anchor.chain.genesis_hash, block.number)


def _read_foreign(questions: Questions, bundle: Bundle, name: str) -> None:
    try:
        anchor = parse_foreign(bundle.read(name))
    except MizhengError:
        return
    questions.anchors.append(anchor)
    questions.add_block(anchor.chain.chain_id, anchor.chain.genesis_hash, anchor.number)
