"""Commands and help screens on click: translated when shown, imported when run.

`LazyGroup` knows the names and one-line helps of its commands, so that `--help` imports none of them.
Every text given to click here (help, epilog) is a message id of the catalogue.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.text import display_width, labelled, pad, wrap

# Longer lines are hard to read; a wide terminal shows the same screen as an 80-column one.
MAX_COLUMNS = 80

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Lazy(NamedTuple):
    """Where a command lives, and what the group's help says about it."""

    module: str
    attribute: str
    summary: str
    """Message id of one line."""


def load(place: Lazy) -> click.Command:
    """The command itself, imported now."""
    command = getattr(importlib.import_module(place.module), place.attribute)
    assert isinstance(command, click.Command)  # noqa: S101 - a fault of ours, not of input
    return command


class _Screen(click.Command):
    """The help screen shared by commands and groups: usage, what it does, options, examples."""

    def get_help(self, ctx: click.Context) -> str:
        columns = _terminal_columns()
        pieces = " ".join(self.collect_usage_pieces(ctx)).replace("[OPTIONS]", _("[OPTIONS]"))
        first = labelled(_("Usage:"), f"{ctx.command_path} ")
        lines = wrap(pieces, columns, indent=" " * 8, first=first)
        if self.help:
            for paragraph in _(self.help).split("\n\n"):
                lines += ["", *wrap(" ".join(paragraph.split("\n")), columns, indent="  ")]
        for title, rows in self.tables(ctx):
            lines += ["", title, *_table(rows, columns)]
        if self.epilog:
            lines += ["", _("Examples:"), *(f"  {line}" for line in _(self.epilog).split("\n"))]
        return "\n".join(lines)

    def tables(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        """(title, rows) of the screen's tables."""
        rows = []
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and not parameter.hidden:
                names = ", ".join([*parameter.opts, *parameter.secondary_opts])
                takes_value = not parameter.is_flag and not parameter.count
                if takes_value:
                    names += f" {parameter.metavar or parameter.type.name.upper()}"
                rows.append((names, _(parameter.help or "")))
        return [(_("Options:"), rows)] if rows else []

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = N_("show this help")
        return option


class Command(_Screen):
    """One command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **kwargs)


class CommandWithCommands(Command):
    """A command with others below it: one of their names comes first, or the word is its own argument."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in self.lazy:
            name, *rest = args
            return load(self.lazy[name]).make_context(f"{info_name} {name}", rest, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def get_help(self, ctx: click.Context) -> str:
        """With the commands below it in the usage, a line each: these screens are full as it is."""
        usage, gap, rest = super().get_help(ctx).partition("\n\n")
        below = [
            wrap(_(place.summary), _terminal_columns(), " " * 10, f"        {ctx.command_path} {name}: ")
            for name, place in self.lazy.items()
        ]
        return "\n".join([usage, *(line for lines in below for line in lines)]) + gap + rest


class LazyGroup(_Screen, click.Group):
    """A group whose commands are imported when they are run."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", CONTEXT)
        kwargs.setdefault("subcommand_metavar", N_("COMMAND …"))
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(self.lazy[cmd_name]) if cmd_name in self.lazy else None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [piece if piece == "[OPTIONS]" else _(piece) for piece in super().collect_usage_pieces(ctx)]

    def tables(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        rows = [(name, _(place.summary)) for name, place in self.lazy.items()]
        return [(_("Commands:"), rows), *super().tables(ctx)]


def _terminal_columns() -> int:
    """Columns to lay a screen out for; COLUMNS wins, as everywhere."""
    asked = os.environ.get("COLUMNS", "")
    try:
        # Not shutil: it brings every compression module along.
        columns = int(asked) if asked.isdigit() else os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = MAX_COLUMNS
    return min(columns, MAX_COLUMNS) if columns >= 40 else MAX_COLUMNS


def _table(rows: list[tuple[str, str]], columns: int) -> list[str]:
    # One long row must not push every explanation to the right: it gets a line of its own.
    widths = [display_width(name) for name, _text in rows]
    width = max((item for item in widths if item <= 24), default=24)
    lines: list[str] = []
    for name, text in rows:
        indent = " " * (width + 4)
        if display_width(name) > width:
            lines.append(f"  {name}")
            lines += wrap(text, columns, indent=indent)
        else:
            lines += wrap(text, columns, indent=indent, first=f"  {pad(name, width)}  ")
    return lines
