"""What keeps a seal's contents private: one key a seal, itself in age files to those who may open it.

The key is random and new for every seal; each segment is AES-256-GCM under it (NIST SP 800-38D) with the
segment's number as nonce and its type as associated data, so that segments can be read one by one and none
can stand in another's place. The key, and with it the manifest key, lies in an age file
(age-encryption.org/v1) to the company's own recipient and to those of its escrow: to add one means to wrap
64 bytes, not to write the seal anew. Anybody with the identity and stock `age` gets the key; the rest is in
decision 9.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from mizheng.verifier.canonical import from_base64, require_fields, to_base64
from mizheng.verifier.errors import FormatError
from mizheng.verifier.record import MANIFEST_KEY_BYTES

if TYPE_CHECKING:
    from pyrage import x25519

_KEY_BYTES = 32
_CONTEXT = b"mizheng-seal/v2\n"
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A seal's key in an age file, and for whom."""

    recipients: tuple[str, ...]
    """age recipients (age1…); a note, since age itself does not tell."""
    age: bytes

    def fields(self) -> dict[str, Any]:
        return {"age": to_base64(self.age), "recipients": list(self.recipients)}


def parse_wrapped_key(value: object) -> WrappedKey:
    """What `fields` gave; FormatError otherwise."""
    fields = require_fields(value, {"age": str, "recipients": list})
    if not all(isinstance(item, str) for item in fields["recipients"]):
        raise FormatError("a recipient that is no text")
    return WrappedKey(tuple(fields["recipients"]), from_base64(fields["age"]))


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a seal; 64 bytes in all, which no message shows."""

    segment_key: bytes = field(repr=False)
    manifest_key: bytes = field(repr=False)

    @classmethod
    def generate(cls, manifest_key: bytes) -> Secret:
        return cls(os.urandom(_KEY_BYTES), manifest_key)

    def wrap(self, recipients: Sequence[x25519.Recipient]) -> WrappedKey:
        """An age file that each of `recipients` can open."""
        import pyrage

        age = bytes(pyrage.encrypt(self.segment_key + self.manifest_key, list(recipients)))
        return WrappedKey(tuple(map(str, recipients)), age)

    @classmethod
    def unwrap(cls, wrapped: Iterable[WrappedKey], identities: Sequence[x25519.Identity]) -> Secret | None:
        """The secret from the first age file that one of `identities` opens; None when none does."""
        import pyrage

        for item in wrapped:
            try:
                data = pyrage.decrypt(item.age, list(identities))
            except pyrage.DecryptError:
                continue
            if len(data) == _KEY_BYTES + MANIFEST_KEY_BYTES:
                return cls(data[:_KEY_BYTES], data[_KEY_BYTES:])
        return None


class Box:
    """Closes and opens segments under one seal's key. A number is used once."""

    __slots__ = ("_aead",)

    def __init__(self, secret: Secret) -> None:
        self._aead = AESGCM(secret.segment_key)

    def close(self, kind: str, number: int, data: bytes) -> bytes:
        return self._aead.encrypt(number.to_bytes(12, "big"), data, _CONTEXT + kind.encode())

    def open(self, kind: str, number: int, data: bytes) -> bytes:
        """FormatError when it is not that segment of that seal, or was changed."""
        try:
            return self._aead.decrypt(number.to_bytes(12, "big"), data, _CONTEXT + kind.encode())
        except InvalidTag as error:
            raise FormatError("a segment of the seal that does not open") from error
