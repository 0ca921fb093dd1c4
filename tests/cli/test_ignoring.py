""".mizhengignore: the rules of git, seen against git itself, and what is told of what was left out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from mizheng.cli.sealing.ignoring import IGNORE_NAME, Hidden
from mizheng.cli.sealing.walking import walk

from tests.cli.runner import Mizheng
from tests.cli.seals import record_lines

IGNORE = IGNORE_NAME.decode()
TREE = (
    "a.tmp",
    "keep.tmp",
    "build/x",
    "src/build/y",
    "src/main.c",
    "src/main.o",
    "src/deep/main.o",
    "docs/x",
    "docs/a/b/x",
    "docs/a/b/y",
    "图纸/泵.bak",
    "图纸/泵.dwg",
    "space name ",
    "#hash",
    "sub/own/one.log",
    "sub/own/two.log",
    "sub/three.log",
)
RULES = {
    "": [
        "*.tmp",
        "!keep.tmp",
        "/build/",
        "*.o",
        "docs/**/x",
        "*.bak",
        "\\#hash",
        "*.log",
        "",
        "# note",
        "space\\ *",
    ],
    "src/deep": ["!*.o"],
    "sub/own": ["!one.log", "two.log"],
}


def make(folder: Path) -> None:
    for name in TREE:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def sealed_names(folder: Path, hidden: Hidden | None) -> set[str]:
    prefix = folder.name + "/"
    return {item.label.decode().removeprefix(prefix) for item in walk([bytes(folder)], hidden=hidden)}


def test_what_is_left_out_is_what_git_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    make(folder)
    for place, lines in RULES.items():
        for name in (IGNORE, ".gitignore"):
            (folder / place / name).write_text("\n".join(lines) + "\n")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    command = ["git", "-c", "core.quotepath=off", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    expected = set(listed.decode().split("\0")) - {""}
    hidden = Hidden()
    found = {name for name in sealed_names(folder, hidden) if not name.startswith(".git/")}
    assert found == expected
    assert hidden.count == 10
    assert len(sealed_names(folder, None)) > len(found)


def test_what_is_left_out_is_told_and_the_rules_are_sealed(mizheng: Mizheng) -> None:
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    for name in ("a.txt", "b.tmp"):
        (folder / name).touch()
    (folder / IGNORE).write_text("*.tmp\n")
    told = mizheng("seal", "folder").ok()
    assert "left out by .mizhengignore: 1" in told.out
    labels = {json.loads(line).get("path") for line in record_lines(mizheng, "folder.seal")}
    assert labels == {None, "folder/a.txt", f"folder/{IGNORE}"}
    everything = mizheng("seal", "folder", "--no-ignore", "--force", "--json").ok().json
    assert (everything["files"], everything["ignored"]) == (3, 0)
    # What is named is sealed, whatever a file says.
    assert mizheng("seal", "folder/b.tmp", "--json").ok().json["files"] == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"!\n", b"x" * (1 << 20) + b"x"])
def test_a_list_that_is_not_understood_ends_it(mizheng: Mizheng, content: bytes) -> None:
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    (folder / IGNORE).write_bytes(content)
    result = mizheng("seal", "folder")
    assert result.code == 65
    assert "--no-ignore" in result.err
    assert not (mizheng.cwd / "folder.seal").exists()
