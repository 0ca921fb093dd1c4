"""Cosignatures of witnesses, against the example of the standard and against every change."""

from __future__ import annotations

import base64

import pytest
from mizheng.verifier.checkpoint import Checkpoint
from mizheng.verifier.cosignature import WitnessKey, WitnessSigner, cosigned_message
from mizheng.verifier.errors import FormatError, KeyFormatError, SignatureError
from mizheng.verifier.note import NoteSigner, NoteVerifier, parse_note
from mizheng.verifier.signature import PrivateKey

TEXT = Checkpoint("log.example", 7, b"\x07" * 32).text()
AT = 1_679_315_147


@pytest.fixture(scope="module")
def signer() -> WitnessSigner:
    return WitnessSigner("witness.example/w1", PrivateKey.generate())


def line_of(signer: WitnessSigner, text: bytes = TEXT) -> bytes:
    line = parse_note(text + b"\n" + signer.cosign(text, AT)).signatures[0]
    assert signer.witness.matches(line)
    return line.signature


def test_the_message_is_that_of_the_standard() -> None:
    """C2SP tlog-cosignature, "Ed25519 signed message": its example, line by line."""
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    text = Checkpoint("example.com/behind-the-sofa", 20852163, root).text()
    assert cosigned_message(text, AT) == (
        b"cosignature/v1\n"
        b"time 1679315147\n"
        b"example.com/behind-the-sofa\n"
        b"20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_time_is_given_back(signer: WitnessSigner) -> None:
    assert signer.witness.verify(TEXT, line_of(signer)) == AT


@pytest.mark.parametrize("place", [0, 7, 8, 40, 71])
def test_no_byte_can_change(signer: WitnessSigner, place: int) -> None:
    changed = bytearray(line_of(signer))
    changed[place] ^= 1
    with pytest.raises(SignatureError):
        signer.witness.verify(TEXT, bytes(changed))


@pytest.mark.parametrize("length", [0, 64, 71, 73])
def test_the_length_is_fixed(signer: WitnessSigner, length: int) -> None:
    with pytest.raises(SignatureError):
        signer.witness.verify(TEXT, (line_of(signer) + b"\0")[:length])


def test_a_time_beyond_63_bits_is_refused(signer: WitnessSigner) -> None:
    signature = line_of(WitnessSigner("witness.example/w1", PrivateKey.generate()))
    with pytest.raises(SignatureError, match="time out of range"):
        signer.witness.verify(TEXT, b"\x80" + signature[1:])


def test_another_text_is_another_matter(signer: WitnessSigner) -> None:
    other = Checkpoint("log.example", 8, b"\x07" * 32).text()
    with pytest.raises(SignatureError):
        signer.witness.verify(other, line_of(signer))


def test_a_vkey_reads_back(signer: WitnessSigner) -> None:
    assert WitnessKey.from_vkey(signer.witness.vkey).key == signer.witness.key


def test_a_logs_vkey_is_no_witness_and_the_other_way_round(signer: WitnessSigner) -> None:
    log = NoteSigner("log.example", PrivateKey.generate())
    with pytest.raises(KeyFormatError, match="signature type"):
        WitnessKey.from_vkey(log.vkey)
    with pytest.raises(KeyFormatError, match="signature type"):
        NoteVerifier.from_vkey(signer.witness.vkey)


def test_one_key_as_log_and_witness_has_two_key_hashes() -> None:
    key = PrivateKey.generate()
    assert WitnessKey("a", key.public).key_hash != NoteVerifier("a", key.public).key_hash


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_is_one_word_without_plus(name: str) -> None:
    with pytest.raises(FormatError):
        WitnessKey(name, PrivateKey.generate().public)
