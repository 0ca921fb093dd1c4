"""The page's digests are computed by WebAssembly that it makes itself: held against hashlib and zlib."""

import hashlib
import random
import zlib

import pytest

from tests.support.webverifier import shared

# Where padding takes a block more, and where a window of 64 KiB is full.
LENGTHS = [
    *(0, 1, 3, 7, 8, 9, 55, 56, 57, 63, 64, 65, 119, 120, 121, 127, 128, 129, 1000),
    *(65_526, 65_527, 65_528, 65_535, 65_536, 65_537, 65_591, 65_592, 65_593, 131_071, 131_072, 200_003),
]


@pytest.mark.parametrize("kind", ["random", "zeros", "ones"])
def test_digests_of_every_length(kind: str) -> None:
    source = random.Random("digests")
    for length in LENGTHS:
        data = {"random": source.randbytes(length), "zeros": bytes(length), "ones": b"\xff" * length}[kind]
        found = shared().digest(data)
        assert found == {
            "size": length,
            "sha256": hashlib.sha256(data).hexdigest(),
            "sm3": hashlib.new("sm3", data).hexdigest(),
            "crc32": f"{zlib.crc32(data):08x}",
        }, length


def test_a_file_of_several_pieces() -> None:
    data = random.Random("pieces").randbytes(8 << 20) * 2 + b"x"
    found = shared().digest(data)
    assert (found["sha256"], found["crc32"]) == (hashlib.sha256(data).hexdigest(), f"{zlib.crc32(data):08x}")
    assert found["sm3"] == hashlib.new("sm3", data).hexdigest()
