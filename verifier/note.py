"""Signed notes (C2SP signed-note): text, a blank line, then `— name base64(key id || signature)` lines.

Signature types here: 0x01, Ed25519 over the text; others of the standard are recognised by their
verifier's own type byte and skipped when no verifier for them was given. A line of an unknown key
is skipped; a bad signature of a known key rejects the note.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from .ahead import Signed
from .canonical import from_base64, to_base64
from .errors import FormatError, KeyFormatError, LimitError, SignatureError
from .signature import PrivateKey, PublicKey, ed25519_from_raw

ED25519 = 0x01
# A checkpoint with a hundred witnesses is about 15 kB.
MAX_NOTE_BYTES = 64 * 1024
# C2SP signed-note lets a verifier bound the lines it looks at; no policy needs more witnesses than this.
MAX_SIGNATURES = 100

# C2SP signed-note: no ASCII control characters other than newline.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+]+")
_DASH = "— "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_hash: bytes
    """First four bytes of SHA-256(name || LF || type || key)."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note whose signatures are not yet checked."""

    text: bytes
    """The signed text, ending in LF."""
    signatures: tuple[NoteSignature, ...]


class NoteKey:
    """A key that may have signed a note, from its vkey `name+hex(key hash)+base64(type || key)`."""

    __slots__ = ("key", "key_hash", "name", "vkey")
    signature_type = 0

    def __init__(self, name: str, key: PublicKey) -> None:
        check_key_name(name)
        self.name = name
        self.key = key
        body = bytes([self.signature_type]) + key.raw
        self.key_hash = hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]
        self.vkey = f"{name}+{self.key_hash.hex()}+{to_base64(body)}"

    @classmethod
    def from_vkey(cls, vkey: object) -> Self:
        """KeyFormatError when it is no vkey, or one of another signature type."""
        if not isinstance(vkey, str) or vkey.count("+") < 2:
            raise KeyFormatError("not a verifier key of the form name+hash+key")
        name, _, encoded = vkey.split("+", 2)
        body = from_base64(encoded)
        if len(body) != 33 or body[0] != cls.signature_type:
            raise KeyFormatError("a verifier key of an unknown signature type")
        key = cls(name, ed25519_from_raw(body[1:]))
        if key.vkey != vkey:
            raise KeyFormatError("the verifier key's hash does not belong to its name and key")
        return key

    def matches(self, line: NoteSignature) -> bool:
        return line.name == self.name and line.key_hash == self.key_hash


class NoteVerifier(NoteKey):
    """Checks Ed25519 signatures over the text itself: a log's key."""

    __slots__ = ()
    signature_type = ED25519

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the signature is this key's over `text`; SignatureError otherwise."""
        self.key.verify(signature, text)


class NoteSigner:
    """Signs notes under a name with an Ed25519 key."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: PrivateKey) -> None:
        self._key = key
        self.verifier = NoteVerifier(name, key.public)

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    def sign(self, text: bytes) -> bytes:
        """The signature line over `text`, LF included."""
        return signature_line(self.verifier.name, self.verifier.key_hash, self._key.sign(text))


def signature_line(name: str, key_hash: bytes, signature: bytes) -> bytes:
    """`— name base64(key hash || signature)` and LF."""
    return f"{_DASH}{name} {to_base64(key_hash + signature)}\n".encode()


def join_note(text: bytes, lines: Iterable[bytes]) -> bytes:
    """A note of `text` and signature lines."""
    return text + b"\n" + b"".join(lines)


# Who checks a proof looks at its note several times, and the proofs of one interval share theirs.
@lru_cache(256)
def parse_note(data: bytes) -> Note:
    """Split a note into text and signature lines; FormatError if it is not one."""
    if len(data) > MAX_NOTE_BYTES:
        raise LimitError("a signed note of {size} bytes", size=len(data))
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("a signed note that is not UTF-8") from error
    if _CONTROL.search(whole):
        raise FormatError("a signed note with control characters")
    text, separator, rest = whole.rpartition("\n\n")
    if not separator or not rest.endswith("\n"):
        raise FormatError("a signed note without signatures")
    lines = rest[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise LimitError("a signed note with {count} signatures", count=len(lines))
    return Note((text + "\n").encode(), tuple(_parse_line(line) for line in lines))


def open_note(data: bytes, verifiers: Iterable[NoteVerifier]) -> tuple[bytes, list[NoteVerifier]]:
    """Return the text and the verifiers that signed it; SignatureError if none did or one is broken."""
    note = parse_note(data)
    signed: list[NoteVerifier] = []
    known = list(verifiers)
    for line in note.signatures:
        for verifier in known:
            if verifier.matches(line) and verifier not in signed:
                verifier.verify(note.text, line.signature)
                signed.append(verifier)
    if not signed:
        raise SignatureError("the note carries no signature of a known key")
    return note.text, signed


def signed(data: bytes, verifiers: Iterable[NoteVerifier]) -> Iterator[Signed]:
    """The signatures that `open_note` checks, or some of them."""
    note = parse_note(data)
    for verifier in verifiers:
        for line in note.signatures:
            if verifier.matches(line):
                yield verifier.key.spki, line.signature, note.text


def _parse_line(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise FormatError("a malformed signature line in a note")
    name, separator, encoded = line[len(_DASH) :].partition(" ")
    if not separator:
        raise FormatError("a malformed signature line in a note")
    check_key_name(name)
    blob = from_base64(encoded)
    if len(blob) < 5:
        raise FormatError("a malformed signature line in a note")
    return NoteSignature(name, blob[:4], blob[4:])


def check_key_name(name: str) -> None:
    """FormatError unless `name` may name a key: not empty, no white space, no plus sign."""
    if not _NAME.fullmatch(name):
        raise FormatError("a key name that is empty or holds spaces or a plus sign")
