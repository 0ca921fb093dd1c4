"""Private files beside a seal that only its key opens: NAME.renewal, NAME.disclosures, NAME.custody, ….

    a line of magic, 12 bytes of nonce, AES-256-GCM of canonical JSON

The key follows from the seal's manifest key under a name of the file's own; nothing else follows under that
name. What is written is written whole: after a crash there is the file of before, or the new one.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from mizheng.cli.errors import DataFault
from mizheng.cli.files import write_private

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Beside:
    """One sort of file beside seals."""

    suffix: str
    """Of its name, in the place of .seal."""
    magic: bytes
    context: bytes
    """What its key is derived under."""

    def path_of(self, seal: Path) -> Path:
        """Where the file of a seal lies."""
        return seal.with_name(seal.name.removesuffix(".seal") + self.suffix)

    def write(self, path: Path, manifest_key: bytes, plain: bytes) -> None:
        """Put it there, whole or not at all."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        write_private(path, self.magic + nonce + self._cipher(manifest_key).encrypt(nonce, plain, self.magic))

    def read(self, path: Path, manifest_key: bytes) -> bytes:
        """What was written; DataFault when it is damaged or another seal's."""
        data = path.read_bytes()
        body = data[len(self.magic) :]
        try:
            if not data.startswith(self.magic):
                raise ValueError("another sort of file")
            return self._cipher(manifest_key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], self.magic)
        except (InvalidTag, ValueError) as error:
            raise damaged(path) from error

    def _cipher(self, manifest_key: bytes) -> AESGCM:
        return AESGCM(hmac.digest(manifest_key, self.context, "sha256"))


def damaged(path: Path) -> DataFault:
    """What a person is told when the bytes are not those that were written, or another seal's."""
    return DataFault("{name} is damaged, or of another seal", "restore it from a copy", name=str(path))
