"""What a court asks for, line by line, and where it stands in the pack (docs/spec/11-court-list.md)."""

from __future__ import annotations

from dataclasses import dataclass

from ..platform_facts import NEUTRALITY, QUALIFICATIONS
from ..words import N_


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
    events: tuple[str, ...] = ()
    """Sorts of custody events that answer it."""
    facts: tuple[str, ...] = ()
    """What the platform may state of itself that answers it."""
    is_self_tested: bool = False
    """The self-test of the software that wrote the report answers it, too."""


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
        N_("report, self-test; record unreadable"),
        (),
        ("unreadable",),
        is_self_tested=True,
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
    Requirement(
        18,
        N_("keeping"),
        "互联网法院规定 11",
        N_("custody events; the depositor's own seal and keeping record"),
        events=("storage", "inspection"),
    ),
    Requirement(
        19,
        N_("platform qualification"),
        "在线诉讼规则 17(1)(3)",
        N_("platform facts"),
        ("platform.facts",),
        facts=QUALIFICATIONS,
    ),
    Requirement(
        20,
        N_("neutrality"),
        "在线诉讼规则 17(2)；证据规定 94(2)",
        N_("platform facts; observers; report, challenges"),
        ("platform.facts", "observation.signature", "witness.quorum"),
        facts=NEUTRALITY,
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
