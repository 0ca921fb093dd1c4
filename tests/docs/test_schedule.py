"""docs/schedule.md: its script runs as cron and systemd would run it, through a notary that is away."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.cli.runner import Mizheng
from tests.support.missing import do_without
from tests.support.notary import NotaryServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schedule.md"


def blocks(kind: str) -> list[str]:
    """The page's code blocks of one kind, in their order."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return list(found)


def install(home: Path) -> Path:
    (script,) = blocks("sh")
    path = home / "bin" / "seal-and-deposit"
    path.parent.mkdir()
    path.write_text(script)
    path.chmod(0o755)
    return path


def run(script: Path, home: Path, notary: str) -> int:
    """As cron runs it: hardly any environment, no terminal. Names are seconds: no two runs in one."""
    time.sleep(1.05)
    environment = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "MIZHENG_NOTARY": notary,
    }
    with (home / "seals" / "log.txt").open("a") as log:
        done = subprocess.run(
            [script], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False
        )
    return done.returncode


def test_weeks_with_and_without_the_notary(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("drawings", "seals"):
        (home / name).mkdir(parents=True, mode=0o700)
    (home / "drawings" / "pump").write_text("week 1")
    script = install(home)
    company = Mizheng(home / ".config" / "mizheng", home / "seals")
    with NotaryServer(tmp_path / "notary") as server:
        _org, api_key = server.add_org()
        company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
        assert run(script, home, server.url) == 0
        away = server.url
    for week in (2, 3):
        (home / "drawings" / "pump").write_text(f"week {week}")
        assert run(script, home, away) == 69
    with NotaryServer(tmp_path / "notary") as server:
        (home / "drawings" / "pump").write_text("week 4")
        assert run(script, home, server.url) == 0
        seals = sorted((home / "seals").glob("drawings-*.seal"))
        assert len(seals) == 4
        for seal in seals:
            assert company("status", seal.name, "--wait", "--timeout", "90", "--notary", server.url).ok()
    lines = company("log", seals[-1].name, "--json").ok().json["versions"]
    # Weeks 2 and 3 were not deposited when the next seal was made: week 4 goes on from week 1.
    assert [Path(version["seal"]).name for version in lines] == [seals[3].name, seals[0].name]
    assert {version["state"] for version in lines} == {"final"}
    assert "Traceback" not in (home / "seals" / "log.txt").read_text()


def test_a_file_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("drawings", "seals"):
        (home / name).mkdir(parents=True, mode=0o700)
    os.mkfifo(home / "drawings" / "pipe")
    script = install(home)
    company = Mizheng(home / ".config" / "mizheng", home / "seals")
    with NotaryServer(tmp_path / "notary") as server:
        _org, api_key = server.add_org()
        company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
        assert run(script, home, server.url) == 66
    (seal,) = (home / "seals").glob("drawings-*.seal")
    (version,) = company("log", seal.name, "--json").ok().json["versions"]
    assert version["deposit"]


def test_the_units_are_what_systemd_understands(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        do_without("systemd-analyze is missing: Debian's systemd brings it")
    units = []
    for name, text in zip(("seal.service", "seal.timer"), blocks("ini"), strict=True):
        path = tmp_path / name
        # Whether the script is installed is another question than whether the unit is well formed.
        path.write_text(text.replace("%h/bin/seal-and-deposit", "/bin/true"))
        units.append(str(path))
    done = subprocess.run(
        [analyze, "--user", "verify", *units],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "seal." in line], done.stderr
    calendar = re.search(r"^OnCalendar=(.*)$", blocks("ini")[1], re.MULTILINE)
    assert calendar
    subprocess.run([analyze, "calendar", calendar[1]], check=True, capture_output=True)


def test_the_line_for_cron_names_the_script() -> None:
    (table,) = blocks("cron")
    path, entry = table.splitlines()
    assert path.startswith("PATH=/")
    fields = entry.split(None, 5)
    assert all(re.fullmatch(r"\*|[0-9]+", field) for field in fields[:5])
    assert fields[5].startswith('"$HOME/bin/seal-and-deposit"')
