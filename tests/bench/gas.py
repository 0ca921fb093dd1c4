"""Gas of the anchor contract, beside the least that an event or a slot costs: python -m tests.bench.gas

Whole transactions on anvil, call data included. A head is measured as the most expensive of several: how many
nodes a consistency proof has depends on both sizes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from eth_abi.abi import encode
from mizheng.contracts import build
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.merkle import Tree, leaf_hash

from tests.contracts.anchor_contract import AnchorContract
from tests.contracts.chains import AnvilChain
from tests.support.anvil import Anvil
from tests.support.tools import ToolError, solc_wrapper_path

FIRST_LIMIT, LATER_LIMIT = 55_000, 75_000
LIMIT_AT = 65_535
SIZES = (1_000, LIMIT_AT, 1_000_000)


def measure_baselines(chain: AnvilChain) -> Iterator[tuple[str, int]]:
    source = Path(__file__).with_name("Baselines.sol")
    unit = build.compile_sources({source.name: source.read_text("utf-8")}, solc_wrapper_path())["Baselines"]
    sender = chain.accounts[0]
    address = chain.send(sender, None, bytes.fromhex(unit["evm"]["bytecode"]["object"])).contract
    key, value = keccak256(b"key"), keccak256(b"value")
    calls: dict[str, tuple[str, list[str], list[object]]] = {
        "an event alone": ("emitOnly", ["bytes32", "uint64", "bytes32"], [key, LIMIT_AT, value]),
        "a new slot alone": ("storeOnly", ["bytes32", "bytes32"], [key, value]),
    }
    for name, (function, types, values) in calls.items():
        selector = keccak256(f"{function}({','.join(types)})".encode())[:4]
        receipt = chain.send(sender, address, selector + encode(types, values))
        assert receipt.succeeded
        yield name, receipt.gas_used


def find_dear_pairs(new: int) -> list[int]:
    """Last sizes from which a head of `new` leaves costs most: long proofs, most of them hashed twice."""
    top = 1 << (new.bit_length() - 1)
    candidates = {new - 1, new - 2, new - 3, top - 1, top - 3, new - new // 16 - 1, new // 2 + 1}
    return sorted(old for old in candidates if 0 < old < new)


def measure_later_head(contract: AnchorContract, tree: Tree, new: int) -> tuple[int, int, int]:
    """Gas of the dearest head of that size, the size before it, and the number of nodes in its proof."""
    found = []
    for old in find_dear_pairs(new):
        log = contract.open()
        contract.anchor(log, old, tree.root(old))
        proof = tree.consistency_proof(old, new)
        found.append((contract.anchor(log, new, tree.root(new), proof).gas_used, old, len(proof)))
    return max(found)


def main() -> int:
    failed = False
    try:
        node = Anvil()
        node.start()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1

    def report(name: str, gas: int, limit: int | None = None, remark: str = "") -> None:
        nonlocal failed
        failed = failed or (limit is not None and gas > limit)
        against = "" if limit is None else f"{'over' if gas > limit else 'within'} {limit:,}"
        print(f"{name:<34} {gas:>8,}  {against:<14} {remark}".rstrip())

    with node:
        version = node.rpc("web3_clientVersion")
        print(f"gas of whole transactions on {version}, contract built with solc {build.COMPILER}")
        chain = AnvilChain(node)
        for name, gas in measure_baselines(chain):
            report(name, gas)
        contract = AnchorContract(chain)
        opened = contract.send(contract.alice, "open", ["bytes32"], keccak256(b"bench"))
        report("open a log", opened.gas_used)
        tree = Tree(leaf_hash(i.to_bytes(8, "big")) for i in range(max(SIZES)))
        first = contract.anchor(contract.open(), LIMIT_AT, tree.root(LIMIT_AT)).gas_used
        report(f"first head, {LIMIT_AT:,} leaves", first, FIRST_LIMIT)
        for size in SIZES:
            gas, old, nodes = measure_later_head(contract, tree, size)
            limit = LATER_LIMIT if size == LIMIT_AT else None
            report(f"later head, {size:,} leaves", gas, limit, f"from {old:,}, {nodes} nodes of proof")
        log = contract.open()
        contract.anchor(log, 5, tree.root(5))
        report("the same head again", contract.anchor(log, 5, tree.root(5)).gas_used)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
