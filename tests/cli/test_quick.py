"""The compiled part of sealing: the bytes that Python makes, whatever stands in a folder."""

from __future__ import annotations

import hmac
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.cli.sealfile.labels import Stamp, pack_file
from mizheng.cli.sealing import pool, quick, tree
from mizheng.cli.sealing.chunks import Chunk, cut, join_earlier
from mizheng.cli.sealing.folder import Folder, stamp_fields
from mizheng.cli.sealing.hashing import Digests
from mizheng.cli.sealing.recording import Batch, record_chunk
from mizheng.cli.sealing.records import FILE_SALT, RecordWriter
from mizheng.cli.sealing.walking import walk_folders
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash

from tests.support.compiled import compile_quick

KEY = bytes(range(32))
NAMES = (
    b"plain",
    "泵体.dwg".encode(),
    b"not utf-8 \xff\xfe",
    b'quote " and \\ back slash',
    b"line\nbreak; and \x01 control",
    b"x" * 255,
)
LARGE = 5 << 30


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compile_quick(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    quick.find_quick.cache_clear()
    yield
    quick.find_quick.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Odd names, old times, a file of more than 4 GiB, folders with one and with nothing in it."""
    made = tmp_path / "made"
    for place in ("", "inner", "empty", "one"):
        (made / place).mkdir(exist_ok=True)
    for number, name in enumerate(NAMES):
        for place in ("", "inner"):
            path = made / place / os.fsdecode(name)
            path.write_bytes(name * number)
            os.utime(path, ns=(0, -(10**18) - number if number % 2 else 10**18 + number))
    (made / "one" / "large").write_bytes(b"")
    os.truncate(made / "one" / "large", LARGE)
    return made


def listed(folder: Path) -> list[Chunk]:
    return list(cut(walk_folders([os.fsencode(folder)])))


def as_before(chunks: list[Chunk]) -> list[tuple[bytes, bytes]]:
    """What a seal of just now would have of these files, all digests made up."""
    writer = RecordWriter(bytes(32))
    pieces = []
    for chunk in chunks:
        for part in chunk.parts:
            labels, lines = b"", b""
            with Folder(part.base, part.folder) as folder:
                for name in part.names.split(b"\0"):
                    stamp = Stamp(*stamp_fields(folder.stat(name)))
                    digests = Digests(stamp.size, "a" * 64, "b" * 64, stamp.mtime_ns // 10**9, stamp)
                    labels += pack_file(part.folder + name, stamp)
                    lines += writer.file(part.folder + name, digests) + b"\n"
            pieces.append((labels, lines))
    return pieces


def together(batches: list[Batch]) -> tuple[Any, ...]:
    """All that was recorded, whatever batches it came in."""
    whole = [b"".join(getattr(batch, name) for batch in batches) for name in ("lines", "leaves", "labels")]
    counts = [sum(getattr(batch, name) for batch in batches) for name in ("count", "size", "reused", "links")]
    return *whole, *counts, [item for batch in batches for item in batch.unreadable]


def by_python(chunks: list[Chunk]) -> tuple[Any, ...]:
    writer = RecordWriter(KEY)
    made = [item for chunk in chunks for item in record_chunk(chunk, writer, lambda _size: None)]
    return together([item for item in made if isinstance(item, Batch)])


def by_both(chunks: list[Chunk], compiled: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """As a run with the compiled part records them."""
    monkeypatch.setattr(pool, "find_quick", lambda: compiled)
    monkeypatch.setattr(pool, "_FEW_FILES", 1)
    return together(list(pool.record_all(chunks, KEY, lambda _size: None)))


@given(
    st.integers(0, 64), st.one_of(st.integers(0, 5).map(lambda n: n * 64), st.integers(0, 400)), st.binary()
)
def test_hashes_are_those_of_openssl(compiled: Any, key: int, size: int, seed: bytes) -> None:
    message = (seed * (size + 3) or bytes(size + 3))[: max(0, size - 10 + len(seed) % 20)]
    expected = hmac.digest(bytes(range(key)), message, "sha256")
    assert compiled.keyed_hash(bytes(range(key)), message, False) == expected
    assert compiled.keyed_hash(bytes(range(key)), message, True) == expected


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 3000])
def test_tree_is_that_of_the_verifier(compiled: Any, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]
    expected = Manifest(leaves, KEY)
    monkeypatch.setattr(tree, "find_quick", lambda: compiled)
    monkeypatch.setattr(tree, "MANY", -1)
    made = tree.build_manifest(b"".join(leaves), KEY)
    assert list(made.levels()) == [b"".join(level) for level in expected.levels()]
    assert (made.root, made.tree_size) == (expected.root, expected.tree_size)


def test_unchanged_files_have_the_records_that_python_makes(
    compiled: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = list(join_earlier(listed(folder), as_before(listed(folder))))
    found = by_both(chunks, compiled, monkeypatch)
    assert found == by_python(chunks)
    assert found[3:6] == (
        2 * len(NAMES) + 1,
        sum(2 * len(n) * i for i, n in enumerate(NAMES)) + LARGE,
        found[3],
    )


def test_what_is_not_unchanged_is_recorded_between(
    compiled: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = as_before(listed(folder))
    (folder / "plain").write_text("changed")
    (folder / "inner" / "a new one").write_text("new")
    (folder / "inner" / "link").symlink_to("plain")
    os.mkfifo(folder / "zz pipe")
    chunks = list(join_earlier(listed(folder), before))
    # After it was listed.
    (folder / "inner" / "plain").unlink()
    (folder / os.fsdecode(NAMES[3])).unlink()
    (folder / os.fsdecode(NAMES[3])).mkdir()
    found = by_both(chunks, compiled, monkeypatch)
    assert found == by_python(chunks)
    assert (found[5], found[6], len(found[7])) == (2 * len(NAMES) + 1 - 3, 1, 3)


def test_many_changes_go_to_the_processes(
    compiled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        (tmp_path / f"{number:03}").write_bytes(bytes(number))
    before = as_before(listed(tmp_path))
    for number in range(50, 100):
        (tmp_path / f"{number:03}").write_bytes(b"changed")
    chunks = list(join_earlier(listed(tmp_path), before))
    found = by_both(chunks, compiled, monkeypatch)
    assert found == by_python(chunks)
    assert found[5] == 150


def test_an_earlier_seal_that_is_damaged_is_of_no_use(compiled: Any, folder: Path) -> None:
    (labels, lines), *_rest = as_before(listed(folder))
    with Folder(os.fsencode(folder.parent) + b"/", b"made/") as opened:
        for piece in ((labels[:-1], lines), (labels, lines[:-1]), (labels, lines + b"\n"), (labels, b"")):
            table = compiled.table((piece,), KEY, FILE_SALT)
            assert compiled.renew(table, opened.descriptor, b"made/", b"plain", 1) == []
        table = compiled.table(((labels, lines.replace(b'"salt"', b'"sale"')),), KEY, FILE_SALT)
        assert compiled.renew(table, opened.descriptor, b"made/", b"plain", 1) == []
        assert compiled.renew(table, opened.descriptor, b"made/", b"plain", 0) is None


def test_listing_is_that_of_python(compiled: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "one" / ".mizhengignore").write_text("large\n")
    (folder / "inner" / "link").symlink_to("plain")
    expected = list(walk_folders([os.fsencode(folder)]))
    monkeypatch.setattr("mizheng.cli.sealing.walking.find_quick", lambda: compiled)
    monkeypatch.setattr("mizheng.cli.sealing.walking.MANY", -1)
    assert list(walk_folders([os.fsencode(folder)])) == expected


def test_listing_leaves_what_is_no_file_to_python(compiled: Any, tmp_path: Path) -> None:
    with Folder(os.fsencode(tmp_path), to_list=True) as opened:
        assert compiled.scan(opened.descriptor) == (0, b"", 0, b"")
        (tmp_path / "b").write_bytes(b"")
        (tmp_path / "a").mkdir()
        assert compiled.scan(opened.descriptor) == (1, b"b", 1, b"a")
        (tmp_path / "c").symlink_to("b")
        assert compiled.scan(opened.descriptor) is None
        assert [name for name, _entry in opened.scan()] == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("keyed_hash", lambda right: bytes([right[0] ^ 1]) + right[1:]),
        ("levels", lambda right: [*right[:-1], bytes(32)]),
        ("renew", lambda right: [(place, count, size, lines, leaves, labels[:-1] + b"?")
                                 for place, count, size, lines, leaves, labels in right]),
        ("scan", lambda right: (right[0] - 1, *right[1:])),
    ],
)  # fmt: skip
def test_one_wrong_answer_and_it_is_not_used(compiled: Any, function: str, answer: Any) -> None:
    assert quick.is_right(compiled)
    names = ("keyed_hash", "levels", "scan", "table", "renew")
    liar = SimpleNamespace(**{name: getattr(compiled, name) for name in names})
    setattr(liar, function, lambda *arguments: answer(getattr(compiled, function)(*arguments)))
    assert not quick.is_right(liar)


def test_without_it_everything_is_made_by_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mizheng.cli.sealing._quick", None)
    monkeypatch.setattr(pool, "_FEW_FILES", 1)
    monkeypatch.setattr(tree, "MANY", -1)
    assert quick.find_quick() is None
    chunks = list(join_earlier(listed(folder), as_before(listed(folder))))
    found = together(list(pool.record_all(chunks, KEY, lambda _size: None)))
    assert found == by_python(chunks)
    leaves = [leaf_hash(b"one")]
    assert tree.build_manifest(b"".join(leaves), KEY).root == Manifest(leaves, KEY).root
