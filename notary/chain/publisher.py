"""The publisher: the one account that may anchor a log, and the transactions it signs.

A transaction is fixed before it is sent: nonce, gas, fees and chain id are all given, nothing is left for
a node to fill in. So its hash is known beforehand and whatever happens on the way, it can be found again
or sent again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.chain.interface import Fees
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.keys import write_secret
from mizheng.verifier.evm.keccak import keccak256

# The order of secp256k1 (SEC 2 §2.4.1): a private key is from 1 to one less.
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Ready to send."""

    raw: bytes
    hash: bytes
    nonce: int


class Publisher:
    """A secp256k1 key. `address` is its 20 bytes; the key itself is never shown."""

    __slots__ = ("_secret", "address")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise ConfigurationError("the publisher's key is not 32 bytes of a secp256k1 key")
        from eth_keys.datatypes import PrivateKey  # slow to import; only where a chain is used

        self._secret = secret
        self.address: bytes = PrivateKey(secret).public_key.to_canonical_address()

    def __repr__(self) -> str:
        return f"Publisher({self.address.hex()})"

    @classmethod
    def load_or_create(cls, path: Path) -> Publisher:
        """The key in `path` (64 hex digits and a line feed, 0600), made anew if there is no such file."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            return cls.create(path)

    @classmethod
    def create(cls, path: Path) -> Publisher:
        """A new random key; FileExistsError rather than overwriting one."""
        secret = (1 + secrets.randbelow(_ORDER - 1)).to_bytes(32, "big")
        write_secret(path, secret.hex().encode("ascii") + b"\n")
        return cls(secret)

    @classmethod
    def load(cls, path: Path) -> Publisher:
        """ConfigurationError if others may read the file or if it holds no key."""
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(
                "others may read the publisher's key {path}", hint="chmod 600 {path}", path=str(path)
            )
        text = path.read_bytes()
        try:
            secret = bytes.fromhex(text.decode("ascii").strip().removeprefix("0x"))
        except ValueError:
            # Raised anew without its cause: that one repeats the contents.
            raise ConfigurationError(
                "{path} does not hold a publisher's key", hint="it has 64 hex digits", path=str(path)
            ) from None
        return cls(secret)

    def sign(
        self, *, to: bytes | None, data: bytes, gas: int, nonce: int, chain_id: int, fees: Fees
    ) -> SignedTransaction:
        """An EIP-1559 transaction without value; `to` None creates a contract."""
        from eth_account import Account

        signed = Account.sign_transaction(
            {
                "type": 2,
                "chainId": chain_id,
                "nonce": nonce,
                "to": b"" if to is None else to,
                "value": 0,
                "data": data,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.max_priority_fee,
            },
            self._secret,
        )
        raw = bytes(signed.raw_transaction)
        return SignedTransaction(raw, keccak256(raw), nonce)
