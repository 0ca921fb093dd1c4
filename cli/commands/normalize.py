"""`mizheng bundle normalize`: a bundle that somebody packed anew, back in the form it was made with."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import DataFault, InputFault
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.verifier.report import Report


@click.command(
    "normalize",
    cls=Command,
    help=N_(
        "Put a bundle that a court's system or an archiving tool packed anew back into the form it was made "
        "with: the same members, byte for byte, in their order. The result is the very file that the "
        "depositor made, unless a member is missing, was added or was changed. A ZIP that two readers could "
        "understand differently is refused.\n\n"
        "What was written is then verified, and the exit code is that of verify; without --trust it is 1 if "
        "a check fails, else 0."
    ),
    epilog=N_(
        "mizheng bundle normalize from-the-court.zip pump.zip\n"
        "mizheng bundle normalize from-the-court.zip pump.zip --trust trust.toml"
    ),
)
@click.argument("source", metavar="IN.zip", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.zip", type=click.Path(path_type=Path))
@click.option("--trust", metavar="FILE", help=N_("the trust file to verify the result with"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def normalize(source: Path, target: Path, trust: str | None, force: bool, as_json: bool) -> int:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.verifier.paper.reading import find_reader
    from mizheng.verifier.report import Status
    from mizheng.verifier.verify import verify_bundle

    believed = load_trust(Path(trust)) if trust is not None else None
    is_changed = _write(source, target, force=force)
    report = verify_bundle(target, believed, now=int(time.time()), pdf_reader=find_reader())
    has_failed = any(check.status is Status.FAIL for check in report.checks)
    if as_json:
        emit_json(
            {
                "bundle": str(target),
                "sha256": _sha256(target),
                "was_in_form": not is_changed,
                "report": report.to_json(),
            }
        )
    else:
        _show(target, report, is_changed=is_changed)
    return report.verdict.exit_code if believed is not None or has_failed else 0


def _write(source: Path, target: Path, *, force: bool) -> bool:
    """Write `target` whole or not at all; whether its bytes are others than the source's."""
    from mizheng.cli.files import new_file
    from mizheng.verifier.errors import FormatError
    from mizheng.verifier.normalize import normalize_bundle

    try:
        with source.open("rb") as given, new_file(target, force=force) as (file, _place):
            return normalize_bundle(given, file)
    except FormatError as error:
        raise DataFault(
            "{name} cannot be put back into form: {reason}",
            "ask for the bundle again from where it was made",
            name=str(source),
            reason=str(error),
        ) from error
    except OSError as error:
        raise InputFault(
            "{name}: {reason}", name=str(error.filename or source), reason=error.strerror
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _show(target: Path, report: Report, *, is_changed: bool) -> None:
    import sys

    from mizheng.verifier.text import render

    say(_("bundle: {name}", name=printable(str(target))))
    say(_("SHA-256: {digest}", digest=_sha256(target)))
    if is_changed:
        say(_("the ZIP had been packed anew; its members are unchanged, its form is restored"))
    else:
        say(_("the ZIP was in its form already"))
    say()
    sys.stdout.write(render(report, translate_with()))
