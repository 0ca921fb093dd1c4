"""Chains of custody with one defect each: broken, forked, unsigned, never recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.members import custody_members

from .case import Bundle, Case, Cases
from .custody import CHAIN, LOG, SIGNATURES, A, B, Play, acts, custody, journey, otherwise, short, without
from .setting import Members, Setting


def cases() -> list[Case]:
    return [*_broken(), *_unsigned(), *_unrecorded()]


def _broken() -> list[Case]:
    found = Cases("custody")

    def fails(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, CHAIN, build)

    fails("first-missing", "the first event is missing", custody(short, without(*custody_members(1))))
    fails(
        "one-between-missing", "the second event is missing", custody(journey, without(*custody_members(2)))
    )
    fails(
        "document-missing",
        "on record, but the event's document is missing",
        custody(short, without(custody_members(1)[0])),
    )
    fails(
        "numbered-from-0",
        "an event numbered 0",
        custody(short, lambda _, members: {"custody/0000.dsse.json": members["custody/0001.dsse.json"]}),
    )
    fails(
        "begins-later",
        "the first event names one before it",
        custody(lambda play: play.add("storage", previous=A)),
    )
    fails("forked", "two events follow one", custody(_fork))
    fails(
        "forked-at-its-start",
        "two events are the first",
        custody(acts(short, lambda play: play.add("storage", "court", previous=None))),
    )
    fails(
        "out-of-order", "the second and the third event have each other's numbers", custody(journey, _swapped)
    )
    fails(
        "time-goes-back",
        "an event that is dated before the one it follows",
        custody(acts(short, lambda play: play.add("storage", "court", at="2026-11-24T00:59:59Z"))),
    )
    fails(
        "of-another-deposit",
        "an event of another deposit's evidence",
        custody(lambda play: play.add("storage", envelope_sha256=A)),
    )
    fails(
        "given-by-another",
        "given by one who had given it away",
        custody(acts(short, lambda play: play.add("handover", to="appraiser"))),
    )
    fails(
        "begun-by-another",
        "given by one who is not the depositor",
        custody(lambda play: play.add("handover", "court", "appraiser")),
    )
    fails(
        "opened-by-another",
        "opened by one who did not have it",
        custody(lambda play: play.add("opening", "court")),
    )
    fails(
        "used-when-destroyed",
        "opened after it was destroyed",
        custody(acts(lambda play: play.add("destruction"), lambda play: play.add("opening"))),
    )
    fails(
        "content-changed-between",
        "content that is another one when it is next looked at",
        custody(acts(short, lambda play: play.add("inspection", "court", before=B, after=B))),
    )
    fails(
        "content-changed-on-the-way",
        "content that a hand-over changed",
        custody(lambda play: otherwise(play, lambda value: value.update(before=A, after=B), "handover")),
    )
    payloads: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
        "of-an-unknown-sort": ("of a sort that there is not", lambda value: value.update(what="sold")),
        "says-too-much": ("a further field", lambda value: value.update(more=1)),
        "says-too-little": ("a missing field", lambda value: value.pop("note")),
        "without-a-place": ("an empty place", lambda value: value.update(where=" ")),
        "two-lines": ("a line break in the reason", lambda value: value.update(why="a\nb")),
        "without-end": ("a reason of 1,001 characters", lambda value: value.update(why="长" * 1001)),
        "digest-that-ends": ("a digest before, and none after", lambda value: value.update(before=A)),
        "short-nonce": ("a nonce of 31 bytes", lambda value: value.update(nonce="00" * 31)),
        "no-instant": ("a time that is none", lambda value: value.update(at="2026-11-24")),
        "seal-number-not-said": (
            "a new seal number that is not said",
            lambda value: value.update(what="seal-number"),
        ),
        "other-not-said": ("another sort, and not which", lambda value: value.update(what="other")),
        "digest-of-nothing": (
            "a digest of what was destroyed",
            lambda value: value.update(what="destruction", before=A, after=A),
        ),
        "taker-of-nothing": (
            "a taker where nothing changes hands",
            lambda value: value.update(to=value["by"]),
        ),
        "handover-to-nobody": ("a hand-over without a taker", lambda value: value.update(what="handover")),
    }
    for name, (why, change) in payloads.items():
        fails(
            name, f"a custody event with {why}", custody(lambda play, change=change: otherwise(play, change))
        )
    fails(
        "to-himself",
        "a hand-over by a key to itself",
        custody(lambda play: otherwise(play, lambda value: value["to"].update(value["by"]), "handover")),
    )
    return found.all


def _unsigned() -> list[Case]:
    found = Cases("custody")

    def fails(name: str, why: str, act: Callable[[Play], None]) -> None:
        found.fails(name, why, SIGNATURES, custody(act))

    def signed(what: str, *signers: str) -> Callable[[Play], None]:
        return lambda play: otherwise(play, lambda _: None, what, signers=signers)

    fails("not-taken", "a hand-over that the taker did not sign", signed("handover", "company"))
    fails(
        "not-given",
        "a hand-over that the taker signed twice, and the giver not at all",
        signed("handover", "court", "court"),
    )
    fails("taken-first", "a hand-over with its signatures exchanged", signed("handover", "court", "company"))
    fails("signed-by-another", "an event that another signed", signed("storage", "court"))
    fails("signed-twice", "two signatures where one is due", signed("storage", "company", "company"))
    return found.all


def _unrecorded() -> list[Case]:
    found = Cases("custody")

    def fails(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, LOG, build)

    fails(
        "event-missing",
        "a proof without the event that is on record",
        custody(short, without(custody_members(2)[1])),
    )
    fails(
        "proof-missing",
        "an event on record without its proof",
        custody(short, without(custody_members(2)[2])),
    )
    fails(
        "recorded-as-another",
        "what is on record is another document",
        custody(
            acts(
                lambda play: play.add("storage"),
                lambda play: play.take(play.draft("copy").sign(play.keys["company"]), named=b"another"),
            )
        ),
    )
    fails(
        "proof-of-another",
        "the proof is that of the event before",
        custody(short, lambda _, members: {**members, custody_members(2)[2]: members[custody_members(1)[2]]}),
    )
    fails("recorded-before-its-deposit", "on record before the deposit", custody(before=True))
    fails("recorded-backwards", "on record in another order than it happened", custody(_recorded_backwards))
    fails(
        "of-another-tree",
        "on record in a tree that the deposit's contradicts",
        custody(short, _of_another_tree),
    )
    return found.all


def _recorded_backwards(play: Play) -> None:
    first = play.chain.add(play.draft("storage"), play.keys["company"])
    second = play.chain.add(play.draft("copy"), play.keys["company"])
    for document in (second, first):
        play.take(document)
    for found in (play.events, play.places):
        found.reverse()  # type: ignore[attr-defined]


def _swapped(_: Play, members: Members) -> Members:
    """The second and the third event with their numbers exchanged."""
    one, two = custody_members(2), custody_members(3)
    names = dict(zip(one + two, two + one, strict=True))
    return {names.get(name, name): data for name, data in members.items()}


def _fork(play: Play) -> None:
    play.add("storage")
    fork = play.draft("inspection")
    play.add("copy")
    play.take(replace(fork, at="2026-11-24T01:05:00Z").sign(play.keys["company"]))


def _of_another_tree(play: Play, members: Members) -> Members:
    """Of the size of the bundle's own head, and of another root."""
    forged = play.log.copy()
    forged.leaves[4] = forged.leaves[play.places[0]]
    return {**members, custody_members(1)[2]: forged.proof(4, 5)}
