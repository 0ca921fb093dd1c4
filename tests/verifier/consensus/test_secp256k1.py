"""Recovery of an address from a seal, against eth_keys, which is written by others."""

from __future__ import annotations

import random

import pytest
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature, ValidationError
from mizheng.verifier.consensus.secp256k1 import recover_address
from mizheng.verifier.errors import ChainProofError, FormatError
from mizheng.verifier.evm.keccak import keccak256

from tests.support.scale import scaled
from tests.support.sealing import ORDER, malleate

DIGEST = keccak256(b"a header")


def oracle(digest: bytes, seal: bytes) -> bytes | None:
    """eth_keys' answer; None where it finds no key."""
    try:
        key = Signature(signature_bytes=seal).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError):
        return None
    return bytes(key.to_canonical_address())


def ours(digest: bytes, seal: bytes) -> bytes | None:
    try:
        return recover_address(digest, seal)
    except ChainProofError:
        return None


def test_signatures_of_random_keys() -> None:
    source = random.Random(7)
    for _ in range(scaled(20, 1000)):
        key = PrivateKey(source.randrange(1, ORDER).to_bytes(32, "big"))
        digest = source.randbytes(32)
        seal = key.sign_msg_hash(digest).to_bytes()
        assert recover_address(digest, seal) == key.public_key.to_canonical_address()
        assert recover_address(digest, malleate(seal)) == key.public_key.to_canonical_address()


def test_random_numbers_that_look_like_seals() -> None:
    """Half of all r are on the curve: whatever comes out, both say the same."""
    source = random.Random(8)
    answers = set()
    for _ in range(scaled(30, 1000)):
        digest, seal = source.randbytes(32), source.randbytes(64) + bytes([source.randrange(2)])
        assert ours(digest, seal) == oracle(digest, seal)
        answers.add(ours(digest, seal) is None)
    assert answers == {True, False}


def test_keys_and_digests_at_the_edges() -> None:
    for secret in (1, 2, 3, ORDER - 1, ORDER - 2, ORDER // 2):
        key = PrivateKey(secret.to_bytes(32, "big"))
        for digest in (bytes(32), b"\xff" * 32, (ORDER - 1).to_bytes(32, "big"), ORDER.to_bytes(32, "big")):
            seal = key.sign_msg_hash(digest).to_bytes()
            assert recover_address(digest, seal) == key.public_key.to_canonical_address()


@pytest.mark.parametrize(
    ("r", "s", "v"),
    [
        (0, 1, 0),
        (1, 0, 0),
        (ORDER, 1, 0),
        (1, ORDER, 0),
        (1, 1, 2),
        (1, 1, 27),
        (5, 1, 0),
        (2**256 - 1, 1, 0),
    ],
)
def test_numbers_that_are_no_signature(r: int, s: int, v: int) -> None:
    with pytest.raises(ChainProofError):
        recover_address(DIGEST, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v]))


@pytest.mark.parametrize("r", [1, 2, 3, 4, 6])
def test_small_r(r: int) -> None:
    seal = r.to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x01"
    assert recover_address(DIGEST, seal) == oracle(DIGEST, seal)


def test_a_sum_at_infinity_is_no_signature() -> None:
    """s·R = z·G: with R = G, that is s = z. Then no key made it."""
    gx = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    z = int.from_bytes(DIGEST, "big") % ORDER
    seal = gx.to_bytes(32, "big") + z.to_bytes(32, "big") + b"\x00"
    with pytest.raises(ChainProofError):
        recover_address(DIGEST, seal)


def test_r_is_minus_g() -> None:
    """R = −G: the table of sums has a point at infinity."""
    gx = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    seal = gx.to_bytes(32, "big") + (12345).to_bytes(32, "big") + b"\x01"
    assert recover_address(DIGEST, seal) == oracle(DIGEST, seal)


@pytest.mark.parametrize("length", [0, 64, 66])
def test_another_length(length: int) -> None:
    with pytest.raises(FormatError):
        recover_address(DIGEST, bytes(length))
