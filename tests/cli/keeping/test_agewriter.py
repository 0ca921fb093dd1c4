"""What is written as an age file is one: pyrage and stock age open it, and refuse what is no longer it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from mizheng.cli.keeping import agewriter
from mizheng.cli.keeping.agewriter import CHUNK, TAG, AgeWriter
from pyrage import x25519


def age_file(data: bytes, recipients: Sequence[str], piece: int = 2 * CHUNK) -> bytes:
    age = AgeWriter(recipients)
    made = bytearray(age.start)
    out = memoryview(bytearray(piece + piece // CHUNK * TAG + TAG))
    starts = range(0, max(len(data), 1), piece)
    for start in starts:
        plain = memoryview(data)[start : start + piece]
        made += out[: age.encrypt(plain, out, is_last=start == starts[-1])]
    return bytes(made)


@pytest.fixture(scope="module")
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, 4 * CHUNK + 7])
def test_pyrage_and_stock_age_open_any_size(tmp_path: Path, identity: x25519.Identity, size: int) -> None:
    """Around one chunk, and several pieces of several chunks."""
    data = os.urandom(size)
    made = age_file(data, [str(identity.to_public())])
    assert pyrage.decrypt(made, [identity]) == data
    (tmp_path / "key").write_text(f"{identity}\n", "ascii")
    command = ["age", "-d", "-i", tmp_path / "key"]
    assert subprocess.run(command, input=made, capture_output=True, check=True).stdout == data


def test_each_recipient_opens_it_alone_and_nobody_else() -> None:
    identities = [x25519.Identity.generate() for _ in range(3)]
    made = age_file(b"the pump", [str(identity.to_public()) for identity in identities])
    for identity in identities:
        assert pyrage.decrypt(made, [identity]) == b"the pump"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(made, [x25519.Identity.generate()])


def test_the_same_twice_has_no_key_in_common(identity: x25519.Identity) -> None:
    """Share, wrapped key, nonce and chunk: all are random or hang on what is."""
    recipient = str(identity.to_public())
    parts = [age_file(b"the pump", [recipient, recipient]).split(b"\n", 6) for _ in range(2)]
    stanzas = [line for lines in parts for line in lines[1:5]]
    assert len(set(stanzas)) == 8
    (first, second) = (lines[6] for lines in parts)
    assert first[:16] != second[:16]
    assert first[16:] != second[16:]


def test_the_known_answer_of_the_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header of `x25519` in the test vectors of the specification (C2SP/CCTV, age/testdata).

    Their randomness is a ChaCha20 keystream, the ephemeral secret its start; their file holds "age".
    """
    cipher = Cipher(algorithms.ChaCha20(b"TEST RANDOMNESS TEST RANDOMNESS!", bytes(16)), None)
    stream = cipher.encryptor().update(bytes(48))
    given = {"file key": b"YELLOW SUBMARINE", "nonce": stream[32:]}
    values = iter(given.values())
    monkeypatch.setattr(agewriter.os, "urandom", lambda _size: next(values))

    class Fixed:
        @staticmethod
        def generate() -> X25519PrivateKey:
            return X25519PrivateKey.from_private_bytes(stream[:32])

    monkeypatch.setattr(agewriter, "X25519PrivateKey", Fixed)
    identity = x25519.Identity.from_str(
        "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6"
    )
    made = age_file(b"age", [str(identity.to_public())])
    monkeypatch.undo()
    header = (
        b"age-encryption.org/v1\n"
        b"-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"
        b"EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n"
        b"--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n"
    )
    assert made[: len(header) + 16] == header + stream[32:]
    assert pyrage.decrypt(made, [identity]) == b"age"


WHOLE = CHUNK + TAG


@pytest.mark.parametrize(
    "damage",
    [
        lambda made, _body: _flip(made, made.index(b"-> X25519 ") + 12),
        lambda made, _body: _flip(made, made.index(b"--- ") + 6),
        lambda made, body: _flip(made, body - 1),
        lambda made, body: _flip(made, body + WHOLE),
        lambda made, _body: _flip(made, len(made) - 1),
        lambda made, _body: made[:-1],
        lambda made, body: made[: body + 2 * WHOLE],
        lambda made, body: made[:body] + made[body + WHOLE : body + 2 * WHOLE] + made[body:],
        lambda made, _body: made + b"x",
    ],
    ids=["share", "MAC", "nonce", "chunk", "tag", "a byte less", "last chunk gone", "chunk twice", "more"],
)
def test_what_was_changed_is_refused(identity: x25519.Identity, damage) -> None:  # type: ignore[no-untyped-def]
    made = age_file(os.urandom(2 * CHUNK + 9), [str(identity.to_public())], piece=CHUNK)
    body = len(made) - 2 * WHOLE - 9 - TAG
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(damage(made, body), [identity])


def _flip(data: bytes, at: int) -> bytes:
    """One bit is another."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "pieces",
    [
        [(CHUNK, False), (0, True)],
        [(0, False)],
        [(CHUNK - 1, False)],
        [(1, True), (1, True)],
        [(0, True), (0, True)],
    ],
    ids=["empty last", "empty first", "part of a chunk", "after the end", "the end twice"],
)
def test_pieces_that_make_no_age_file(identity: x25519.Identity, pieces: list[tuple[int, bool]]) -> None:
    age = AgeWriter([str(identity.to_public())])
    out = memoryview(bytearray(CHUNK + TAG))
    *before, (size, is_last) = pieces
    for earlier, is_end in before:
        age.encrypt(memoryview(bytes(earlier)), out, is_last=is_end)
    with pytest.raises(ValueError, match="whole chunks"):
        age.encrypt(memoryview(bytes(size)), out, is_last=is_last)


def test_the_specifications_example_is_read() -> None:
    """The recipient that it shows; the identity beside it is 32 bytes of 0x42."""
    text = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    point = X25519PrivateKey.from_private_bytes(b"B" * 32).public_key().public_bytes_raw()
    assert agewriter._point(text) == point


@pytest.mark.parametrize(
    "recipient",
    [
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw",
        "ago1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1bvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1",
        "",
        # The point of order 1: whatever the secret, what is shared is zero.
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
    ],
    ids=["checksum", "a letter less", "another kind", "no letter", "nothing", "empty", "nobody's point"],
)
def test_what_is_no_recipient(recipient: str) -> None:
    with pytest.raises(ValueError):
        AgeWriter([recipient])


def test_nobody_is_no_recipient() -> None:
    with pytest.raises(ValueError, match="somebody"):
        AgeWriter([])
