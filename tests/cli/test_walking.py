"""Whatever names and shapes a file system can hold."""

# ruff: noqa: PTH102, PTH118, PTH123, PTH211 - names here are bytes

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.sealing.hashing import digest_file
from mizheng.cli.sealing.walking import Found, split_argument, walk

ODD_NAMES = (
    "配方 第一版.docx".encode(),
    b"two\nlines",
    b"semi;colon && rm",
    b"back\\slash",
    b'quote"quote',
    b"\x01\x1b[31mred",
    b"\xff\xfe not utf-8",
    "简体".encode("gb18030"),
    "‮gpj.exe".encode(),
    b" leading and trailing ",
    b"-rf",
    b"~",
    b"...",
    "é".encode(),
    "e\u0301".encode(),
    b"x" * 255,
)


def labels(found: list[Found]) -> list[bytes]:
    return [item.label for item in found]


def test_names_are_kept_as_they_are_on_disk(tmp_path: Path) -> None:
    folder = bytes(tmp_path / "folder")
    os.mkdir(folder)
    for name in ODD_NAMES:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(name)
    found = list(walk([folder]))
    assert sorted(labels(found)) == sorted(b"folder/" + name for name in ODD_NAMES)
    for item in found:
        assert item.kind == "file"
        assert digest_file(item.path).size == len(item.label) - len(b"folder/")


def test_order_is_stable_and_by_name(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/z", "c", "b.txt", "a0"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    first = labels(list(walk([bytes(tmp_path / "root")])))
    assert first == labels(list(walk([bytes(tmp_path / "root")])))
    assert sorted(first) == sorted(
        [b"root/a/z", b"root/a0", b"root/b/1", b"root/b/2", b"root/b.txt", b"root/c"]
    )


def test_links_are_recorded_and_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (root / "loop").symlink_to(root)
    (root / "sub" / "up").symlink_to("..")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "dangling").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    os.symlink(b"\xff\xfe", bytes(root / "odd"))
    found = {item.label: item for item in walk([bytes(root)])}
    assert {item.kind for item in found.values()} == {"link"}
    assert found[b"root/loop"].detail == bytes(root)
    assert found[b"root/sub/up"].detail == b".."
    assert found[b"root/odd"].detail == b"\xff\xfe"
    assert len(found) == 6


def test_a_link_named_as_an_argument_is_recorded_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (item,) = walk([bytes(tmp_path / "link")])
    assert (item.kind, item.label, item.detail) == ("link", b"link", b"file")


def test_special_files_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (item,) = walk([bytes(tmp_path / "pipe")])
    assert (item.kind, item.detail) == ("unreadable", b"a named pipe")


def test_deeper_than_any_path_or_recursion(tmp_path: Path) -> None:
    """Thousands of folders deep, where a path is longer than the system takes at once."""
    depth, name = 700, b"deepdeepdeep"
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.mkdir(b"root", dir_fd=descriptor)
    inner = os.open(b"root", os.O_RDONLY, dir_fd=descriptor)
    os.close(descriptor)
    for _ in range(depth):
        os.mkdir(name, dir_fd=inner)
        descriptor = os.open(name, os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = descriptor
    os.close(os.open(b"bottom", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
    os.symlink(b"bottom", b"link", dir_fd=inner)
    os.close(inner)
    try:
        found = list(walk([bytes(tmp_path / "root")]))
        assert [(item.kind, item.label[-7:]) for item in found] == [
            ("file", b"/bottom"),
            ("link", b"ep/link"),
        ]
        assert len(found[0].path) > 4096 * 2
        assert digest_file(found[0].path).size == 0
    finally:
        remove_deep(tmp_path / "root")


def remove_deep(root: Path) -> None:
    """shutil.rmtree recurses; pytest's own clean-up would fail on this tree."""
    import subprocess

    subprocess.run(["rm", "-rf", root], check=True)


def test_a_folder_that_cannot_be_listed_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mizheng.cli.sealing import folder

    (tmp_path / "root" / "closed").mkdir(parents=True)
    (tmp_path / "root" / "open").touch()
    honest = folder.open_deep

    def refuse(path: bytes, flags: int) -> int:
        if path.endswith(b"closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return honest(path, flags)

    monkeypatch.setattr(folder, "open_deep", refuse)
    found = {item.label: item for item in walk([bytes(tmp_path / "root")])}
    assert found[b"root/closed"].kind == "unreadable"
    assert found[b"root/closed"].detail == b"permission denied"
    assert found[b"root/open"].kind == "file"


def test_two_arguments_of_one_name_collide(tmp_path: Path) -> None:
    for name in ("a/same", "b/same"):
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(UsageFault, match="both called"):
        list(walk([bytes(tmp_path / "a/same"), bytes(tmp_path / "b/same/")]))


def test_a_missing_argument_is_an_error_before_anything(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    walking = walk([bytes(tmp_path / "there"), bytes(tmp_path / "not there")])
    with pytest.raises(InputFault, match="No such file"):
        next(walking)


def test_our_own_files_are_left_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name in ("mine.seal", "sub/mine.seal", "other"):
        (root / name).touch()
    found = labels(list(walk([bytes(root)], skip=[bytes(root / "mine.seal")])))
    assert found == [b"root/other", b"root/sub/mine.seal"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"a", (b"", b"a")),
        (b"a/", (b"", b"a")),
        (b"a//", (b"", b"a")),
        (b"./a", (b"./", b"a")),
        (b"/x/y/z", (b"/x/y/", b"z")),
        (b"/z", (b"/", b"z")),
    ],
)
def test_labels_start_with_the_arguments_last_part(argument: bytes, expected: tuple[bytes, bytes]) -> None:
    assert split_argument(argument) == expected


def test_dots_get_their_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "real" / "inner")
    assert split_argument(b".")[1] == b"inner"
    assert split_argument(b"..")[1] == b"real"
    with pytest.raises(UsageFault):
        split_argument(b"/")
