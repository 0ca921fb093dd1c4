"""Writing an age file to X25519 recipients, chunk by chunk into memory that is there (C2SP, age.md).

pyrage writes age files everywhere else, and reads all of them. It asks Python for every 8 KiB and holds the
interpreter while it encrypts; `cryptography` lets go of it, so that digests are made meanwhile (decision 35).
"""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Of the plaintext; and what each chunk grows by.
CHUNK, TAG = 1 << 16, 16


class AgeWriter:
    """One age file: `start`, then what `encrypt` makes of each piece, in order."""

    def __init__(self, recipients: Sequence[str]) -> None:
        """For everybody in `recipients`, at least one; ValueError when one of them is not a sound age1…."""
        file_key, nonce = os.urandom(16), os.urandom(16)
        self.start = _header(file_key, recipients) + nonce
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._chunks = 0
        self._has_ended = False

    def encrypt(self, plain: memoryview, out: memoryview, *, is_last: bool) -> int:
        """Encrypt a piece into `out`; how many bytes there are now: TAG more for each chunk begun.

        Each piece is whole chunks, but for the last. That has no byte only where the file has none.
        """
        is_whole = is_last or len(plain) % CHUNK == 0
        is_empty = not plain and not (is_last and self._chunks == 0)
        if self._has_ended or is_empty or not is_whole:
            raise ValueError("pieces of an age file are whole chunks, and the last has something in it")
        self._has_ended = is_last
        made = 0
        for start in range(0, max(len(plain), 1), CHUNK):
            chunk = plain[start : start + CHUNK]
            is_final = is_last and start + CHUNK >= len(plain)
            # A nonce is never used twice: the key is this file's alone, and the counter only goes up.
            nonce = self._chunks.to_bytes(11, "big") + bytes([is_final])
            self._chunks += 1
            end = made + len(chunk) + TAG
            self._cipher.encrypt_into(nonce, chunk, None, out[made:end])
            made = end
        return made


def _header(file_key: bytes, recipients: Sequence[str]) -> bytes:
    if not recipients:
        raise ValueError("an age file is for somebody")
    stanzas = b"".join(_stanza(file_key, _point(recipient)) for recipient in recipients)
    text = b"age-encryption.org/v1\n" + stanzas + b"---"
    mac = hmac.digest(_derive(file_key, b"", b"header"), text, "sha256")
    return text + b" " + _base64(mac) + b"\n"


def _stanza(file_key: bytes, point: bytes) -> bytes:
    """The file key for whoever has the secret of this point."""
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    # ValueError where the secret would be all zeros: a point of low order, which is nobody's.
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(point))
    wrap_key = _derive(secret, share + point, b"age-encryption.org/v1/X25519")
    # 43 characters: the short line that ends a stanza.
    body = ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n"


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF-SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _base64(data: bytes) -> bytes:
    """Without padding."""
    return b64encode(data).rstrip(b"=")


_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# "age" as the checksum takes it.
_PREFIX = [3, 3, 3, 0, 1, 7, 5]


def _point(recipient: str) -> bytes:
    """The 32 bytes in age1…: Bech32 (BIP 173), 52 letters with four bits to spare and six of the checksum."""
    prefix, _, letters = recipient.partition("1")
    values = [_LETTERS.index(letter) for letter in letters]
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    if prefix != "age" or len(values) != 58 or number & 15 or _checksum([*_PREFIX, *values]) != 1:
        raise ValueError("not an age recipient")
    return (number >> 4).to_bytes(32, "big")


def _checksum(values: Iterable[int]) -> int:
    """1 when the last six are right (BIP 173, Checksum)."""
    found = 1
    for value in values:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            found ^= term * (top >> bit & 1)
    return found
