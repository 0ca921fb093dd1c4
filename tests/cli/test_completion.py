"""Completion: what a shell is offered is what there is."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from mizheng.cli.main import cli

from tests.cli.runner import Mizheng


def offered(mizheng: Mizheng, words: str) -> list[str]:
    """What bash is offered in the place of the last word."""
    done = mizheng(_MIZHENG_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))).ok()
    return [line.partition(",")[2] for line in done.out.splitlines()]


def test_commands_and_options_are_offered(bare: Mizheng) -> None:
    assert set(offered(bare, "mizheng ")) == set(cli.lazy)  # type: ignore[attr-defined]
    assert offered(bare, "mizheng nota") == ["notarize"]
    assert offered(bare, "mizheng seal --sin") == ["--since"]
    assert offered(bare, "mizheng points ch") == ["check"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(bare: Mizheng, shell: str) -> None:
    script = bare(_MIZHENG_COMPLETE=f"{shell}_source").ok().out
    assert f"_MIZHENG_COMPLETE={shell}_complete" in script
    program = shutil.which(shell)
    if program and shell != "fish":
        subprocess.run([program, "-n"], input=script, text=True, check=True, capture_output=True)
