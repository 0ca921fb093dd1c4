"""A chain that looks sealed by validators: anvil's blocks, each header sealed anew by a proxy before it.

Neither Besu nor geth is run here. Anvil builds the blocks and executes them; this gives every header the
extraData, hash and parent that clique, IBFT 2.0 or QBFT would, with seals by keys of the test, and serves
it as a node shows it. Consensus itself, messages and votes between validators, is not played.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from mizheng.notary.chain.encoding import header_of
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256

from tests.support.plain import NO_TLS
from tests.support.rpcproxy import RpcProxy
from tests.support.sealing import BFT_DIGEST, EXTRA_DATA, VANITY, BftHeader, Sealer, clique_header

_PARENT, _DIFFICULTY, _NUMBER = 0, 7, 8


class SealingChain(RpcProxy):
    """In front of anvil at `target`; `url` is the chain's. Block 0 is sealed by nobody."""

    def __init__(
        self, target: str, kind: str, sealers: Sequence[Sealer], *, seals: int | None = None
    ) -> None:
        """`seals`: of how many validators a BFT block carries the seal; all of them unless said otherwise."""
        super().__init__(target)
        self.kind = kind
        self.sealers = sorted(sealers, key=lambda sealer: sealer.address)
        self.seals = len(sealers) if seals is None else seals
        self.rule = self._reseal
        self._blocks: list[dict[str, Any]] = []
        self._growing = threading.Lock()

    @property
    def genesis_hash(self) -> bytes:
        return bytes.fromhex(self.block(0)["hash"][2:])

    def block(self, number: int) -> dict[str, Any]:
        """The header's fields that are other than anvil's, as JSON."""
        with self._growing, httpx.Client(timeout=30, trust_env=False, verify=NO_TLS) as client:
            while len(self._blocks) <= number:
                request = {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "eth_getBlockByNumber",
                    "params": [hex(len(self._blocks)), False],
                }
                self._blocks.append(self._seal(client.post(self.target, json=request).json()["result"]))
            return self._blocks[number]

    def _seal(self, header: dict[str, Any]) -> dict[str, Any]:
        fields: list[rlp.Encodable] = list(rlp.as_list(rlp.decode(header_of(header), max_bytes=1 << 16)))
        number = len(self._blocks)
        if number:
            fields[_PARENT] = bytes.fromhex(self._blocks[-1]["hash"][2:])
        addresses = [sealer.address for sealer in self.sealers]
        fields[_DIFFICULTY] = 1
        if self.kind == "clique":
            shown = self._seal_clique(fields, number, addresses)
            digest = keccak256(shown)
        else:
            draft = BftHeader(self.kind, fields, addresses)
            shown = draft.sealed_by(self.sealers[: self.seals] if number else [])
            digest = keccak256(draft.hashed())
        extra = rlp.as_bytes(rlp.as_list(rlp.decode(shown, max_bytes=1 << 16))[EXTRA_DATA])
        changes = {
            "extraData": "0x" + extra.hex(),
            "difficulty": "0x2" if fields[_DIFFICULTY] == 2 else "0x1",
            "hash": "0x" + digest.hex(),
        }
        if self.kind != "clique":
            changes["mixHash"] = "0x" + BFT_DIGEST.hex()
        if number:
            changes["parentHash"] = self._blocks[-1]["hash"]
        return changes

    def _seal_clique(self, fields: list[rlp.Encodable], number: int, addresses: list[bytes]) -> bytes:
        if number == 0:
            fields[EXTRA_DATA] = VANITY + b"".join(addresses) + bytes(65)
            return rlp.encode(fields)
        fields[_DIFFICULTY] = 2
        return clique_header(fields, self.sealers[number % len(self.sealers)])

    def _reseal(self, method: str, params: list[Any]) -> Callable[[Any], Any] | None:
        if method == "eth_getBlockByNumber":
            return self._show_block
        return self._show_places if method.startswith("eth_get") else None

    def _show_block(self, result: Any) -> Any:
        if not isinstance(result, dict):
            return result
        return {**result, **self.block(int(result["number"], 16))}

    def _show_places(self, result: Any) -> Any:
        """Receipts, transactions and logs say in which block they are."""
        if isinstance(result, list):
            return [self._show_places(item) for item in result]
        if not isinstance(result, dict) or not result.get("blockHash"):
            return result
        shown = {**result, "blockHash": self.block(int(result["blockNumber"], 16))["hash"]}
        if "logs" in result:
            shown["logs"] = [self._show_places(item) for item in result["logs"]]
        return shown


def profile_lines(chain: SealingChain, chain_id: int, finality: str, own: Sequence[bytes] = ()) -> str:
    """The `[chain]` table for this chain, as an operator writes it before `chain deploy`."""
    members = "".join(
        f'  {{name = "{sealer.name}", address = "{sealer.address.hex()}"'
        + (", own = true" if sealer.address in own else "")
        + "},\n"
        for sealer in chain.sealers
    )
    return (
        f'[chain]\nname = "consortium"\nkind = "{chain.kind}"\nchain_id = {chain_id}\n'
        f'genesis_hash = "{chain.genesis_hash.hex()}"\nrpc = ["{chain.url}"]\nfinality = "{finality}"\n'
        f'[[chain.validators]]\nkind = "{chain.kind}"\nfrom_block = 0\nmembers = [\n{members}]\n'
    )
