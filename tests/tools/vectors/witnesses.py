"""Cosignatures of witnesses under a checkpoint."""

from __future__ import annotations

from collections.abc import Callable

from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.note import NoteSigner, join_note, parse_note, signature_line

from .case import Bundle, Case, Cases
from .logs import proof, renoted
from .setting import STAMPED_AT, Setting


def cases() -> list[Case]:
    return _witnesses()


def _witnesses() -> list[Case]:
    found = Cases("witness", trust="witnesses")
    code = "witness.quorum"

    def put(name: str, why: str, lines: Callable[[Setting, bytes], list[bytes]]) -> None:
        found.stays_open(name, why, code, lambda s: _cosigned(s, lines))

    put("too-few", "one of two that are asked for", lambda s, text: [cosign(s, 0, text)])
    put("one-twice", "one witness twice", lambda s, text: [cosign(s, 0, text), cosign(s, 0, text)])
    put("strangers", "witnesses whom nobody knows", lambda s, text: [stranger(s, text), stranger(s, text)])
    put(
        "plain-signatures",
        "witnesses' keys that signed the text as a log does",
        lambda s, text: [NoteSigner(one.witness.name, s.stream.key()).sign(text) for one in s.witnesses],
    )
    found.fails(
        "broken",
        "a quorum, and a cosignature of a known witness that does not hold",
        code,
        lambda s: _cosigned(
            s, lambda s, text: [cosign(s, 0, text), cosign(s, 2, text), cosign(s, 1, b"another\n1\ntext\n")]
        ),
    )
    found.fails(
        "of-another-time",
        "a cosignature whose time was changed",
        code,
        lambda s: _cosigned(s, lambda s, text: [cosign(s, 0, text), later(s, text)]),
    )
    found.add(
        "no-policy",
        "cosignatures, and a trust file without a policy",
        "valid",
        lambda s: _cosigned(s, lambda s, text: [cosign(s, 0, text)]),
        trust="observers",
        open=(code,),
    )
    return found.all


def _cosigned(s: Setting, lines: Callable[[Setting, bytes], list[bytes]]) -> Bundle:
    note = proof(s).note
    return renoted(s, note + b"".join(lines(s, parse_note(note).text)))


def cosign(s: Setting, number: int, text: bytes) -> bytes:
    return s.witnesses[number].cosign(text, STAMPED_AT)


def stranger(s: Setting, text: bytes) -> bytes:
    return WitnessSigner("w0.example", s.stream.key()).cosign(text, STAMPED_AT)


def later(s: Setting, text: bytes) -> bytes:
    (line,) = parse_note(join_note(text, [cosign(s, 1, text)])).signatures
    moved = (STAMPED_AT + 60).to_bytes(8, "big") + line.signature[8:]
    return signature_line(line.name, line.key_hash, moved)
