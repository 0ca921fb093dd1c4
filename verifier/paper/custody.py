"""The report's section on the custody of the evidence: a line of time of what was recorded."""

from __future__ import annotations

from typing import Any

from ..canonical import parse_instant
from ..report import Report
from ..timeline import LIMIT, WHAT_WORDS, describe
from ..words import N_, Translate
from .clock import both_times
from .names import breakable

LABELS = {
    "custody": N_("Custody, as those who took part tell it"),
    "does_not_hold": N_("does not hold"),
    "custody_more": N_("{count} further events are left out here; they stand in the report as JSON"),
}
# Pages and pages of events help nobody: the first ones, and the last.
_FIRST, _LAST = 50, 150


def custody_data(report: Report, _: Translate) -> dict[str, Any] | None:
    """What the template sets; None where there is no event."""
    events = report.custody
    if not events:
        return None
    is_cut = len(events) > _FIRST + _LAST
    shown = [*events[:_FIRST], *events[-_LAST:]] if is_cut else events
    return {
        "events": [
            {
                "number": line.number,
                "what": _(WHAT_WORDS[line.what]),
                "at": both_times(parse_instant(line.at)),
                "holds": line.holds,
                "said": [[name, text] for name, text in describe(line, _, breakable)],
            }
            for line in shown
        ],
        "cut_after": _FIRST if is_cut else None,
        "left_out": len(events) - len(shown),
        "limit": _(LIMIT),
    }
