"""`mizheng retrieve`: bring kept originals back, decrypted and compared with what was sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import InputFault, exit_code_of
from mizheng.cli.terminal.ending import end_in_order
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, note, say, show_error, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.keeping.retrieve import Retrieved


@click.command(
    "retrieve",
    cls=Command,
    help=N_(
        "Fetch originals that were kept (mizheng keep), decrypt them and compare SHA-256, SM3 and size with "
        "the sealed records; only then do they get their names, below the folder of -o. What is there "
        "already and the same is left alone; anything else of that name is not touched without --force."
    ),
    epilog=N_(
        "mizheng retrieve drawings.seal -o back/\n"
        "mizheng retrieve drawings.seal --only drawings/pump.dwg -o back/\n"
        "MIZHENG_SEAL_IDENTITY=escrow.txt mizheng retrieve drawings.seal -o back/"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option("-o", "--output", metavar="FOLDER", required=True, help=N_("where the files go"))
@click.option(
    "--only",
    "patterns",
    metavar="NAME",
    multiple=True,
    help=N_("these files only, as bundle --open takes them"),
)
@click.option(
    "--store",
    "stores",
    metavar="ADDRESS",
    multiple=True,
    help=N_("look here too: where a store has moved to"),
)
@click.option("--force", is_flag=True, help=N_("replace files that are something else"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def retrieve(
    seal_path: str,
    output: str,
    patterns: tuple[str, ...],
    stores: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> int:
    from mizheng.cli.keeping.retrieve import retrieve_seal
    from mizheng.cli.keeping.stores.address import normal_address
    from mizheng.cli.session import Session

    # What was decrypted and has no name yet must not stay where somebody ends it in the middle.
    end_in_order()
    with Progress(_("retrieving")) as progress:
        done = retrieve_seal(
            Session.load(),
            Path(seal_path),
            Path(output),
            patterns=patterns,
            more_stores=[normal_address(name) for name in stores],
            force=force,
            tick=progress.advance,
        )
    _tell(done)
    if as_json:
        emit_json(
            {
                "files": [str(path) for path in done.files],
                "unchanged": done.there,
                "not_kept": done.not_kept,
                "failed": [
                    {"name": printable(label), "error": str(error), "exit_code": exit_code_of(error)}
                    for label, error in done.failed
                ],
            }
        )
    else:
        for path in done.files:
            say(printable(str(path)))
        say(
            _(
                "{count} originals retrieved and compared with the seal, {there} were there already",
                count=len(done.files),
                there=done.there,
            )
        )
    if done.failed:
        return exit_code_of(done.failed[0][1])
    return InputFault.exit_code if done.not_kept else 0


def _tell(done: Retrieved) -> None:
    for label, store, error in done.passed_over:
        warn(_("{name}: the copy in {store} is of no use", name=printable(label), store=printable(store)))
        show_error(error)
    for label, error in done.failed:
        note(f"{printable(label)}:")
        show_error(error)
    if done.not_kept:
        warn(_("{count} originals were never kept, or were deleted", count=done.not_kept))
