"""The commands that a report gives for each check, run as they stand with stock tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.codes import CODES
from mizheng.verifier.paper.repeat import PREPARATION, repeat_command
from mizheng.verifier.report import Check, Report, Status
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import vectors
from tests.support.world import unpack
from tests.tools.layout import ROOT

EXAMPLES = ROOT / "docs" / "spec" / "examples"
GOOD = "Signature Verified Successfully"
# Code to what its command prints on the example: values that the check compared, and facts of the report,
# by their keys in braces.
EXPECTED = {
    "trust.current": ["{sha256}"],
    "bundle.structure": ["No errors detected"],
    "bundle.form": ["stor 80-Jan-01 00:00 README.txt"],
    "bundle.signature": [GOOD],
    "bundle.members": ["README.txt: OK", "originals/0002: OK", "statement.dsse.json: OK"],
    "envelope.signature": [GOOD],
    "record.inclusion": ["{commitment}\n{commitment}"],
    "record.content": ['"kind":"environment"'],
    "original.match": ["{sha256}", "{sm3}"],
    "log.entry": ["{leaf_hash}"],
    "log.inclusion": ["{root}\n{root}"],
    "checkpoint.signature": [f"{GOOD}\n1"],
    "timestamp.token": ["Time stamp: Nov 23 02:03:10 2026 GMT"],
    "timestamp.imprint": ["{imprint}"],
    "timestamp.authority": ["Verification: OK"],
    "token.valid": ["Verification: OK"],
    "anchor.checkpoint": ["{root}"],
    "observation.signature": [GOOD, '"number":{number}', 'name = "{observer}"'],
    "depositor.enrolment": [GOOD, '"method":"{method}"', 'name = "{issuer}"'],
    "depositor.key-status": [GOOD, '"as_of_size":{size}'],
}
# Asked of a node of the reader's choice, or said of members that the example has not.
NEED_MORE = {
    *("anchor.header", "anchor.receipt", "anchor.event", "anchor.storage", "anchor.contract"),
    *("anchor.canonical", "beacon.block", "beacon.canonical", "certificate.signature", "exhibits.list"),
    "supplement.link",
}


@pytest.fixture(scope="module")
def report() -> Report:
    trust = parse_trust((EXAMPLES / "trust.toml").read_bytes())
    return verify_bundle(EXAMPLES / "bundle.zip", trust, now=1_795_485_722)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle is unpacked, as a report asks for."""
    above = tmp_path_factory.mktemp("repeat")
    for name in ("bundle.zip", "trust.toml"):
        shutil.copy(EXAMPLES / name, above)
    (above / "unpacked").mkdir()
    shutil.unpack_archive(above / "bundle.zip", above / "unpacked")
    return above / "unpacked"


def run(command: str, folder: Path) -> str:
    script = f"set -o pipefail\n{PREPARATION}\n{command}"
    result = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def wanted(code: str, report: Report) -> list[str]:
    """What the command of this code has to print."""
    root = find(report, "log.inclusion").values["root"]
    values = {"root": root, **report.facts, **find(report, code).values}
    return [re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), text) for text in EXPECTED[code]]


def find(report: Report, code: str) -> Check:
    return next(check for check in report.checks if check.code == code)


@pytest.mark.parametrize("code", EXPECTED)
def test_command_prints_what_was_compared(code: str, report: Report, folder: Path) -> None:
    check = find(report, code)
    assert check.status is Status.PASS
    printed = run(repeat_command(check, report.checks), folder)
    assert not [value for value in wanted(code, report) if value not in printed], printed


def test_no_command_is_left_untried() -> None:
    has_command = {code for code in CODES if repeat_command(Check(code, Status.FAIL, "x", "", {}), [])}
    assert has_command == {*EXPECTED, *NEED_MORE}


@pytest.mark.parametrize("member", ["statement.dsse.json", "records/0001.json", "heads/6.tlog-proof"])
def test_a_changed_member_is_noticed(member: str, report: Report, folder: Path, tmp_path: Path) -> None:
    """The commands are no rubber stamp: one digit changed, and they print something else."""
    copy = shutil.copytree(folder, tmp_path / "copy" / "unpacked")
    shutil.copy(EXAMPLES / "trust.toml", copy.parent)
    code = {
        "statement.dsse.json": "envelope.signature",
        "records/0001.json": "record.inclusion",
        "heads/6.tlog-proof": "log.inclusion",
    }[member]
    data = (copy / member).read_text("utf-8")
    if member.endswith("tlog-proof"):
        lines = data.split("\n")
        lines[2] = lines[2].replace("d", "e", 1)
        changed = "\n".join(lines)
    else:
        key = "sig" if "statement" in member else "hashes"
        changed = re.sub(rf'("{key}":\[?"..)(.)', lambda m: m[1] + ("a" if m[2] != "a" else "b"), data)
    assert changed != data
    (copy / member).write_text(changed, "utf-8")
    printed = run(repeat_command(find(report, code), report.checks), copy)
    assert not all(value in printed for value in wanted(code, report))


def test_the_link_of_a_supplement(tmp_path: Path) -> None:
    vector = vectors.read("supplement/sound")
    for name, data in unpack(vector.bundle).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert vector.trust is not None
    report = verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))
    check = find(report, "supplement.link")
    printed = run(repeat_command(check, report.checks), tmp_path)
    assert printed.count(str(check.values["envelope_sha256"])) == 2
    assert GOOD in printed
    assert printed.endswith(f"index {check.values['index']}\n")


def test_a_name_with_quotes_stays_one_word(report: Report, tmp_path: Path) -> None:
    name = "it's $(touch x) `touch y`"
    (tmp_path / name).write_bytes(b"data")
    check = Check("original.match", Status.PASS, name, "", {})
    assert run(repeat_command(check, report.checks), tmp_path).count(name) == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]
