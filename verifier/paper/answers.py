"""What a report has of each line of the court's list.

A line is answered by checks, by opened records, by custody events or by the self-test. What was not given
reads NOT_PROVIDED; what was not looked at, or could not be, NOT_CHECKED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..report import Report, Status
from ..words import N_, Translate
from .court import REQUIREMENTS, Requirement


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came of the published vectors on the examiner's machine."""

    count: int
    passed: int
    vectors_sha256: str
    """Hex, of the file with the vectors."""


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement as this report answers it, in the reader's language."""

    number: int
    what: str
    source: str
    place: str
    states: tuple[str, ...]
    """Each check with its status, each kind of record or event given or not."""


# Checks that come with others: where the first word is that nothing was given, they have nothing to be about.
_LED_BY = {
    **dict.fromkeys(("custody.signatures", "custody.log", "custody.custodians"), "custody.chain"),
    **dict.fromkeys(
        ("anchor.contract", "anchor.header", "anchor.receipt", "anchor.event", "anchor.storage"),
        "anchor.canonical",
    ),
}


def answer_requirements(
    report: Report, kinds: frozenset[str], _: Translate, self_test: SelfTest | None = None
) -> tuple[Line, ...]:
    """The list as this report answers it; `kinds` are those of the opened records."""
    found: dict[str, Counter[Status]] = {}
    for check in report.checks:
        found.setdefault(check.code, Counter())[check.status] += 1
    stated: dict[str, str] = {}
    for check in report.checks:
        if check.code == "platform.facts" and check.status is Status.PASS:
            # What still counts outweighs what has run out about the same.
            stated |= dict.fromkeys(str(check.values["ended"]).split(", "), _RUN_OUT)
            stated |= dict.fromkeys(str(check.values["about"]).split(", "), _GIVEN)
    events = frozenset(event.what for event in report.custody)
    answers = _Answers(found, kinds, events, stated, self_test, _)
    return tuple(
        Line(
            requirement.number,
            _(requirement.what),
            requirement.source,
            _(requirement.place),
            tuple(answers.to(requirement)),
        )
        for requirement in REQUIREMENTS
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    found: Mapping[str, Counter[Status]]
    """Code to how often it ended how."""
    kinds: frozenset[str]
    events: frozenset[str]
    facts: Mapping[str, str]
    """What the platform states of itself, and how that stands: a message id."""
    self_test: SelfTest | None
    translate: Translate

    def to(self, requirement: Requirement) -> Iterator[str]:
        _ = self.translate
        for code in requirement.codes:
            yield from self._of_code(code)
        for kind in requirement.kinds:
            # A record that is opened is given; whether what it says is true no check can tell.
            state = _(_GIVEN) if kind in self.kinds else self._without("record.inclusion", "record.content")
            yield _(N_("record {kind}: {state}")).format(kind=kind, state=state)
        for what in requirement.events:
            state = _(_GIVEN) if what in self.events else self._without("custody.chain")
            yield _(N_("custody event {what}: {state}")).format(what=what, state=state)
        for about in requirement.facts:
            state = _(self.facts[about]) if about in self.facts else self._without("platform.facts")
            yield _(N_("platform fact {about}: {state}")).format(about=about, state=state)
        if requirement.is_self_tested:
            yield _(N_("self-test: {state}")).format(state=_self_test_state(self.self_test))

    def _of_code(self, code: str) -> Iterator[str]:
        counts = self.found.get(code)
        if counts is None:
            leader = self.found.get(_LED_BY.get(code, ""), Counter())
            is_given = set(leader) != {Status.NOT_PROVIDED}
            yield f"{code} {Status.NOT_CHECKED if is_given else Status.NOT_PROVIDED}"
            return
        # Every status that there was, none made better or worse by another.
        for status in Status:
            if counts[status]:
                yield f"{code} {status}" + (f" ×{counts[status]}" if counts[status] > 1 else "")

    def _without(self, first: str, *more: str) -> Status:
        """What is not there was not given only if all that could hold it was read, by these checks."""
        counts = sum((self.found.get(code, Counter()) for code in more), self.found.get(first, Counter()))
        is_read = counts and not counts[Status.FAIL] and not counts[Status.NOT_CHECKED]
        return Status.NOT_PROVIDED if is_read else Status.NOT_CHECKED


def _self_test_state(result: SelfTest | None) -> str:
    if result is None:
        return str(Status.NOT_CHECKED)
    status = Status.PASS if result.passed == result.count > 0 else Status.FAIL
    return f"{status} {result.passed}/{result.count}"


_GIVEN = N_("given")
_RUN_OUT = N_("given, but it has run out")
