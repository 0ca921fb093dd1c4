"""The chain of custody on the command line: recorded, handed over by two machines, in every bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.commands.custody import HANDOVERS, WHAT
from mizheng.verifier import custody as formats
from mizheng.verifier.members import custody_members
from mizheng.verifier.trust import dump_trust, parse_trust

from tests.cli.test_disclosures import cut_off
from tests.cli.transfer.sides import COURT, MATTER, Sides
from tests.support.world import unpack

PUMP = "drawings/pump.dwg"
PLACE = ("--where", "示例市中级人民法院立案庭", "--why", MATTER)


def add(side: Any, path: str, what: str, *more: str) -> Any:
    return side("custody", "add", path, what, *PLACE, *more, "--json")


def chain(side: Any, path: str = "drawings.seal") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = side("custody", "show", path, "--json").ok().json["custody"]
    return found


def hand_over(sides: Sides) -> Path:
    """An offer of the company, signed by the court; where it lies, not yet recorded."""
    offer = sides.court.cwd / "offer.json"
    add(sides.sender, "drawings.seal", "handover", "--to", "court", "--before", PUMP, "-o", str(offer)).ok()
    pump = str(sides.sender.cwd / PUMP)
    sides.court("custody", "accept", "offer.json", "--got", pump, "--sign").ok()
    return sides.court.cwd / "offer.signed.json"


def statuses(side: Any, trust: Path, bundle: str) -> dict[str, str]:
    report = side("verify", bundle, "--trust", trust, "--json").json
    return {
        check["code"]: check["status"] for check in report["checks"] if check["code"].startswith("custody")
    }


def test_the_screens_name_all_sorts_there_are() -> None:
    assert WHAT == formats.WHAT
    assert HANDOVERS == formats.HANDOVERS


def test_from_the_archive_to_the_court_and_back(sides: Sides) -> None:
    company, court = sides.sender, sides.court
    made = add(company, "drawings.seal", "seal-number", "--seal-number", "FT-1", "--before", PUMP).ok().json
    assert made["number"] == 1
    signed = hand_over(sides)
    assert company("custody", "record", "drawings.seal", signed, "--json").ok().json["events"] == 2
    company("bundle", "drawings.seal", "--open", PUMP, "-o", str(court.cwd / "court.zip")).ok()
    # The court opens it and gives it back: what it signs comes to the company, which records it.
    add(court, "court.zip", "opening", "--note", "当庭启封", "-o", "opening.json").ok()
    company("custody", "record", "drawings.seal", court.cwd / "opening.json").ok()
    shown = chain(company)
    assert [line["what"] for line in shown] == ["seal-number", "handover", "opening"]
    assert shown[2]["by"]["name"] == COURT
    assert all(line["leaf_index"] is not None for line in shown)
    company("custody", "update", "drawings.seal", court.cwd / "court.zip", "-o", "later.zip").ok()
    trust = parse_trust(sides.trust.read_bytes())
    (company.cwd / "known.toml").write_bytes(
        dump_trust(trust).replace(b"\n[require]", _custodian(court) + b"\n[require]")
    )
    found = statuses(company, company.cwd / "known.toml", "later.zip")
    assert found == dict.fromkeys(
        ("custody.chain", "custody.signatures", "custody.log", "custody.custodians"), "PASS"
    )
    assert statuses(company, sides.trust, "later.zip")["custody.custodians"] == "NOT_CHECKED"


def _custodian(court: Any) -> bytes:
    (path,) = (court.home / "keys").glob("*.json")
    key = json.loads(path.read_bytes())["public_key"]
    return f'\n[[custodians]]\nname = "{COURT}"\npublic_key = "{key}"\n'.encode()


def test_an_offer_is_shown_before_it_is_signed(sides: Sides) -> None:
    add(
        sides.sender, "drawings.seal", "handover", "--to", "court", "-o", str(sides.court.cwd / "offer.json")
    ).ok()
    shown = sides.court("custody", "accept", "offer.json").ok().out
    assert MATTER in shown
    assert not (sides.court.cwd / "offer.signed.json").exists()


def test_what_is_not_what_was_said_is_not_signed_for(sides: Sides) -> None:
    offer = str(sides.court.cwd / "offer.json")
    add(sides.sender, "drawings.seal", "handover", "--to", "court", "--before", PUMP, "-o", offer).ok()
    other = sides.court("custody", "accept", "offer.json", "--got", offer, "--sign")
    assert other.code == 65
    assert not (sides.court.cwd / "offer.signed.json").exists()


def test_nobody_signs_for_another(sides: Sides) -> None:
    add(sides.sender, "drawings.seal", "handover", "--to", "court", "-o", "offer.json").ok()
    assert sides.sender("custody", "accept", "offer.json", "--sign").code == 77


def test_what_is_given_away_is_not_given_again(sides: Sides) -> None:
    sides.sender("custody", "record", "drawings.seal", hand_over(sides)).ok()
    again = add(sides.sender, "drawings.seal", "handover", "--to", "court", "-o", "again.json")
    assert again.code == 77
    assert "no key of this machine has the evidence" in again.err


def test_an_offer_alone_is_not_recorded(sides: Sides) -> None:
    add(sides.sender, "drawings.seal", "handover", "--to", "court", "-o", "offer.json").ok()
    assert sides.sender("custody", "record", "drawings.seal", "offer.json").code == 65
    assert chain(sides.sender) == []


def test_an_offer_that_was_overtaken_is_not_recorded(sides: Sides) -> None:
    signed = hand_over(sides)
    add(sides.sender, "drawings.seal", "storage").ok()
    late = sides.sender("custody", "record", "drawings.seal", signed)
    assert late.code == 65
    assert len(chain(sides.sender)) == 1


def test_content_that_is_another_one_is_not_recorded(sides: Sides) -> None:
    add(sides.sender, "drawings.seal", "storage", "--before", PUMP).ok()
    changed = add(sides.sender, "drawings.seal", "inspection", "--before", "a1" * 32)
    assert changed.code == 64
    assert len(chain(sides.sender)) == 1


def test_what_waits_for_the_notary_is_sent_later_in_its_order(sides: Sides) -> None:
    company = sides.sender
    come_back = cut_off(company)
    for _ in range(2):
        assert add(company, "drawings.seal", "storage").code == 69
    assert [line["leaf_index"] for line in chain(company)] == [None, None]
    company("bundle", "drawings.seal", "--open", PUMP, "--offline", "-o", "early.zip").ok()
    assert statuses(company, sides.trust, "early.zip")["custody.log"] == "NOT_PROVIDED"
    come_back()
    first, second = company("custody", "record", "drawings.seal", "--json").ok().json["leaf_indices"]
    assert first < second


def test_a_bundle_of_another_deposit_is_not_updated(sides: Sides) -> None:
    company = sides.sender
    (company.cwd / "other.txt").write_text("another")
    company("notarize", "other.txt", "-o", "other.seal").ok()
    assert company("custody", "update", "other.seal", "pump.zip", "-o", "new.zip").code == 65
    assert not (company.cwd / "new.zip").exists()


def test_nothing_else_in_a_bundle_changes(sides: Sides) -> None:
    company = sides.sender
    add(company, "drawings.seal", "storage").ok()
    company("custody", "update", "drawings.seal", "pump.zip", "-o", "new.zip").ok()
    before, after = (unpack((company.cwd / name).read_bytes()) for name in ("pump.zip", "new.zip"))
    assert after.keys() - before.keys() == set(custody_members(1))
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("more", [("handover",), ("opening", "--to", "court")])
def test_a_taker_belongs_to_a_handover(sides: Sides, more: tuple[str, ...]) -> None:
    assert add(sides.sender, "drawings.seal", *more).code == 64


def test_no_event_of_a_bundle_is_left_out(sides: Sides) -> None:
    """The list beside the seal was lost, or is that of an earlier day."""
    company = sides.sender
    add(company, "drawings.seal", "storage").ok()
    company("custody", "update", "drawings.seal", "pump.zip", "-o", "new.zip").ok()
    (company.cwd / "drawings.custody").unlink()
    refused = company("custody", "update", "drawings.seal", "new.zip", "-o", "shorter.zip")
    assert refused.code == 65
    assert "holds custody events that the list beside the seal does not have" in refused.err
    add(company, "drawings.seal", "storage").ok()
    assert company("custody", "update", "drawings.seal", "new.zip", "-o", "other.zip").code == 65
