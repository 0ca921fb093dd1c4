"""What a run has to tell in numbers: tests note them, and the end of the run shows them, a line each.

A test notes them through a fixture made with `note_into`; they travel with its report, also from another
process.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

_PROPERTY = "figures"
# What must be nothing, whatever was done; then what the line says besides.
_COLUMNS = ("faults", "acknowledged", "lost", "duplicated", "inconsistent")

Note = Callable[..., None]


def note_into(record_property: Callable[[str, object], None], database: str, seed: int | None = None) -> Note:
    """For a fixture: `note("kill -9", faults=100, acknowledged=…, lost=0, …, more="words")`.

    `seed`: with the same one the same faults are played again.
    """

    def note(fault: str, *, more: str = "", **numbers: int) -> None:
        assert set(numbers) <= set(_COLUMNS), numbers
        record_property(
            _PROPERTY,
            json.dumps({"fault": fault, "database": database, "seed": seed, "more": more, **numbers}),
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
    seeds = {row["seed"] for row in rows if row["seed"] is not None}
    terminalreporter.section("".join(["faults", *(f", MIZHENG_SEED={seed}" for seed in seeds)]))
    width = max(len(row["fault"]) for row in rows)
    heads = (*_COLUMNS, "seconds")
    terminalreporter.line(f"{'fault':<{width}}  {'database':<10}" + "".join(f"{head:>14}" for head in heads))
    for row in sorted(rows, key=lambda row: (row["fault"], row["database"])):
        numbers = "".join(f"{row.get(head, ''):>14}" for head in _COLUMNS)
        line = f"{row['fault']:<{width}}  {row['database']:<10}{numbers}{row['seconds']:>14.0f}"
        failed = "  FAILED" if row["outcome"] == "failed" else ""
        terminalreporter.line(f"{line}  {row['more']}{failed}".rstrip())
