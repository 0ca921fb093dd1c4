"""`mizheng points`: write, check and show points.toml, the secret points (密点) of a seal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import OutputFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.points.model import Points

_HERE = "mizheng.cli.commands.points"


@click.group(
    "points",
    cls=LazyGroup,
    lazy={
        "init": Lazy(_HERE, "init", N_("write a points.toml with comments, to be filled in")),
        "check": Lazy(_HERE, "check", N_("say everything that is wrong with a points.toml")),
    },
    help=N_(
        "Secret points (密点): what exactly is secret, where it stands, and how it was protected. They are "
        "written into points.toml beside the files; mizheng seal takes them in, each as a record that can be "
        "opened on its own."
    ),
    epilog=N_("mizheng points init drawings/\nmizheng points check drawings/"),
)
def points() -> None:
    pass


@click.command(
    "init",
    cls=Command,
    help=N_("Write FOLDER/points.toml (private, 0600) with a comment at each field. Nothing is replaced."),
    epilog=N_("mizheng points init drawings/"),
)
@click.argument("folder", metavar="FOLDER", default=".", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def init(folder: Path, as_json: bool) -> None:
    from mizheng.cli.points.model import POINTS_NAME
    from mizheng.cli.points.template import points_template

    path = folder / POINTS_NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise OutputFault("{name} exists", "edit it, or move it away", name=str(path)) from error
    except OSError as error:
        raise OutputFault(
            "{name} cannot be created: {reason}", name=str(path), reason=error.strerror
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(points_template())
    if as_json:
        emit_json({"file": str(path)})
        return
    say(_("written: {name}; fill it in, then: mizheng points check {name}", name=printable(str(path))))


@click.command(
    "check",
    cls=Command,
    help=N_(
        "Read points.toml as mizheng seal would and list every problem with its place. Exit code 65 when "
        "there is one. PATH is the file, or the folder it lies in; locators name what lies there."
    ),
    epilog=N_("mizheng points check drawings/\nmizheng points check drawings/ --json"),
)
@click.argument("path", metavar="PATH", default=".", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def check(path: Path, as_json: bool) -> int:
    from mizheng.cli.points.find import load_points
    from mizheng.cli.points.model import POINTS_NAME
    from mizheng.cli.points.read import PointsFault

    file = path / POINTS_NAME if path.is_dir() else path
    try:
        found = load_points(file, [os.fsencode(file.parent)])
    except PointsFault as fault:
        texts = [printable(problem.text()) for problem in fault.problems]
        if as_json:
            emit_json({"file": str(file), "problems": texts})
        for text in texts:
            note(text)
        note(_("{count} problems in {name}", count=len(texts), name=printable(str(file))))
        return fault.exit_code
    if as_json:
        emit_json({"file": str(file), "problems": [], "records": count_kinds(found)})
        return 0
    for item in found.of("point"):
        say(f"{item.number}\t{item.fields['level']}\t{printable(item.fields['title'])}")
    say(_("records: {kinds}", kinds=describe_kinds(found)))
    return 0


def count_kinds(found: Points) -> dict[str, int]:
    """How many records of each kind."""
    counts: dict[str, int] = {}
    for item in found.items:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    return counts


def describe_kinds(found: Points) -> str:
    """The same in one line."""
    return ", ".join(f"{kind} {count}" for kind, count in count_kinds(found).items()) or "0"
