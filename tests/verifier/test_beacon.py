import json
from dataclasses import replace

import pytest
from eth_utils import keccak
from mizheng.verifier import canonical
from mizheng.verifier.beacon import MAX_BYTES, Beacon, dump_beacon, parse_beacon, verify_beacon
from mizheng.verifier.errors import ChainProofError, FormatError, LimitError, MizhengError, VersionError

from .evm.world import CHAIN, World, build_receipts

WORLD = World(22_999_000, build_receipts(1, {}))
BEACON = Beacon(CHAIN, WORLD.block)
DATA = dump_beacon(BEACON)


def test_round_trip() -> None:
    assert parse_beacon(DATA) == BEACON
    header = verify_beacon(parse_beacon(DATA), BEACON.reference)
    assert (header.number, header.timestamp, header.hash) == (22_999_000, 1_790_000_000, WORLD.header.hash)
    assert set(json.loads(DATA)) == {"type", "chain", "number", "hash", "header"}


def test_every_byte() -> None:
    data = bytearray(DATA)
    for place in range(len(data)):
        data[place] ^= 1 << (place % 8)
        try:
            beacon = parse_beacon(bytes(data))
            verify_beacon(beacon, BEACON.reference)
        except MizhengError:
            pass
        else:
            # The kind is no part of what a statement names: it is compared with the trust file.
            assert replace(beacon, chain=CHAIN) == BEACON
        data[place] ^= 1 << (place % 8)


def test_another_block_than_the_statement_names() -> None:
    for chain, block in (
        (CHAIN, World(22_999_001, build_receipts(1, {})).block),
        (replace(CHAIN, chain_id=2), WORLD.block),
        (replace(CHAIN, genesis_hash=bytes(32)), WORLD.block),
    ):
        with pytest.raises(ChainProofError, match="another block"):
            verify_beacon(Beacon(chain, block), BEACON.reference)


def test_a_header_with_another_hash_or_number() -> None:
    other = World(1, build_receipts(2, {})).block
    junk = b"\xc0"
    for block in (
        replace(WORLD.block, header=other.header),
        replace(WORLD.block, number=1),
        replace(WORLD.block, hash=other.hash),
        replace(WORLD.block, header=junk, hash=keccak(junk)),
    ):
        beacon = Beacon(CHAIN, block)
        with pytest.raises(ChainProofError):
            verify_beacon(beacon, beacon.reference)


def test_format() -> None:
    value = json.loads(DATA)
    for name in value:
        with pytest.raises(FormatError):
            parse_beacon(canonical.dump({key: value[key] for key in value if key != name}))
    with pytest.raises(FormatError):
        parse_beacon(canonical.dump({**value, "time": 1}))
    with pytest.raises(VersionError):
        parse_beacon(canonical.dump({**value, "type": "mizheng/beacon/v2", "time": 1}))
    with pytest.raises(VersionError):
        parse_beacon(canonical.dump({**value, "chain": {**value["chain"], "kind": "fisco-bcos"}}))
    with pytest.raises(LimitError):
        parse_beacon(b" " * (MAX_BYTES + 1))
