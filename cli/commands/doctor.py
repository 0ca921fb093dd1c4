"""`mizheng doctor`: is everything in order, and if not, what is to be done."""

from __future__ import annotations

from pathlib import Path

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import pad, printable

_MARKS = {
    "ok": N_("in order"),
    "wrong": N_("WRONG"),
    "advice": N_("to do"),
    "not_checked": N_("not checked"),
}


@click.command(
    "doctor",
    cls=Command,
    help=N_(
        "Look at settings, keys, clock, notary, trust file and seals, and say what is wrong and what to do "
        "about it. Nothing is changed, and no passphrase is asked for, except to open the seals that are "
        "named.\n\n"
        "Exit code 0: nothing wrong; 1: something is."
    ),
    epilog=N_("mizheng doctor\nmizheng doctor *.seal --trust trust.toml"),
)
@click.argument("seals", metavar="[NAME.seal]…", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--trust", metavar="FILE", type=click.Path(path_type=Path), help=N_("the trust file to look at")
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def doctor(seals: tuple[Path, ...], trust: Path | None, as_json: bool) -> int:
    from mizheng.cli.checking.checkup import examine

    findings = []
    width = max(len(_(mark)) * 2 for mark in _MARKS.values())
    for finding in examine(seals, trust):
        findings.append(finding)
        if as_json:
            continue
        values = {name: printable(str(value)) for name, value in finding.values.items()}
        about = _about(finding.about)
        say(f"{pad(_(_MARKS[finding.state]), width)}  {about}: {_(finding.text, **values)}")
        if finding.hint and finding.state != "ok":
            say(" " * (width + 2) + _(finding.hint, **values))
    is_wrong = any(finding.state == "wrong" for finding in findings)
    if as_json:
        emit_json(
            {
                "wrong": is_wrong,
                "findings": [
                    {
                        "about": finding.about,
                        "state": finding.state,
                        "text": finding.text.format(**finding.values),
                        "hint": finding.hint.format(**finding.values),
                    }
                    for finding in findings
                ],
            }
        )
    return 1 if is_wrong else 0


def _about(name: str) -> str:
    """The name of what was looked at; of a seal, its path."""
    return {
        "settings": _("settings"),
        "signing key": _("signing key"),
        "seal key": _("key of the seals"),
        "escrow": _("escrow"),
        "clock": _("clock"),
        "notary": _("notary"),
        "trust file": _("trust file"),
    }.get(name) or printable(name)
