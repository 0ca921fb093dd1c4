"""The publisher: the one account that may anchor a log, and the transactions it signs.

A transaction is fixed before it is sent: nonce, gas, fees and chain id are all given, nothing is left for
a node to fill in. So its hash is known beforehand and whatever happens on the way, it can be found again
or sent again.
"""

from __future__ import annotations

from dataclasses import dataclass

from mizheng.notary.chain.interface import Fees
from mizheng.notary.chain.signers.interface import Signer
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Ready to send."""

    raw: bytes
    hash: bytes
    nonce: int
    gas: int
    """The most gas it may use."""
    fees: Fees

    @property
    def worst_cost(self) -> int:
        """The most it can cost, in wei."""
        return self.gas * self.fees.max_fee


class Publisher:
    """An account, through whichever signer has its key. `address` is its 20 bytes."""

    __slots__ = ("_signer", "address")

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.address: bytes = signer.address

    def __repr__(self) -> str:
        return f"Publisher({self.address.hex()})"

    def sign(
        self, *, to: bytes | None, data: bytes, gas: int, nonce: int, chain_id: int, fees: Fees
    ) -> SignedTransaction:
        """A transaction without value; `to` None creates a contract. SignerError if the key cannot be used.

        EIP-1559, or one with a gas price (EIP-155) where the fees have no priority fee.
        """
        if fees.max_priority_fee is None:
            raw = self._sign_legacy(nonce, fees.max_fee, gas, to or b"", data, chain_id)
        else:
            raw = self._sign_dynamic(nonce, fees, gas, to or b"", data, chain_id)
        return SignedTransaction(raw, keccak256(raw), nonce, gas, fees)

    def close(self) -> None:
        """Let go of the key."""
        self._signer.close()

    def _sign_dynamic(self, nonce: int, fees: Fees, gas: int, to: bytes, data: bytes, chain_id: int) -> bytes:
        # eth_account checks the fields and encodes them; it has no room for a key that is not in memory.
        from eth_account.typed_transactions.typed_transaction import TypedTransaction

        fields = {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": to,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.max_priority_fee,
        }
        r, s, recovery = self._signer.sign_digest(bytes(TypedTransaction.from_dict(fields).hash()))
        return bytes(TypedTransaction.from_dict({**fields, "v": recovery, "r": r, "s": s}).encode())

    def _sign_legacy(self, nonce: int, price: int, gas: int, to: bytes, data: bytes, chain_id: int) -> bytes:
        # EIP-155: signed over the chain id and two empty fields, in the place of the signature. Of
        # eth_account's own way to it nothing is public.
        fields: list[rlp.Encodable] = [nonce, price, gas, to, 0, data]
        r, s, recovery = self._signer.sign_digest(keccak256(rlp.encode([*fields, chain_id, 0, 0])))
        return rlp.encode([*fields, 35 + 2 * chain_id + recovery, r, s])
