"""By way of the notary's mailbox: left with it encrypted, fetched with a ticket, answered, taken back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.errors import DataFault, UnavailableFault
from mizheng.cli.transfer import sending, store
from mizheng.cli.transfer.mailbox import Mailbox, parse_ticket
from mizheng.cli.transfer.posting import fetch_answers, post, receive_left

from tests.cli.runner import Mizheng
from tests.cli.transfer.forging import session
from tests.cli.transfer.sides import MATTER, PURPOSE, Sides, add_confirmed
from tests.support.notary import NotaryServer

TICKET = "court.ticket"


@pytest.fixture
def left(sides: Sides) -> Any:
    return sides.send("--mailbox", name=TICKET)


def item_folder(notary: NotaryServer, left: Any) -> Path:
    return notary.data_dir / "mailbox" / left["mailbox"]


def test_the_whole_way(sides: Sides, left: Any, notary: NotaryServer) -> None:
    assert (left["state"], left["file"]) == ("sent", None)
    (part,) = item_folder(notary, left).iterdir()
    for text in (MATTER, PURPOSE, "图纸", "court"):
        assert text.encode() not in part.read_bytes()
    # The court has no API key: the ticket lets it in.
    received = sides.receive(TICKET).ok().json
    assert (received["id"], received["verdict"]) == (left["id"], "valid")
    assert not list((sides.court.home / "transfers" / "inbox").iterdir())
    told = sides.sender("transfers", "--fetch", "--json").ok()
    assert "acceptances that came: 1" in told.err
    assert [one["state"] for one in told.json["transfers"]] == ["accepted"]
    again = sides.receive(TICKET, "-o", "again").ok()
    assert "warning" not in again.err


def test_what_the_notary_keeps_of_an_answer_is_closed(sides: Sides, left: Any, notary: NotaryServer) -> None:
    import sqlite3

    sides.receive(TICKET).ok()
    with sqlite3.connect(notary.data_dir / "mizheng.db") as database:
        query = "SELECT acceptance FROM mailbox_items WHERE id = ?"
        ((kept,),) = database.execute(query, (left["mailbox"],))
    assert kept.startswith(b"age-encryption.org/v1\n")
    assert left["id"].encode() not in kept


def test_withdrawn_from_the_mailbox(sides: Sides, left: Any, notary: NotaryServer) -> None:
    sides.sender("transfers", "withdraw", left["id"][:8]).ok()
    assert not item_folder(notary, left).exists()
    refused = sides.receive(TICKET)
    assert refused.code == 77
    assert "by the mailbox, the sender has withdrawn this transfer" in refused.err
    # The word is kept: the same transfer on a medium is refused as well.
    assert list((sides.court.home / "transfers" / "withdrawn").iterdir())


def test_a_ciphertext_that_the_notary_changed(sides: Sides, left: Any, notary: NotaryServer) -> None:
    (part,) = item_folder(notary, left).iterdir()
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)
    refused = sides.receive(TICKET)
    assert refused.code == 65
    assert "is not what the sender left there" in refused.err
    assert not list((sides.court.home / "transfers" / "inbox").iterdir())


def test_a_whole_item_in_anothers_place(sides: Sides, left: Any, notary: NotaryServer) -> None:
    """The notary gives another transfer of the same sender, digest and all: the ticket knows better."""
    other = sides.send("--mailbox", name="other.ticket")
    ticket = json.loads((sides.court.cwd / TICKET).read_bytes())
    theirs = json.loads((sides.court.cwd / "other.ticket").read_bytes())
    ticket |= {"item": other["mailbox"], "token": theirs["token"]}
    text = json.dumps(ticket, separators=(",", ":"), sort_keys=True)
    (sides.court.cwd / TICKET).write_text(text)
    assert sides.receive(TICKET).code == 65


def test_a_ticket_with_another_token(sides: Sides, left: Any) -> None:
    ticket = json.loads((sides.court.cwd / TICKET).read_bytes())
    ticket["token"] = "00" * 32
    (sides.court.cwd / TICKET).write_text(json.dumps(ticket, separators=(",", ":"), sort_keys=True))
    refused = sides.receive(TICKET)
    assert refused.code == 76
    assert "there is no such item for you" in refused.err


def test_a_ticket_is_private_and_a_damaged_one_is_said(sides: Sides, left: Any) -> None:
    path = sides.court.cwd / TICKET
    assert path.stat().st_mode & 0o077 == 0
    ticket = parse_ticket(path.read_bytes())
    assert ticket is not None
    assert ticket.token not in repr(ticket)
    assert parse_ticket(b"age-encryption.org/v1\n") is None
    with pytest.raises(DataFault):
        parse_ticket(path.read_bytes()[:-4])


def test_the_addressee_finds_it_with_his_own_key(sides: Sides, own_company: Mizheng) -> None:
    made = own_company("recipients", "me", "--store", "file", "--json").ok().json
    add_confirmed(sides.sender, "partner", own_company.cwd / "my.card.json", made["fingerprint"])
    left = sides.send("--mailbox", to="partner")
    (waiting,) = own_company("receive", "--json").ok().json["waiting"]
    assert waiting["id"] == left["mailbox"]
    assert own_company("receive", left["mailbox"], "--json").ok().json["id"] == left["id"]
    # Another company of the notary is told what it is told of nothing at all.
    assert sides.sender("receive", left["mailbox"]).code == 76
    assert sides.sender("receive", "0" * 32).code == 76


def break_off(monkeypatch: pytest.MonkeyPatch, method: str, after: int) -> None:
    """The line is cut when a part numbered `after` is to be sent or fetched."""
    ask = Mailbox._ask

    def cut(self: Mailbox, verb: str, path: str, **options: Any) -> Any:
        if verb == method and path.endswith(f"/parts/{after}"):
            raise UnavailableFault("cut")
        return ask(self, verb, path, **options)

    monkeypatch.setattr(Mailbox, "_ask", cut)


def test_what_was_cut_off_goes_on_with_the_next_part(
    sides: Sides, notary: NotaryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sides.sender.cwd / "图纸.dwg").write_bytes(b"the pump" * 700_000)
    monkeypatch.chdir(sides.sender.cwd)
    here = session(sides.sender)
    wanted = sending.Wanted((Path("pump.zip"), Path("图纸.dwg")), "court", MATTER, PURPOSE, 30)
    prepared = sending.prepare(here, wanted, int(time.time()))
    with monkeypatch.context() as patched, pytest.raises(UnavailableFault):
        break_off(patched, "PUT", 1)
        post(here, prepared, lambda _size: None)
    (record,) = store.load_all(here.home, store.SentTransfer)
    assert record.state("2026-11-30T00:00:00Z") == "prepared"
    folder = notary.data_dir / "mailbox" / str(record.mailbox)
    first = (folder / "000000").stat().st_mtime_ns
    ticket_path = sides.court.cwd / TICKET
    resumed = sides.sender("send", "--resume", record.id[:8], "-o", ticket_path, "--json").ok().json
    assert (resumed["state"], (folder / "000000").stat().st_mtime_ns) == ("sent", first)
    assert not list((here.home / "transfers" / "outbox").iterdir())
    # And on the other side.
    ticket = parse_ticket(ticket_path.read_bytes())
    assert ticket is not None
    there = session(sides.court)

    def fetch() -> str:
        received, unsent = receive_left(
            there,
            ticket.item,
            ticket,
            None,
            int(time.time()),
            lambda _size: None,
            folder=sides.court.cwd / "taken",
            accept=True,
        )
        assert unsent is None
        return received.record.id

    with monkeypatch.context() as patched, pytest.raises(UnavailableFault):
        break_off(patched, "GET", 1)
        fetch()
    with monkeypatch.context() as patched:
        break_off(patched, "GET", 0)
        assert fetch() == record.id


def test_an_answer_that_does_not_reach_the_mailbox_is_kept(
    sides: Sides, left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = parse_ticket((sides.court.cwd / TICKET).read_bytes())
    assert ticket is not None

    def away(*_arguments: object) -> None:
        raise UnavailableFault("away")

    monkeypatch.setattr(Mailbox, "answer", away)
    received, unsent = receive_left(
        session(sides.court),
        ticket.item,
        ticket,
        None,
        int(time.time()),
        lambda _size: None,
        folder=sides.court.cwd / "taken",
        accept=True,
    )
    assert isinstance(unsent, UnavailableFault)
    acceptance = received.folder / "acceptance.dsse.json"
    assert sides.sender("transfers", "import", acceptance, "--json").ok().json["state"] == "accepted"


def test_an_answer_that_is_none_keeps_no_other_from_being_fetched(sides: Sides, left: Any) -> None:
    """Whoever got hold of a ticket leaves rubbish, before the recipient answers."""
    ticket = parse_ticket((sides.court.cwd / TICKET).read_bytes())
    assert ticket is not None
    with Mailbox(ticket.notary, None) as mailbox:
        mailbox.answer(ticket.item, ticket.token, b"age-encryption.org/v1\n rubbish")
    second = sides.send("--mailbox", name="second.ticket")
    sides.receive("second.ticket").ok()
    told = sides.sender("transfers", "--fetch", "--json")
    assert told.code == 65
    assert "cannot be opened" in told.err
    states = {one["id"]: one["state"] for one in told.json["transfers"]}
    assert states == {left["id"]: "sent", second["id"]: "accepted"}


def test_a_hand_over_that_came_in_a_run_that_died_is_recorded_by_the_next(sides: Sides) -> None:
    sides.send("--mailbox", "--handover", "drawings.seal", "--where", "立案庭", name=TICKET)
    sides.receive(TICKET).ok()
    came, faults = fetch_answers(session(sides.sender))
    assert (len(came), faults) == (1, [])
    shown = sides.sender("custody", "show", "drawings.seal", "--json").ok().json["custody"]
    assert shown == []
    assert "event 1 of the chain of custody" in sides.sender("transfers", "--fetch").ok().err
    assert "of the chain of custody" not in sides.sender("transfers", "--fetch").ok().err


def test_what_was_withdrawn_before_it_was_all_left_is_not_left(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sides.sender.cwd)
    here = session(sides.sender)
    wanted = sending.Wanted((Path("pump.zip"),), "court", MATTER, PURPOSE, 30)
    with monkeypatch.context() as patched, pytest.raises(UnavailableFault):
        break_off(patched, "PUT", 0)
        post(here, sending.prepare(here, wanted, int(time.time())), lambda _size: None)
    (record,) = store.load_all(here.home, store.SentTransfer)
    sides.sender("transfers", "withdraw", record.id[:8], "-o", "back.json").ok()
    # Run again, as after a notary that was away, it is the same file.
    sides.sender("transfers", "withdraw", record.id[:8], "-o", "back.json").ok()
    refused = sides.sender("send", "--resume", record.id[:8])
    assert refused.code == 77
    assert "was withdrawn" in refused.err
    assert not list((here.home / "transfers" / "outbox").iterdir())
