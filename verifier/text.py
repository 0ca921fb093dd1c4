"""A report in words for a terminal or a file, in the language of the translator that is handed in.

The first line holds the verdict, and TRIAL before it where a chain for trying was used. Times that
people read are Beijing time with UTC beside it.
"""

from __future__ import annotations

import datetime
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from .canonical import format_instant, parse_instant
from .codes import CODES
from .report import Check, CustodyLine, ProvenTime, Report, Status, Verdict
from .timeline import LIMIT, WHAT_WORDS, describe
from .words import N_, Translate

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))

_STATUS_WORDS = {
    Status.PASS: N_("passed"),
    Status.FAIL: N_("FAILED"),
    Status.NOT_CHECKED: N_("not checked"),
    Status.NOT_PROVIDED: N_("not provided"),
}
_VERDICT_NAMES = {
    Verdict.VALID: N_("VALID"),
    Verdict.INVALID: N_("INVALID"),
    Verdict.UNDETERMINED: N_("UNDETERMINED"),
}
_VERDICT_WORDS = {
    Verdict.VALID: N_("every check that a valid bundle needs has passed"),
    Verdict.INVALID: N_("at least one check failed"),
    Verdict.UNDETERMINED: N_("nothing failed, but not all that is needed could be checked"),
}
# formats §10: what no bundle ever proves.
NOT_PROVEN = (
    N_("who created the content, and who owns it"),
    N_("that it was secret, and that the depositor's claims are true"),
    N_("that no other record or deposit contradicts it: a depositor may seal many versions and open one"),
    N_("the order of deposits within one anchor interval"),
)


def render(report: Report, _: Translate) -> str:
    """The whole report as lines of text."""
    return "\n".join(_lines(report, _)) + "\n"


def format_time(seconds: int) -> str:
    """Beijing time with UTC beside it; UTC alone in the last hours that have a date."""
    try:
        beijing = datetime.datetime.fromtimestamp(seconds, _BEIJING)
    except (OverflowError, ValueError):
        return format_instant(seconds)
    return f"{beijing:%Y-%m-%d %H:%M:%S} UTC+8 ({format_instant(seconds)})"


def _lines(report: Report, _: Translate) -> Iterator[str]:
    yield verdict_line(report, _)
    yield ""
    yield from _table(report.checks, _)
    yield ""
    facts = report.facts
    if "depositor" in facts:
        name, number = clean(facts["depositor"]), clean(facts["depositor_id"])
        how, claimed = _(report.standing), _("claimed")
        # A certificate names the company; nothing compares its number.
        told = f"{name} ({how}), {number} ({claimed})" if report.is_certified else f"{name}, {number} ({how})"
        yield f"{_('depositor')}: {told}"
        yield f"{_('claimed time, by the depositor alone')}: {facts['claimed_at']}"
        yield f"{_('statement')}: SHA-256 {facts['envelope_sha256']}"
    yield f"{_('trust file')}: {'SHA-256 ' + facts['trust_sha256'] if facts['trust_sha256'] else _('none')}"
    yield ""
    yield _("Times proven")
    yield "  " + _time(_("the statement was signed not before"), report.earliest, _)
    yield "  " + _time(_("what is opened existed not after"), report.latest, _)
    for clock in report.clocks[1:]:
        yield "  " + _time(_("also dated"), clock, _)
    if report.is_trial:
        yield "  " + _("These times come from a chain for trying and are no evidence.")
    if report.custody:
        yield ""
        yield _("Custody, as those who took part tell it")
        yield from custody_lines(report.custody, _)
    yield ""
    yield _("Conclusion 1, unchanged since anchoring (Online Litigation Rules Art. 16)")
    yield "  " + conclude(report, _)
    yield ""
    yield _("Conclusion 2, the time before anchoring (Art. 18): for the court to weigh")
    for support in report.supports:
        word = support.detail if support.is_given else _("not provided")
        yield f"  - {_(support.what)}: {word}"
    if not report.supports:
        yield "  " + _("nothing could be read that would speak for it")
    yield ""
    yield _("Not proven by any bundle")
    for item in not_proven(report, _):
        yield f"  - {item}"
    if report.missing and report.verdict is not Verdict.VALID:
        yield ""
        yield _("Still needed for a valid verdict: {codes}").format(codes=", ".join(report.missing))


def verdict_line(report: Report, _: Translate) -> str:
    """The first line of every result."""
    return verdict_words(report.verdict, _, is_trial=report.is_trial)


def verdict_words(verdict: Verdict, _: Translate, *, is_trial: bool) -> str:
    """The same of a verdict that was signed for or kept."""
    trial = _("TRIAL, no evidential value: ") if is_trial else ""
    return f"{trial}{_(_VERDICT_NAMES[verdict])} — {_(_VERDICT_WORDS[verdict])}"


def status_word(status: Status) -> str:
    """The message id of a status."""
    return _STATUS_WORDS[status]


def not_proven(report: Report, _: Translate) -> list[str]:
    """formats §10: what no bundle ever proves, whatever the verdict."""
    more = [_("how many further records the same deposit holds")] if report.supports else []
    return [*map(_, NOT_PROVEN), *more]


def conclude(report: Report, _: Translate) -> str:
    """Conclusion 1: shown, or why not."""
    if report.is_unchanged_since_anchored and report.latest:
        shown = _("shown: what is opened is unchanged since {time}")
        if report.is_trial:
            shown = _("shown for trying only, no evidence: unchanged since {time}")
        return shown.format(time=format_time(report.latest.at))
    if report.verdict is Verdict.INVALID:
        return _("not shown: a check failed")
    return _("not shown: no anchor whose block is known to belong to the chain")


def _time(name: str, time: ProvenTime | None, _: Translate) -> str:
    if time is None:
        return f"{name}: {_('nothing proves it')}"
    return f"{name}: {format_time(time.at)}, {_(time.by).format(**_cleaned(time.values))}"


def custody_lines(events: Iterable[CustodyLine], _: Translate) -> Iterator[str]:
    """What the events say, and what they do not."""
    for line in events:
        told = _(WHAT_WORDS[line.what]) + ("" if line.holds else f" [{_('does not hold')}]")
        yield f"  {line.number}. {format_time(parse_instant(line.at))}  {told}"
        for name, text in describe(line, _, clean):
            yield f"     {name}: {text}"
    yield "  " + _(LIMIT)


def _table(checks: tuple[Check, ...], _: Translate) -> Iterator[str]:
    order = {code: place for place, code in enumerate(CODES)}
    width = max(_width(_(word)) for word in _STATUS_WORDS.values())
    for check in sorted(checks, key=lambda item: order[item.code]):
        status = _(_STATUS_WORDS[check.status])
        detail = _(check.message).format(**_cleaned(check.values)) if check.message else ""
        about = f" [{clean(check.subject)}]" if check.subject else ""
        yield f"  {status}{' ' * (width - _width(status))}  {check.code:<22} {_(CODES[check.code])}{about}"
        if detail:
            indent = " " * (width + 27)
            yield from textwrap.wrap(
                detail, 100 + width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )


def clean(text: object) -> str:
    """Text from a bundle, safe for a terminal: control, bidi and other invisible characters escaped."""
    return "".join(
        char if char == " " or unicodedata.category(char)[0] not in "CZ" else f"\\u{ord(char):04x}"
        for char in str(text)
    )


def _cleaned(values: Mapping[str, object]) -> dict[str, object]:
    return {key: clean(value) for key, value in values.items()}


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
