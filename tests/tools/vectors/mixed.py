"""Two valid bundles put together: what one proves never passes to the other."""

from __future__ import annotations

from collections.abc import Callable

from .case import Bundle, Case, Cases
from .setting import (
    ANCHOR,
    BEACON,
    DOCUMENT,
    ENROLMENT,
    ENROLMENT_PROOF,
    HEAD,
    ORIGINAL,
    RECORD,
    STATEMENT,
    STATUS,
    Setting,
    ordered,
)

_OBSERVATION = "observations/0001.dsse.json"


def cases() -> list[Case]:
    return _mixed()


def taken(which: str, *names: str) -> Callable[[Setting], Bundle]:
    """The base bundle with these members of another one."""
    return lambda s: {**s.base, **{name: s.scene.bundles[which][name] for name in names}}


def _mixed() -> list[Case]:
    """Of `second`, the company's other deposit here, of `other`, another company's, or of `abroad`."""
    found = Cases("mixed", trust="both-notaries")

    def fails(name: str, why: str, code: str | tuple[str, ...], build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, code, build)

    fails(
        "record-of-second",
        "the record of another deposit",
        ("bundle.members", "record.inclusion", "original.match"),
        taken("second", RECORD),
    )
    fails(
        "record-and-list-of-second",
        "record, original and list of another deposit",
        ("bundle.signature", "record.inclusion", "original.match"),
        taken("second", RECORD, ORIGINAL, DOCUMENT),
    )
    fails(
        "statement-of-second",
        "the statement of another deposit",
        (
            "bundle.signature",
            "log.inclusion",
            "record.inclusion",
            "original.match",
            "timestamp.imprint",
            "anchor.checkpoint",
        ),
        taken("second", STATEMENT),
    )
    fails(
        "head-of-second",
        "the proof of another deposit's entry",
        ("log.inclusion", "anchor.checkpoint", "timestamp.imprint"),
        taken("second", HEAD),
    )
    fails(
        "enrolment-of-other",
        "the enrolment of another company",
        "depositor.enrolment",
        taken("other", ENROLMENT, ENROLMENT_PROOF),
    )
    fails(
        "status-of-other", "the key status of another company", "depositor.key-status", taken("other", STATUS)
    )
    fails(
        "anchor-of-abroad",
        "the anchor of another notary's tree of the same size",
        ("anchor.checkpoint",),
        taken("abroad", ANCHOR),
    )
    fails(
        "beacon-of-abroad",
        "another chain's block as the not-before block",
        "beacon.block",
        taken("abroad", BEACON),
    )
    fails(
        "enrolment-of-abroad",
        "the company's enrolment at another notary",
        "depositor.enrolment",
        taken("abroad", ENROLMENT, ENROLMENT_PROOF),
    )
    found.stays_open(
        "status-of-abroad",
        "another notary's word on the same key",
        "depositor.key-status",
        taken("abroad", STATUS),
    )
    fails(
        "statement-and-head-of-second",
        "statement and head of another deposit, the rest this one's",
        ("bundle.signature", "record.inclusion", "original.match"),
        taken("second", STATEMENT, HEAD),
    )
    fails(
        "all-but-the-statement",
        "everything of another deposit but the statement",
        ("bundle.signature", "log.inclusion", "record.inclusion", "original.match", "timestamp.imprint"),
        lambda s: {**s.scene.bundles["second"], STATEMENT: s.base[STATEMENT]},
    )
    fails(
        "second-record-of-other",
        "another company's record beside one's own",
        ("bundle.members", "record.inclusion"),
        lambda s: ordered({**s.base, "records/0002.json": s.scene.bundles["other"][RECORD]}),
    )
    return found.all
