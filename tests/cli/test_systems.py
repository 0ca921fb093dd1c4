"""Paths and folders by the rules of Windows and macOS: the rules are tested, nothing was ever run there."""

from __future__ import annotations

import ntpath
import posixpath
from pathlib import Path
from types import ModuleType

import pytest
from mizheng.cli.config import home_directory
from mizheng.cli.errors import UsageFault
from mizheng.cli.sealing.walking import split_argument, walk

from tests.cli.runner import Mizheng
from tests.cli.seals import opened


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (rb"drawings", (b"", b"drawings")),
        (rb"C:\firm\drawings", (b"C:/firm/", b"drawings")),
        (rb"C:\firm\drawings" + b"\\", (b"C:/firm/", b"drawings")),
        (rb"C:/firm/drawings/", (b"C:/firm/", b"drawings")),
        (rb"C:\drawings", (b"C:/", b"drawings")),
        (rb"C:drawings", (b"C:", b"drawings")),
        (rb"..\drawings", (b"../", b"drawings")),
        (rb"\\server\share\drawings", (b"//server/share/", b"drawings")),
        ("图纸\\泵体.dwg".encode(), ("图纸/".encode(), "泵体.dwg".encode())),
    ],
)
def test_windows_paths_are_recorded_with_slashes(argument: bytes, expected: tuple[bytes, bytes]) -> None:
    assert split_argument(argument, ntpath) == expected


@pytest.mark.parametrize("argument", [b"C:\\", b"C:/", b"\\\\server\\share\\", b"\\"])
def test_a_whole_windows_drive_is_no_folder(argument: bytes) -> None:
    with pytest.raises(UsageFault):
        split_argument(argument, ntpath)


def test_a_back_slash_is_a_letter_elsewhere() -> None:
    assert split_argument(rb"a/back\slash", posixpath) == (b"a/", rb"back\slash")


@pytest.mark.parametrize("paths", [ntpath, posixpath])
def test_no_name_is_normalized(paths: ModuleType) -> None:
    """macOS hands out decomposed names, Windows takes any case: what was given is recorded."""
    for name in ("é", "e\u0301", "A", "a"):
        assert split_argument(f"folder/{name}".encode(), paths) == (b"folder/", name.encode())


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("win32", {"APPDATA": "/users/x/roaming"}, "/users/x/roaming/mizheng"),
        ("win32", {"APPDATA": "/users/x/roaming", "MIZHENG_HOME": "/kept"}, "/kept"),
        ("darwin", {"XDG_CONFIG_HOME": "/settings"}, "/settings/mizheng"),
        ("linux", {"XDG_CONFIG_HOME": "/settings", "APPDATA": "/no"}, "/settings/mizheng"),
    ],
)
def test_the_folder_of_settings(platform: str, environment: dict[str, str], expected: str) -> None:
    assert home_directory(environment, platform) == Path(expected)


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_without_any_setting_it_is_below_the_home(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    assert home_directory({}, platform) == Path("/somebody/.config/mizheng")


def test_names_that_differ_by_normalization_or_case_are_different_files(
    mizheng: Mizheng,
) -> None:
    names = ["é", "e\u0301", "Pump", "pump", "PUMP", "ﬁn", "fin"]
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    for place, name in enumerate(names):
        (folder / name).write_text(f"{place}", "utf-8")
    assert len(list(walk([bytes(folder)]))) == len(names)
    mizheng("seal", "folder").ok()
    with opened(mizheng, "folder.seal") as content:
        labels = {entry.label for _place, entry in content.entries() if entry.kind == "file"}
    assert labels == {f"folder/{name}".encode() for name in names}
    # A bundle opens the one that is asked for.
    chosen = mizheng("bundle", "folder.seal", "--list", "--json").ok().out
    assert sum('"name": "folder/' in line for line in chosen.splitlines()) == len(names)


def test_a_folder_without_files_is_sealed_as_such(mizheng: Mizheng) -> None:
    """0 files: the environment record alone, a seal like any other."""
    (mizheng.cwd / "empty" / "inner").mkdir(parents=True)
    done = mizheng("seal", "empty", "--json").ok().json
    assert done["files"] == 0
    with opened(mizheng, "empty.seal") as content:
        assert [entry.kind for _place, entry in content.entries()] == ["environment"]
    (mizheng.cwd / "empty" / "inner" / "later").write_text("x")
    assert (
        mizheng("seal", "empty", "--since", "empty.seal", "-o", "next.seal", "--json").ok().json["files"] == 1
    )
