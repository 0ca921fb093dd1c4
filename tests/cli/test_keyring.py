"""The platform keyring, a real one: GNOME's, behind the Secret Service of a session bus of the test's own."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.missing import do_without
from tests.support.notary import NotaryServer

from .runner import Mizheng

SECONDS = 180


@pytest.fixture(autouse=True)
def _programs() -> None:
    """debian-packages.txt names what brings them; on a build machine they must be there."""
    missing = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if not shutil.which(name)]
    if missing:
        do_without(f"no {' and no '.join(missing)} here: install gnome-keyring and dbus-daemon")


def in_session(mizheng: Mizheng, *commands: tuple[str, ...], **environment: str) -> str:
    """Run commands one after the other where a keyring is unlocked; their output, or an assertion."""
    lines = [
        "set -e",
        'eval "$(printf secret | gnome-keyring-daemon --unlock --components=secrets 2>/dev/null)"',
        *(shlex.join(str(word) for word in mizheng.command(*command)) for command in commands),
    ]
    home = mizheng.home.parent / "desktop"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", "\n".join(lines)],
        cwd=mizheng.cwd,
        env={**mizheng.variables(**environment), "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_key_in_the_keyring_signs_in_later_sessions(bare: Mizheng, notary: NotaryServer) -> None:
    _organisation, api_key = notary.add_org()
    (bare.cwd / "a.txt").write_text("a secret")
    init = ("init", "--store", "keyring", "--notary", notary.url)
    shown = in_session(bare, init, MIZHENG_API_KEY=api_key)
    assert "kept as: keyring" in shown
    # No file of ours holds the key: what there is describes it.
    assert [path.suffix for path in (bare.home / "keys").iterdir()] == [".json"]
    # Another session, as after logging in again: the keyring has kept it.
    shown = in_session(bare, ("seal", "a.txt", "-o", "a.seal"), ("notarize", "a.seal"))
    assert "signature, inclusion and envelope checked" in shown
    assert Path(bare.cwd / "a.seal").stat().st_mode & 0o777 == 0o600
