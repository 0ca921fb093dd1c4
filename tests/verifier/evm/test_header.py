from typing import Any

import pytest
import rlp as oracle
from eth.rlp.headers import BlockHeader
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.shanghai.blocks import ShanghaiBlockHeader
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import ChainProofError, FormatError
from mizheng.verifier.evm.block import Block, verify_block
from mizheng.verifier.evm.header import MAX_FIELDS, MAX_HEADER_BYTES, MAX_TIMESTAMP, parse_header

from .mainnet import MAINNET
from .world import World


@pytest.mark.parametrize(("digest", "fields"), MAINNET, ids=["0", "1", "20013090"])
def test_mainnet(digest: str, fields: list[str]) -> None:
    header = parse_header(oracle.encode([bytes.fromhex(value) for value in fields]))
    assert header.hash.hex() == digest
    assert header.parent_hash.hex() == fields[0]
    assert header.state_root.hex() == fields[3]
    assert header.number == int(fields[8] or "0", 16)
    assert header.timestamp == int(fields[11] or "0", 16)


FORKS = [
    (BlockHeader, 15),
    (LondonBlockHeader, 16),
    (ShanghaiBlockHeader, 17),
    (CancunBlockHeader, 20),
    (PragueBlockHeader, 21),
]
LATER = {
    "base_fee_per_gas": 10**9,
    "withdrawals_root": keccak(b"withdrawals"),
    "blob_gas_used": 131072,
    "excess_blob_gas": 2**40,
    "parent_beacon_block_root": keccak(b"beacon"),
    "requests_hash": keccak(b"requests"),
}


@pytest.mark.parametrize(("kind", "count"), FORKS)
@given(
    number=st.integers(0, 2**64 - 1),
    timestamp=st.integers(0, MAX_TIMESTAMP),
    extra=st.binary(max_size=32),
    roots=st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3),
)
def test_every_fork(
    kind: Any, count: int, number: int, timestamp: int, extra: bytes, roots: list[bytes]
) -> None:
    names = {name for name, _ in kind._meta.fields}
    made = kind(
        difficulty=0,
        block_number=number,
        gas_limit=30_000_000,
        timestamp=timestamp,
        extra_data=extra,
        parent_hash=roots[0],
        state_root=roots[1],
        receipt_root=roots[2],
        **{name: value for name, value in LATER.items() if name in names},
    )
    assert len(names) == count
    header = parse_header(oracle.encode(made))
    assert (header.hash, header.number, header.timestamp) == (made.hash, number, timestamp)
    assert [header.parent_hash, header.state_root, header.receipts_root] == roots


def fields() -> list[Any]:
    return list(oracle.decode(World(5, [b"\x01" * 40]).block.header))


FIXED = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8, 16: 32, 19: 32, 20: 32}
SCALARS = {7: 32, 8: 8, 9: 8, 10: 8, 11: 8, 15: 32, 17: 8, 18: 8}


@pytest.mark.parametrize("place", range(21))
def test_lengths_are_strict(place: int) -> None:
    if place in FIXED:
        wrong: list[Any] = [bytes(FIXED[place] - 1), bytes(FIXED[place] + 1), b"", []]
    elif place in SCALARS:
        wrong = [b"\x01" * (SCALARS[place] + 1), b"\x00", b"\x00\x01", []]
    else:
        assert place == 12
        wrong = [[], [b"extra"]]
    for value in wrong:
        items = fields()
        items[place] = value
        with pytest.raises(FormatError):
            parse_header(oracle.encode(items))


def test_fields_of_later_forks() -> None:
    known = parse_header(oracle.encode(fields()))
    items = [*fields(), keccak(b"a later fork's root"), b"\x07", b""]
    later = parse_header(oracle.encode(items))
    assert later.hash == keccak(oracle.encode(items)) != known.hash
    assert later.state_root == known.state_root
    for wrong in ([bytes(33)], [[]], [b""] * (MAX_FIELDS - 20)):
        with pytest.raises(FormatError):
            parse_header(oracle.encode([*fields(), *wrong]))
    with pytest.raises(FormatError):
        parse_header(oracle.encode(fields()[:14]))


def test_a_clique_header_passes_and_a_huge_one_does_not() -> None:
    items = fields()[:15]
    items[12] = bytes(32 + 300 * 20 + 65)
    parse_header(oracle.encode(items))
    items[12] = bytes(MAX_HEADER_BYTES)
    with pytest.raises(FormatError):
        parse_header(oracle.encode(items))


def test_times_that_are_not_seconds() -> None:
    items = fields()
    items[11] = (1_790_000_000_000).to_bytes(6, "big")
    with pytest.raises(FormatError, match="9999"):
        parse_header(oracle.encode(items))


def test_not_a_header() -> None:
    for data in (
        b"",
        b"\x80",
        b"\xc0",
        b"header",
        oracle.encode(fields())[:-1],
        oracle.encode(fields()) + b"\0",
    ):
        with pytest.raises(FormatError):
            parse_header(data)


def test_block_hash_and_number_are_the_headers() -> None:
    block = World(5, [b"\x01" * 40]).block
    assert verify_block(block).hash == block.hash
    for wrong in (
        Block(6, block.hash, block.header),
        Block(5, bytes(32), block.header),
        Block(5, block.hash, World(5, [b"\x02" * 40]).block.header),
    ):
        with pytest.raises(ChainProofError):
            verify_block(wrong)
