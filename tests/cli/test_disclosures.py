"""To whom what was opened: bound to one recipient, on record before the bundle exists, listed, traced."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.disclosing.one import describe
from mizheng.cli.disclosing.recipient import check_recipient
from mizheng.cli.disclosing.store import FILE, Register
from mizheng.cli.errors import UsageFault
from mizheng.verifier.disclosure import parse_disclosure
from mizheng.verifier.event import EVENT_PAYLOAD_TYPE
from mizheng.verifier.verify import verify_bundle

from tests.cli.runner import Mizheng
from tests.cli.seals import opened
from tests.support.notary import NotaryServer
from tests.support.world import pack, unpack

COURT, CASE = "示例市中级人民法院", "(2026)示01民初1号"
PUMP = ("--open", "drawings/pump.dwg")


def disclose(mizheng: Mizheng, *more: str, name: str = "court.zip", recipient: str = COURT) -> Any:
    return mizheng("bundle", "drawings.seal", *PUMP, "--for", recipient, "--purpose", CASE, "-o", name, *more)


def listed(mizheng: Mizheng) -> list[dict[str, Any]]:
    """What stands beside drawings.seal, read here: a process costs more than the rest of a test."""
    with opened(mizheng, "drawings.seal") as content:
        register = Register(mizheng.cwd / "drawings.seal", content.manifest_key)
    return [describe(kept, number) for number, kept in enumerate(register.kept, 1)]


def cut_off(mizheng: Mizheng) -> Callable[[], None]:
    """The notary is away, until what comes back is called."""
    config = mizheng.home / "config.toml"
    before = config.read_text()
    lines = before.splitlines()
    away = ['notary = "http://127.0.0.1:9"' if line.startswith("notary =") else line for line in lines]
    config.write_text("\n".join(away))

    def come_back() -> None:
        config.write_text(before)

    return come_back


def entry_status(mizheng: Mizheng, trust: Path, name: str = "court.zip") -> str:
    report = mizheng("verify", name, "--trust", trust, "--json").json
    (check,) = [check for check in report["checks"] if check["code"] == "disclosure.entry"]
    return str(check["status"])


@pytest.fixture
def trust(notary: NotaryServer, tmp_path: Path) -> Path:
    return notary.export_trust(tmp_path / "trust.toml")


def test_a_bundle_for_a_court_is_on_record_and_says_so(final: Mizheng, trust: Path) -> None:
    result = disclose(final, "--with-originals", "--json").ok().json["disclosure"]
    assert (result["recipient"], result["purpose"], result["state"]) == (COURT, CASE, "deposited")
    verdict = final("verify", "court.zip", "--trust", trust)
    assert verdict.code == 0
    assert f"For: {COURT} ({CASE})" in verdict.out
    assert entry_status(final, trust) == "PASS"
    (item,) = final("disclosures", "drawings.seal", "--json").ok().json["disclosures"]
    assert {"seal": "drawings.seal", **listed(final)[0], "access": None} == item
    assert item["leaf_index"] == result["leaf_index"]
    assert item["opened"] == ["environment", "drawings/pump.dwg"]
    assert (item["originals"], item["bundle"], item["number"]) == (1, "court.zip", 1)
    shown = final("disclosures").ok().out
    for text in (COURT, CASE, "drawings/pump.dwg", "on record: leaf index"):
        assert text in shown


def test_the_notary_learns_nothing_but_a_digest(final: Mizheng, notary: NotaryServer) -> None:
    """Neither recipient, purpose nor which deposit or record is anywhere in its data or its output."""
    recipient = "a recipient that nobody else is called"
    disclose(final, recipient=recipient).ok()
    members = unpack((final.cwd / "court.zip").read_bytes())
    disclosure = parse_disclosure(members["disclosure.dsse.json"])
    needles = [recipient.encode(), CASE.encode(), disclosure.nonce, disclosure.nonce.hex().encode()]
    for leaf in disclosure.records:
        needles += [leaf.encode(), bytes.fromhex(leaf)]
    kept = notary.output.encode()
    for path in notary.data_dir.rglob("*"):
        if path.is_file():
            kept += path.read_bytes()
    assert EVENT_PAYLOAD_TYPE.encode() in kept, "the event itself is there"
    assert not [needle for needle in needles if needle in kept]


def test_the_list_opens_with_the_seals_key_alone(final: Mizheng) -> None:
    disclose(final).ok()
    path = final.cwd / "drawings.disclosures"
    assert path.stat().st_mode & 0o777 == 0o600
    assert COURT.encode() not in path.read_bytes()
    assert b"pump" not in path.read_bytes()
    stranger = Mizheng(final.cwd.parent / "nobody", final.cwd)
    refused = stranger("disclosures", "drawings.seal")
    assert refused.code == 77
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert final("disclosures", "drawings.seal").code == 65


def test_without_the_notary_there_is_no_bundle_for_anybody(final: Mizheng, trust: Path) -> None:
    come_back = cut_off(final)
    refused = disclose(final)
    assert refused.code == 69
    assert "could not be put on record" in refused.err
    assert "--offline" in refused.err
    assert not list(final.cwd.glob("*.zip"))
    assert [item["state"] for item in listed(final)] == ["waiting"]
    come_back()
    # The same one is taken up again: one bundle, one disclosure.
    disclose(final).ok()
    assert [(item["state"], item["bundle"]) for item in listed(final)] == [("deposited", "court.zip")]
    assert entry_status(final, trust) == "PASS"


def test_offline_it_says_that_it_is_not_on_record_and_can_be_put_there(final: Mizheng, trust: Path) -> None:
    come_back = cut_off(final)
    result = disclose(final, "--offline").ok()
    assert "not on record yet" in result.out
    assert entry_status(final, trust) == "NOT_PROVIDED"
    (item,) = listed(final)
    assert (item["state"], item["leaf_index"], item["bundle"]) == ("waiting", None, "court.zip")
    assert "1 disclosures are not on record" in final("doctor", "drawings.seal").out
    assert final("disclosures", "--send").code == 69
    come_back()
    later = disclose(final, name="second.zip").ok()
    assert "1 earlier disclosures wait" in later.err
    assert "1 put on record" in final("disclosures", "--send").ok().err
    assert [item["state"] for item in listed(final)] == ["deposited", "deposited"]


def test_a_run_that_died_before_the_bundle_is_taken_up_again(final: Mizheng) -> None:
    """On record, and then the power went: the second run makes the bundle and records nothing twice."""
    disclose(final).ok()
    with opened(final, "drawings.seal") as content:
        register = Register(final.cwd / "drawings.seal", content.manifest_key)
        before = register.change(0, bundle=None)
    (final.cwd / "court.zip").unlink()
    assert "never finished" in final("disclosures").ok().out
    disclose(final).ok()
    (item,) = listed(final)
    assert before.answer is not None
    assert item["leaf_index"] == before.answer["leaf_index"]


def test_an_answer_that_was_lost_is_fetched_again(final: Mizheng) -> None:
    """Die after the notary committed and before its answer was kept: the same bytes are sent again."""
    disclose(final).ok()
    with opened(final, "drawings.seal") as content:
        register = Register(final.cwd / "drawings.seal", content.manifest_key)
        before = register.kept[0]
        register.change(0, answer=None)
    final("disclosures", "--send").ok()
    (item,) = listed(final)
    assert before.answer is not None
    assert item["leaf_index"] == before.answer["leaf_index"]


def test_after_the_key_was_rotated(own_company: Mizheng, notary: NotaryServer, tmp_path: Path) -> None:
    """The old key signs bundle and disclosure, the present one the event; what waited is signed anew."""
    (own_company.cwd / "drawings").mkdir()
    (own_company.cwd / "drawings" / "pump.dwg").write_bytes(b"the pump")
    own_company("notarize", "drawings").ok()
    own_company("status", "drawings.seal", "--wait", "--timeout", "90").ok()
    disclose(own_company, "--offline", name="early.zip").ok()
    with opened(own_company, "drawings.seal") as content:
        manifest_key = content.manifest_key
    own_company("key", "rotate").ok()
    disclose(own_company).ok()
    believed = notary.export_trust(tmp_path / "trust.toml")
    assert entry_status(own_company, believed) == "PASS"
    own_company("disclosures", "--send").ok()
    assert [item["state"] for item in listed(own_company)] == ["deposited", "deposited"]
    register = Register(own_company.cwd / "drawings.seal", manifest_key)
    assert len({kept.disclosure.public_key for kept in register.kept}) == 1


def test_a_leak_is_traced(final: Mizheng) -> None:
    """Two courts got the same records; the leaked copy says which of them, also without its disclosure."""
    disclose(final, name="one.zip").ok()
    disclose(final, name="two.zip", recipient="另一法院").ok()
    for name, recipient, number in (("one.zip", COURT, 1), ("two.zip", "另一法院", 2)):
        told = final("disclosures", "--of", name, "--json").ok().json
        assert (told["recipient"], told["number"], told["seal"]) == (recipient, number, "drawings.seal")
    members = unpack((final.cwd / "two.zip").read_bytes())
    stripped = {name: data for name, data in members.items() if not name.startswith("disclosure.")}
    (final.cwd / "leaked.zip").write_bytes(pack(stripped))
    told = final("disclosures", "--of", "leaked.zip", "--json").ok().json
    assert (told["recipient"], told["number"], told["carries_disclosure"]) == ("另一法院", 2, False)
    assert "另一法院" in final("disclosures", "--of", "leaked.zip").ok().out


def test_what_cannot_be_traced(final: Mizheng) -> None:
    disclose(final).ok()
    members = unpack((final.cwd / "court.zip").read_bytes())
    payload = json.loads(members["bundle.dsse.json"])
    payload["signatures"][0]["sig"] = "A" * 86 + "=="
    forged = {**members, "bundle.dsse.json": json.dumps(payload, separators=(",", ":")).encode()}
    (final.cwd / "forged.zip").write_bytes(pack(forged))
    (final.cwd / "record.json").write_bytes(members["records/0001.json"])
    for name in ("forged.zip", "record.json"):
        refused = final("disclosures", "--of", name)
        assert refused.code == 65
        assert "carries no mark" in refused.err
    assert final("disclosures", "--of", "missing.zip").code == 66
    final("bundle", "drawings.seal", *PUMP, "-o", "open.zip").ok()
    assert "nobody in particular" in final("disclosures", "--of", "open.zip").ok().out


def test_a_purpose_without_anybody_and_texts_that_cannot_stand(final: Mizheng) -> None:
    assert final("bundle", "drawings.seal", *PUMP, "--purpose", "x").code == 64
    assert disclose(final, recipient="a\nb").code == 64
    for text in ("", " ", "a\nb", "\x7f", "x" * 1001):
        for recipient, purpose in ((text, None), (COURT, text)):
            with pytest.raises(UsageFault):
                check_recipient(recipient, purpose)
    check_recipient("x" * 1000, "x" * 1000)
    assert not FILE.path_of(final.cwd / "drawings.seal").exists()
    assert final("disclosures", "--send", "--of", "a.zip").code == 64
    assert "nothing was disclosed" in final("disclosures").ok().out


def test_a_name_that_is_taken_puts_nothing_on_record(final: Mizheng) -> None:
    (final.cwd / "court.zip").touch()
    assert disclose(final).code == 73
    assert listed(final) == []


def test_a_bundle_for_nobody_has_no_disclosure(final: Mizheng) -> None:
    assert final("bundle", "drawings.seal", *PUMP, "--json").ok().json["disclosure"] is None
    with zipfile.ZipFile(final.cwd / "drawings.zip") as archive:
        assert not [name for name in archive.namelist() if name.startswith("disclosure")]
    report = verify_bundle(final.cwd / "drawings.zip", None)
    assert [str(c.status) for c in report.checks if c.code == "disclosure.entry"] == ["NOT_PROVIDED"]
