"""Help, languages, errors, exit codes: what every command shares."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from mizheng.cli.main import cli, main
from mizheng.cli.terminal.language import set_language
from mizheng.cli.terminal.output import Progress
from mizheng.cli.terminal.text import display_width

from tests.cli.runner import Mizheng

HEAVY = ("httpx", "cryptography", "ssl", "tomllib", "keyring", "multiprocessing", "json", "email")
COMMANDS = (
    (),
    *((name,) for name in cli.lazy),  # type: ignore[attr-defined]
    ("key", "show"),
    ("key", "rotate"),
    ("key", "replace"),
    ("trust", "show"),
)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from mizheng.cli.main import main\n"
        "code = main(['--help'])\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "loaded += [name for name in sys.modules if name.startswith('mizheng.cli.commands.')]\n"
        "sys.exit(str(loaded) if loaded else code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _help(capsys: pytest.CaptureFixture[str], language: str, command: tuple[str, ...]) -> str:
    assert main(["--lang", language, *command, "--help"]) == 0
    shown = capsys.readouterr()
    assert not shown.err
    return shown.out


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    yield
    set_language("en")


@pytest.mark.usefixtures("_narrow")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_help_fits_a_screen_and_shows_examples(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], language: str
) -> None:
    text = _help(capsys, language, command)
    lines = text.splitlines()
    # The list of all commands is longer than what one of them has to say.
    assert len(lines) <= (40 if command else 48)
    assert all(display_width(line) <= 80 for line in lines)
    word = "Examples:" if language == "en" else "示例："
    assert word in text or command == ("key", "show")


@pytest.mark.usefixtures("_narrow")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_chinese_help_is_chinese(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    text = _help(capsys, "zh_CN", command)
    assert "用法：" in text
    # What an untranslated help text would leave behind.
    assert " the " not in text


def test_no_arguments_show_help_as_a_usage_error(bare: Mizheng) -> None:
    result = bare()
    assert result.code == 64
    assert "Usage: mizheng" in result.err
    assert not result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("frobnicate",), "error: no such command: frobnicate"),
        (("--frobnicate",), "error: no such option: --frobnicate"),
        (("seal",), "error: PATH… is missing"),
        (("seal", "x", "--output"), "error: option --output needs a value"),
        (("--lang", "fr", "seal", "x"), "error: fr is not a language here: zh_CN or en"),
        (("status", "x", "--timeout", "soon", "--wait"), "error: invalid value for '--timeout'"),
        (("status", "x", "--timeout", "3"), "error: --timeout goes with --wait"),
    ],
)
def test_usage_errors(bare: Mizheng, arguments: tuple[str, ...], message: str) -> None:
    result = bare(*arguments)
    assert result.code == 64
    assert result.err.startswith(message)
    assert "Traceback" not in result.err


def test_a_mistyped_option_is_met_with_a_suggestion(bare: Mizheng) -> None:
    assert "hint: did you mean --trust?" in bare("verify", "x", "--trsut", "y").err


@pytest.mark.parametrize(
    ("environment", "is_chinese"),
    [
        ({"LC_ALL": "zh_CN.UTF-8", "MIZHENG_LANG": ""}, True),
        ({"LC_ALL": "", "LANG": "zh_TW.UTF-8", "MIZHENG_LANG": ""}, True),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8", "MIZHENG_LANG": ""}, False),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8", "MIZHENG_LANG": ""}, False),
        ({"LC_ALL": "en_GB.UTF-8", "MIZHENG_LANG": "zh"}, True),
    ],
)
def test_language_comes_from_the_locale(bare: Mizheng, environment: dict[str, str], is_chinese: bool) -> None:
    result = bare("status", "nowhere.seal", **environment)
    assert result.code == 66
    assert result.err.startswith("错误：" if is_chinese else "error:")


def test_lang_option_wins(bare: Mizheng) -> None:
    assert bare("--lang=zh_CN", "status", "nowhere.seal").err.startswith("错误：")
    assert bare("--lang", "en", "status", "nowhere.seal", MIZHENG_LANG="zh").err.startswith("error:")


def test_a_terminal_without_chinese_still_gets_an_answer(bare: Mizheng) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = bare("--lang", "zh_CN", "status", "nowhere.seal", **environment)
    assert result.code == 66
    assert "\\u" in result.err
    assert "Traceback" not in result.err


def test_version(bare: Mizheng) -> None:
    assert bare("--version").ok().out.startswith("mizheng ")


def test_a_reader_that_goes_away_is_no_verdict(mizheng: Mizheng, tmp_path: Path) -> None:
    """Exit code 1 would say `invalid`."""
    for number in range(3000):
        (mizheng.cwd / f"{number:0200}").touch()
    mizheng("seal", ".", "-o", tmp_path / "many.seal").ok()
    command = mizheng.command("bundle", tmp_path / "many.seal", "--list")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=mizheng.variables()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert error == b""


def test_settings_that_cannot_be_read_are_no_verdict(bare: Mizheng) -> None:
    """78, never 1 or 2."""
    bare.home.mkdir()
    (bare.home / "config.toml").mkdir()
    result = bare("key", "show")
    assert result.code == 78
    assert "Traceback" not in result.err


def test_every_command_has_json() -> None:
    """What a person reads, a program can read too."""

    def walk(group: click.Group, context: click.Context, path: str) -> Iterator[str]:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            below = click.Context(command, parent=context, info_name=name)
            if isinstance(command, click.Group):
                yield from walk(command, below, f"{path} {name}")
            elif not any("--json" in option.opts for option in command.get_params(below)):
                yield f"{path} {name}"

    assert list(walk(cli, click.Context(cli), "mizheng")) == []


def test_the_line_of_progress_says_how_fast_and_how_long_still() -> None:
    progress = Progress("sealing")
    progress.advance(3, 2 << 20)
    # Without knowing how much there is, it counts.
    assert progress._line(2.0) == "sealing 3  2.0 MiB  1.0 MiB/s"
    progress.expect(12, 8 << 20)
    line = progress._line(2.0)
    assert " 25%  3/12  2.0 MiB  1.0 MiB/s  0:06 left" in line
    assert line.startswith("sealing [######..")
    assert "1:00:00 left" in progress._line(1200.0)
    # In the first second nobody knows.
    assert "left" not in progress._line(0.5)


def test_progress_on_a_terminal_only(mizheng: Mizheng) -> None:
    (mizheng.cwd / "a").write_bytes(bytes(1000))
    assert "\r" not in mizheng("seal", "a", "-o", "pipe.seal").ok().err
    master, slave = os.openpty()
    done = subprocess.run(
        mizheng.command("seal", "a", "-o", "terminal.seal"),
        cwd=mizheng.cwd,
        env=mizheng.variables(TERM="xterm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
        check=True,
    )
    os.close(slave)
    shown = os.read(master, 100_000)
    os.close(master)
    assert b"\r" in shown
    assert b"sealing" in shown
    assert b"\x1b" not in done.stdout
