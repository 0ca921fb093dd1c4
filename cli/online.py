"""What nodes of the verifier's own choice say about the blocks of a bundle: plain JSON-RPC over HTTP.

Asked are chain id, genesis hash, the hash of each block that the bundle names, how far the node
calls the chain final, and the contract's rootOf. Nothing of a bundle but block numbers, contract
addresses and log ids leaves the machine. The answers are handed to the verifier, which judges them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from mizheng.verifier.anchor import AnchorEvidence, parse_anchor
from mizheng.verifier.archive import Source
from mizheng.verifier.bundle import STATEMENT, Bundle
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.statement import BlockReference, parse_envelope
from mizheng.verifier.verify import OnlineBlock, OnlineRoot

from .errors import UnavailableFault, UsageFault

_SECONDS = 20.0
# A header with its transaction hashes on the busiest chains stays below this.
_MAX_ANSWER_BYTES = 8 << 20
_ROOT_OF = keccak256(b"rootOf(bytes32,uint64)")[:4]


@dataclass(slots=True)
class Questions:
    """What a bundle makes one want to know, by (chain id, genesis hash)."""

    blocks: dict[tuple[int, bytes], set[int]] = field(default_factory=dict)
    anchors: list[AnchorEvidence] = field(default_factory=list)

    def add_block(self, chain_id: int, genesis: bytes, number: int) -> None:
        self.blocks.setdefault((chain_id, genesis), set()).add(number)


def read_questions(source: Source) -> Questions:
    """The blocks and roots that a bundle names; a broken member asks nothing, the report will say so."""
    questions = Questions()
    try:
        with Bundle(source) as bundle:
            for name in bundle.group("anchors"):
                _read_anchor(questions, bundle, name)
            _envelope, statement = parse_envelope(bundle.read(STATEMENT))
            if statement.not_before is not None:
                block = statement.not_before
                questions.add_block(block.chain_id, block.genesis_hash, block.number)
    except MizhengError:
        pass
    return questions


def ask_nodes(addresses: Sequence[str], questions: Questions) -> tuple[list[OnlineBlock], list[OnlineRoot]]:
    """Every node's answers; UnavailableFault when one does not answer: it was asked for by name."""
    blocks: list[OnlineBlock] = []
    roots: list[OnlineRoot] = []
    for address in addresses:
        with _Node(address) as node:
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
            final = node.final_number()
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


def _read_anchor(questions: Questions, bundle: Bundle, name: str) -> None:
    try:
        anchor = parse_anchor(bundle.read(name))
    except MizhengError:
        return
    questions.anchors.append(anchor)
    for block in (anchor.block, anchor.storage.block if anchor.storage else anchor.block):
        questions.add_block(anchor.chain.chain_id, anchor.chain.genesis_hash, block.number)


class _Node:
    """One node's JSON-RPC."""

    def __init__(self, address: str) -> None:
        import httpx

        from .client import is_loopback

        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageFault(
                "{address} is not the address of a node",
                "it looks like https://node.example",
                address=address,
            )
        # Addresses often carry an access token in path or query: the report names the host alone.
        self.name = parts.hostname + (f":{parts.port}" if parts.port else "")
        self._address = address
        self._client = httpx.Client(timeout=_SECONDS, trust_env=not is_loopback(address))

    def __enter__(self) -> _Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def chain_id(self) -> int:
        return self._quantity(self._call("eth_chainId", []))

    def final_number(self) -> int:
        """The height the node calls final; -1 when it has no such notion."""
        block = self._call("eth_getBlockByNumber", ["finalized", False], may_fail=True)
        return self._quantity(block.get("number")) if isinstance(block, dict) else -1

    def block_hash(self, number: int) -> bytes | None:
        """The hash of the node's block of this number; None when it has none."""
        block = self._call("eth_getBlockByNumber", [hex(number), False])
        if block is None:
            return None
        if not isinstance(block, dict):
            raise self.nonsense()
        return self._bytes(block.get("hash"))

    def root_of(self, contract: bytes, log_id: bytes, tree_size: int) -> bytes:
        """What the contract holds for this log and size; zeros when nothing."""
        data = _ROOT_OF + log_id + tree_size.to_bytes(32, "big")
        answer = self._call("eth_call", [{"to": "0x" + contract.hex(), "data": "0x" + data.hex()}, "latest"])
        # A contract that is not there answers with nothing.
        return bytes(32) if answer == "0x" else self._bytes(answer)

    def nonsense(self) -> UnavailableFault:
        return UnavailableFault("the node {name} does not speak Ethereum's JSON-RPC", name=self.name)

    def _call(self, method: str, parameters: Iterable[Any], *, may_fail: bool = False) -> Any:
        import json

        import httpx

        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            with self._client.stream("POST", self._address, json=request) as answer:
                data = b""
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > _MAX_ANSWER_BYTES:
                        raise self.nonsense()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableFault(
                "the node {name} cannot be reached",
                "check the address, or verify without --online",
                name=self.name,
            ) from error
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self.nonsense() from error
        if not isinstance(value, dict) or "result" not in value:
            if may_fail and isinstance(value, dict) and "error" in value:
                return None
            raise self.nonsense()
        return value["result"]

    def _quantity(self, text: object) -> int:
        try:
            return int(str(text), 16)
        except ValueError as error:
            raise self.nonsense() from error

    def _bytes(self, text: object) -> bytes:
        try:
            data = bytes.fromhex(str(text).removeprefix("0x"))
        except ValueError as error:
            raise self.nonsense() from error
        if len(data) != 32:
            raise self.nonsense()
        return data
