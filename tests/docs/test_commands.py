"""Commands that the documents tell people to type exist, with these options."""

import re
import shlex
from pathlib import Path

import click
import pytest
from mizheng.cli.main import cli
from mizheng.cli.terminal.screens import CommandWithCommands, load
from mizheng.notary.main import main as notary

from tests.tools.documents import DOCUMENTS
from tests.tools.layout import ROOT

PROGRAMS: dict[str, click.Command] = {"mizheng": cli, "mizheng-notary": notary}
# In a block or in backticks, from the program's name to a comment, a pipe, a redirection or the end.
LINE = re.compile(r"^(?: {4,}|\$ )(?:\w+=\S+ )*(mizheng(?:-notary)? [^#|<>&\n]+)", re.MULTILINE)
INLINE = re.compile(r"`(mizheng(?:-notary)? [^`#|<>&]+)`")
SUBSTITUTED = re.compile(r"\$\((mizheng(?:-notary)? [^)|]+)[)|]")


def commands(path: Path) -> set[str]:
    text = path.read_text("utf-8")
    found = {match for pattern in (LINE, INLINE, SUBSTITUTED) for match in pattern.findall(text)}
    return {" ".join(command.split()) for command in found}


CASES = sorted(
    {(command, path.relative_to(ROOT).as_posix()) for path in DOCUMENTS for command in commands(path)}
)


def test_documents_tell_commands() -> None:
    assert len(CASES) > 30


@pytest.mark.parametrize(("line", "document"), CASES)
def test_command_exists(line: str, document: str) -> None:
    program, *words = shlex.split(line)
    command = PROGRAMS[program]
    context = click.Context(command, info_name=program)
    while words and isinstance(command, (click.Group, CommandWithCommands)):
        if words[0].startswith("-"):
            _check_option(command, context, words.pop(0))
            continue
        if isinstance(command, CommandWithCommands):
            if words[0] not in command.lazy:
                break
            command = load(command.lazy[words.pop(0)])
            context = click.Context(command, parent=context)
            continue
        found = command.get_command(context, words[0])
        assert found, f"{document}: {program} has no command {words[0]}"
        command, context = found, click.Context(found, parent=context, info_name=words.pop(0))
    for word in words:
        if word.startswith("-") and word != "-":
            _check_option(command, context, word)


def _check_option(command: click.Command, context: click.Context, word: str) -> None:
    known = {
        name for option in command.get_params(context) for name in (*option.opts, *option.secondary_opts)
    }
    assert word.partition("=")[0] in known, f"no option {word} of {command.name}"
