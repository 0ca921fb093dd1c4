"""What the other side will ask, and what this very report has for and against it.

Nothing is weighed here. `speaks_for` are checks that passed, `speaks_against` those that failed, `is_open`
what was not looked at or not given, and what no check can show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..codes import CODES
from ..report import Check, Report, Status
from ..text import format_time
from ..words import N_, Translate


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question with its evidence, in the reader's language."""

    question: str
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]
    is_open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    codes: tuple[str, ...]
    """What answers it, in the order of weight."""
    limits: tuple[str, ...]
    """Message ids: what stays open whatever the checks say."""


_QUESTIONS = (
    _Question(
        N_("Was it backdated?"),
        (
            *("anchor.canonical", "token.valid", "observation.signature", "anchor.seals", "foreign.observed"),
            *("time.order", "time.clocks", "beacon.canonical", "log.inclusion", "renewal.chain"),
        ),
        (
            N_("The claimed time is the depositor's own clock and proves nothing."),
            N_("Nothing dates the content earlier than the latest time shown; how old it was then is open."),
        ),
    ),
    _Question(
        N_("Does the evidence come from another contract, log or chain?"),
        ("anchor.contract", "anchor.event", "anchor.storage", "anchor.checkpoint", "checkpoint.signature"),
        (
            N_(
                "What is held against is the trust file: whether it names the right contract is known only "
                "from whoever issued it."
            ),
        ),
    ),
    _Question(
        N_("Was the contract's code replaced or upgraded?"),
        ("anchor.storage", "anchor.contract", "online.root"),
        (
            N_(
                "The code hash is that of the block proven. That this code can be neither upgraded nor "
                "stopped has to be read from its published source, which this check does not do."
            ),
        ),
    ),
    _Question(
        N_("Is the entry a duplicate, or one of several for the same thing?"),
        ("log.entry", "log.inclusion", "record.inclusion", "envelope.signature"),
        (
            N_(
                "The proof binds one place in the log; entering the same statement again makes it no earlier."
            ),
            N_(
                "A depositor may seal many versions and open one: that no other record or deposit "
                "contradicts this one is not proven."
            ),
        ),
    ),
    _Question(
        N_("Has the platform an interest, or could it have interfered?"),
        (
            *(
                "observation.signature",
                "witness.quorum",
                "token.valid",
                "anchor.storage",
                "envelope.signature",
            ),
            *("depositor.enrolment", "platform.facts", "online.root"),
        ),
        (
            N_("The notary orders entries and can refuse or delay one; it cannot sign for the depositor."),
            N_("Who owns and runs the platform, and what it lives on, is outside these checks."),
        ),
    ),
)


def answer_challenges(report: Report, _: Translate) -> tuple[Challenge, ...]:
    """The questions, answered from this report."""
    return tuple(_answer(question, report, _) for question in _QUESTIONS)


def _answer(question: _Question, report: Report, _: Translate) -> Challenge:
    found = [check for code in question.codes for check in report.checks if check.code == code]
    trial = (_("The chain is one for trying: no time of it is evidence."),) if report.is_trial else ()
    return Challenge(
        _(question.text),
        (*_group(found, Status.PASS, _), *(_times(report, _) if question is _QUESTIONS[0] else ())),
        tuple(_group(found, Status.FAIL, _)),
        (
            *trial,
            *_group(found, Status.NOT_CHECKED, _),
            *_group(found, Status.NOT_PROVIDED, _),
            *map(_, question.limits),
        ),
    )


def _group(checks: list[Check], status: Status, _: Translate) -> Iterator[str]:
    """One line for each code; of many subjects the first is told, and how many there are."""
    seen: dict[str, list[Check]] = {}
    for check in checks:
        if check.status is status:
            seen.setdefault(check.code, []).append(check)
    for code, group in seen.items():
        first = group[0]
        detail = _(first.message).format(**first.values) if first.message else ""
        more = _("and {count} more").format(count=len(group) - 1) if len(group) > 1 else ""
        about = _("{what}, {more}").format(what=detail, more=more) if detail and more else detail or more
        title = _("{what} ({of})").format(what=_(CODES[code]), of=code)
        if status is Status.NOT_PROVIDED:
            title = _("not provided: {what}").format(what=title)
        elif status is Status.NOT_CHECKED:
            title = _("not checked: {what}").format(what=title)
        yield _("{what}: {detail}").format(what=title, detail=about) if about else title


def _times(report: Report, _: Translate) -> Iterator[str]:
    for message, time in (
        (N_("existed not after {time}, {by}"), report.latest),
        (N_("the statement was signed not before {time}, {by}"), report.earliest),
    ):
        if time is not None:
            yield _(message).format(time=format_time(time.at), by=_(time.by).format(**time.values))
