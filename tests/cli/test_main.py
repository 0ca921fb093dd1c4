"""Help, languages, errors, exit codes: what every command shares."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.cli.main import cli, main
from mizheng.cli.terminal.language import set_language
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
    assert len(lines) <= 40
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
