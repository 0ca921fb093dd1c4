"""A key in a file of the data directory, readable by the notary's account alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from mizheng.notary.chain.signers.interface import ORDER
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.keys.files import write_secret


class KeyFileSigner:
    """A secp256k1 key in this process's memory. The key itself is never shown."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
            raise ConfigurationError("the publisher's key is not 32 bytes of a secp256k1 key")
        from eth_keys.datatypes import PrivateKey  # slow to import; only where a chain is used

        self._key = PrivateKey(secret)
        self.address: bytes = self._key.public_key.to_canonical_address()

    def __repr__(self) -> str:
        return f"KeyFileSigner({self.address.hex()})"

    @classmethod
    def load_or_create(cls, path: Path) -> KeyFileSigner:
        """The key in `path` (64 hex digits and a line feed, 0600), made anew if there is no such file."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            return cls.create(path)

    @classmethod
    def create(cls, path: Path) -> KeyFileSigner:
        """A new random key; FileExistsError rather than overwriting one."""
        secret = (1 + secrets.randbelow(ORDER - 1)).to_bytes(32, "big")
        write_secret(path, secret.hex().encode("ascii") + b"\n")
        return cls(secret)

    @classmethod
    def load(cls, path: Path) -> KeyFileSigner:
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

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        # RFC 6979: the same digest gives the same signature, so that what is signed again has the same hash.
        recovery, r, s = self._key.sign_msg_hash(digest).vrs
        return r, s, recovery

    def close(self) -> None:
        pass
