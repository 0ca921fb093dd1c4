"""Cosignatures of witnesses over checkpoints (C2SP tlog-cosignature, Ed25519, signature type 0x04).

A witness says: this is the largest consistent head that I have seen of this log, at this time. The
time is the witness's clock and is never evidence of a latest time here (formats §10).
"""

from __future__ import annotations

from .errors import SignatureError
from .note import NoteKey, signature_line
from .signature import PrivateKey

COSIGNATURE = 0x04
# C2SP tlog-cosignature: a time must not exceed 2^63 − 1.
_MAX_TIME = 2**63 - 1


class WitnessKey(NoteKey):
    """A witness's name and Ed25519 key; its vkey carries the type 0x04."""

    __slots__ = ()
    signature_type = COSIGNATURE

    def verify(self, text: bytes, signature: bytes) -> int:
        """The witness's time (seconds since 1970) if it cosigned this text; SignatureError otherwise."""
        if len(signature) != 72:
            raise SignatureError("a cosignature has 72 bytes, this one {found}", found=len(signature))
        time = int.from_bytes(signature[:8], "big")
        if time > _MAX_TIME:
            raise SignatureError("a cosignature with a time out of range")
        self.key.verify(signature[8:], cosigned_message(text, time))
        return time


class WitnessSigner:
    """Cosigns checkpoints. Its key must be no log's key and sign nothing else."""

    __slots__ = ("_key", "witness")

    def __init__(self, name: str, key: PrivateKey) -> None:
        self._key = key
        self.witness = WitnessKey(name, key.public)

    def cosign(self, text: bytes, time: int) -> bytes:
        """The signature line over a checkpoint's text, LF included."""
        signature = time.to_bytes(8, "big") + self._key.sign(cosigned_message(text, time))
        return signature_line(self.witness.name, self.witness.key_hash, signature)


def cosigned_message(text: bytes, time: int) -> bytes:
    """Two header lines before the checkpoint's text."""
    return b"cosignature/v1\ntime %d\n" % time + text
