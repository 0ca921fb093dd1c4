"""The report 技术核验报告: how a bundle was checked, with what, and how to do it again.

Title and conclusions are technical: 司法鉴定意见书 and 公证书 are for licensed bodies. Commission, examiner
and opinion are blank fields; nothing here fills them in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..codes import CODES
from ..report import Check, ProvenTime, Report, Status
from ..text import conclude, not_proven, status_word, verdict_line
from ..words import N_, Translate
from .answers import SelfTest, answer_requirements
from .challenges import answer_challenges
from .clock import both_times
from .comparison import Comparison, comparison_data
from .custody import custody_data
from .labels import LABELS
from .names import breakable, visible
from .repeat import PREPARATION, repeat_command
from .typesetting import typeset

# Subjects of one code that are told beside its title; the rest stand in the annex.
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Material:
    """A file that was handed in, with its digests before and after the check."""

    role: str
    """A message id: what it is."""
    name: str
    size: int
    sha256: str
    sm3: str
    is_unchanged: bool
    """Whether the digests were the same once the check was done."""


MATERIAL_BUNDLE = N_("bundle")
MATERIAL_TRUST = N_("trust file")
MATERIAL_ORIGINAL = N_("original at hand")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was checked, with what, when, and what came of it."""

    report: Report
    materials: Sequence[Material]
    software: str
    """Name and version."""
    software_digest: str
    """Hex SHA-256 of the installed code, as a statement's `software.digest`."""
    environment: Sequence[tuple[str, str]]
    """What (a message id) and how it was found: system, interpreter, libraries, clock."""
    command: str
    """The command line, as it was given."""
    examined_at: int
    """The examiner's clock, seconds since 1970; also the PDF's date."""
    comparison: Comparison | None = None
    """With the other side's files; without one the report has no section on it."""
    self_test: SelfTest | None = None
    """Of the published vectors, just before; None: not done, and the report says so."""


def make_report(examination: Examination, _: Translate, language: str) -> bytes:
    """The PDF in the translator's language; PaperError when the extra `pdf` is not installed."""
    return typeset("report", _data(examination, _, language), examination.examined_at)


def _data(examination: Examination, _: Translate, language: str) -> dict[str, Any]:
    report = examination.report
    return {
        "language": "zh" if language.startswith("zh") else "en",
        "label": {key: _(text) for key, text in LABELS.items()},
        "trial": report.is_trial,
        "verdict": str(report.verdict),
        "verdict_line": visible(verdict_line(report, _)),
        "missing": list(report.missing),
        "examined_at": both_times(examination.examined_at),
        "materials": [
            {
                "role": _(material.role),
                "name": breakable(material.name),
                "size": f"{material.size:,}",
                "sha256": material.sha256,
                "sm3": material.sm3,
                "unchanged": material.is_unchanged,
            }
            for material in examination.materials
        ],
        "opened": _opened(report, _),
        "software": visible(examination.software),
        "software_digest": examination.software_digest,
        "environment": [[_(what), breakable(how)] for what, how in examination.environment],
        "command": breakable(examination.command),
        "self_test": _self_test(examination.self_test, _),
        "facts": _facts(report, _),
        "times": _times(report, _),
        "custody": custody_data(report, _),
        "checks": _checks(report, _),
        "conclusion": conclude(report, _),
        "is_shown": report.is_unchanged_since_anchored,
        "supports": [
            [
                _("{what}: {detail}").format(what=_(item.what), detail=visible(item.detail))
                if item.is_given
                else _("{what}: not provided").format(what=_(item.what)),
                item.is_given,
            ]
            for item in report.supports
        ],
        "not_proven": not_proven(report, _),
        "challenges": [
            {
                "question": item.question,
                "for": [breakable(line) for line in item.speaks_for],
                "against": [breakable(line) for line in item.speaks_against],
                "open": [breakable(line) for line in item.is_open],
            }
            for item in answer_challenges(report, _)
        ],
        "court": [
            {
                "number": line.number,
                "what": line.what,
                "source": line.source,
                "place": line.place,
                "states": [visible(state) for state in line.states],
            }
            for line in answer_requirements(report, _kinds(report), _, examination.self_test)
        ],
        "raw": [_raw(check, _) for check in report.checks],
        "preparation": PREPARATION,
        "comparison": comparison_data(examination.comparison, report, _),
    }


def _self_test(result: SelfTest | None, _: Translate) -> str:
    if result is None:
        return _("not carried out with this report")
    text = _("{passed} of {count} published vectors got the published answer; the vectors' SHA-256: {sha256}")
    return text.format(passed=result.passed, count=result.count, sha256=result.vectors_sha256)


def _kinds(report: Report) -> frozenset[str]:
    return frozenset(
        str(check.values["kind"])
        for check in report.checks
        if check.code == "record.content" and check.status is Status.PASS
    )


def _opened(report: Report, _: Translate) -> list[dict[str, str]]:
    """Each opened record: member, name, and how its inclusion and its file were found."""
    states: dict[tuple[str, str], Status] = {
        (check.code, check.subject): check.status for check in report.checks
    }
    # A file that lay beside the bundle is the subject, by its own name; the record is among the values.
    beside = {
        str(check.values["record"]): check.status
        for check in report.checks
        if check.code == "original.match" and "record" in check.values
    }
    lines = []
    for check in report.checks:
        if check.code != "record.content":
            continue
        included = states.get(("record.inclusion", check.subject), Status.NOT_CHECKED)
        original = states.get(("original.match", check.subject.replace("records/", "originals/")[:-5]))
        if original is None and check.values.get("kind") == "file":
            original = beside.get(str(check.values.get("record")))
        lines.append(
            {
                "member": check.subject,
                "name": breakable(check.values.get("record", "")),
                "kind": visible(check.values.get("kind", "")),
                "inclusion": _(status_word(included)),
                "original": "" if original is None else _(status_word(original)),
            }
        )
    return lines


def _facts(report: Report, _: Translate) -> list[list[str]]:
    facts = report.facts
    if "depositor" not in facts:
        return []
    how = _(report.standing)
    none = _("none")
    return [
        [_("depositor"), breakable(_("{what} ({of})").format(what=facts["depositor"], of=how))],
        [_("identifier"), breakable(facts["depositor_id"])],
        [_("operator"), breakable(facts["operator"] or none)],
        [_("claimed time, by the depositor alone"), visible(facts["claimed_at"])],
        [_("statement"), f"SHA-256 {facts['envelope_sha256']}"],
        [_("commitment"), facts["commitment"]],
        [_("place in the log"), f"{facts['leaf_index']} / {facts['tree_size']}"],
        [_("sealed with"), breakable(facts["software"])],
        [_("trust file"), f"SHA-256 {facts['trust_sha256']}" if facts["trust_sha256"] else none],
    ]


def _times(report: Report, _: Translate) -> list[dict[str, Any]]:
    def line(name: str, time: ProvenTime | None) -> dict[str, Any]:
        if time is None:
            return {"name": name, "at": None, "by": _("nothing proves it")}
        by = _(time.by).format(**{key: visible(value) for key, value in time.values.items()})
        return {"name": name, "at": both_times(time.at), "by": by}

    return [
        line(_("the statement was signed not before"), report.earliest),
        line(_("what is opened existed not after"), report.latest),
        *(line(_("also dated"), clock) for clock in report.clocks[1:]),
    ]


def _checks(report: Report, _: Translate) -> list[dict[str, Any]]:
    """The checks of each code, in the order of the list."""
    groups: dict[str, list[Check]] = {}
    for check in report.checks:
        groups.setdefault(check.code, []).append(check)
    order = [code for code in CODES if code in groups]
    return [_group(code, groups[code], report, _) for code in order]


def _group(code: str, checks: list[Check], report: Report, _: Translate) -> dict[str, Any]:
    counts = [
        f"{_(status_word(status))}{f' ×{count}' if count > 1 else ''}"
        for status in Status
        if (count := sum(check.status is status for check in checks))
    ]
    worst = next(
        status
        for status in (Status.FAIL, Status.NOT_CHECKED, Status.NOT_PROVIDED, Status.PASS)
        if any(check.status is status for check in checks)
    )
    # Those that did not pass are never among the ones left to the annex.
    shown = sorted(checks, key=lambda check: check.status is Status.PASS)[:_SHOWN]
    has_command = [check for check in checks if check.status is not Status.NOT_PROVIDED]
    return {
        "code": code,
        "title": _(CODES[code]),
        "status": str(worst),
        "counts": ", ".join(counts),
        "lines": [_line(check, _) for check in shown],
        "more": len(checks) - len(shown),
        "command": breakable_lines(repeat_command(has_command[0], report.checks) if has_command else ""),
    }


def _line(check: Check, _: Translate) -> dict[str, Any]:
    return {
        "subject": breakable(check.subject),
        "status": _(status_word(check.status)),
        "message": breakable(_message(check, _)),
        "values": _values(check.values),
    }


def _raw(check: Check, _: Translate) -> dict[str, Any]:
    return {
        "code": check.code,
        "status": str(check.status),
        "subject": breakable(check.subject),
        "values": _values(check.values) or breakable(_message(check, _)),
    }


def _message(check: Check, _: Translate) -> str:
    return _(check.message).format(**check.values) if check.message else ""


def _values(values: Mapping[str, object]) -> str:
    return breakable(", ".join(f"{key}={value}" for key, value in values.items()))


def breakable_lines(text: str, each: Callable[[object], str] = breakable) -> list[str]:
    """Lines of a command, each with places to break; indentation kept."""
    return [each(line) for line in text.split("\n")] if text else []
