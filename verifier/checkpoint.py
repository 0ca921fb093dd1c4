"""Checkpoints (C2SP tlog-checkpoint) and proofs of one entry against one (C2SP tlog-proof)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .canonical import from_base64, to_base64
from .errors import FormatError, LimitError
from .merkle import verify_inclusion
from .note import MAX_NOTE_BYTES, NoteSigner, NoteVerifier, join_note, open_note, parse_note

# A tree has at most 2^63 leaves (a C2SP size is a 63-bit number in every implementation).
MAX_SIZE = 2**63 - 1
# 63 hashes and a note: anything longer is no proof of ours.
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 4096
_DECIMAL = re.compile(r"0|[1-9][0-9]*")
_PROOF_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: what it is called, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """Three LF-ended lines: origin, size, root. What is signed and what is time-stamped."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n".encode()


@dataclass(frozen=True, slots=True)
class TlogProof:
    """One entry's inclusion in one signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    """The checkpoint as a signed note."""

    def dump(self) -> bytes:
        return dump_tlog_proof(self.index, "".join(hash_line(item) for item in self.hashes), self.note)

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says, its signatures unchecked."""
        return _read_checkpoint(self.note)

    def verify(self, leaf: bytes) -> Checkpoint:
        """Check that leaf hash `leaf` is at `index` under the checkpoint's root; InclusionError otherwise."""
        checkpoint = self.checkpoint
        verify_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def hash_line(node: bytes) -> str:
    """A hash as a line of a .tlog-proof."""
    return b2a_base64(node).decode("ascii")


def dump_tlog_proof(index: int, hash_lines: str, note: bytes) -> bytes:
    """A .tlog-proof from the lines of its hashes, lowest node first: many proofs share most of them."""
    return f"{_PROOF_HEADER}\nindex {index}\n{hash_lines}\n".encode() + note


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint; no extension lines."""
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("a checkpoint that is not UTF-8") from error
    if len(lines) != 4 or lines[3]:
        raise FormatError("a checkpoint has exactly three lines")
    if not lines[0]:
        raise FormatError("a checkpoint without an origin")
    root = from_base64(lines[2])
    if len(root) != 32:
        raise FormatError("a checkpoint's root has 32 bytes")
    return Checkpoint(lines[0], parse_decimal(lines[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """The checkpoint as a note signed by the log."""
    text = checkpoint.text()
    return join_note(text, [signer.sign(text)])


def open_checkpoint(note: bytes, verifiers: Iterable[NoteVerifier]) -> tuple[Checkpoint, list[NoteVerifier]]:
    """The checkpoint and who of `verifiers` signed it; SignatureError when none did."""
    _text, signed = open_note(note, verifiers)
    return _read_checkpoint(note), signed


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Read a .tlog-proof, accepting exactly what `TlogProof.dump` writes (no extra line)."""
    if len(data) > MAX_PROOF_BYTES:
        raise LimitError("a log proof of {size} bytes", size=len(data))
    head, separator, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("a log proof that is not text") from error
    if not separator or lines[0] != _PROOF_HEADER:
        raise FormatError("not a log proof (c2sp.org/tlog-proof@v1)")
    if len(lines) < 2 or not lines[1].startswith("index "):
        raise FormatError("a log proof without its index")
    hashes = tuple(map(_read_hash, lines[2:]))
    if len(hashes) > 63 or any(len(item) != 32 for item in hashes):
        raise FormatError("a log proof with hashes that are not 32 bytes")
    _read_checkpoint(note)
    return TlogProof(parse_decimal(lines[1][6:]), hashes, note)


# Proofs from one tree share most of their hashes.
@lru_cache(256)
def _read_hash(line: str) -> bytes:
    return from_base64(line)


# One proof asks for it again and again, and many proofs share one. A checkpoint never changes.
@lru_cache(256)
def _read_checkpoint(note: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)


def parse_decimal(text: str) -> int:
    """A size or index as these texts write it; FormatError for leading zeros, signs and what is too large."""
    # 19 digits hold every 63-bit number; int() of more is work for nothing.
    if not _DECIMAL.fullmatch(text) or len(text) > 19 or int(text) > MAX_SIZE:
        raise FormatError("expected a whole number without leading zeros")
    return int(text)
