"""The points.toml that `mizheng points init` writes: what to fill in, and beside it why."""

from __future__ import annotations

from collections.abc import Iterator

from mizheng.cli.points.model import LEVELS
from mizheng.cli.points.read import POINTS_FORMAT
from mizheng.cli.terminal.language import _
from mizheng.cli.terminal.text import wrap
from mizheng.verifier.record import CORROBORATION_TYPES, MEASURE_TYPES

_WIDTH = 96


def points_template() -> str:
    """The text, in the language of the process; it does not pass the check before it is filled in."""
    return "\n".join(_lines()) + "\n"


def measure_names() -> dict[str, str]:
    """The seven kinds of measures in words (法释〔2020〕7号 Art. 6)."""
    return {
        "agreement": _("a confidentiality agreement, or a clause in a contract"),
        "rules": _("rules, training, written requirements"),
        "premises": _("restricted places, kept visitors away"),
        "marking": _("marking, classifying, isolating, encrypting, keeping apart"),
        "systems": _("limited devices, accounts, networks, storage and copying"),
        "departure": _("leaving employees register, return, delete and stay bound"),
        "other": _("another reasonable measure"),
    }


def _lines() -> Iterator[str]:
    yield from _comment(
        _(
            "Secret points, for a seal. Each point, locator, measure, carrier and source becomes a record of "
            "its own in the seal, and can be opened to a court one by one; what is not opened stays unread. "
            "This file is as secret as the files themselves. Paths are relative to it. Check it with: "
            "mizheng points check"
        )
    )
    yield f'format = "{POINTS_FORMAT}"'
    yield ""
    yield from _comment(_("A table for each secret point; its number is for good, never give it to another."))
    yield "[[points]]"
    yield "number = 1"
    yield from _field('title = ""', _("a short name"))
    yield from _field('secret = ""', _("what exactly is secret: words, values, steps"))
    yield from _field('differs = ""', _("how it differs from what is public or usual in the field"))
    levels = ", ".join(f"{code} ({word})" for code, word in LEVELS.items())
    yield from _field('level = "core"', _("one of: {allowed}", allowed=levels))
    yield from _field('term = ""', _("how long it is to stay secret: words, or a date such as 2036-12-31"))
    yield ""
    yield from _comment(
        _(
            "Where the point is found, a table for each place. Locators are records of their own: opening "
            "the point does not show them."
        )
    )
    yield "  [[points.locators]]"
    yield from _field('  path = ""', _("a file among those that are sealed"))
    yield from _field("  page = 1", _("or one of these instead:"))
    yield '  # lines = "10-24"'
    yield '  # cells = "Sheet1!B2:C9"'
    yield '  # module = "flow.solver"'
    yield '  # where = ""'
    yield ""
    yield from _comment(_("What was done to keep it secret, a table for each measure; take the # away."))
    yield "# [[measures]]"
    yield '# type = "agreement"'
    for code in MEASURE_TYPES:
        yield f"#   {code:<10} {measure_names()[code]}"
    yield from _field('# scope = ""', _("whom or what it covers"))
    yield from _field("# effective_from = 2026-01-31", _("since when: before the infringement, to count"))
    yield from _field('# evidence = ""', _("optional: a file that shows it; the record gets its SHA-256"))
    yield ""
    yield from _comment(_("What carries the secret: paper, disks, machines, samples."))
    yield "# [[carriers]]"
    yield '# type = ""'
    yield '# serial = ""'
    yield '# place = ""'
    yield '# custodian = ""'
    yield ""
    yield from _comment(_("Where it comes from: who made it, in which system, how in the ordinary course."))
    yield "# [[sources]]"
    yield '# who = ""'
    yield '# system = ""'
    yield '# how = ""'
    yield ""
    yield from _comment(_("What else speaks for it; that there is nothing else is said with none."))
    yield "# [[corroborations]]"
    yield from _field('# type = "none"', _("one of: {allowed}", allowed=", ".join(CORROBORATION_TYPES)))
    yield '# detail = ""'
    yield '# evidence = ""'
    yield ""
    yield from _comment(_("The power of attorney of whoever deposits."))
    yield "# [authority]"
    yield '# evidence = ""'


def _comment(text: str) -> Iterator[str]:
    yield from wrap(text, _WIDTH, "# ")


def _field(line: str, why: str) -> Iterator[str]:
    # A comment before the line, so that a long one does not push the value out of sight.
    indent = line[: len(line) - len(line.lstrip())]
    yield from wrap(why, _WIDTH, indent + ("#   " if line.lstrip().startswith("#") else "# "))
    yield line
