import hashlib

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.evm.keccak import keccak256


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        # Yellow Paper §4.1: the code hash of an account without code.
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        # The root of an empty trie: the hash of the RLP of the empty string.
        (b"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
        # ommersHash of every block since the merge (EIP-3675): the hash of the RLP of the empty list.
        (b"\xc0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
        # ERC-20's event, topic 0 of most logs there are.
        (
            b"Transfer(address,address,uint256)",
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        ),
    ],
)
def test_known_digests(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest


def test_it_is_not_sha3() -> None:
    assert keccak256(b"") != hashlib.sha3_256(b"").digest()


@given(st.binary(max_size=600))
def test_agrees_with_eth_hash(data: bytes) -> None:
    assert keccak256(data) == keccak(data)
