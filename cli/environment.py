"""The environment record (清洁性): what was observed of the machine that seals, point by point.

A claim of the depositor's, and opened by default, so it says nothing that names the machine, its
network or a person. What is not looked at says `not_checked`; nothing is passed over in silence.
"""

from __future__ import annotations

import platform
import ssl
import sys
from typing import Any

from .software import software_digest, software_version

# 法释〔2021〕12号 Art. 17 (3) asks for these too; they need tools of the machine's own.
_NOT_CHECKED = ("os.updates", "clock.offset", "malware.scan", "disk.encryption", "network")


def observe_environment() -> list[dict[str, Any]]:
    """The observations of an environment record: {check, state, value, how} each."""
    return [
        _operating_system(),
        _observed("os.kernel", f"{platform.system()} {platform.release()}", "uname"),
        _observed("machine.architecture", platform.machine(), "uname"),
        _observed("software.version", software_version(), "metadata of the installed package"),
        _observed("software.digest", software_digest(), "sha256 over the list of installed files"),
        _observed(
            "software.python",
            f"{platform.python_implementation()} {platform.python_version()}",
            "the running interpreter",
        ),
        _observed("software.openssl", ssl.OPENSSL_VERSION, "the linked library"),
        *(
            {"check": check, "state": "not_checked", "value": None, "how": "not looked at"}
            for check in _NOT_CHECKED
        ),
    ]


def _operating_system() -> dict[str, Any]:
    try:
        return _observed("os.name", platform.freedesktop_os_release()["PRETTY_NAME"], "/etc/os-release")
    except (OSError, KeyError):
        pass
    if sys.platform == "win32":
        return _observed("os.name", " ".join(platform.win32_ver()[:3]), "Windows version API")
    if sys.platform == "darwin":
        return _observed("os.name", f"macOS {platform.mac_ver()[0]}", "system version file")
    return {"check": "os.name", "state": "not_observed", "value": None, "how": "/etc/os-release is missing"}


def _observed(check: str, value: str, how: str) -> dict[str, Any]:
    return {
        "check": check,
        "state": "observed" if value else "not_observed",
        "value": value or None,
        "how": how,
    }
