"""The disk that is sealed, security software that runs, whether the machine is on a network.

Linux's /proc and /sys; elsewhere these points say that nothing was looked at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mizheng.cli.environment.observation import Observation, not_checked, observed

_ELSEWHERE = "looked at on Linux only"
# Names of processes (the kernel keeps 15 characters), and what they are.
_SECURITY = {
    "clamd": "ClamAV",
    "freshclam": "ClamAV updates",
    "auditd": "Linux audit",
    "falcon-sensor": "CrowdStrike Falcon",
    "mdatp": "Microsoft Defender",
    "wdavdaemon": "Microsoft Defender",
    "qaxsafed": "奇安信天擎",
    "titanagent": "青藤万相",
    "edr_agent": "深信服 EDR",
    "AliYunDun": "阿里云盾",
    "YDService": "腾讯云镜",
    "hostguard": "华为云 HSS",
    "ossec-agentd": "OSSEC",
    "wazuh-agentd": "Wazuh",
    "sav-protect": "Sophos",
    "kesl": "Kaspersky Endpoint Security",
}


def observe_disk(place: bytes | None) -> Iterator[Observation]:
    """File system, encryption and free space of the disk that holds what is sealed."""
    if place is None:
        for check in ("disk.free", "disk.filesystem", "disk.encryption"):
            yield not_checked(check, "the content was read from an object store")
        return
    import shutil

    path = Path(os.fsdecode(place))
    try:
        free = shutil.disk_usage(path if path.is_dir() else path.absolute().parent).free
        yield observed("disk.free", f"{free // 2**20} MiB", "statvfs")
    except OSError:
        yield observed("disk.free", "", "statvfs")
    if not sys.platform.startswith("linux"):
        yield not_checked("disk.filesystem", _ELSEWHERE)
        yield not_checked("disk.encryption", _ELSEWHERE)
        return
    device, system = _mount(path)
    yield observed("disk.filesystem", system, "/proc/self/mountinfo")
    yield observed("disk.encryption", _encryption(device), "device mapper tables in /sys")


def observe_security() -> Iterator[Observation]:
    """Which security software runs; that a scan was made, only its maker can say."""
    yield not_checked("malware.scan", "no scanner was asked")
    if not sys.platform.startswith("linux"):
        yield not_checked("security.software", _ELSEWHERE)
        return
    names = {_process_name(path / "comm") for path in Path("/proc").iterdir() if path.name.isdecimal()}
    running = ", ".join(sorted({_SECURITY[name] for name in names & _SECURITY.keys()}))
    yield observed("security.software", running, f"running processes, {len(_SECURITY)} known names")


def observe_network() -> Observation:
    """Connected or not; no address, no name of an interface."""
    if not sys.platform.startswith("linux"):
        return not_checked("network", _ELSEWHERE)
    states = []
    for path in Path("/sys/class/net").glob("*"):
        try:
            # Loopback is of type 772 (ARPHRD_LOOPBACK).
            if (path / "type").read_text().strip() != "772":
                states.append((path / "operstate").read_text().strip())
        except OSError:
            continue
    state = "connected" if "up" in states else "not connected"
    return observed("network", state, f"state of {len(states)} interfaces in /sys/class/net")


def _mount(path: Path) -> tuple[str, str]:
    """(major:minor, file system) of the mount that holds `path`; empty when it is not found."""
    try:
        device = path.stat().st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
            fields, _, rest = line.partition(" - ")
            if fields.split()[2] == wanted:
                return wanted, rest.split()[0]
    except (OSError, IndexError):
        pass
    return "", ""


def _encryption(device: str) -> str:
    """`dm-crypt` when a mapped device of that kind lies under the mount, at any depth."""
    waiting = [Path("/sys/dev/block") / device] if device else []
    while waiting:
        path = waiting.pop()
        try:
            if (path / "dm" / "uuid").read_text().startswith("CRYPT-"):
                return "dm-crypt"
        except OSError:
            pass
        waiting += (path / "slaves").glob("*")
    return ""


def _process_name(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        # It ended meanwhile.
        return ""
