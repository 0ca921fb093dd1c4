"""Transactions of a key file: the bytes that eth_account would make, of both kinds."""

from __future__ import annotations

import pytest
from eth_account import Account
from mizheng.notary.chain.interface import Fees
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256

SECRET = b"\x46" * 32


@pytest.mark.parametrize("to", [b"\x07" * 20, None])
@pytest.mark.parametrize("nonce", [0, 9, 300])
@pytest.mark.parametrize("fees", [Fees(20_000_000_000, 7), Fees(20_000_000_000, None), Fees(0, None)])
def test_the_bytes_are_those_of_eth_account(to: bytes | None, nonce: int, fees: Fees) -> None:
    signed = Publisher(KeyFileSigner(SECRET)).sign(
        to=to, data=b"\x01\x02", gas=90_000, nonce=nonce, chain_id=31337, fees=fees
    )
    fields = {
        "chainId": 31337,
        "nonce": nonce,
        "to": to or b"",
        "value": 0,
        "data": b"\x01\x02",
        "gas": 90_000,
    }
    if fees.max_priority_fee is None:
        fields["gasPrice"] = fees.max_fee
    else:
        fields |= {"type": 2, "maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.max_priority_fee}
    expected = Account.sign_transaction(fields, SECRET)
    assert signed.raw == bytes(expected.raw_transaction)
    assert signed.hash == bytes(expected.hash)
    assert signed.worst_cost == 90_000 * fees.max_fee


def test_what_is_signed_in_the_example_of_eip_155() -> None:
    data = rlp.encode([9, 20 * 10**9, 21_000, b"\x35" * 20, 10**18, b"", 1, 0, 0])
    assert keccak256(data).hex() == "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    _, _, recovery = KeyFileSigner(SECRET).sign_digest(keccak256(data))
    assert 35 + 2 * 1 + recovery == 37


def test_the_key_is_never_shown() -> None:
    signer = KeyFileSigner(SECRET)
    assert SECRET.hex() not in f"{signer!r} {signer} {Publisher(signer)!r}"
