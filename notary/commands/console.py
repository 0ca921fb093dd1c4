"""How `mizheng-notary` speaks: two languages, `error:` and `hint:`."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.words import N_, choose_language, translator

if TYPE_CHECKING:
    from mizheng.notary.instance import Instance

P = ParamSpec("P")
R = TypeVar("R")

FAILED = 1


def _(message: str, **values: object) -> str:
    """Translate a message id, then fill its placeholders."""
    context = click.get_current_context(silent=True)
    asked = context.find_root().params.get("lang") if context else None
    translated = translator(choose_language(asked, os.environ))(message)
    return translated.format(**values) if values else translated


def say(message: str, **values: object) -> None:
    """A line for people, on standard output."""
    click.echo(_(message, **values))


def fail(error: MizhengError) -> NoReturn:
    """Say what is wrong and what helps, and end."""
    complain(error)
    sys.exit(FAILED)


def complain(error: MizhengError) -> None:
    """Say what is wrong and what helps."""
    click.echo(f"{_('error')}: {_(error.message).format(**error.values)}", err=True)
    if error.hint:
        click.echo(f"{_('hint')}: {_(error.hint).format(**error.values)}", err=True)


def speaks(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors that people may see into `error:` and `hint:`."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MizhengError as error:
            fail(error)

    return run


def data_dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data-dir`, which every command has."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False),
        help=N_("where everything is kept (MIZHENG_DATA_DIR, ~/.local/share/mizheng-notary)"),
    )(command)


def open_here(data_dir: str | None) -> "Instance":
    """The notary of this data directory, as the settings say; made first if there is none."""
    from mizheng.notary.config import load_settings
    from mizheng.notary.instance import open_instance

    return open_instance(load_settings(os.environ, {"data_dir": data_dir}))
