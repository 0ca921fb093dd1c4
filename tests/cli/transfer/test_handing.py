"""A hand-over goes with a transfer: offered by the sender, signed in the acceptance, recorded."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.errors import CommandError, DataFault, PermissionFault
from mizheng.cli.transfer import store
from mizheng.cli.transfer.container import CUSTODY
from mizheng.cli.transfer.documents import parse_acceptance, parse_transfer
from mizheng.cli.transfer.receiving import receive
from mizheng.verifier.custody import Custody, Party, parse_custody, parse_offer
from mizheng.verifier.signature import PrivateKey

from tests.cli.transfer.forging import forged, left_behind, session, signed_anew, signing_key
from tests.cli.transfer.sides import COURT, MATTER, Sides

PLACE = "立案庭"
HANDING = ("--handover", "drawings.seal", "--where", PLACE)


def chain(sides: Sides) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = (
        sides.sender("custody", "show", "drawings.seal", "--json").ok().json["custody"]
    )
    return shown


def acceptance(sides: Sides, sent: Any) -> Path:
    return sides.court.cwd / f"transfer-{sent['id'][:8]}" / "acceptance.dsse.json"


def test_signed_by_both_it_is_on_record(sides: Sides) -> None:
    sent = sides.send(*HANDING)
    sides.receive().ok()
    finished = parse_acceptance(acceptance(sides, sent).read_bytes()).custody
    assert finished is not None
    event = parse_custody(finished)
    bundle = hashlib.sha256((sides.sender.cwd / "pump.zip").read_bytes()).hexdigest()
    assert (event.what, event.where, event.why) == ("copy-handover", PLACE, MATTER)
    assert event.note == f"pump.zip, SHA-256 {bundle}"
    assert chain(sides) == []
    told = sides.sender("transfers", "import", acceptance(sides, sent), "--json").ok()
    assert told.json["handed_over"] is True
    assert "event 1 of the chain of custody" in told.err
    (line,) = chain(sides)
    assert (line["what"], line["leaf_index"] is not None) == ("copy-handover", True)
    # Imported again, it is not recorded again.
    sides.sender("transfers", "import", acceptance(sides, sent)).ok()
    assert len(chain(sides)) == 1


def test_through_the_mailbox_too(sides: Sides) -> None:
    sides.send("--mailbox", *HANDING, "--gives-all", name="court.ticket")
    shown = sides.court("receive", "court.ticket", "--trust", sides.trust).ok().out
    assert f"hand-over offered: hand-over, at {PLACE}" in shown
    assert "the hand-over is signed in the acceptance" in shown
    sides.sender("transfers", "--fetch").ok()
    assert [line["what"] for line in chain(sides)] == ["handover"]


def test_accepted_without_taking_over(sides: Sides) -> None:
    sent = sides.send(*HANDING)
    assert sides.receive("court.age", "--no-handover").ok().json["handed_over"] is False
    sides.sender("transfers", "import", acceptance(sides, sent)).ok()
    assert chain(sides) == []


def test_a_hand_over_needs_a_place(sides: Sides) -> None:
    for options in (("--handover", "drawings.seal"), ("--where", PLACE), ("--gives-all",)):
        assert sides.sender(*sides.sending(), *options).code == 64


def offer(sides: Sides, found: dict[str, bytes], to: PrivateKey | None = None, **changes: Any) -> None:
    """Another offer in the container, signed by the giver and named by the transfer."""
    event = parse_offer(found[CUSTODY])
    assert event.to is not None
    party = replace(event.to, public_key=to.public) if to else event.to
    made = replace(event, to=party, **changes).sign(signing_key(sides.sender))
    found[CUSTODY] = made
    signed_anew(sides, found, custody_sha256=hashlib.sha256(made).hexdigest())


def refused(sides: Sides, path: Path, fault: type[CommandError], text: str) -> None:
    with pytest.raises(fault, match=text):
        receive(session(sides.court), path, None, int(time.time()), folder=sides.court.cwd / "taken")
    assert left_behind(sides) == []
    assert not store.load_all(sides.court.home, store.ReceivedTransfer)


def test_an_offer_to_another_taker(sides: Sides) -> None:
    sides.send(*HANDING)
    path = forged(sides, lambda found: offer(sides, found, PrivateKey.generate()))
    refused(sides, path, PermissionFault, "to a key that is not on this machine")


@pytest.mark.parametrize(
    "changes", [{"note": "another.zip"}, {"envelope_sha256": "ab" * 32}, {"why": "和解"}]
)
def test_an_offer_of_something_else(sides: Sides, changes: dict[str, str]) -> None:
    sides.send(*HANDING)
    refused(
        sides, forged(sides, lambda found: offer(sides, found, **changes)), DataFault, "of something else"
    )


@pytest.mark.parametrize("changes", [{"seal_number": "FT-1"}, {"before": "ab" * 32, "after": "ab" * 32}])
def test_an_offer_that_says_more_than_was_sent(sides: Sides, changes: dict[str, str]) -> None:
    """The taker would sign for a seal, or for content, that he never saw."""
    sides.send(*HANDING)
    path = forged(sides, lambda found: offer(sides, found, **changes))
    refused(sides, path, DataFault, "says more than what was sent")


def test_an_offer_that_the_giver_did_not_sign(sides: Sides) -> None:
    sides.send(*HANDING)

    def change(found: dict[str, bytes]) -> None:
        event = parse_offer(found[CUSTODY])
        stranger = PrivateKey.generate()
        made = replace(event, by=replace(event.by, public_key=stranger.public)).sign(stranger)
        found[CUSTODY] = made.replace(
            stranger.public.keyid.encode(), signing_key(sides.sender).public.keyid.encode()
        )
        signed_anew(sides, found, custody_sha256=hashlib.sha256(found[CUSTODY]).hexdigest())

    refused(sides, forged(sides, change), DataFault, "does not hold")


def test_another_hand_over_in_the_acceptance_is_not_recorded(sides: Sides) -> None:
    """The taker signs one that nobody offered, in his own favour."""
    sent = sides.send(*HANDING)
    sides.receive().ok()
    path = acceptance(sides, sent)
    accepted = parse_acceptance(path.read_bytes())
    key = signing_key(sides.court)
    own = Custody(
        envelope_sha256=parse_transfer((path.parent / "transfer.dsse.json").read_bytes()).envelope_sha256,
        previous=None,
        what="storage",
        by=Party(COURT, None, None, key.public),
        to=None,
        at="2026-11-30T00:00:00Z",
        where=PLACE,
        why=MATTER,
        note=None,
        before=None,
        after=None,
        seal_number=None,
        nonce=secrets.token_bytes(32),
    )
    path.write_bytes(replace(accepted, custody=own.sign(key)).sign(key))
    answer = sides.sender("transfers", "import", path)
    assert answer.code == 65
    assert "a hand-over that was not offered" in answer.err
    assert chain(sides) == []
