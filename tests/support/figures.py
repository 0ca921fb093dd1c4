"""What a run has to tell in numbers: tests note them, and the end of the run shows them, a line each.

A test notes them through a fixture made with `note_into`; they travel with its report, also from another
process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

_PROPERTY = "figures"
# What must be nothing, whatever was done; then what the line says besides.
_COLUMNS = ("faults", "acknowledged", "lost", "duplicated", "inconsistent")

Note = Callable[..., None]


def note_into(record_property: Callable[[str, object], None], database: str) -> Note:
    """For a fixture: `note("kill -9", faults=100, acknowledged=…, lost=0, …, more="words")`."""

    def note(fault: str, *, more: str = "", **numbers: int) -> None:
        assert set(numbers) <= set(_COLUMNS), numbers
        record_property(
            _PROPERTY, json.dumps({"fault": fault, "database": database, "more": more, **numbers})
        )

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each class of faults and database, of the tests that passed and of those that did not."""
    rows = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties if report.when == "call" else ():
                if name == _PROPERTY:
                    rows.append({**json.loads(value), "seconds": report.duration, "outcome": outcome})
    if not rows:
        return
    seed = os.environ.get("MIZHENG_SEED", "")
    terminalreporter.section("faults" + (f", MIZHENG_SEED={seed}" if seed else ""))
    width = max(len(row["fault"]) for row in rows)
    heads = (*_COLUMNS, "seconds")
    terminalreporter.line(f"{'fault':<{width}}  {'database':<10}" + "".join(f"{head:>14}" for head in heads))
    for row in sorted(rows, key=lambda row: (row["fault"], row["database"])):
        numbers = "".join(f"{row.get(head, ''):>14}" for head in _COLUMNS)
        line = f"{row['fault']:<{width}}  {row['database']:<10}{numbers}{row['seconds']:>14.0f}"
        failed = "  FAILED" if row["outcome"] == "failed" else ""
        terminalreporter.line(f"{line}  {row['more']}{failed}".rstrip())
