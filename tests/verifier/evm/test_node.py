"""Evidence from a real node: its headers of every fork, a full block's receipts, its own storage proofs."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_utils import keccak
from mizheng.verifier.anchor import dump_anchor, parse_anchor, verify_anchor, verify_storage
from mizheng.verifier.errors import ChainProofError
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.trie import AbsentError
from mizheng.verifier.merkle import Tree, leaf_hash

from tests.support.anvil import Anvil

from .rpc_evidence import Publisher

TREE = Tree([leaf_hash(b"entry %d" % index) for index in range(300)])

# Fields in the header: London 16, Shanghai 17, Cancun 20, Prague and Osaka 21.
FORKS = {"london": 16, "shanghai": 17, "cancun": 20, "prague": 21, "osaka": 21}


@pytest.fixture(params=FORKS)
def node(request: pytest.FixtureRequest, anvil: Anvil) -> Iterator[Anvil]:
    """A node of each fork; the shared one only says that there can be one."""
    with Anvil(hardfork=request.param) as started:
        yield started


def test_a_node_of_each_fork(node: Anvil, request: pytest.FixtureRequest) -> None:
    publisher = Publisher(node)
    code_hash = publisher.artifact.code_hash
    first, second = TREE.root(5), TREE.root(300)
    evidences = [publisher.evidence(publisher.anchor(5, first), 5, first)]
    # 150 transfers and the anchor in one block: a receipts trie with keys of one and of two bytes.
    node.rpc("evm_setAutomine", False)
    transfer = {"to": node.accounts[1], "value": "0x1"}
    for _ in range(140):
        publisher.send(transfer)
    sent = publisher.anchor(300, second, TREE.consistency_proof(5, 300))
    for _ in range(10):
        publisher.send({**transfer, "gasPrice": hex(10**10)})
    node.mine()
    evidences.append(publisher.evidence(sent, 300, second))
    receipt = evidences[1].receipt
    assert receipt is not None
    assert receipt.index == 140
    node.mine(3)
    evidences.append(replace(evidences[0], storage=publisher.storage(5)))
    later = publisher.storage(300)
    evidences.append(replace(evidences[1], receipt=None, block=later.block, storage=later))

    for evidence in evidences:
        header = rlp.as_list(rlp.decode(evidence.block.header, max_bytes=8192))
        assert len(header) == FORKS[request.node.callspec.params["node"]]
        parsed = parse_anchor(dump_anchor(evidence))
        assert parsed == evidence
        verify_anchor(parsed, publisher.chain, publisher.contract, code_hash)

    one, other = evidences[0], evidences[1]
    for mixed in (
        replace(one, receipt=other.receipt),
        replace(one, block=other.block),
        replace(one, storage=other.storage),
        replace(one, tree_size=300),
        replace(one, root_hash=second),
        replace(one, tree_size=300, root_hash=second),
        replace(one, log_id=keccak(b"another log")),
        replace(one, contract=keccak(b"another contract")[:20]),
    ):
        with pytest.raises(ChainProofError):
            verify_anchor(mixed, publisher.chain, publisher.contract, code_hash)


def test_a_size_never_anchored(anvil: Anvil) -> None:
    """The node's own proof that the slot is empty is sound, and says so."""
    with Anvil() as node:
        publisher = Publisher(node)
        root = TREE.root(5)
        evidence = publisher.evidence(publisher.anchor(5, root), 5, root)
        empty = publisher.storage(6)
        with pytest.raises(AbsentError):
            verify_storage(replace(evidence, tree_size=6, storage=empty))
