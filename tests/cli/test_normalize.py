"""`mizheng bundle normalize`: what it writes, what it says, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mizheng.cli.main import main

from tests.support import vectors

FOLDER = vectors.FOLDER
TRUST = FOLDER / "trust" / "observers.toml"
SOUND = FOLDER / "sound" / "one-file.zip"


def run(*words: object) -> int:
    return main(["--lang", "en", "bundle", "normalize", *map(str, words)])


def test_a_bundle_that_was_packed_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.zip"
    assert run(FOLDER / "form/packed-anew.zip", target, "--trust", TRUST) == 0
    assert target.read_bytes() == SOUND.read_bytes()
    said = capsys.readouterr().out
    assert "its form is restored" in said
    assert "VALID" in said
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_without_a_trust_file_only_a_failure_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(SOUND, tmp_path / "same.zip", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["was_in_form"], told["report"]["verdict"]) == (True, "undetermined")
    assert run(FOLDER / "list/readme-changed.zip", tmp_path / "broken.zip") == 1


def test_tricks_and_names_that_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.zip"
    assert run(FOLDER / "zip/bytes-before.zip", target) == 65
    assert run(tmp_path / "missing.zip", target) == 66
    assert list(tmp_path.iterdir()) == []
    target.write_bytes(b"mine")
    assert run(SOUND, target) == 73
    assert target.read_bytes() == b"mine"
    assert run(SOUND, target, "--force") == 0
    assert target.read_bytes() == SOUND.read_bytes()
    assert "cannot be put back into form" in capsys.readouterr().err


def test_a_seal_may_be_called_so_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`normalize` alone is the command; a path to it is a seal."""
    assert main(["--lang", "en", "bundle", str(tmp_path / "normalize"), "--list"]) == 66
    assert main(["--lang", "en", "bundle", "normalize"]) == 64
    assert "IN.zip is missing" in capsys.readouterr().err
