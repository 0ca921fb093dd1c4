"""`mizheng self-test`: the published vectors come with the software, and one wrong answer is a failure."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping

import pytest
from mizheng.cli.checking import selftest
from mizheng.cli.errors import SoftwareFault
from mizheng.cli.main import main

from tests.support import vectors
from tests.tools.bundle_vectors import pack_files

FEW = ("sound/token-only", "zip/bytes-before", "trust/none")


def few(**changes: object) -> bytes:
    """Three vectors and their files; `changes` go into what the first of them expects."""
    files: dict[str, bytes] = {}
    for name in FEW:
        vector = vectors.read(name)
        expected = {**vector.expected, **(changes if name == FEW[0] else {})}
        files[f"{name}.json"] = json.dumps(expected).encode()
        files[expected["bundle"]] = vector.bundle
        if vector.trust is not None:
            files[expected["trust"]] = vector.trust
    return pack_files(files)


def unpacked(packed: bytes) -> Mapping[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_what_comes_along_is_what_is_published() -> None:
    packed = selftest.read_vectors()
    published = {
        path.relative_to(vectors.FOLDER).as_posix(): path.read_bytes()
        for path in vectors.FOLDER.rglob("*")
        if path.is_file()
    }
    assert unpacked(packed) == published
    assert len(packed) < 1_000_000


def test_it_passes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(selftest, "read_vectors", few)
    assert main(["--lang", "en", "self-test"]) == 0
    said = capsys.readouterr().out
    for word in (
        "digest of the software",
        "OpenSSL",
        "zip                     1/1",
        "PASSED — all 3",
        "exit code 0",
    ):
        assert word in said
    assert main(["self-test", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["result"], told["vectors"], told["differences"]) == ("passed", 3, [])
    assert told["groups"][0] == {"group": "sound", "vectors": 1, "as_published": 1}
    assert len(told["software"]["digest"]) == len(told["vectors_sha256"]) == 64


def test_one_other_answer_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(selftest, "read_vectors", lambda: few(verdict="invalid"))
    assert main(["self-test", "--json"]) == 70
    told = json.loads(capsys.readouterr().out)
    assert (told["result"], told["exit_code"]) == ("failed", 70)
    assert told["differences"] == [
        {"vector": FEW[0], "expected": {"verdict": "invalid"}, "found": {"verdict": "valid"}}
    ]
    assert main(["--lang", "en", "self-test"]) == 70
    assert "FAILED — 1 of 3" in capsys.readouterr().out


def test_an_exception_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_args: object, **_more: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(selftest, "verify_bundle", crash)
    result = selftest.run_vectors(few())
    assert len(result.differences) == 3
    assert not result.has_passed


def test_nothing_tested_is_nothing_passed() -> None:
    assert not selftest.run_vectors(pack_files({})).has_passed
    for broken in (b"", b"no archive", selftest.read_vectors()[:1000]):
        with pytest.raises(SoftwareFault):
            selftest.run_vectors(broken)
