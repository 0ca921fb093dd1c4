"""The report's section on a comparison: what is identical by name, all else by number, no claim beyond."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from mizheng.verifier.paper.comparison import ComparedRecord, Comparison, comparison_data
from mizheng.verifier.paper.names import BREAK
from mizheng.verifier.paper.report import make_report
from mizheng.verifier.report import Report
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle
from mizheng.verifier.words import translator

from tests.support.pictures import read_text, take_pictures

from .samples import digest
from .test_report import EXAMPLES, NOW, joined, make_examination

CONTENT = b"the pump"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
EVIL = "x/\u202efdp.#panic[y]<b>*_$z$\x1b[31m\n.bin"
RECORD = ComparedRecord(
    "records/0001.json", "图纸/泵.dwg", len(CONTENT), SHA256, digest("sm3"), is_found=True, files=[EVIL]
)
MISSING = ComparedRecord("records/0002.json", "图纸/阀.dwg", 1_234, digest("e"), digest("f"), is_found=False)
FOUND = Comparison([RECORD, MISSING], ["/media/suspect"], left_out=2, files=31, read=7, unreadable=3)
HEADING = "Comparison with the other side's files, byte for byte"


@pytest.fixture(scope="module")
def report() -> Report:
    trust = parse_trust((EXAMPLES / "trust.toml").read_bytes())
    return verify_bundle(EXAMPLES / "bundle.zip", trust, now=NOW)


def read(report: Report, comparison: Comparison | None, language: str = "en") -> str:
    examination = dataclasses.replace(make_examination(report), comparison=comparison)
    pdf = make_report(examination, translator(language), language)
    take_pictures(f"comparison-{language}", pdf)
    return joined(read_text(pdf))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_pairs_numbers_and_limits_stand_between_checks_and_annex(report: Report, language: str) -> None:
    _ = translator(language)
    text = read(report, FOUND, language)
    before, section = text.split(joined(_(HEADING)), 1)
    section, after = section.split(joined(_("What the other side will ask")), 1)
    assert joined(_("Checks")) in before
    assert joined(_("Annex A: raw values")) in after
    for wanted in (
        RECORD.name,
        RECORD.sha256,
        RECORD.sm3,
        MISSING.name,
        MISSING.sha256,
        "/media/suspect",
        "31",
    ):
        assert wanted in section
    for message in (
        *("Byte-identical", "Opened files of which no identical one was found"),
        "{count} named one by one, not found identical and so not named here",
    ):
        assert joined(_(message).format(count=2)) in section
    assert joined(_("What this shows, and what not")) in section


def test_hidden_characters_and_markup_of_the_other_sides_names(report: Report) -> None:
    assert "x/[U+202E]fdp.#panic[y]<b>*_$z$[U+001B][31m[U+000A].bin" in read(report, FOUND)


def test_nothing_identical_is_said_as_no_more_than_that(report: Report) -> None:
    text = read(report, dataclasses.replace(FOUND, records=[MISSING]))
    assert joined("No file that was compared is byte-identical to an opened one.") in text
    assert joined("nothing was found does not mean that nothing was taken") in text
    assert "Byte-identical" not in text


def test_without_a_comparison_there_is_no_section(report: Report) -> None:
    assert joined(HEADING) not in read(report, None)


def test_salted_digests_are_not_told_as_files_that_were_read(report: Report) -> None:
    unnamed = dataclasses.replace(RECORD, files=[])
    data = comparison_data(Comparison([unnamed], [], 0, 31, 7, unreadable=None), report, translator("en"))
    assert data is not None
    assert "without the file" in data["shows"][0]
    assert data["found"][0]["files"] == ["the other side's name is not known"]
    assert data["facts"][-1][1] == ["not known from salted digests"]


def test_a_record_that_no_check_speaks_for_is_not_told_as_sealed(report: Report) -> None:
    other = dataclasses.replace(RECORD, member="records/9999.json")
    data = comparison_data(dataclasses.replace(FOUND, records=[other]), report, translator("en"))
    assert data is not None
    assert data["found"][0]["inclusion"] == "not checked"


def test_its_commands_find_the_identical_files_and_no_others(report: Report, tmp_path: Path) -> None:
    place = "-it's `touch x`"
    folder = tmp_path / place
    folder.mkdir()
    (folder / "same name\n.bin").write_bytes(CONTENT)
    (folder / "same size.bin").write_bytes(CONTENT[::-1])
    data = comparison_data(dataclasses.replace(FOUND, places=[place]), report, translator("en"))
    assert data is not None
    printed = [
        subprocess.run(
            ["bash", "-c", re.sub(BREAK, "", f"{data['command']}\n{item['command']}")],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for item in (*data["found"], *data["missing"])
    ]
    assert printed[0].count(SHA256) == 1
    assert "same name" in printed[0]
    assert printed[1] == ""
    assert [path.name for path in tmp_path.iterdir()] == [place]
