import pytest
import rlp as oracle
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import ChainProofError, FormatError
from mizheng.verifier.evm.storage import Account, root_slot, verify_account, verify_slot
from mizheng.verifier.evm.trie import AbsentError

from .world import CODE_HASH, CONTRACT, LOG_ID, World, build_trie, prove, root_of


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1))
def test_slot_of_a_mapping_in_a_mapping(log_id: bytes, size: int) -> None:
    """Solidity's rule: keccak(abi.encode(key, slot)), and for the inner mapping that in the slot's place."""
    outer = keccak(abi_encode(["bytes32", "uint256"], [log_id, 0]))
    assert root_slot(log_id, size) == keccak(abi_encode(["uint64", "bytes32"], [size, outer]))


def test_account_and_slot() -> None:
    world = World(9, [b"\x01" * 40], (1, 70_000))
    state = world.state.root_hash
    account = verify_account(state, CONTRACT, prove(world.state, keccak(CONTRACT)))
    assert account == Account(world.storage.root_hash, CODE_HASH)
    for size in (1, 70_000):
        slot = root_slot(LOG_ID, size)
        value = verify_slot(account.storage_root, slot, prove(world.storage, keccak(slot)))
        assert value == root_of(size)


def test_absence_is_an_error_of_its_own() -> None:
    world = World(9, [b"\x01" * 40], (1,))
    nobody = bytes(20)
    with pytest.raises(AbsentError):
        verify_account(world.state.root_hash, nobody, prove(world.state, keccak(nobody)))
    slot = root_slot(LOG_ID, 2)
    with pytest.raises(AbsentError):
        verify_slot(world.storage.root_hash, slot, prove(world.storage, keccak(slot)))


@given(st.integers(1, 2**256 - 1))
def test_small_values_lose_their_zeros_in_the_trie_only(number: int) -> None:
    slot = bytes(31) + b"\x05"
    trie = build_trie({keccak(slot): oracle.encode(number)})
    assert verify_slot(trie.root_hash, slot, prove(trie, keccak(slot))) == number.to_bytes(32, "big")


@pytest.mark.parametrize(
    "value", [b"\x00", b"\x81\x00", b"\x82\x00\x01", b"\xc0", b"\xa1" + b"\1" * 33, b"12"]
)
def test_values_no_contract_stores(value: bytes) -> None:
    trie = build_trie({keccak(bytes(32)): value})
    with pytest.raises(FormatError):
        verify_slot(trie.root_hash, bytes(32), prove(trie, keccak(bytes(32))))


@pytest.mark.parametrize(
    "fields",
    [
        [b"\x01", b"\x01", bytes(32)],
        [b"\x01", b"\x01", bytes(32), bytes(32), b""],
        [b"\x00", b"\x01", bytes(32), bytes(32)],
        [b"\x01" * 9, b"\x01", bytes(32), bytes(32)],
        [b"\x01", b"\x00\x01", bytes(32), bytes(32)],
        [b"\x01", b"\x01", bytes(31), bytes(32)],
        [b"\x01", b"\x01", bytes(32), bytes(33)],
        [b"\x01", b"\x01", bytes(32), [bytes(32)]],
    ],
)
def test_accounts_no_chain_has(fields: list[bytes]) -> None:
    trie = build_trie({keccak(CONTRACT): oracle.encode(fields)})
    with pytest.raises(FormatError):
        verify_account(trie.root_hash, CONTRACT, prove(trie, keccak(CONTRACT)))


def test_another_account_s_proof() -> None:
    world = World(9, [b"\x01" * 40], (1,))
    with pytest.raises(ChainProofError):
        verify_account(world.state.root_hash, bytes(20), prove(world.state, keccak(CONTRACT)))
