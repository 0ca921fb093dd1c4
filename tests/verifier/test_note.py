"""Signed notes (C2SP signed-note): what Go's sumdb/note reads and writes, and nothing looser."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519 as library
from mizheng.verifier.canonical import from_base64, to_base64
from mizheng.verifier.errors import FormatError, KeyFormatError, LimitError, MizhengError, SignatureError
from mizheng.verifier.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    NoteSigner,
    NoteVerifier,
    join_note,
    open_note,
    parse_note,
    signature_line,
)
from mizheng.verifier.signature import PrivateKey

# The example of golang.org/x/mod/sumdb/note's documentation.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

SIGNER = NoteSigner("log.example/a", PrivateKey.generate())
OTHER = NoteSigner("log.example/b", PrivateKey.generate())
BODY = b"one\ntwo\n"


def keyed(raw: bytes, kind: int = 1) -> str:
    """Key bytes with their type before them, as a verifier key ends."""
    return to_base64(bytes([kind]) + raw)


def note(*signers: NoteSigner, text: bytes = BODY) -> bytes:
    return join_note(text, [signer.sign(text) for signer in signers])


def test_the_example_of_the_reference_implementation() -> None:
    verifier = NoteVerifier.from_vkey(VKEY)
    assert (verifier.name, verifier.vkey) == ("PeterNeumann", VKEY)
    assert open_note(TEXT + b"\n" + LINE, [verifier]) == (TEXT, [verifier])
    with pytest.raises(SignatureError):
        open_note(TEXT.replace(b"answer", b"Answer") + b"\n" + LINE, [verifier])


def test_the_key_hash_is_that_of_the_standard() -> None:
    raw = SIGNER.verifier.key.raw
    expected = hashlib.sha256(b"log.example/a\n\x01" + raw).digest()[:4]
    assert SIGNER.verifier.key_hash == expected
    assert SIGNER.vkey == f"log.example/a+{expected.hex()}+{keyed(raw)}"
    assert NoteVerifier.from_vkey(SIGNER.vkey).key == SIGNER.verifier.key


def test_a_note_is_opened_by_the_keys_that_signed_it() -> None:
    data = note(SIGNER, OTHER)
    assert open_note(data, [SIGNER.verifier]) == (BODY, [SIGNER.verifier])
    assert open_note(data, [OTHER.verifier, SIGNER.verifier]) == (BODY, [SIGNER.verifier, OTHER.verifier])


def test_a_note_without_a_known_key_is_not_opened() -> None:
    stranger = NoteSigner("log.example/a", PrivateKey.generate()).verifier
    renamed = NoteVerifier("log.example/c", SIGNER.verifier.key)
    for verifiers in ([], [OTHER.verifier], [stranger], [renamed]):
        with pytest.raises(SignatureError):
            open_note(note(SIGNER), verifiers)


def test_a_bad_signature_of_a_known_key_refuses_the_note() -> None:
    """Even beside a good one: somebody tried."""
    bad = signature_line("log.example/b", OTHER.verifier.key_hash, bytes(64))
    data = join_note(BODY, [SIGNER.sign(BODY), bad])
    assert open_note(data, [SIGNER.verifier])[1] == [SIGNER.verifier]
    with pytest.raises(SignatureError):
        open_note(data, [SIGNER.verifier, OTHER.verifier])


@pytest.mark.parametrize("length", [1, 63, 65, 72])
def test_a_signature_of_another_length(length: int) -> None:
    line = signature_line("log.example/a", SIGNER.verifier.key_hash, (bytes(100))[:length])
    with pytest.raises(SignatureError):
        open_note(join_note(BODY, [line]), [SIGNER.verifier])


def test_a_signature_over_another_text_or_name() -> None:
    """The name is in the key hash, not in the signature: under another name it is another key."""
    for line in (SIGNER.sign(b"another\n"), SIGNER.sign(BODY[:-1])):
        with pytest.raises(SignatureError):
            open_note(join_note(BODY, [line]), [SIGNER.verifier])
    blob = from_base64(SIGNER.sign(BODY).decode().split(" ")[2].strip())
    line = signature_line("log.example/b", blob[:4], blob[4:])
    with pytest.raises(SignatureError):
        open_note(join_note(BODY, [line]), [SIGNER.verifier, OTHER.verifier])


GOOD_LINE = SIGNER.sign(BODY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        BODY,
        BODY + b"\n",
        BODY + GOOD_LINE,
        BODY[:-1] + b"\n" + GOOD_LINE,
        BODY + b"\n" + GOOD_LINE[:-1],
        BODY + b"\n" + GOOD_LINE + b"\n",
        BODY + b"\n" + GOOD_LINE + b"x\n",
        BODY + b"\n" + b"- log.example/a AAAAAAA=\n",
        BODY + b"\n" + GOOD_LINE.replace("— ".encode(), "—".encode()),
        BODY + b"\n" + GOOD_LINE.replace(b"log.example/a ", b"log.example/a"),
        BODY + b"\n" + GOOD_LINE.replace(b"log.example/a ", b" "),
        BODY + b"\n" + GOOD_LINE.replace(b"log.example/a ", b"log+example "),
        BODY + b"\n" + GOOD_LINE.replace(b"log.example/a ", b"log\texample "),
        BODY + b"\n" + GOOD_LINE.replace(b"log.example/a ", "log\u2003example ".encode()),
        BODY + b"\n" + GOOD_LINE.replace(b"=\n", b"\n"),
        BODY + b"\n" + GOOD_LINE.replace(b"\n", b" \n"),
        BODY + b"\n" + "— log.example/a AAAA\n".encode(),
        BODY + b"\n" + "— log.example/a AAAAAA==\n".encode(),
        BODY.replace(b"\n", b"\r\n") + b"\n" + GOOD_LINE,
        b"\0" + BODY + b"\n" + GOOD_LINE,
        b"\x1b[31m" + BODY + b"\n" + GOOD_LINE,
        b"\xff" + BODY + b"\n" + GOOD_LINE,
        BODY.decode().encode("utf-16"),
    ],
)
def test_what_is_no_note(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_note(data)
    with pytest.raises(MizhengError):
        open_note(data, [SIGNER.verifier])


def test_the_last_blank_line_separates() -> None:
    text = b"one\n\n" + GOOD_LINE + b"\ntwo\n"
    parsed = parse_note(note(SIGNER, text=text))
    assert parsed.text == text
    assert len(parsed.signatures) == 1


def test_limits_on_both_sides() -> None:
    line = signature_line("w", bytes(4), bytes(1))
    assert len(parse_note(join_note(BODY, [line] * MAX_SIGNATURES)).signatures) == MAX_SIGNATURES
    with pytest.raises(LimitError):
        parse_note(join_note(BODY, [line] * (MAX_SIGNATURES + 1)))
    room = MAX_NOTE_BYTES - len(line) - 2
    parse_note(join_note(b"x" * room + b"\n", [line]))
    with pytest.raises(LimitError):
        parse_note(join_note(b"x" * (room + 1) + b"\n", [line]))


@pytest.mark.parametrize("name", ["", " ", "a b", "a+b", "a\n", "a\u00a0b", "\t"])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(FormatError):
        NoteSigner(name, PrivateKey.generate())


def wrong_vkeys() -> list[object]:
    name, key_hash, key = SIGNER.vkey.split("+", 2)
    raw = from_base64(key)
    small = b"\x01" + library.Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31)).public_bytes_raw()
    small_hash = hashlib.sha256(f"{name}\n".encode() + small).digest()[:4].hex()
    return [
        "",
        None,
        name,
        f"{name}+{key_hash}",
        f"{name}+{key_hash}+",
        f"{name}+{key_hash}+{key}x",
        f"{name}+{key_hash}+{key} ",
        f"other+{key_hash}+{key}",
        f"{name}+00000000+{key}",
        f"{name}+{key_hash.upper() if key_hash.upper() != key_hash else '0'}+{key}",
        f"{name}+{key_hash}+{keyed(raw[1:], 2)}",
        f"{name}+{key_hash}+{to_base64(raw[1:])}",
        f"{name}+{key_hash}+{keyed(raw[1:] + bytes(1))}",
        f"{name}+{small_hash}+{to_base64(small)}",
        f"+{key_hash}+{key}",
        f"PRIVATE+KEY+{name}+{key_hash}+{key}",
    ]


@pytest.mark.parametrize("vkey", wrong_vkeys(), ids=itertools.count())
def test_verifier_keys_that_are_not_quite(vkey: object) -> None:
    with pytest.raises((KeyFormatError, FormatError)):
        NoteVerifier.from_vkey(vkey)


def test_only_ed25519_keys_sign_notes() -> None:
    with pytest.raises(KeyFormatError):
        NoteSigner("log.example/a", PrivateKey.generate("p256"))
