"""What checking a bundle gave: checks, times, conclusions, and one verdict (formats §10).

A check is PASS, FAIL, NOT_CHECKED (could be, was not: why) or NOT_PROVIDED. Only PASS ever counts
for a verdict. The two conclusions are never merged: unchanged since it was anchored is one thing,
what supports the time before is another, and is left to the court.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from .canonical import format_instant
from .codes import CODES, NEEDED, NEEDED_ONE_OF
from .errors import MizhengError, NotBelievedError, VersionError
from .words import N_

T = TypeVar("T")


class Status(StrEnum):
    """How one check ended."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    NOT_CHECKED = "NOT_CHECKED"
    NOT_PROVIDED = "NOT_PROVIDED"


class Verdict(StrEnum):
    """How the whole ended."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"

    @property
    def exit_code(self) -> int:
        return {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.UNDETERMINED: 2}[self]


@dataclass(frozen=True, slots=True)
class Check:
    """One check's result. `message` is a message id; `values` fill it and are the values compared."""

    code: str
    status: Status
    subject: str
    """The member or file it is about; empty for the whole bundle."""
    message: str
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        values = {
            key: value if isinstance(value, (int, bool, type(None))) else str(value)
            for key, value in self.values.items()
        }
        return {
            "code": self.code,
            "status": str(self.status),
            "subject": self.subject,
            "message": self.message.format(**self.values),
            "values": values,
        }


@dataclass(frozen=True, slots=True)
class ProvenTime:
    """An instant and what proves it."""

    at: int
    """Seconds since 1970."""
    by: str
    """A message id."""
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"at": format_instant(self.at), "by": self.by.format(**self.values)}


@dataclass(frozen=True, slots=True)
class Support:
    """Something that speaks for the time before anchoring: given, or not. The court weighs it."""

    what: str
    """A message id."""
    is_given: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PartyLine:
    """Somebody who takes part in a custody event."""

    name: str
    organisation: str | None
    role: str | None
    keyid: str
    known_as: str | None
    """Whose key it is by those whom the trust file names; None where none of them says so."""


@dataclass(slots=True)
class CustodyLine:
    """One event of the evidence's custody, as its signers tell it; None where they do not."""

    number: int
    what: str
    by: PartyLine
    to: PartyLine | None
    at: str
    where: str
    why: str
    note: str | None
    before: str | None
    """Hex SHA-256 of what it is about, as `after`."""
    after: str | None
    seal_number: str | None
    sha256: str
    """Of the event's own document, hex."""
    leaf_index: int | None = None
    """Its place in the log; None where it is not shown to have one."""
    holds: bool = False
    """Nothing was found wrong with it or any before it. What was not checked, the checks say."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result. `facts` are values for people, by stable key."""

    checks: tuple[Check, ...]
    verdict: Verdict
    missing: tuple[str, ...]
    """Codes that had to pass for `valid` and did not."""
    is_trial: bool
    """True when a chain for trying was used: no time of it is evidence."""
    earliest: ProvenTime | None
    """The statement was signed no earlier."""
    latest: ProvenTime | None
    """What is opened existed no later."""
    is_unchanged_since_anchored: bool
    """Conclusion 1; only ever from a canonical anchor and with nothing failed."""
    supports: tuple[Support, ...]
    """Conclusion 2."""
    facts: Mapping[str, Any]
    clocks: tuple[ProvenTime, ...] = ()
    """Every time that tokens and blocks prove, the first one first; `latest` is the first of them."""
    custody: tuple[CustodyLine, ...] = ()
    """Who had the evidence since it was deposited, up to the first event that does not hold."""

    @property
    def standing(self) -> str:
        """On what the depositor's name rests: a message id."""
        if self.facts["depositor_is_enrolled"]:
            return N_("enrolled")
        return N_("certified") if self.is_certified else N_("claimed")

    @property
    def is_certified(self) -> bool:
        """By a certificate alone: it names the company, and says nothing of its number."""
        is_named = any(
            check.code == "depositor.x509" and check.status is Status.PASS for check in self.checks
        )
        return is_named and not self.facts["depositor_is_enrolled"]

    def to_json(self) -> dict[str, Any]:
        """A value for json.dumps; its keys are stable."""
        return {
            "type": "mizheng/report/v1",
            "trial": self.is_trial,
            "verdict": str(self.verdict),
            "missing": list(self.missing),
            "earliest": self.earliest and self.earliest.to_json(),
            "latest": self.latest and self.latest.to_json(),
            "clocks": [clock.to_json() for clock in self.clocks],
            "conclusions": {
                "unchanged_since_anchored": self.is_unchanged_since_anchored,
                "before_anchoring": [
                    {"what": item.what, "given": item.is_given, "detail": item.detail}
                    for item in self.supports
                ],
            },
            "facts": dict(self.facts),
            "custody": [asdict(line) for line in self.custody],
            "checks": [check.to_json() for check in self.checks],
        }


@dataclass(slots=True)
class Findings:
    """Collects checks while verifying."""

    checks: list[Check] = field(default_factory=list)
    has_later_version: bool = False

    def add(self, code: str, status: Status, subject: str = "", message: str = "", **values: Any) -> None:
        self._append(Check(code, status, subject, message, values))

    def _append(self, check: Check) -> None:
        if check.code not in CODES:
            raise ValueError(f"check code {check.code} is not in the list")
        self.checks.append(check)

    def passed(self, code: str, subject: str = "", message: str = "", **values: Any) -> None:
        self.add(code, Status.PASS, subject, message, **values)

    def failed(self, code: str, subject: str, error: MizhengError) -> None:
        """What was not understood, or comes from somebody nobody trusts, is no failure; anything else is."""
        self.has_later_version |= isinstance(error, VersionError)
        is_open = isinstance(error, (VersionError, NotBelievedError))
        status = Status.NOT_CHECKED if is_open else Status.FAIL
        # Not through `add`: a value of the error may be called `code` or `subject`, too.
        self._append(Check(code, status, subject, error.message, error.values))

    def not_checked(self, code: str, subject: str = "", message: str = "", **values: Any) -> None:
        self.add(code, Status.NOT_CHECKED, subject, message, **values)

    def not_provided(self, code: str, subject: str = "", message: str = "", **values: Any) -> None:
        self.add(code, Status.NOT_PROVIDED, subject, message, **values)

    def attempt(self, code: str, subject: str, action: Callable[[], T]) -> T | None:
        """The action's value, or None and a finding when it raises."""
        try:
            return action()
        except MizhengError as error:
            self.failed(code, subject, error)
            return None

    def has_passed(self, code: str) -> bool:
        return any(check.code == code and check.status is Status.PASS for check in self.checks)


def compute_verdict(findings: Findings, require: Sequence[str]) -> tuple[Verdict, tuple[str, ...]]:
    """formats §10: invalid iff any check fails; valid iff all that is needed passes; else undetermined."""
    missing = [code for code in (*NEEDED, *require) if not findings.has_passed(code)]
    if not any(findings.has_passed(code) for code in NEEDED_ONE_OF):
        missing.extend(NEEDED_ONE_OF)
    if any(check.status is Status.FAIL for check in findings.checks):
        return Verdict.INVALID, tuple(missing)
    # A member of a later version was not looked at: what it would have said is not known.
    if missing or findings.has_later_version:
        return Verdict.UNDETERMINED, tuple(missing)
    return Verdict.VALID, ()
