"""Evidence added later: a seal of its own that names the earlier deposit, deposited, listed, checked."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.commands.supplement import TYPES
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.supplementing.store import Supplements
from mizheng.verifier.record import SUPPLEMENT_TYPES

from tests.cli.runner import Mizheng, Result
from tests.cli.seals import opened, record_lines
from tests.cli.test_disclosures import cut_off
from tests.support.notary import NotaryServer
from tests.support.world import unpack

DEED, STATEMENT = "公证书.txt", "证人证言.txt"
TITLE = "（2026）示证字第12号公证书"
FIRST = "drawings.supplement-1.seal"


@pytest.fixture
def matter(final: Mizheng) -> Mizheng:
    """drawings.seal, final, and two papers that came later."""
    (final.cwd / DEED).write_text("the deed")
    (final.cwd / STATEMENT).write_text("what the witness saw")
    return final


def add(
    mizheng: Mizheng, name: str = DEED, *more: str, title: str = TITLE, kind: str = "notarization"
) -> Result:
    return mizheng("supplement", "drawings.seal", name, "--type", kind, "--title", title, *more)


def listed(mizheng: Mizheng) -> list[dict[str, Any]]:
    found = mizheng("supplement", "drawings.seal", "--json").ok().json
    return list(found["supplements"])


def register(mizheng: Mizheng) -> Supplements:
    """What stands beside drawings.seal, read here: a process costs more than the rest of a test."""
    with opened(mizheng, "drawings.seal") as content:
        return Supplements(mizheng.cwd / "drawings.seal", content.manifest_key)


def deposit_id(mizheng: Mizheng, name: str = "drawings.seal") -> str:
    with Seal(mizheng.cwd / name) as seal:
        assert seal.state.deposit is not None
        return seal.state.deposit.id


def records(mizheng: Mizheng, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record_lines(mizheng, name)]


def links(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (check["status"], check["subject"])
        for check in report["checks"]
        if check["code"] == "supplement.link"
    ]


def test_the_types_are_those_of_the_format() -> None:
    assert TYPES == SUPPLEMENT_TYPES


def test_from_the_paper_to_the_court(matter: Mizheng, notary: NotaryServer, tmp_path: Path) -> None:
    """Two are added, deposited, listed in order; bundles show the link, the notary knows nothing of it."""
    added = add(matter, DEED, "--matter", "泵体案", "--json").ok().json
    assert (added["number"], added["state"], added["matter"]) == (1, "deposited", "泵体案")
    second = add(matter, STATEMENT, title="证人张某的证言", kind="witness").ok()
    assert "supplement 2 to drawings.seal: 证人张某的证言" in second.out
    (told,) = [item for item in records(matter, FIRST) if item["kind"] == "supplement"]
    assert told["envelope_sha256"] == deposit_id(matter)
    assert (told["number"], told["title"], told["matter"]) == (1, TITLE, "泵体案")
    assert [item["kind"] for item in records(matter, FIRST)] == ["environment", "supplement", "file"]
    assert "previous" not in {item["kind"] for item in records(matter, FIRST)}, "a supplement is no version"

    for name in (FIRST, "drawings.supplement-2.seal"):
        matter("status", name, "--wait", "--timeout", "90").ok()
    shown = listed(matter)
    assert [(item["number"], item["type"], item["state"]) for item in shown] == [
        (1, "notarization", "final"),
        (2, "witness", "final"),
    ]
    # The second is of the same matter without being told so again.
    assert {item["matter"] for item in shown} == {"泵体案"}
    assert shown[0]["deposit"] == deposit_id(matter, FIRST)
    lines = matter("supplement", "drawings.seal").ok().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert TITLE in lines[0]

    court = matter.cwd / "court"
    court.mkdir()
    for number in (2, 1):
        name = f"drawings.supplement-{number}"
        matter("bundle", f"{name}.seal", "--open", "**", "--with-originals", "-o", f"court/{name}.zip").ok()
    matter("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "court/drawings.zip").ok()
    trust = notary.export_trust(tmp_path / "trust.toml")
    verified = matter("verify", "court/drawings.supplement-1.zip", "--trust", trust, "--json")
    assert (verified.code, links(verified.json)) == (0, [("PASS", "records/0002.json")])
    everything = matter("verify", "--batch", "court", "--trust", trust, "--json").ok().json
    (found,) = everything["matters"]
    assert (found["deposit"], found["bundle"]) == (deposit_id(matter), "court/drawings.zip")
    assert [(item["number"], item["title"], item["link"]) for item in found["supplements"]] == [
        (1, TITLE, "PASS"),
        (2, "证人张某的证言", "PASS"),
    ]
    text = matter("verify", "--batch", "court", "--trust", trust).ok().out
    assert text.index(TITLE) < text.index("证人张某的证言")

    # Nothing of the link is at the notary, in its data or its output.
    kept = notary.output.encode()
    for path in notary.data_dir.rglob("*"):
        if path.is_file():
            kept += path.read_bytes()
    assert deposit_id(matter, FIRST).encode() in kept, "the deposit itself is there"
    assert not [needle for needle in (TITLE, "泵体案", told["salt"]) if needle.encode() in kept]


def test_a_bundle_without_the_link_says_nothing_of_it(matter: Mizheng) -> None:
    add(matter).ok()
    name = "drawings.supplement-1"
    matter("status", f"{name}.seal", "--wait", "--timeout", "90").ok()
    matter("bundle", f"{name}.seal", "--open", "**", "--no-matter", "-o", "plain.zip").ok()
    members = unpack((matter.cwd / "plain.zip").read_bytes())
    assert not [member for member in members if member.startswith("supplemented")]
    report = matter("verify", "plain.zip", "--json").json
    assert links(report) == []
    assert deposit_id(matter) not in json.dumps(report)
    # Opened, but the seal it supplements is elsewhere: a word now, and NOT_CHECKED in court.
    (matter.cwd / "away").mkdir()
    shutil.move(matter.cwd / f"{name}.seal", matter.cwd / "away")
    alone = Mizheng(matter.home, matter.cwd / "away")
    made = alone("bundle", f"{name}.seal", "--open", DEED, "-o", "alone.zip").ok()
    assert "without it the bundle shows no link" in made.err
    assert links(alone("verify", "alone.zip", "--json").json) == [("NOT_CHECKED", "records/0002.json")]


def test_without_the_notary_it_is_sealed_and_waits(matter: Mizheng) -> None:
    come_back = cut_off(matter)
    refused = add(matter)
    assert refused.code == 69
    assert "supplement 1 is sealed and not deposited yet" in refused.err
    assert "mizheng supplement NAME.seal --send" in refused.err
    shown = matter("supplement", "drawings.seal").ok()
    assert "not all of them are deposited" in shown.err
    come_back()
    sent = matter("supplement", "drawings.seal", "--send", "--json").ok().json["supplements"]
    assert [(item["number"], item["state"]) for item in sent] == [(1, "deposited")]
    assert add(matter, STATEMENT, "--json", kind="witness").ok().json["number"] == 2


def test_numbers_are_given_once(matter: Mizheng) -> None:
    assert add(matter, DEED, "--number", "3", "--json").ok().json["number"] == 3
    twice = add(matter, STATEMENT, "--number", "3")
    assert twice.code == 64
    assert "there is a supplement 3 already" in twice.err
    assert not (matter.cwd / "drawings.supplement-4.seal").exists()
    assert add(matter, STATEMENT, "--json").ok().json["number"] == 4


def test_two_at_once_get_two_numbers(matter: Mizheng) -> None:
    results: list[Result] = []
    both = [
        threading.Thread(target=lambda name=name: results.append(add(matter, name, "--json")))
        for name in (DEED, STATEMENT)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(result.ok().json["number"] for result in results) == [1, 2]
    assert [item.number for item in register(matter).in_order()] == [1, 2]


def test_a_file_that_is_gone_or_cannot_be_read_makes_no_supplement(matter: Mizheng) -> None:
    gone = add(matter, "gone.pdf")
    assert gone.code == 66
    assert "gone.pdf" in gone.err
    (matter.cwd / "empty").mkdir()
    assert add(matter, "empty").code == 66
    assert not list(matter.cwd.glob("*.supplement-*"))
    assert listed(matter) == []
    # Its number was never used, and is not lost.
    assert add(matter, DEED, "--json").ok().json["number"] == 1


def test_a_run_that_died_is_taken_up_again(matter: Mizheng) -> None:
    """Its seal was written, and then the power went before that was kept."""
    cut_off(matter)
    add(matter)
    kept = register(matter)
    kept.change(0, root_hash=None)
    before = (matter.cwd / FIRST).read_bytes()
    assert listed(matter) == []
    assert add(matter, STATEMENT, kind="witness").code == 69
    assert [(item.number, item.type) for item in register(matter).in_order()] == [(1, "witness")]
    assert (matter.cwd / FIRST).read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("absent.seal", DEED), 66, "absent.seal"),
        ((DEED, STATEMENT), 65, "is not a seal"),
        (("drawings.seal", "drawings.seal"), 64, "a supplement takes the files themselves"),
    ],
)
def test_the_wrong_seal(matter: Mizheng, arguments: tuple[str, str], code: int, words: str) -> None:
    refused = matter("supplement", *arguments, "--type", "other", "--title", "x")
    assert (refused.code, words in refused.err) == (code, True), refused.err


def test_a_seal_that_is_not_deposited_has_nothing_to_name(company: Mizheng) -> None:
    (company.cwd / DEED).write_text("the deed")
    (company.cwd / "plan.txt").write_text("the plan")
    company("seal", "plan.txt").ok()
    refused = company("supplement", "plan.txt.seal", DEED, "--type", "other", "--title", "x")
    assert refused.code == 75
    assert "mizheng notarize plan.txt.seal" in refused.err
    assert not list(company.cwd.glob("*.supplement*"))


def test_a_supplement_is_not_supplemented(matter: Mizheng) -> None:
    add(matter).ok()
    refused = matter("supplement", FIRST, STATEMENT, "--type", "witness", "--title", "x")
    assert refused.code == 64
    assert "name the seal that it supplements" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--type", "other"),
        (DEED, "--type", "other"),
        (DEED, "--title", "x"),
        (DEED, "--send", "--type", "other", "--title", "x"),
        (DEED, "--type", "other", "--title", " "),
        (DEED, "--type", "other", "--title", "a\x1bb"),
        (DEED, "--type", "other", "--title", "x", "--matter", "x" * 1001),
    ],
)
def test_what_is_asked_wrongly(matter: Mizheng, arguments: tuple[str, ...]) -> None:
    assert matter("supplement", "drawings.seal", *arguments).code == 64
    assert not list(matter.cwd.glob("*.supplement*"))


def test_the_list_opens_with_the_seals_key_alone(matter: Mizheng) -> None:
    add(matter).ok()
    path = matter.cwd / "drawings.supplements"
    assert path.stat().st_mode & 0o777 == 0o600
    assert TITLE.encode() not in path.read_bytes()
    assert Mizheng(matter.cwd.parent / "nobody", matter.cwd)("supplement", "drawings.seal").code == 77
    # A seal that was moved is found beside the first; one that is gone is said to be.
    moved = matter.cwd / "elsewhere"
    moved.mkdir()
    for name in ("drawings.seal", "drawings.supplements", FIRST):
        shutil.move(matter.cwd / name, moved)
    assert [item["state"] for item in listed(Mizheng(matter.home, moved))] == ["deposited"]
    (moved / FIRST).unlink()
    lost = Mizheng(matter.home, moved)("supplement", "drawings.seal").ok()
    assert "not here" in lost.out
    assert "a seal that is not here proves nothing" in lost.err
