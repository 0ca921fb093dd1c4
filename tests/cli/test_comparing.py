"""`mizheng compare`: what is identical is named, and of everything else nothing is learnt."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer
from tests.support.pictures import read_text

PUMP = b"the pump"


@pytest.fixture
def suspect(final: Mizheng) -> Path:
    """A bundle that opens drawings/pump.dwg, and the other side's folder with a copy of it and more."""
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "b.zip").ok()
    folder = final.cwd / "suspect"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "renamed.bin").write_bytes(PUMP)
    (folder / "same-size.bin").write_bytes(b"THE PUMP")
    (folder / "private-diary.txt").write_bytes(b"of another size altogether")
    # Sealed, but not opened: of this the other side's copy must not be found.
    (folder / "valve.dwg").write_bytes(b"the valve")
    return folder


def test_identical_files_are_named_and_the_rest_only_counted(final: Mizheng, suspect: Path) -> None:
    result = final("compare", "b.zip", "suspect", "--json")
    assert result.code == 2
    comparison = result.json["comparison"]
    assert [(item["record"], item["path"]) for item in comparison["identical"]] == [
        ("drawings/pump.dwg", "suspect/deep/renamed.bin")
    ]
    assert (comparison["opened"], comparison["files"], comparison["read"]) == (1, 4, 2)
    shown = final("compare", "b.zip", "suspect").out
    assert "identical: drawings/pump.dwg and suspect/deep/renamed.bin" in shown
    assert "diary" not in shown
    assert "valve" not in shown


def test_it_judges_as_verify_does(final: Mizheng, notary: NotaryServer, suspect: Path) -> None:
    """The certificate, too, which only a reader of PDF can judge."""
    trust = notary.export_trust(final.cwd / "trust.toml")
    reports = [
        final(*command, "--trust", trust, "--json").ok().json
        for command in (("verify", "b.zip"), ("compare", "b.zip", "suspect"))
    ]
    found = {check["code"]: check for check in reports[0]["checks"]}
    assert found["certificate.signature"]["status"] == "PASS"
    # As the notary states it in its settings.
    assert "filing: 示例备案号 (until 2056-06-30T16:00:00Z)" in found["platform.facts"]["message"]
    assert found["platform.facts"]["status"] == "PASS"
    assert reports[0]["checks"] == reports[1]["checks"]


def test_nothing_identical_is_said_as_such(final: Mizheng, suspect: Path) -> None:
    (suspect / "deep" / "renamed.bin").unlink()
    shown = final("compare", "b.zip", "suspect").out
    assert "no file of the other side is byte-identical" in shown


def test_blind_digests_show_nothing_and_find_the_same(final: Mizheng, suspect: Path) -> None:
    final("compare", "b.zip", "suspect", "--blind", "digests.json")
    data = (final.cwd / "digests.json").read_bytes()
    # Two files have the size of the opened one: one salted digest each, and no name.
    (values,) = json.loads(data)["digests"].values()
    assert len(values) == 2
    for secret in (b"renamed", b"diary", b"suspect", b"deep"):
        assert secret not in data
    result = final("compare", "b.zip", "digests.json", "--json").json["comparison"]
    assert [(item["record"], item["path"]) for item in result["identical"]] == [("drawings/pump.dwg", None)]
    assert (result["files"], result["read"]) == (4, 2)


def test_blind_digests_of_another_bundle_or_damaged_ones(final: Mizheng, suspect: Path) -> None:
    final("compare", "b.zip", "suspect", "--blind", "digests.json")
    final("bundle", "drawings.seal", "--open", "drawings/", "-o", "both.zip").ok()
    assert final("compare", "both.zip", "digests.json").code == 65
    path = final.cwd / "digests.json"
    path.write_bytes(path.read_bytes().replace(b'"files":4', b'"files":"x"'))
    assert final("compare", "b.zip", "digests.json").code == 65


def read_report(final: Mizheng) -> str:
    return re.sub(r"\s", "", read_text((final.cwd / "out.pdf").read_bytes()))


def test_the_report_has_a_section_on_it_and_no_name_of_what_is_not_identical(
    final: Mizheng, suspect: Path
) -> None:
    """Names that a shell wrote on the command line are no exception."""
    named = ("suspect/deep", "suspect/private-diary.txt", "suspect/same-size.bin")
    final("compare", "b.zip", *named, "--report", "out.pdf", MIZHENG_LANG="zh_CN")
    text = read_report(final)
    section = text.split("与对方文件逐字节比对")[1].split("附录A")[0]
    for wanted in ("drawings/pump.dwg", "deep/renamed.bin", "suspect/deep", hashlib.sha256(PUMP).hexdigest()):
        assert wanted in section
    assert "另有2个逐一列出" in section
    assert "compareb.zipsuspect/deepFILEFILE--reportout.pdf" in text
    for secret in ("diary", "same-size", "valve"):
        assert secret not in text


def test_the_report_on_salted_digests(final: Mizheng, suspect: Path) -> None:
    final("compare", "b.zip", "suspect", "--blind", "digests.json")
    data = (final.cwd / "digests.json").read_bytes()
    final("compare", "b.zip", "digests.json", "--report", "out.pdf")
    text = read_report(final)
    assert hashlib.sha256(data).hexdigest() in text
    assert "theotherside'snameisnotknown" in text
    assert "renamed" not in text


def test_what_cannot_be_compared(final: Mizheng, suspect: Path) -> None:
    assert final("compare", "missing.zip", "suspect").code == 66
    assert final("compare", "b.zip", "missing").code == 66
    (final.cwd / "not.zip").write_bytes(b"text")
    assert final("compare", "not.zip", "suspect").code == 65
    (final.cwd / "there").touch()
    assert final("compare", "b.zip", "suspect", "--blind", "there").code == 64
    assert final("compare", "b.zip", "suspect", "--blind", "new", "--report", "out.pdf").code == 64
    assert final("compare", "b.zip", "suspect", "--report", "there").code == 73
