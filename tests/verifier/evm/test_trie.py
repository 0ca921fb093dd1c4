import random
from collections.abc import Sequence

import pytest
import rlp as oracle
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.errors import ChainProofError, FormatError, MizhengError
from mizheng.verifier.evm.trie import AbsentError, verify_value

from .world import build_receipt, build_trie, prove, transfer_log

EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


def test_known_root() -> None:
    """The keys and the root of the case "puppy" in ethereum/tests, TrieTests/trieanyorder.json."""
    items = {b"do": b"verb", b"horse": b"stallion", b"doge": b"coin", b"dog": b"puppy"}
    root = bytes.fromhex("5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84")
    trie = build_trie(items)
    assert trie.root_hash == root
    for key, value in items.items():
        assert verify_value(root, key, prove(trie, key)) == value
    for key in (b"d", b"dogs", b"cat", b"doh", b"horses", b""):
        with pytest.raises(AbsentError):
            verify_value(root, key, prove(trie, key))


# Few different bytes, so that keys share prefixes, are prefixes of each other and nodes get embedded.
keys = st.binary(max_size=4).map(lambda data: bytes(byte & 0x11 for byte in data))
values = st.one_of(st.binary(min_size=1, max_size=4), st.binary(min_size=30, max_size=40))


@settings(max_examples=300)
@given(st.dictionaries(keys, values, max_size=12), keys)
def test_any_trie(items: dict[bytes, bytes], other: bytes) -> None:
    trie = build_trie(items)
    for key in {*items, other}:
        proof = prove(trie, key) or (b"\x80",)
        if key in items:
            assert verify_value(trie.root_hash, key, proof) == items[key]
        else:
            with pytest.raises(AbsentError):
                verify_value(trie.root_hash, key, proof)


@settings(max_examples=100)
@given(st.dictionaries(keys, values, min_size=1, max_size=12), st.data())
def test_any_proof_is_used_to_the_last_byte(items: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = build_trie(items)
    key = data.draw(st.sampled_from(sorted(items)))
    proof = list(prove(trie, key))
    place = data.draw(st.integers(0, len(proof) - 1))
    node = bytearray(proof[place])
    node[data.draw(st.integers(0, len(node) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for wrong in (
        [*proof[:place], bytes(node), *proof[place + 1 :]],
        [*proof[:place], *proof[place + 1 :]],
        [*proof[:place], proof[place], *proof[place:]],
        [*proof, b"\x80"],
        [b"\x80", *proof],
    ):
        with pytest.raises(ChainProofError) as caught:
            verify_value(trie.root_hash, key, wrong)
        assert not isinstance(caught.value, AbsentError)


def test_the_empty_trie_holds_nothing() -> None:
    with pytest.raises(AbsentError):
        verify_value(EMPTY_ROOT, b"key", [b"\x80"])
    with pytest.raises(ChainProofError):
        verify_value(EMPTY_ROOT, b"key", [])


# Receipts tries of these sizes reach every shape: one leaf; keys of one byte; of two (from 128 on); of three.
@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 127, 128, 129, 200, 256, 257, 300])
def test_receipts_tries(count: int) -> None:
    receipts = [build_receipt(index % 5, [transfer_log(index)] * (index % 3)) for index in range(count)]
    trie = build_trie({oracle.encode(index): data for index, data in enumerate(receipts)})
    for index, data in enumerate(receipts):
        assert verify_value(trie.root_hash, oracle.encode(index), prove(trie, oracle.encode(index))) == data
    for index in (count, count + 1, 2**16):
        with pytest.raises(AbsentError):
            verify_value(trie.root_hash, oracle.encode(index), prove(trie, oracle.encode(index)))


def test_a_proof_is_for_one_key_only() -> None:
    random_ = random.Random(4)
    names = [random_.randbytes(32) for _ in range(200)]
    trie = build_trie({name: name[:5] for name in names})
    proofs = {name: prove(trie, name) for name in names[:40]}
    for name, proof in proofs.items():
        for other in names[:40]:
            if other != name:
                with pytest.raises(ChainProofError):
                    assert verify_value(trie.root_hash, other, proof) != name[:5]


def refuse(nodes: Sequence[object], key: bytes = b"\x12", error: type[MizhengError] = FormatError) -> None:
    """A chain of nodes, each put as a hash into the place `...` of the one before it, is no proof."""
    encoded: list[bytes] = []
    below: object = b""
    for node in reversed(nodes):
        assert isinstance(node, list)
        data = oracle.encode([below if item is ... else item for item in node])
        encoded.insert(0, data)
        below = keccak(data)
    assert isinstance(below, bytes)
    with pytest.raises(error) as caught:
        verify_value(below, key, encoded)
    assert type(caught.value) is not AbsentError


LONG = b"v" * 40


def branch(**children: object) -> list[object]:
    node: list[object] = [b""] * 17
    for name, child in children.items():
        node[16 if name == "value" else int(name[1:], 16)] = child
    return node


def test_nodes_no_trie_has() -> None:
    """Bytes that hash right, as a forger of a whole chain can make them, but are no node."""
    refuse([[b"\x20\x12", LONG, b""]])  # three items
    refuse([[b"\x20\x12"]])
    refuse([[]])
    refuse([[b"\x20\x12", [LONG]]])  # a value that is a list
    refuse([[[b"\x20\x12"], LONG]])  # a path that is a list
    refuse([[b"\x20\x12", b""]])  # a leaf of nothing
    refuse([[b"", LONG]])  # no path
    refuse([[b"\x40\x12", LONG]])  # flags beyond 3
    refuse([[b"\xf1", LONG]])
    refuse([[b"\x21\x12", LONG]])  # an even path whose padding is not zero
    refuse([[b"\x01\x12", ...], branch(value=LONG)])
    refuse([[b"\x00", ...], branch(_1=...), [b"\x32", LONG]])  # an extension by nothing
    refuse([[b"\x11", b""]])  # an extension to nothing
    refuse([branch(_1=b"\x01" * 31)])  # a reference that is neither hash nor node
    refuse([branch(_1=b"\x01")])
    refuse([branch(_1=...), [b"\x32", b"v"]])  # too short for a hash of its own
    refuse([branch(_1=[b"\x32", LONG])])  # too long to stand in its parent
    refuse([branch(_1=[b"\x32", b"v" * 29])])  # 32 bytes
    refuse([branch(_1=...), [b"\x32", b"v" * 28]])  # 31 bytes
    refuse([branch(_1=[])])
    refuse([branch(value=[b"v"])], key=b"")


def test_a_node_of_31_bytes_is_embedded_and_one_of_32_is_not() -> None:
    short, long = [b"\x32", b"v" * 28], [b"\x32", b"v" * 29]
    root = oracle.encode(branch(_1=short))
    assert verify_value(keccak(root), b"\x12", [root]) == b"v" * 28
    leaf = oracle.encode(long)
    root = oracle.encode(branch(_1=keccak(leaf)))
    assert verify_value(keccak(root), b"\x12", [root, leaf]) == b"v" * 29


def test_something_else_than_a_node() -> None:
    for data in (b"", b"\x81", b"\x80\x80", b"node", b"\xb8\x20" + bytes(32)):
        with pytest.raises(FormatError):
            verify_value(keccak(data), b"\x12", [data])
