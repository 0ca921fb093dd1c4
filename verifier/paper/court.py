"""What a court asks for, line by line, and what this report has of it (docs/spec/11-court-list.md).

A line is answered by checks, by opened records, or by something that a report cannot see; then it says where
that is. What the depositor did not give reads NOT_PROVIDED; what was not looked at, NOT_CHECKED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..checks.others import UNJUDGED_CODES
from ..report import Report, Status
from ..words import N_, Translate


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the list."""

    number: int
    what: str
    """A message id."""
    source: str
    """The rule, as Chinese courts cite it."""
    place: str
    """A message id: where in the pack it stands."""
    codes: tuple[str, ...] = ()
    """Checks that answer it."""
    kinds: tuple[str, ...] = ()
    """Kinds of opened records that answer it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement as this report answers it, in the reader's language."""

    number: int
    what: str
    source: str
    place: str
    states: tuple[str, ...]
    """Each check with its status, each kind of record given or not; empty where a report cannot see it."""


REQUIREMENTS = (
    Requirement(
        1,
        N_("real identity of the depositor"),
        "电子签名法 8",
        N_("certificate; statement; report"),
        ("depositor.enrolment",),
    ),
    Requirement(
        2,
        N_("the operator's authority"),
        "证据规定 93(6)",
        N_("certificate; record authority"),
        (),
        ("authority",),
    ),
    Requirement(
        3,
        N_("reliable signature"),
        "电子签名法 13, 16",
        N_("report"),
        ("envelope.signature", "depositor.key-status", "depositor.x509"),
    ),
    Requirement(4, N_("exhibit list"), "证据规定 19", "exhibits.pdf", ("exhibits.list",)),
    Requirement(
        5, N_("algorithm and value"), "互联网法院规定 11", N_("exhibits.pdf; report"), ("record.inclusion",)
    ),
    Requirement(
        6,
        N_("original or copy"),
        "证据规定 15, 23",
        N_("originals; record carrier"),
        ("original.match",),
        ("carrier",),
    ),
    Requirement(
        7,
        N_("source, way of production, ordinary course"),
        "在线诉讼规则 18；证据规定 93(5)",
        N_("record source; exhibits.pdf; report, conclusion 2"),
        (),
        ("source",),
    ),
    Requirement(
        8,
        N_("corroboration"),
        "在线诉讼规则 18",
        N_("record corroboration; report, conclusion 2"),
        (),
        ("corroboration", "supplement"),
    ),
    Requirement(
        9, N_("clean environment"), "在线诉讼规则 17(3)", N_("record environment"), (), ("environment",)
    ),
    Requirement(
        10,
        N_("software and its digest"),
        "证据规定 93(1)",
        N_("statement; report, software; anchor"),
        ("anchor.storage",),
    ),
    Requirement(
        11,
        N_("ran normally, errors noticed"),
        "证据规定 93(2)(3)",
        N_("mizheng self-test; record unreadable"),
    ),
    Requirement(
        12,
        N_("repeatable extraction"),
        "互联网法院规定 11",
        N_("README.txt; report, commands"),
        ("bundle.structure",),
    ),
    Requirement(13, N_("transmission"), "在线诉讼规则 17(4)", N_("log entry"), ("log.entry",)),
    Requirement(
        14,
        N_("trusted time"),
        "互联网法院规定 11",
        N_("certificate; report, times"),
        ("token.valid", "time.clocks"),
    ),
    Requirement(
        15,
        N_("place on the chain"),
        "在线诉讼规则 16",
        N_("certificate; report; anchors"),
        ("anchor.contract", "anchor.header"),
    ),
    Requirement(
        16,
        N_("finality and inclusion"),
        "在线诉讼规则 16",
        N_("certificate; report; observations"),
        ("anchor.canonical", "anchor.receipt", "anchor.event", "observation.signature"),
    ),
    Requirement(
        17,
        N_("chain of custody"),
        "证据规定 93(4)(6)",
        N_("custody events"),
        ("custody.chain", "custody.signatures", "custody.log", "custody.custodians"),
    ),
    Requirement(18, N_("keeping"), "互联网法院规定 11", N_("the depositor's own seal"), ()),
    Requirement(
        19, N_("platform qualification"), "在线诉讼规则 17(1)(3)", N_("platform facts"), ("platform.facts",)
    ),
    Requirement(
        20,
        N_("neutrality"),
        "在线诉讼规则 17(2)；证据规定 94(2)",
        N_("platform facts; observers; report, challenges"),
        ("platform.facts", "observation.signature", "witness.quorum"),
    ),
    Requirement(
        21,
        N_("appraiser's paper"),
        "证据规定 36",
        N_("report; the opinion is the appraiser's"),
        ("bundle.members", "record.inclusion"),
    ),
    Requirement(22, N_("certificate"), "—", "certificate.pdf", ("certificate.signature",)),
    Requirement(
        23,
        N_("confidentiality"),
        "商业秘密司法解释 21",
        N_("opening record by record; recipient and purpose; disclosure"),
        ("bundle.signature", "disclosure.entry"),
    ),
)


def answer_requirements(report: Report, kinds: frozenset[str], _: Translate) -> tuple[Line, ...]:
    """The list as this report answers it; `kinds` are those of the opened records."""
    return tuple(
        Line(
            requirement.number,
            _(requirement.what),
            requirement.source,
            _(requirement.place),
            tuple(_states(requirement, report, kinds, _)),
        )
        for requirement in REQUIREMENTS
    )


def _states(requirement: Requirement, report: Report, kinds: frozenset[str], _: Translate) -> Iterator[str]:
    for code in requirement.codes:
        found = Counter(check.status for check in report.checks if check.code == code)
        # Every status that there was, none made better or worse by another.
        for status in Status:
            if found[status]:
                yield f"{code} {status}" + (f" ×{found[status]}" if found[status] > 1 else "")
        if not found:
            yield f"{code} {Status.NOT_CHECKED}"
        if code in UNJUDGED_CODES:
            # Nobody is to take for the depositor's omission what was not built.
            yield _(N_("(not checked by this version, given or not)"))
    for kind in requirement.kinds:
        # A record that is opened is given; whether what it says is true no check can tell.
        yield _GIVEN.format(kind=kind) if kind in kinds else f"record {kind}: {Status.NOT_PROVIDED}"


_GIVEN = "record {kind}: given"
