"""`mizheng seal`: read files, write NAME.seal. Nothing is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import CommandError, InputFault, OutputFault
from mizheng.cli.terminal.ending import end_in_order
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, note, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import human_size, printable

if TYPE_CHECKING:
    from mizheng.cli.sealing.run import Task

# A list longer than this scrolls away what matters; --json has them all.
_SHOWN = 20


@click.command(
    "seal",
    cls=Command,
    help=N_(
        "Read files and folders on this machine and write a private seal: what is needed later to prove "
        "any one of them without showing the others. Nothing is sent. Keep the seal as carefully as the "
        "files themselves.\n\n"
        "A points.toml at the top of a folder is read as its secret points (see mizheng points), each of "
        "which can be opened on its own; the file itself is left out of the seal.\n\n"
        "A .mizhengignore in a folder names what to leave out of it, in the syntax of .gitignore. Links are "
        "recorded, not followed. What cannot be read is recorded as unreadable, listed, and the "
        "exit code is 66."
    ),
    epilog=N_("mizheng seal drawings/ recipe.docx -o project.seal\nmizheng seal drawings/ --json"),
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=bytes))
@click.option("-o", "--output", metavar="NAME.seal", help=N_("name of the seal; else that of the first path"))
@click.option("--points", "points_file", metavar="FILE", help=N_("secret points; else the points.toml there"))
@click.option("--no-points", is_flag=True, help=N_("seal without secret points, whatever lies there"))
@click.option("--no-ignore", is_flag=True, help=N_("seal also what a .mizhengignore leaves out"))
@click.option("--since", metavar="OLD.seal", help=N_("the version before: read only what changed since"))
@click.option("--paranoid", is_flag=True, help=N_("read everything again, whatever --since says"))
@click.option(
    "--scheduler", metavar="ADDRESS", help=N_("let a Dask cluster on shared storage read the files")
)
@click.option("--force", is_flag=True, help=N_("replace a seal that exists and was not deposited"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def seal(
    paths: tuple[bytes, ...],
    output: str | None,
    points_file: str | None,
    no_points: bool,
    no_ignore: bool,
    since: str | None,
    paranoid: bool,
    scheduler: str | None,
    force: bool,
    as_json: bool,
) -> int:
    from mizheng.cli.jobs import sealing_task

    target = Path(output) if output else default_output(paths[0])
    if force:
        refuse_deposited(target)
    before = Path(since) if since else None
    with sealing_task(
        paths,
        target,
        points=points_file,
        without_points=no_points,
        since=before,
        read_all=paranoid,
        with_ignored=no_ignore,
        force=force,
        scheduler=scheduler,
    ) as task:
        unreadable = run(task, since=before, as_json=as_json)
    return InputFault.exit_code if unreadable else 0


def default_output(path: bytes) -> Path:
    """NAME.seal in the working directory, after the first path's own name."""
    from mizheng.cli.sealing.walking import split_argument

    return Path(os.fsdecode(split_argument(path)[1]) + ".seal")


def run(task: Task, *, since: Path | None = None, as_json: bool, is_quiet: bool = False) -> int:
    """Seal and say what was done (not when `is_quiet`); returns how many things could not be read."""
    from mizheng.cli.sealfile.write import part_path
    from mizheng.cli.sealing.run import seal_paths, survey

    end_in_order()
    target, previous = task.output, task.previous
    with Progress(_("sealing")) as progress:
        # To count objects means to list a store twice.
        if progress.is_shown and task.lister is None:
            total = survey(task)
            progress.expect(total.things, total.size)
        try:
            summary = seal_paths(task, progress.advance)
        except KeyboardInterrupt:
            if part_path(target).exists():
                note(_("what was read so far is kept: the same command again goes on from there"))
            raise
    if as_json:
        emit_json(
            {
                "seal": str(target),
                "state": "sealed",
                "commitment": summary.commitment,
                "files": summary.files,
                "bytes": summary.size,
                "links": summary.links,
                "points": summary.points,
                "reused": summary.reused,
                "ignored": summary.hidden,
                "previous": previous.envelope_sha256 if previous else None,
                "unreadable": [
                    {"name": printable(name), "reason": reason} for name, reason in summary.unreadable
                ],
            }
        )
    elif not is_quiet:
        say(_("sealed {files} files, {size}", files=summary.files, size=human_size(summary.size)))
        if summary.hidden:
            say(_("left out by .mizhengignore: {count} (--no-ignore seals them too)", count=summary.hidden))
        if summary.reused:
            say(_("unchanged, not read again: {count}", count=summary.reused))
        if summary.points:
            say(_("secret points: {count}", count=summary.points))
        if summary.links:
            say(_("links recorded, not followed: {links}", links=summary.links))
        say(_("seal: {name}", name=printable(str(target))))
        say(_("commitment: {commitment}", commitment=summary.commitment))
    if since is not None and (previous is None or Path(previous.path) != since.absolute()):
        warn(_("{name} is not deposited yet, so this seal does not name it", name=printable(str(since))))
    if summary.files == 0:
        warn(_("no file was sealed"))
    if summary.unreadable:
        warn(_("{count} could not be read and are recorded as unreadable:", count=len(summary.unreadable)))
        for name, reason in summary.unreadable[:_SHOWN]:
            note(f"  {printable(name)}: {_(reason)}")
        if len(summary.unreadable) > _SHOWN:
            note(_("  … and {count} more", count=len(summary.unreadable) - _SHOWN))
    return len(summary.unreadable)


def refuse_deposited(target: Path) -> None:
    """A deposit without its seal proves nothing any more: not even --force throws one away."""
    from mizheng.cli.sealfile.read import Seal

    try:
        with Seal(target) as existing:
            is_deposited = existing.state.deposit is not None
    except CommandError:
        return
    if is_deposited:
        raise OutputFault(
            "{name} has been deposited", "move it away, or choose another name with -o", name=str(target)
        )
