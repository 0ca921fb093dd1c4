"""Operating system and software."""

from __future__ import annotations

import _ssl
import datetime
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from mizheng.cli.environment.observation import Observation, not_checked, observed
from mizheng.cli.software import software_digest, software_version

# Written whenever a package is installed, removed or brought up to date.
_PACKAGE_STATES = (
    ("/var/lib/dpkg/status", "dpkg"),
    ("/var/lib/rpm/rpmdb.sqlite", "rpm"),
    ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm"),
    ("/var/lib/pacman/local", "pacman"),
    ("/lib/apk/db/installed", "apk"),
)


def observe_system() -> Iterator[Observation]:
    """Name, kernel, architecture, and how fresh the installed packages are."""
    yield _operating_system()
    yield observed("os.kernel", f"{platform.system()} {platform.release()}", "uname")
    yield observed("machine.architecture", platform.machine(), "uname")
    yield _updates()


def observe_software() -> Iterator[Observation]:
    """What does the sealing, and its digest."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield observed("software.version", software_version(), "metadata of the installed package")
    yield observed("software.digest", software_digest(), "sha256 over the list of installed files")
    yield observed("software.python", python, "the running interpreter")
    yield observed("software.openssl", _ssl.OPENSSL_VERSION, "the linked library")


def _operating_system() -> Observation:
    try:
        return observed("os.name", platform.freedesktop_os_release()["PRETTY_NAME"], "/etc/os-release")
    except (OSError, KeyError):
        pass
    if sys.platform == "win32":
        return observed("os.name", " ".join(platform.win32_ver()[:3]), "Windows version API")
    if sys.platform == "darwin":
        return observed("os.name", f"macOS {platform.mac_ver()[0]}", "system version file")
    return observed("os.name", "", "/etc/os-release is missing")


def _updates() -> Observation:
    for name, manager in _PACKAGE_STATES:
        try:
            changed = Path(name).stat().st_mtime
        except OSError:
            continue
        day = datetime.datetime.fromtimestamp(changed, datetime.UTC).date().isoformat()
        return observed("os.updates", f"packages last changed {day}", f"state of {manager}")
    return not_checked("os.updates", "no package manager that is known here")
