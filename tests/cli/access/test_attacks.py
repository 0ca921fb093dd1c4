"""Attacks on lawful use: replayed, widened, out of term, by the wrong people; an access log tampered with."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.access.store import FILE, AccessLog, Line
from mizheng.cli.keys.signing import load_entry, unlock
from mizheng.verifier.access import parse_access
from mizheng.verifier.canonical import dump

from tests.cli.access.people import (
    FOREVER,
    PUMP,
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
from tests.support.lawful import make_approval


@pytest.fixture
def expert(final: Mizheng) -> Mizheng:
    return stranger(final, "expert")


def test_an_approval_for_another_request_or_another_deposit(final: Mizheng, expert: Mizheng) -> None:
    mine = ask(expert, deposit_id(final))
    wider = ask(expert, deposit_id(final), "--with-originals", output="wider.json")
    other = ask(expert, "ab" * 32, output="other.json")
    refused = final("access", "add", "drawings.seal", other)
    assert refused.code == 65
    assert "for another deposit" in refused.err
    approve(final, mine, expert).ok()
    final("access", "add", "drawings.seal", wider).ok()
    assert look(final, request="2").code == 77
    assert look(final, request=str(wider)).code == 77
    assert look(final, request=str(other)).code == 64
    look(final, request=str(mine)).ok()
    # Once in, it is once in.
    final("access", "add", "drawings.seal", mine, mine).ok()
    assert len(final("access", "list", "--json").ok().json["requests"]) == 2


def test_a_request_changed_after_its_approval_is_no_request(final: Mizheng, expert: Mizheng) -> None:
    request = ask(expert, deposit_id(final))
    approve(final, request, expert).ok()
    data = bytearray(request.read_bytes())
    data[40] ^= 1
    request.write_bytes(data)
    assert final("access", "show", request).code == 65
    assert look(final, request=str(request)).code == 65


def test_out_of_the_term(final: Mizheng, expert: Mizheng) -> None:
    request = ask(expert, deposit_id(final))
    past = approve(final, request, expert, "--until", "2020-01-01")
    assert past.code == 64
    beyond = approve(final, request, expert, "--until", "2100-01-01")
    assert beyond.code == 64
    assert "the request itself ends" in beyond.err
    approve(final, request, expert, "--from", "2098-01-01").ok()
    early = look(final)
    assert early.code == 77
    assert "only from 2097-12-31T16:00:00Z" in early.err
    assert final("access", "list", "--json").ok().json["requests"][0]["state"] == "not-yet"


def test_an_expired_approval_opens_nothing(final: Mizheng, expert: Mizheng) -> None:
    """It was allowed a year ago; nobody need withdraw it."""
    request = ask(expert, deposit_id(final))
    approve(final, request, expert, "--from", "2098-01-01").ok()
    told = final("access", "show", "drawings.seal", "1", "--json").ok().json["approvals"][0]
    entry = load_entry(final.home, told["keyid"])
    key = unlock(final.home, entry)
    past = make_approval(
        key,
        parse_access(request.read_bytes()),
        person=told["person"],
        records=tuple(told["records"]),
        originals=(),
        starts_at="2025-01-01T00:00:00Z",
        ends_at="2025-12-31T00:00:00Z",
    )
    (final.cwd / "past.json").write_bytes(past.sign(key))
    final("access", "add", "drawings.seal", "past.json").ok()
    refused = look(final)
    assert refused.code == 77
    assert "ended at 2025-12-31T00:00:00Z" in refused.err
    assert final("access", "list", "--json").ok().json["requests"][0]["state"] == "expired"


def test_the_same_person_twice_and_the_requester_himself(final: Mizheng, expert: Mizheng) -> None:
    final("init", "--approvals", "2").ok()
    assert final("init", "--approvals", "0").code == 64
    request = ask(expert, deposit_id(final))
    first, second = colleague(final, "研发主管"), colleague(final, "法务")
    approve(first, request, expert, "--by", "研发主管", "-o", "one.json").ok()
    final("access", "add", "drawings.seal", request, first.cwd / "one.json").ok()
    # The other one's name with one's own key, and a second key under one's own name.
    approve(first, request, expert, "--by", "法务", "-o", "two.json").ok()
    refused = final("access", "add", "drawings.seal", first.cwd / "two.json")
    assert refused.code == 77
    assert "may not approve here" in refused.err
    twice = final("access", "approvers", "add", "同一人", key_of(first)["public_key"])
    assert twice.code == 64
    own = stranger(final, "second key")
    final("access", "approvers", "add", "研发主管", key_of(own)["public_key"]).ok()
    (own.home / "keys").mkdir(parents=True, exist_ok=True)
    for name in ("seals.pub", "seals.txt"):
        shutil.copy(final.home / "keys" / name, own.home / "keys")
    shutil.copy(final.cwd / "drawings.seal", own.cwd)
    approve(own, request, expert, "--by", "研发主管", "-o", "three.json").ok()
    final("access", "add", "drawings.seal", own.cwd / "three.json").ok()
    assert "1 of 2 approvals" in look(final).err
    # A requester who may approve others' requests.
    final("access", "approvers", "add", "鉴定人甲", key_of(expert)["public_key"]).ok()
    for name in ("seals.pub", "seals.txt"):
        (expert.home / "keys").mkdir(parents=True, exist_ok=True)
        shutil.copy(final.home / "keys" / name, expert.home / "keys")
    shutil.copy(final.cwd / "drawings.seal", expert.cwd)
    himself = approve(expert, request, expert, "--by", "别人", "-o", "own.json")
    assert himself.code == 77
    assert "nobody approves his own request" in himself.err
    approve(second, request, expert, "--by", "法务", "-o", "two.json").ok()
    final("access", "add", "drawings.seal", second.cwd / "two.json").ok()
    look(final).ok()


def test_a_key_that_is_not_the_requesters(final: Mizheng, expert: Mizheng) -> None:
    """Somebody on the way puts his own request in the place of the expert's."""
    thief = stranger(final, "thief")
    request = ask(thief, deposit_id(final))
    refused = final(
        "access", "approve", "drawings.seal", request, *PUMP, "--fingerprint", key_of(expert)["keyid"]
    )
    assert refused.code == 77
    assert "not the fingerprint" in refused.err
    short = final(
        "access", "approve", "drawings.seal", request, *PUMP, "--fingerprint", key_of(thief)["keyid"][:16]
    )
    assert short.code == 77


def test_refused_is_refused(final: Mizheng, expert: Mizheng) -> None:
    request = ask(expert, deposit_id(final))
    approve(final, request, expert).ok()
    final("access", "refuse", "drawings.seal", "1", "--reason", "与本案无关").ok()
    approve(final, request, expert).ok()
    refused = look(final)
    assert refused.code == 77
    assert "was refused by" in refused.err
    assert "与本案无关" in final("access", "show", "drawings.seal", "1").ok().out
    assert final("access", "withdraw", "drawings.seal", "7", "--reason", "x").code == 64


def test_what_is_given_wrong(final: Mizheng, expert: Mizheng) -> None:
    request = ask(expert, deposit_id(final), "--until", FOREVER)
    for more in ((), ("--open", "drawings/", "--like", str(request))):
        assert final("access", "approve", "drawings.seal", request, *more).code == 64
    assert final("access", "approve", "drawings.seal", request, "--like", request).code == 65
    assert approve(final, request, expert, "--with-originals").code == 64
    assert final("bundle", "drawings.seal", "--access", "1", "--for", "x").code == 64
    assert final("access", "show", "drawings.seal").code == 64
    assert final("access", "show", final.cwd / "drawings.seal", "9").code == 64
    assert final("access", "withdraw", "drawings.seal", "1", "--reason", "x").code == 64


@contextmanager
def rewritten(mizheng: Mizheng) -> Iterator[list[Line]]:
    """Let an insider who has the seal's key change the rows, and write them back under that key."""
    with opened(mizheng, "drawings.seal") as content:
        log = AccessLog(
            mizheng.cwd / "drawings.seal", content.manifest_key, deposit_id(mizheng), mizheng.cwd / "nowhere"
        )
        lines = list(log.kept)
        yield lines
        items = [AccessLog.dump_item(line) for line in lines]
        value = dump({"type": AccessLog.TYPE, "items": items})
        FILE.write(log.path, content.manifest_key, value)


def _take_out(lines: list[Line]) -> None:
    del lines[1]


def _swap(lines: list[Line]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


def _take_the_end(lines: list[Line]) -> None:
    del lines[-1]


def _change_document(lines: list[Line]) -> None:
    lines[1] = replace(lines[1], content=lines[2].content)


def _write_anew(lines: list[Line]) -> None:
    """Every row from the second on made again, without the look: each follows the one before."""
    kept = [lines[0]]
    for line in (lines[1],):
        row = replace(line.row, previous=hashlib.sha256(kept[-1].document).hexdigest(), nonce=bytes(32))
        kept.append(replace(line, document=row.dump(), event=None, answer=None))
    lines[:] = kept


def _borrow_an_answer(lines: list[Line]) -> None:
    lines[2] = replace(lines[2], event=lines[1].event, answer=lines[1].answer)


@pytest.mark.parametrize(
    "tamper", [_take_out, _swap, _take_the_end, _change_document, _write_anew, _borrow_an_answer]
)
def test_a_log_tampered_with_shows_nothing_to_anybody(
    looked_at: Mizheng, tamper: Callable[[list[Line]], None]
) -> None:
    """Rows: request, approval, look. Whatever was done, the company's own list and the next look see it."""
    with rewritten(looked_at) as lines:
        assert len(lines) == 3
        tamper(lines)
    for command in (("disclosures",), ("access", "list"), ("bundle", "drawings.seal", "--access", "1")):
        refused = looked_at(*command)
        assert refused.code == 65, command
        assert "access log" in refused.err
    # And where nobody knows how far it had come, as on another machine, the list of disclosures still does.
    shutil.rmtree(looked_at.home / "access")
    for command in (("disclosures",), ("bundle", "drawings.seal", "--access", "1")):
        assert looked_at(*command).code == 65


def test_a_log_that_is_gone(looked_at: Mizheng) -> None:
    (looked_at.cwd / "drawings.access").unlink()
    assert looked_at("disclosures").code == 65
    assert look(looked_at, name="again.zip").code == 65


def test_a_log_of_another_day_put_back(final: Mizheng, expert: Mizheng) -> None:
    """The copy of before the withdrawal: it is whole, and still seen."""
    approve(final, ask(expert, deposit_id(final)), expert).ok()
    before = (final.cwd / "drawings.access").read_bytes()
    final("access", "withdraw", "drawings.seal", "1", "--reason", "已撤诉").ok()
    (final.cwd / "drawings.access").write_bytes(before)
    refused = look(final)
    assert refused.code == 65
    assert "it had 3 rows" in refused.err


def test_a_file_that_is_none(final: Mizheng, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert final("access", "add", "drawings.seal", tmp_path / "x.json").code == 65
    assert final("access", "add", "drawings.seal", tmp_path / "missing.json").code == 66
