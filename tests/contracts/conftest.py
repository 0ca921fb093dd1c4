"""The contract on the embedded EVM and on anvil: each test here runs on both."""

from __future__ import annotations

import pytest
from mizheng.verifier.merkle import Tree, leaf_hash

from tests.contracts.anchor_contract import AnchorContract
from tests.contracts.chains import AnvilChain, Chain, EmbeddedChain


@pytest.fixture(scope="session", params=["embedded", "anvil"])
def chain(request: pytest.FixtureRequest) -> Chain:
    if request.param == "embedded":
        return EmbeddedChain()
    return AnvilChain(request.getfixturevalue("anvil"))


@pytest.fixture(scope="session")
def contract(chain: Chain) -> AnchorContract:
    """One deployment for all tests: each opens a log of its own."""
    return AnchorContract(chain)


@pytest.fixture(scope="session")
def tree() -> Tree:
    return Tree(leaf_hash(b"entry %d" % i) for i in range(300))


@pytest.fixture(scope="session")
def other_tree() -> Tree:
    """The same log rewritten: leaf 5 is another."""
    return Tree(leaf_hash(b"entry %d" % (i if i != 5 else 10**6)) for i in range(300))
