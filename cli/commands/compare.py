"""`mizheng compare`: which files of the other side are byte-identical to what a bundle opens."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.terminal.language import N_, _, current_language, translate_with
from mizheng.cli.terminal.output import emit_json, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.checking.comparing import Comparison
    from mizheng.cli.checking.reporting import Reporting


@click.command(
    "compare",
    cls=Command,
    help=N_(
        "Check a bundle, then look through files and folders of the other side for files that are "
        "byte-identical to opened ones. Only files of the very size of an opened one are read. What is "
        "opened and found is named; of everything else there is only the number.\n\n"
        "With --blind the digests of the other side's files are written under the salts of the opened "
        "records, without names. Who has the bundle compares them later: give that file in place of the "
        "files.\n\n"
        "Exit codes are those of mizheng verify; what was found is in the report and in --json."
    ),
    epilog=N_(
        "mizheng compare pump.zip /media/suspect --trust trust.toml\n"
        "mizheng compare pump.zip /media/suspect --trust trust.toml --report pump.pdf\n"
        "mizheng compare pump.zip /media/suspect --blind digests.json\n"
        "mizheng compare pump.zip digests.json --trust trust.toml"
    ),
)
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.argument("paths", metavar="FILE|DIR…", nargs=-1, required=True, type=click.Path(path_type=bytes))
@click.option("--trust", metavar="FILE", help=N_("the trust file; without one the verdict is undetermined"))
@click.option(
    "--blind", metavar="OUT", help=N_("write salted digests of the other side's files, compare nothing")
)
@click.option("--report", "pdf", metavar="FILE.pdf", help=N_("also write the report as a PDF"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the report as JSON"))
def compare(
    bundle: Path,
    paths: tuple[bytes, ...],
    trust: str | None,
    blind: str | None,
    pdf: str | None,
    as_json: bool,
) -> int:
    if blind is not None and pdf is not None:
        raise UsageFault("--blind compares nothing, so that there is no report to write")
    from mizheng.cli.checking.comparing import OpenedFiles
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.files import write_private
    from mizheng.verifier.paper.reading import find_reader
    from mizheng.verifier.text import render
    from mizheng.verifier.verify import verify_bundle

    believed = load_trust(Path(trust)) if trust is not None else None
    data = _read_blind(paths) if blind is None else None
    try:
        paper = None if pdf is None else _begin(pdf, bundle, trust, paths, is_blind=data is not None)
        report = verify_bundle(bundle, believed, now=int(time.time()), pdf_reader=find_reader())
    except OSError as error:
        raise InputFault(
            "{name}: {reason}", name=str(error.filename or bundle), reason=error.strerror
        ) from error
    opened = OpenedFiles(bundle)
    if blind is not None:
        if os.path.lexists(blind):
            raise UsageFault("{name} exists", name=blind)
        write_private(Path(blind), opened.blind(paths))
        say(_("written: {name}; compare it where the bundle is", name=printable(blind)))
        return report.verdict.exit_code
    found = opened.compare_blind(data) if data is not None else opened.compare(paths)
    if paper is not None:
        from mizheng.cli.checking.compared import sort_names, tell

        named = None if data is not None else sort_names(found, paths)
        hidden = {os.fsdecode(path) for path in named.hidden} if named else set()
        paper.write(report, current_language(), tell(opened, found, named), hidden)
    if as_json:
        emit_json({**report.to_json(), "comparison": _describe(found)})
    else:
        sys.stdout.write(render(report, translate_with()))
        _say(found)
    if found.unreadable:
        warn(_("{count} could not be read and were not compared", count=found.unreadable))
    return report.verdict.exit_code


def _begin(
    pdf: str, bundle: Path, trust: str | None, paths: tuple[bytes, ...], *, is_blind: bool
) -> Reporting:
    """Of the other side only salted digests are material: of its files none is told that is not identical."""
    from mizheng.cli.checking.reporting import Reporting
    from mizheng.verifier.paper.comparison import MATERIAL_BLIND

    files = [Path(os.fsdecode(path)) for path in paths] if is_blind else []
    return Reporting(Path(pdf), bundle, Path(trust) if trust else None, files, MATERIAL_BLIND)


def _read_blind(paths: tuple[bytes, ...]) -> bytes | None:
    """The content of a file of blind digests, if that is what was given."""
    from mizheng.cli.checking.comparing import COMPARISON_TYPE

    path = Path(os.fsdecode(paths[0]))
    mark = f'"type":"{COMPARISON_TYPE}"}}'.encode()
    if len(paths) > 1 or not path.is_file():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(mark)))
        if file.read() != mark:
            return None
    return path.read_bytes()


def _say(found: Comparison) -> None:
    say("")
    say(_("Comparison with the other side's files, byte for byte"))
    say(
        _(
            "  {opened} files are opened; of {files} files of the other side, {read} have the size of one "
            "and were read",
            opened=found.opened,
            files=found.files,
            read=found.read,
        )
    )
    for match in found.matches:
        if match.path is None:
            say(
                _(
                    "  identical: {record} (the other side's name is not known)",
                    record=printable(match.record),
                )
            )
        else:
            say(
                _(
                    "  identical: {record} and {path}",
                    record=printable(match.record),
                    path=printable(match.path),
                )
            )
        say(f"    {match.member}, {match.size} B, SHA-256 {match.sha256}, SM3 {match.sm3}")
    if not found.matches:
        say(_("  no file of the other side is byte-identical to an opened one"))
    say(_("  A file that differs in one byte may still say the same: that is for experts to judge."))


def _describe(found: Comparison) -> dict[str, Any]:
    return {
        "opened": found.opened,
        "files": found.files,
        "read": found.read,
        "unreadable": found.unreadable,
        "identical": [
            {
                "member": match.member,
                "record": printable(match.record),
                "path": None if match.path is None else printable(match.path),
                "size": match.size,
                "sha256": match.sha256,
                "sm3": match.sm3,
            }
            for match in found.matches
        ],
    }
