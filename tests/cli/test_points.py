"""points.toml: what is wrong is said with its place; what is right becomes records, opened one by one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from mizheng.cli.errors import UsageFault
from mizheng.cli.points.find import find_points, load_points, sealed_labels
from mizheng.cli.points.model import POINTS_NAME, Points
from mizheng.cli.points.read import PointsFault
from mizheng.verifier.record import MEASURE_TYPES, Record, parse_record

from tests.cli.runner import Mizheng
from tests.cli.seals import record_lines
from tests.support.layers import readable

HEAD = 'format = "mizheng/points/v1"\n'
FIRST = """
[[points]]
number = 1
title = "泵体流道尺寸"
secret = "进口段三处圆角半径的组合 4.7/9.1/12.3"
differs = "公开样本只给出外形尺寸"
level = "core"
term = 2036-12-31

  [[points.locators]]
  path = "pump.dwg"
  lines = "2-3"

  [[points.locators]]
  path = "parts"
  where = "every file of the folder"
"""
SECOND = """
[[points]]
number = 900
title = "glue-recipe-title"
secret = "eleven parts of zirconium"
differs = "nobody uses it"
level = "普通商密"
term = "until published"

  [[points.locators]]
  path = "recipe.xlsx"
  cells = "Sheet1!B2:C9"
  page = 3
"""
REST = """
[[measures]]
type = "agreement"
scope = "设计部全体"
effective_from = 2025-01-01
evidence = "papers/nda.txt"

[[measures]]
type = "marking"
scope = "all drawings"
effective_from = "2025-03-01"

[[carriers]]
type = "encrypted disk"
serial = "EX-0001"

[[sources]]
who = "设计部"
system = "PDM"
how = "按图纸发布流程导出"

[[corroborations]]
type = "none"

[authority]
evidence = "papers/attorney.txt"
"""


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """A folder with everything that the texts above speak of."""
    folder = tmp_path / "work" / "drawings"
    (folder / "parts").mkdir(parents=True)
    (folder / "papers").mkdir()
    (folder / "pump.dwg").write_bytes(b"one\ntwo\nthree")
    (folder / "recipe.xlsx").write_bytes(b"cells")
    (folder / "parts" / "seal-ring.dwg").write_bytes(b"ring")
    (folder / "papers" / "nda.txt").write_bytes(b"signed")
    (folder / "papers" / "attorney.txt").write_bytes(b"power")
    return folder


def load(folder: Path, text: str) -> Points:
    (folder / POINTS_NAME).write_text(text, "utf-8")
    return load_points(folder / POINTS_NAME, [bytes(folder)])


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(PointsFault) as caught:
        load(folder, text)
    return [problem.text() for problem in caught.value.problems]


def records(found: Points) -> dict[tuple[str, bytes], Record]:
    parsed = [parse_record(data) for data in found.records(bytes(32))]
    return {(record.kind, record.label): record for record in parsed}


def test_everything_becomes_a_record_of_its_own(drawings: Path) -> None:
    found = records(load(drawings, HEAD + FIRST + SECOND + REST))
    assert [(kind, label.decode()) for kind, label in found] == [
        ("point", "1"),
        ("point", "900"),
        ("locator", "1"),
        ("locator", "2"),
        ("locator", "3"),
        ("measure", "1"),
        ("measure", "2"),
        ("carrier", "1"),
        ("source", "1"),
        ("corroboration", "1"),
        ("authority", ""),
    ]
    point = found["point", b"1"].fields
    assert (point["level"], point["term"]) == ("核心商密", "2036-12-31")
    assert point["statement"] == "进口段三处圆角半径的组合 4.7/9.1/12.3"
    assert found["point", b"900"].fields["level"] == "普通商密"
    assert [found["locator", n].fields["point"] for n in (b"1", b"2", b"3")] == [1, 1, 900]
    assert found["locator", b"1"].fields["path"] == "drawings/pump.dwg"
    assert found["locator", b"1"].fields["where"] == "第 2-3 行 (lines 2-3)"
    assert found["locator", b"3"].fields["where"] == (
        "第 3 页 (page 3); 单元格 Sheet1!B2:C9 (cells Sheet1!B2:C9)"
    )
    assert found["measure", b"1"].fields["proof_sha256"] == hashlib.sha256(b"signed").hexdigest()
    assert found["measure", b"2"].fields["effective_from"] == "2025-03-01"
    assert found["measure", b"2"].fields["proof_sha256"] is None
    assert found["authority", b""].fields["sha256"] == hashlib.sha256(b"power").hexdigest()
    assert len({record.fields["salt"] for record in found.values()}) == len(found)


def test_each_of_the_seven_kinds_of_measures_is_a_record_of_its_own(drawings: Path) -> None:
    tables = "".join(
        f'\n[[measures]]\ntype = "{kind}"\nscope = "scope of {kind}"\neffective_from = 2025-01-{day:02}\n'
        f'evidence = "papers/nda.txt"\n'
        for day, kind in enumerate(MEASURE_TYPES, 1)
    )
    found = records(load(drawings, HEAD + FIRST + tables))
    measures = {label: record.fields for (kind, label), record in found.items() if kind == "measure"}
    assert [fields["type"] for fields in measures.values()] == list(MEASURE_TYPES)
    assert len(MEASURE_TYPES) == 7
    assert [fields["effective_from"] for fields in measures.values()] == [
        f"2025-01-{day:02}" for day in range(1, 8)
    ]
    assert {fields["proof_sha256"] for fields in measures.values()} == {hashlib.sha256(b"signed").hexdigest()}


def test_every_field_of_a_carrier_and_a_module_as_a_place(drawings: Path) -> None:
    carrier = """
[[carriers]]
type = "disk"
serial = "EX-0002"
place = "vault"
custodian = "design department"
"""
    module = """
  [[points.locators]]
  path = "pump.dwg"
  module = "flow.solver"
"""
    found = records(load(drawings, HEAD + FIRST + module + carrier))
    wanted = {"type": "disk", "serial": "EX-0002", "place": "vault", "custodian": "design department"}
    assert wanted.items() <= found["carrier", b"1"].fields.items()
    assert "flow.solver" in found["locator", b"3"].fields["where"]


MEASURE = '[[measures]]\ntype = "rules"\nscope = "all"\neffective_from = 2025-01-01\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 'the file: it does not begin with format = "mizheng/points/v1"'),
        ('format = "mizheng/points/v2"\n', 'the file: it does not begin with format = "mizheng/points/v1"'),
        (HEAD + "[[points", "the file: it is not TOML: Expected ']]' at the end of an array declaration"),
        (HEAD + "colour = 1\n", "the file: colour is not known here"),
        (HEAD + "points = 3\n", "the file: points is not an array of tables: write [[points]]"),
        (HEAD + FIRST.replace("number = 1", ""), "points 1: number takes 1, 2, 3, …"),
        (HEAD + FIRST.replace("number = 1", "number = true"), "points 1: number takes 1, 2, 3, …"),
        (HEAD + FIRST + FIRST, "points 2: there are two points of number 1"),
        (HEAD + FIRST.replace('"core"', '"top"'), "points 1: level is not one of: core, ordinary, 核心商密"),
        (HEAD + FIRST.replace("公开样本只给出外形尺寸", "  "), "points 1: differs has no words"),
        (HEAD + FIRST.replace("2036-12-31", "3"), "points 1: term has no words"),
        (HEAD + FIRST.replace("title =", "titel ="), "points 1: title is missing"),
        (HEAD + FIRST.replace('"2-3"', '"3-2"'), "points 1, locators 1: lines takes a number, or a range"),
        (HEAD + FIRST.replace('"2-3"', '"3-4"'), "points 1, locators 1: pump.dwg has only 3 lines"),
        (HEAD + FIRST.replace("lines = ", "# "), "points 1, locators 1: it says in which file, not where"),
        (HEAD + FIRST.replace("pump.dwg", "pomp.dwg"), "points 1, locators 1: there is no file pomp.dwg"),
        (HEAD + FIRST.replace('"pump.dwg"', '"../away"'), "points 1, locators 1: ../away is not among what"),
        (
            HEAD + SECOND.replace("B2:C9", "B2-C9"),
            'points 1, locators 1: cells takes a range like "Sheet1!B2',
        ),
        (HEAD + MEASURE.replace('"rules"', '"prayer"'), "measures 1: type is not one of: agreement, rules"),
        (HEAD + MEASURE.replace("2025-01-01", "2025-01-01T00:00:00Z"), "measures 1: effective_from takes"),
        (HEAD + MEASURE.replace("2025-01-01", '"last year"'), "measures 1: effective_from takes 2026-01-31"),
        (HEAD + MEASURE + 'evidence = "gone.pdf"\n', "measures 1: the evidence gone.pdf cannot be read"),
        (HEAD + "authority = 3\n", "[authority]: it is not a table"),
        (HEAD + "[authority]\n", "[authority]: evidence is missing"),
        (HEAD + FIRST.replace("公开样本", "x" * 70_000), "points 1: it cannot be a record: a record of"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(drawings: Path, text: str, expected: str) -> None:
    (drawings.parent / "away").write_bytes(b"not sealed")
    assert any(problem.startswith(expected) for problem in problems(drawings, text))


def test_all_problems_are_said_at_once(drawings: Path) -> None:
    text = HEAD + FIRST.replace('"core"', '"top"').replace("term = 2036-12-31", "") + MEASURE + "extra = 1\n"
    found = problems(drawings, text)
    assert len(found) == 3
    assert {problem.partition(":")[0] for problem in found} == {"points 1", "measures 1"}


def test_a_file_that_is_not_text(drawings: Path) -> None:
    (drawings / POINTS_NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PointsFault, match="it is not UTF-8 text"):
        load_points(drawings / POINTS_NAME, [bytes(drawings)])


def test_which_file_counts(drawings: Path, tmp_path: Path) -> None:
    other = tmp_path / "work" / "other"
    other.mkdir()
    both = [bytes(drawings), bytes(other)]
    assert find_points(both, None, without=False) is None
    (drawings / POINTS_NAME).write_text(HEAD)
    assert find_points(both, None, without=False) == drawings / POINTS_NAME
    assert find_points(both, None, without=True) is None
    (other / POINTS_NAME).write_text(HEAD)
    with pytest.raises(UsageFault):
        find_points(both, None, without=False)
    assert find_points(both, "mine.toml", without=False) == Path("mine.toml")
    with pytest.raises(UsageFault):
        find_points(both, "mine.toml", without=True)


def test_names_on_the_disk_and_in_the_seal(drawings: Path) -> None:
    label = sealed_labels([bytes(drawings / "parts"), bytes(drawings / "pump.dwg")])
    assert label(drawings / "parts" / "seal-ring.dwg") == b"parts/seal-ring.dwg"
    assert label(drawings / "papers" / ".." / "pump.dwg") == b"pump.dwg"
    assert label(drawings / "parts-2") is None
    assert label(drawings / "recipe.xlsx") is None


def test_init_writes_a_private_file_that_asks_to_be_filled_in(bare: Mizheng) -> None:
    for language in ("en", "zh"):
        folder = bare.cwd / language
        folder.mkdir()
        bare("--lang", language, "points", "init", language).ok()
        assert (folder / POINTS_NAME).stat().st_mode & 0o777 == 0o600
        unfilled = bare("points", "check", language, "--json")
        assert unfilled.code == 65
        assert [problem.rpartition(":")[0] for problem in unfilled.json["problems"]] == [
            *["points 1"] * 4,
            "points 1, locators 1",
        ]
    assert "密点" in (bare.cwd / "zh" / POINTS_NAME).read_text("utf-8")
    assert bare("points", "init", "en").code == 73


def test_a_template_with_every_hash_taken_away_is_understood(bare: Mizheng) -> None:
    bare("points", "init").ok()
    path = bare.cwd / POINTS_NAME
    text = path.read_text("utf-8")
    uncommented = "\n".join(
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and ("=" in line or "[" in line) else line
        for line in text.split("\n")
        if not line.startswith("# One") and not line.startswith("#  ")
    )
    path.write_text(uncommented, "utf-8")
    said = bare("points", "check", "--json").json["problems"]
    assert said
    assert not [problem for problem in said if "not known here" in problem or "not TOML" in problem]


def test_a_fault_ends_sealing_and_leaves_nothing(mizheng: Mizheng, drawings: Path) -> None:
    (drawings / POINTS_NAME).write_text(HEAD + FIRST.replace('"core"', '"top"'), "utf-8")
    result = mizheng("seal", "drawings")
    assert result.code == 65
    assert "level" in result.err
    assert not (mizheng.cwd / "drawings.seal").exists()
    mizheng("seal", "drawings", "--no-points").ok()


def test_one_point_is_opened_and_nothing_else_shows(own_company: Mizheng, drawings: Path) -> None:
    (drawings / POINTS_NAME).write_text(HEAD + FIRST + SECOND + REST, "utf-8")
    assert own_company("notarize", "drawings", "--json").ok().json["state"] == "deposited"
    own_company("status", "drawings.seal", "--wait", "--timeout", "90").ok()
    lines = [json.loads(line) for line in record_lines(own_company, "drawings.seal")]
    # The file of all secrets is no record: a bundle with originals of the folder must not carry it.
    assert not [line for line in lines if str(line.get("path", "")).endswith(POINTS_NAME)]

    def opened(*what: str) -> list[str]:
        options = [option for item in what for option in ("--open", item)]
        made = own_company("bundle", "drawings.seal", *options, "--no-environment", "--force", "--json").ok()
        verdict = own_company("verify", "drawings.zip", "--json")
        assert verdict.code == 2, verdict.err
        return list(made.json["opened"])

    assert opened("point:900") == ["point 900"]
    with zipfile.ZipFile(own_company.cwd / "drawings.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    closed = [line for line in lines if (line["kind"], line.get("number")) != ("point", 900)]
    words = [
        str(value)
        for line in closed
        for name, value in line.items()
        if name in ("salt", "sha256", "sm3", "path", "title", "statement", "distinction", "scope", "serial")
        and value
    ]
    assert len(words) > 20
    for data in map(readable, members.values()):
        assert not [word for word in words if word.encode() in data]
    assert b"eleven parts of zirconium" in readable(members["records/0001.json"])
    said = own_company("verify", "drawings.zip").out
    assert "point 900, in the depositor's words: " in said
    assert "eleven parts of zirconium" in said
    assert opened("point:1+locators") == ["point 1", "locator 1", "locator 2"]
    assert opened("point:1+files") == [
        "point 1",
        "locator 1",
        "locator 2",
        "drawings/pump.dwg",
        "drawings/parts/seal-ring.dwg",
    ]
    assert opened("kind:measure", "carrier:1", "kind:authority") == [
        "measure 1",
        "measure 2",
        "carrier 1",
        "authority",
    ]
    for what, code in (("point:2", 66), ("kind:colour", 64), ("measure:1+files", 64), ("./point:1", 66)):
        result = own_company("bundle", "drawings.seal", "--open", what, "--force")
        assert result.code == code, result.err
    listed = own_company("bundle", "drawings.seal", "--list").ok().out
    assert "point\t900\tglue-recipe-title" in listed
