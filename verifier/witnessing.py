"""What a log asks of a witness and what it is answered: bodies of C2SP tlog-witness `add-checkpoint`.

    old <size that the witness cosigned last>
    <a hash of the consistency proof in base64>        at most 63 of these lines
    <empty line>
    <checkpoint: a signed note>

The answer is one or more signature lines of a note. Nothing is judged here but the form: who signed, and
whether the new head extends the old one, is for the witness to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .canonical import from_base64, to_base64
from .checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from .cosignature import WitnessKey
from .errors import FormatError, LimitError, SignatureError
from .note import MAX_NOTE_BYTES, Note, join_note, parse_note

# C2SP tlog-witness: a tree of 2^63 leaves needs no longer consistency proof.
MAX_PROOF_LINES = 63
# The largest note, and before it `old` with nineteen digits and 63 lines of 45 bytes.
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 3 * 1024
# A witness may hold a few keys, each some 200 bytes a line; a log needs one of them.
MAX_ANSWER_BYTES = 16 * 1024
# A size and LF.
MAX_SIZE_BYTES = 20

SIZE_MEDIA_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """One request: cosign this checkpoint, which extends the head of `old_size` by `proof`."""

    old_size: int
    """The size of the last checkpoint of this log that the witness cosigned; 0 if none."""
    proof: tuple[bytes, ...]
    """RFC 6962 §2.1.2, hashes of 32 bytes."""
    note: bytes
    """The checkpoint with the log's signature."""

    def dump(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *(to_base64(item) for item in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.note


def parse_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Read a request, accepting exactly what `AddCheckpoint.dump` writes; FormatError otherwise.

    The note is checked for its form and the checkpoint in it as well; no signature is.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise LimitError("a request to a witness of {size} bytes", size=len(data))
    head, separator, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("a request to a witness that is not text") from error
    if not separator or not lines[0].startswith("old "):
        raise FormatError("a request to a witness without its old size")
    if len(lines) - 1 > MAX_PROOF_LINES:
        raise LimitError("a consistency proof of {count} hashes", count=len(lines) - 1)
    proof = tuple(from_base64(line) for line in lines[1:])
    if any(len(item) != 32 for item in proof):
        raise FormatError("a consistency proof with hashes that are not 32 bytes")
    read_checkpoint(parse_note(note))
    return AddCheckpoint(parse_size(lines[0][4:]), proof, note)


def read_checkpoint(note: Note) -> Checkpoint:
    """Origin, size and root of another log's checkpoint, which may have extension lines behind them.

    A witness cosigns the note's whole text, but says nothing about those lines (C2SP tlog-cosignature).
    """
    lines = note.text.split(b"\n")
    if b"" in lines[3:-1]:
        raise FormatError("a checkpoint with an empty extension line")
    return parse_checkpoint(b"".join(line + b"\n" for line in lines[:3]))


def dump_size(size: int) -> bytes:
    """The body of a 409: the size that the witness cosigned last."""
    return b"%d\n" % size


def parse_size_answer(data: bytes) -> int:
    """Read the body of a 409; FormatError if it is anything but a size and LF."""
    if len(data) > MAX_SIZE_BYTES or not data.endswith(b"\n"):
        raise FormatError("not a tree size and a line's end")
    try:
        return parse_size(data[:-1].decode("ascii"))
    except UnicodeDecodeError as error:
        raise FormatError("not a tree size and a line's end") from error


def parse_size(text: str) -> int:
    """A tree size in decimal; FormatError for leading zeros, signs, spaces, and what is out of range."""
    # Nineteen digits hold every 63-bit number; int() of more is work for nothing.
    if len(text) > 19 or not text.isascii() or not text.isdecimal() or text != str(int(text)):
        raise FormatError("expected a whole number without leading zeros")
    if int(text) > MAX_SIZE:
        raise FormatError("expected a whole number without leading zeros")
    return int(text)


def take_cosignature(answer: bytes, text: bytes, witness: WitnessKey) -> tuple[bytes, int]:
    """The line of `witness` in its answer over the checkpoint `text`, and the time it states.

    Lines of other keys are passed over. FormatError when the answer is not signature lines, SignatureError
    when the witness's own is missing or broken.
    """
    if len(answer) > MAX_ANSWER_BYTES:
        raise LimitError("a witness's answer of {size} bytes", size=len(answer))
    note = parse_note(join_note(text, [answer]))
    if note.text != text:
        raise FormatError("a witness's answer that is more than signature lines")
    for line, signature in zip(answer.splitlines(keepends=True), note.signatures, strict=True):
        if witness.matches(signature):
            return line, witness.verify(text, signature.signature)
    raise SignatureError("the answer carries no cosignature of the witness that was asked")


def cosigned_note(note: bytes, lines: Iterable[bytes]) -> bytes:
    """The signed checkpoint with cosignature lines behind the log's own."""
    return note + b"".join(lines)
