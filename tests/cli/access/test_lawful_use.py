"""Request, approval, look: from the appraiser's machine to his bundle, and what is said of it afterwards."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from mizheng.cli import api
from mizheng.cli.disclosing.store import Register
from mizheng.verifier.disclosure import parse_disclosure
from mizheng.verifier.members import DISCLOSURE
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.cli.access.people import (
    EXPERT,
    INSTITUTE,
    approve,
    ask,
    colleague,
    deposit_id,
    key_of,
    look,
    stranger,
)
from tests.cli.runner import Mizheng
from tests.cli.seals import opened
from tests.cli.test_disclosures import cut_off
from tests.cli.transfer.sides import add_confirmed
from tests.support.lawful import BASIS, MATTER
from tests.support.notary import NotaryServer
from tests.support.world import unpack


def test_one_person_approves_part_and_the_look_is_told(final: Mizheng, notary: NotaryServer) -> None:
    expert = stranger(final, "expert")
    request = ask(expert, deposit_id(final), "--with-originals")
    shown = final("access", "show", request).ok().out
    keyid = key_of(expert)["keyid"]
    for text in (EXPERT, INSTITUTE, MATTER, BASIS, "不复制", "this key is not known here", keyid[:8]):
        assert text in shown
    refused = final("access", "approve", "drawings.seal", request, "--open", "drawings/pump.dwg")
    assert refused.code == 77
    assert keyid[:8] in refused.err
    assert look(final).code == 77
    approve(final, request, expert, "--with-originals", "--condition", "不得复制").ok()
    made = look(final, "--with-originals", "--json").ok().json
    assert (made["opened"], made["originals"]) == (["drawings/pump.dwg"], 1)

    trust = parse_trust(notary.export_trust(final.cwd / "trust.toml").read_bytes())
    report = verify_bundle(final.cwd / "look.zip", trust)
    assert [str(c.status) for c in report.checks if c.code == "disclosure.entry"] == ["PASS"]
    disclosure = parse_disclosure(unpack((final.cwd / "look.zip").read_bytes())[DISCLOSURE])
    assert disclosure.recipient == f"{INSTITUTE} {EXPERT}"
    assert (disclosure.purpose or "").startswith(MATTER)

    (told,) = final("disclosures", "--json").ok().json["disclosures"]
    access = told["access"]
    assert (access["matter"], access["basis"], access["withdrawals"]) == (MATTER, BASIS, [])
    assert access["requester"]["name"] == EXPERT
    assert access["until"] == "2099-12-31T16:00:00Z"
    assert access["request_sha256"] == hashlib.sha256(request.read_bytes()).hexdigest()
    organisation = final("access", "show", "drawings.seal", "1", "--json").ok().json
    assert (organisation["state"], organisation["confirmed"]) == ("approved", True)
    assert [item["record_state"] for item in (*organisation["approvals"], *organisation["looks"])] == [
        "deposited",
        "deposited",
    ]
    assert organisation["looks"][0]["names"] == ["drawings/pump.dwg"]
    assert access["approvers"] == [organisation["approvals"][0]["person"]]

    final("access", "withdraw", "drawings.seal", "1", "--reason", "已撤诉").ok()
    assert look(final, name="again.zip").code == 77
    (told,) = final("disclosures", "--json").ok().json["disclosures"]
    assert [item["reason"] for item in told["access"]["withdrawals"]] == ["已撤诉"]
    for text in (MATTER, "已撤诉", "2099-12-31T16:00:00Z"):
        assert text in final("disclosures").ok().out
    assert "withdrawn" in final("access", "list").ok().out


def test_two_persons_on_two_machines(final: Mizheng, tmp_path: Path) -> None:
    expert = stranger(final, "expert")
    request = ask(expert, deposit_id(final))
    config = final.home / "config.toml"
    config.write_text(config.read_text().replace("[organisation]", "approvals = 2\n\n[organisation]", 1))
    first, second = colleague(final, "研发主管"), colleague(final, "法务")
    wide = ("--open", "drawings/", "--no-environment", "--by", "研发主管", "-o", "first.json")
    approve(first, request, expert, *wide).ok()
    final("access", "add", "drawings.seal", request, first.cwd / "first.json").ok()
    refused = look(final)
    assert refused.code == 77
    assert "1 of 2 approvals" in refused.err
    assert final("access", "list", "--json").ok().json["requests"][0]["state"] == "pending"
    # The second agrees to less than the first.
    narrow = ("--by", "法务", "--until", "2098-12-31", "-o", "second.json")
    approve(second, request, expert, *narrow).ok()
    agreed = ("--like", str(first.cwd / "first.json"), "--by", "法务", "-o", "like.json", "--json")
    assert approve(second, request, expert, *agreed).ok().json["made"][0]["names"] == [
        "drawings/pump.dwg",
        "drawings/valve-of-the-secret-kind.dwg",
    ]
    final("access", "add", "drawings.seal", second.cwd / "second.json").ok()
    wider = look(final, "--open", "drawings/")
    assert wider.code == 77
    assert "not within what was approved" in wider.err
    assert look(final, "--with-originals").code == 77
    made = look(final, "--json").ok().json
    assert made["opened"] == ["drawings/pump.dwg"]
    (told,) = final("disclosures", "--json").ok().json["disclosures"]
    assert told["access"]["approvers"] == ["研发主管", "法务"]
    assert told["access"]["until"] == "2098-12-31T16:00:00Z"
    # Each takes back his own where he gave it, and nobody another's there.
    back = ("access", "withdraw", "drawings.seal", request, "--reason", "已结案", "-o", "back.json")
    other = second("access", *back[1:], "--of", first.cwd / "first.json", "--by", "法务")
    assert other.code == 64
    assert "by another key than yours" in other.err
    assert second(*back, "--by", "法务").code == 64
    assert not (second.cwd / "back.json").exists()
    second(*back, "--of", second.cwd / "second.json", "--by", "法务").ok()
    final("access", "add", "drawings.seal", second.cwd / "back.json").ok()
    assert look(final, name="again.zip").code == 77
    assert "withdrawn" in final("access", "list").ok().out


def test_somebody_who_may_approve_no_longer(final: Mizheng) -> None:
    expert = stranger(final, "expert")
    request = ask(expert, deposit_id(final))
    final("access", "approvers", "add", "研发主管", key_of(final)["public_key"]).ok()
    approve(final, request, expert).ok()
    look(final).ok()
    final("access", "approvers", "remove", "研发主管").ok()
    assert look(final, name="again.zip").code == 77


def test_without_the_notary_a_look_waits_or_is_none(final: Mizheng) -> None:
    expert = stranger(final, "expert")
    request = ask(expert, deposit_id(final))
    come_back = cut_off(final)
    assert "not on record yet" in approve(final, request, expert).ok().err
    refused = look(final)
    assert refused.code == 69
    assert "the look could not be put on record" in refused.err
    assert not list(final.cwd.glob("*.zip"))
    look(final, "--offline").ok()
    come_back()
    final("disclosures", "--send").ok()
    told = final("access", "show", "drawings.seal", "1", "--json").ok().json
    assert {item["record_state"] for item in (told, *told["approvals"], *told["looks"])} == {"deposited"}
    assert len(told["looks"]) == 1, "the look that came to no bundle was taken up again"


def test_the_notary_learns_nothing_of_a_request(final: Mizheng, notary: NotaryServer) -> None:
    expert = stranger(final, "expert")
    who = "an appraiser that nobody else is called"
    approve(final, ask(expert, deposit_id(final), name=who), expert).ok()
    look(final).ok()
    with opened(final, "drawings.seal") as content:
        kept = Register(final.cwd / "drawings.seal", content.manifest_key).kept[0]
    needles = [who.encode(), MATTER.encode(), (kept.request or "?").encode(), kept.document[:200]]
    data = notary.output.encode()
    for path in notary.data_dir.rglob("*"):
        if path.is_file():
            data += path.read_bytes()
    assert not [needle for needle in needles if needle in data]
    # Nor does anybody who finds the file beside the seal.
    log = (final.cwd / "drawings.access").read_bytes()
    assert (final.cwd / "drawings.access").stat().st_mode & 0o777 == 0o600
    assert who.encode() not in log


def test_a_request_names_a_deposit_or_a_bundle_of_it(final: Mizheng) -> None:
    expert = stranger(final, "expert")
    final("bundle", "drawings.seal", "--open", "kind:environment", "-o", "filed.zip").ok()
    request = ask(expert, str(final.cwd / "filed.zip"), "--point", "3", "--point", "1")
    told = expert("access", "show", request, "--json").ok().json
    assert (told["envelope_sha256"], told["points"]) == (deposit_id(final), [1, 3])
    for bad in (
        ("--until", "soon", "--role", "court"),
        ("--until", "2020-01-01", "--role", "court"),
        ("--until", "2099-01-01", "--role", "king"),
        ("--until", "2099-01-01", "--name", " "),
        ("--until", "2099-01-01", "--point", "0"),
    ):
        failed = expert(
            *("access", "request", deposit_id(final), "--name", "a", "--role", "court", "--matter", "1"),
            *("--basis", "b", "--scope", "c", "--undertaking", "undertaking.txt", "-o", "bad.json", *bad),
        )
        assert failed.code == 64, bad
    assert not (expert.cwd / "bad.json").exists()
    assert json.loads(request.read_bytes())["payloadType"].endswith("access-request.v1+json")


def test_a_program_looks_and_lists(looked_at: Mizheng, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZHENG_HOME", str(looked_at.home))
    monkeypatch.chdir(looked_at.cwd)
    (before,) = api.requests("drawings.seal")
    assert (before.state, before.looks, before.matter) == ("approved", 1, MATTER)
    made = api.bundle("drawings.seal", "again.zip", [], access=str(before.number), offline=True)
    assert made.names == ("drawings/pump.dwg",)
    assert [item.looks for item in api.requests("drawings.seal")] == [2]
    with pytest.raises(api.MizhengError, match="not within what was approved"):
        api.bundle("drawings.seal", "wider.zip", ["drawings/"], access="1", offline=True)


def test_who_confirmed_a_card_need_not_compare_another_fingerprint(final: Mizheng) -> None:
    """One key signs a requester's card and his requests; revoked as a recipient's, it asks for nothing."""
    expert = stranger(final, "expert")
    made = expert("recipients", "me", "--name", EXPERT, "--store", "file", "--json").ok().json
    add_confirmed(final, "expert", expert.cwd / "my.card.json", made["fingerprint"])
    request = ask(expert, deposit_id(final))
    what = ("access", "approve", "drawings.seal", request, "--open", "drawings/pump.dwg")
    final(*what).ok()
    final("recipients", "revoke", "expert").ok()
    refused = final(*what)
    assert refused.code == 77
    assert "the requester's key was revoked here" in refused.err
