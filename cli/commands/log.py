"""`mizheng log`: the versions of one secret, and what changed between them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.sealing.lineage import Changes, Version


@click.command(
    "log",
    cls=Command,
    help=N_(
        "Show the versions of a secret, the newest first: each seal made with --since the one before it, its "
        "state, and which files were added, changed, removed or renamed. Reads the seals only."
    ),
    epilog=N_("mizheng log week-12.seal\nmizheng log week-12.seal --files"),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option("--files", "with_files", is_flag=True, help=N_("name every file that changed"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def log(seal_path: str, with_files: bool, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.sealing.lineage import trace

    versions = trace(Path(seal_path), home_directory())
    if as_json:
        emit_json({"versions": [_describe(version) for version in versions]})
        return
    for version in versions:
        say(f"{version.created_at}  {state_word(version.state)}  {printable(str(version.path))}")
        say(_("  commitment {commitment}", commitment=version.commitment))
        if version.changes is None:
            say(_("  {files} files", files=version.files))
        else:
            _say_changes(version, version.changes, with_files=with_files)
    if versions[-1].is_previous_missing:
        warn(
            _(
                "the version before {name} is not here: bring its seal back",
                name=printable(str(versions[-1].path)),
            )
        )


def _say_changes(version: Version, changes: Changes, *, with_files: bool) -> None:
    say(
        _(
            "  {files} files: {added} added, {changed} changed, {removed} removed, {renamed} renamed",
            files=version.files,
            added=len(changes.added),
            changed=len(changes.changed),
            removed=len(changes.removed),
            renamed=len(changes.renamed),
        )
    )
    if with_files:
        for sign, labels in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
            for label in labels:
                say(f"    {sign} {printable(label)}")
        for old, new in changes.renamed:
            say(f"    > {printable(old)} → {printable(new)}")


def state_word(state: str) -> str:
    return {
        "sealed": _("sealed"),
        "deposited": _("deposited"),
        "anchored": _("anchored"),
        "final": _("final"),
    }.get(state, state)


def _describe(version: Version) -> dict[str, object]:
    changes = version.changes
    return {
        "seal": str(version.path),
        "created_at": version.created_at,
        "commitment": version.commitment,
        "deposit": version.deposit,
        "state": version.state,
        "files": version.files,
        "previous_missing": version.is_previous_missing,
        "changes": None
        if changes is None
        else {
            "added": [printable(label) for label in changes.added],
            "changed": [printable(label) for label in changes.changed],
            "removed": [printable(label) for label in changes.removed],
            "renamed": [[printable(old), printable(new)] for old, new in changes.renamed],
        },
    }
