"""Bodies between a log and a witness: what is written is what is read, and nothing else is."""

from __future__ import annotations

import pytest
from mizheng.verifier.canonical import to_base64
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.errors import FormatError, LimitError, SignatureError
from mizheng.verifier.note import NoteSigner, join_note, parse_note
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    cosigned_note,
    dump_size,
    parse_add_checkpoint,
    parse_size_answer,
    read_checkpoint,
    take_cosignature,
)

LOG = NoteSigner("log.example/1", PrivateKey.generate())
HEAD = Checkpoint("log.example/1", 5, bytes(range(32)))
NOTE = sign_checkpoint(HEAD, LOG)
HASH = to_base64(bytes(32))
WITNESS = WitnessSigner("witness.example/w", PrivateKey.generate())
AT = 1_700_000_000

# C2SP tlog-witness, "Example request body".
EXAMPLE = b"""\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\xe2\x80\x94 example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\xe2\x80\x94 example.com/behind-the-sofa \
opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""


def test_the_example_of_the_standard() -> None:
    request = parse_add_checkpoint(EXAMPLE)
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    checkpoint = read_checkpoint(parse_note(request.note))
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert request.dump() == EXAMPLE


@pytest.mark.parametrize("count", [0, 1, 63])
def test_what_is_written_is_read(count: int) -> None:
    request = AddCheckpoint(4, tuple(bytes([n]) * 32 for n in range(count)), NOTE)
    assert parse_add_checkpoint(request.dump()) == request


def test_the_largest_request_is_within_the_limit() -> None:
    padding = b"x" * (64 * 1024 - len(NOTE))
    text, _, signature = NOTE.partition(b"\n\n")
    note = text + b"\n" + padding[:-1] + b"\n\n" + signature
    request = AddCheckpoint(2**63 - 1, (bytes(32),) * 63, note).dump()
    assert len(note) == 64 * 1024
    assert len(request) <= MAX_REQUEST_BYTES
    assert parse_add_checkpoint(request).note == note


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"4\n\n",
        b"old\n\n",
        b"old \n\n",
        b"old  4\n\n",
        b"old 04\n\n",
        b"old 00\n\n",
        b"old -1\n\n",
        b"old +4\n\n",
        b"old 4 \n\n",
        b"old 4\r\n\r\n",
        b"Old 4\n\n",
        b"old 1e3\n\n",
        "old ٤\n\n".encode(),
        b"old 9223372036854775808\n\n",
        b"old " + b"9" * 5000 + b"\n\n",
        b"old 4\n",
        b"old 4\n\n\n",
        b"old 4\nAAAA\n\n",
        b"old 4\n" + HASH.encode() + b"=\n\n",
        b"old 4\n" + HASH[:-1].encode() + b"\n\n",
        b"old 4\n " + HASH.encode() + b"\n\n",
        b"old 4\n" + HASH.encode() + b" \n\n",
        b"old 4\n" + HASH.replace("A", "_", 1).encode() + b"\n\n",
        b"old 4\n" + to_base64(bytes(33)).encode() + b"\n\n",
        b"\nold 4\n\n",
    ],
)
def test_malformed_beginnings(head: bytes) -> None:
    with pytest.raises(FormatError):
        parse_add_checkpoint(head + NOTE)


def test_one_proof_line_too_many() -> None:
    with pytest.raises(LimitError):
        parse_add_checkpoint(AddCheckpoint(4, (bytes(32),) * 64, NOTE).dump())


@pytest.mark.parametrize(
    "note",
    [
        b"",
        NOTE[:-1],
        NOTE + b"\n",
        HEAD.text(),
        NOTE.replace(b"\n5\n", b"\n05\n"),
        NOTE.replace(b"\n5\n", b"\nfive\n"),
        NOTE.replace(b"log.example/1\n5", b"\n5"),
        NOTE.replace(b"\n\n", b"\n\n\n", 1),
        NOTE.replace(b"AAEC", b"AAE\xff"),
        NOTE.replace(b"\n5\n", b"\n5\r\n"),
        join_note(b"log.example/1\n5\n", [LOG.sign(b"log.example/1\n5\n")]),
    ],
)
def test_malformed_checkpoints(note: bytes) -> None:
    with pytest.raises(FormatError):
        parse_add_checkpoint(b"old 4\n\n" + note)


def test_a_request_that_is_too_long() -> None:
    with pytest.raises(LimitError):
        parse_add_checkpoint(b"old 4\n\n" + b"x" * MAX_REQUEST_BYTES)


def test_other_logs_may_have_extension_lines() -> None:
    text = HEAD.text() + b"an extension\n"
    note = join_note(text, [LOG.sign(text)])
    assert read_checkpoint(parse_note(parse_add_checkpoint(b"old 0\n\n" + note).note)) == HEAD
    empty = HEAD.text() + b"\nan extension\n"
    with pytest.raises(FormatError):
        parse_add_checkpoint(b"old 0\n\n" + join_note(empty, [LOG.sign(empty)]))


def test_sizes_of_conflicts() -> None:
    for size in (0, 1, 20852014, 2**63 - 1):
        assert parse_size_answer(dump_size(size)) == size
    wrong = (
        b"",
        b"\n",
        b"5",
        b"05\n",
        b" 5\n",
        b"5\n\n",
        b"5\r\n",
        b"-5\n",
        b"\xb2\n",
        b"9223372036854775808\n",
    )
    for data in wrong:
        with pytest.raises(FormatError):
            parse_size_answer(data)


def test_the_cosignature_of_the_witness_is_taken() -> None:
    line = WITNESS.cosign(HEAD.text(), AT)
    stranger = WitnessSigner("other.example/w", PrivateKey.generate()).cosign(HEAD.text(), AT)
    assert take_cosignature(stranger + line, HEAD.text(), WITNESS.witness) == (line, AT)
    assert parse_note(cosigned_note(NOTE, [line])).signatures[1].name == "witness.example/w"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", FormatError),
        (b"ok\n", FormatError),
        (WITNESS.cosign(HEAD.text(), AT)[:-1], FormatError),
        (b"\n" + WITNESS.cosign(HEAD.text(), AT), FormatError),
        (WITNESS.cosign(HEAD.text(), AT) * 200, LimitError),
        (WITNESS.cosign(b"another text\n", AT), SignatureError),
        (WitnessSigner("witness.example/w", PrivateKey.generate()).cosign(HEAD.text(), AT), SignatureError),
        # The log's own line is no cosignature.
        (LOG.sign(HEAD.text()), SignatureError),
    ],
)
def test_answers_that_are_not_taken(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        take_cosignature(answer, HEAD.text(), WITNESS.witness)
