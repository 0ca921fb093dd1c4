"""Checkpoints (C2SP tlog-checkpoint) and proofs of one entry (C2SP tlog-proof): one form each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mizheng.verifier.canonical import to_base64
from mizheng.verifier.checkpoint import (
    MAX_PROOF_BYTES,
    MAX_SIZE,
    Checkpoint,
    TlogProof,
    open_checkpoint,
    parse_checkpoint,
    parse_tlog_proof,
    sign_checkpoint,
)
from mizheng.verifier.errors import FormatError, InclusionError, LimitError, MizhengError, SignatureError
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteSigner, join_note, signature_line
from mizheng.verifier.signature import PrivateKey

SIGNER = NoteSigner("log.example/a", PrivateKey.generate())
TREE = Tree(leaf_hash(b"%d" % number) for number in range(7))
CHECKPOINT = Checkpoint("log.example/a", 7, TREE.root())
ROOT = to_base64(TREE.root()).encode()
PROOF = TlogProof(3, tuple(TREE.inclusion_proof(3)), sign_checkpoint(CHECKPOINT, SIGNER))


def test_a_checkpoint_is_three_lines() -> None:
    assert CHECKPOINT.text() == b"log.example/a\n7\n" + ROOT + b"\n"
    assert parse_checkpoint(CHECKPOINT.text()) == CHECKPOINT
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, SIGNER), [SIGNER.verifier]) == (
        CHECKPOINT,
        [SIGNER.verifier],
    )


@pytest.mark.parametrize("size", [0, 1, 2**53 + 1, MAX_SIZE])
def test_sizes_of_63_bits(size: int) -> None:
    checkpoint = replace(CHECKPOINT, size=size)
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"log.example/a\n7\n",
        b"log.example/a\n7\n" + ROOT,
        b"log.example/a\n7\n" + ROOT + b"\n\n",
        b"log.example/a\n7\n" + ROOT + b"\nextension\n",
        b"\n7\n" + ROOT + b"\n",
        b"log.example/a\n07\n" + ROOT + b"\n",
        b"log.example/a\n+7\n" + ROOT + b"\n",
        b"log.example/a\n-7\n" + ROOT + b"\n",
        b"log.example/a\n 7\n" + ROOT + b"\n",
        b"log.example/a\n7.0\n" + ROOT + b"\n",
        b"log.example/a\n\n" + ROOT + b"\n",
        b"log.example/a\n7_0\n" + ROOT + b"\n",
        "log.example/a\n７\n".encode() + ROOT + b"\n",
        b"log.example/a\n%d\n" % (MAX_SIZE + 1) + ROOT + b"\n",
        b"log.example/a\n" + b"9" * 5000 + b"\n" + ROOT + b"\n",
        b"log.example/a\n7\n" + ROOT[:-1] + b"\n",
        b"log.example/a\n7\n" + to_base64(bytes(31)).encode() + b"\n",
        b"log.example/a\n7\n" + to_base64(bytes(33)).encode() + b"\n",
        b"log.example/a\n7\n\n",
        b"\xff\n7\n" + ROOT + b"\n",
        b"log.example/a\r\n7\r\n" + ROOT + b"\r\n",
    ],
)
def test_what_is_no_checkpoint(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(text)


def test_a_proof_is_written_as_the_standard_shows_it() -> None:
    lines = PROOF.dump().split(b"\n")
    assert lines[:2] == [b"c2sp.org/tlog-proof@v1", b"index 3"]
    assert lines[2:5] == [to_base64(item).encode() for item in PROOF.hashes]
    assert lines[5:7] == [b"", b"log.example/a"]
    assert parse_tlog_proof(PROOF.dump()) == PROOF


def test_a_proof_binds_leaf_place_and_root() -> None:
    assert PROOF.verify(leaf_hash(b"3")) == CHECKPOINT
    wrong = [
        (PROOF, b"2"),
        (replace(PROOF, index=2), b"3"),
        (replace(PROOF, index=7), b"3"),
        (replace(PROOF, hashes=PROOF.hashes[1:]), b"3"),
        (replace(PROOF, note=sign_checkpoint(replace(CHECKPOINT, size=3), SIGNER)), b"3"),
        (replace(PROOF, note=sign_checkpoint(replace(CHECKPOINT, root=bytes(32)), SIGNER)), b"3"),
    ]
    for proof, data in wrong:
        with pytest.raises(InclusionError):
            proof.verify(leaf_hash(data))


def test_a_proof_alone_says_nothing_of_who_signed() -> None:
    """Signatures are the note's; a proof under a stranger's checkpoint checks and is not trusted."""
    stranger = NoteSigner("log.example/a", PrivateKey.generate())
    proof = replace(PROOF, note=sign_checkpoint(CHECKPOINT, stranger))
    assert proof.verify(leaf_hash(b"3")) == CHECKPOINT
    with pytest.raises(SignatureError):
        open_checkpoint(proof.note, [SIGNER.verifier])


def test_cosignatures_do_not_change_the_proof() -> None:
    more = join_note(
        CHECKPOINT.text(), [SIGNER.sign(CHECKPOINT.text()), signature_line("w", bytes(4), bytes(72))]
    )
    assert parse_tlog_proof(replace(PROOF, note=more).dump()).verify(leaf_hash(b"3")) == CHECKPOINT


DATA = PROOF.dump()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DATA[:-1],
        DATA + b"\n",
        b"\n" + DATA,
        DATA.replace(b"@v1", b"@v2"),
        DATA.replace(b"c2sp.org/", b""),
        DATA.replace(b"index 3\n", b""),
        DATA.replace(b"index 3", b"index 03"),
        DATA.replace(b"index 3", b"index  3"),
        DATA.replace(b"index 3", b"index -3"),
        DATA.replace(b"index 3", b"index 3 "),
        DATA.replace(b"index 3", b"index %d" % (MAX_SIZE + 1)),
        DATA.replace(b"index 3", "index ٣".encode()),
        DATA.replace(b"index 3", b"extra AAAA\nindex 3"),
        DATA.replace(b"index 3", b"Index 3"),
        DATA.replace(b"\nlog.example", b"log.example", 1),
        DATA.replace(b"\n\nlog.example", b"\n\n\nlog.example", 1),
        DATA.replace(to_base64(PROOF.hashes[0]).encode(), to_base64(bytes(31)).encode()),
        DATA.replace(to_base64(PROOF.hashes[0]).encode(), to_base64(bytes(33)).encode()),
        DATA.replace(to_base64(PROOF.hashes[0]).encode(), PROOF.hashes[0].hex().encode()),
        DATA.replace(
            to_base64(PROOF.hashes[0]).encode() + b"\n", to_base64(PROOF.hashes[0]).encode() + b" \n"
        ),
        DATA.replace(b"\n", b"\r\n"),
        replace(PROOF, hashes=(bytes(32),) * 64).dump(),
        replace(PROOF, note=b"no note").dump(),
        replace(PROOF, note=join_note(b"no checkpoint\n", [SIGNER.sign(b"no checkpoint\n")])).dump(),
    ],
)
def test_what_is_no_proof(data: bytes) -> None:
    with pytest.raises(MizhengError):
        parse_tlog_proof(data)


def test_a_proof_has_one_spelling() -> None:
    """Whatever else is read from changed bytes is written as those bytes."""
    for place in range(len(DATA)):
        changed = DATA[:place] + b"A" + DATA[place + 1 :]
        try:
            assert parse_tlog_proof(changed).dump() == changed
        except MizhengError:
            continue


def test_the_longest_proof_and_one_longer() -> None:
    assert len(parse_tlog_proof(replace(PROOF, hashes=(bytes(32),) * 63).dump()).hashes) == 63
    with pytest.raises(LimitError):
        parse_tlog_proof(bytes(MAX_PROOF_BYTES + 1))
