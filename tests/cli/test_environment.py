"""The environment record: what is looked at is seen, what is not says so, and nobody is named."""

from __future__ import annotations

import getpass
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mizheng.cli.environment.clock import ask_offset, observe_clock
from mizheng.cli.environment.machine import observe_disk, observe_network, observe_security
from mizheng.cli.environment.observe import observe_environment

EPOCH = 2_208_988_800
Answer = Callable[[bytes], bytes]


def sntp_answer(request: bytes, ahead: float, *, stratum: int = 2, flags: int = 0x24) -> bytes:
    """As a server whose clock is `ahead` seconds ahead of ours answers (RFC 4330 §4)."""
    now = time.time() + ahead
    stamp = struct.pack("!II", int(now) + EPOCH, int(now % 1 * 2**32))
    return struct.pack("!BBBb", flags, stratum, 0, -20) + bytes(20) + request[40:48] + stamp + stamp


@contextmanager
def time_server(answer: Answer) -> Iterator[str]:
    """A server on a port of this machine; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))

        def serve() -> None:
            try:
                while True:
                    request, peer = link.recvfrom(1024)
                    link.sendto(answer(request), peer)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{link.getsockname()[1]}"


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -12.5])
def test_the_clock_is_held_against_servers(ahead: float) -> None:
    with time_server(lambda request: sntp_answer(request, ahead)) as server:
        assert ask_offset(server) == pytest.approx(ahead, abs=0.2)
        point = observe_clock([server, "127.0.0.1:1", server])
    # Off by more than a second is a clock that fails the check, and by how much is said all the same.
    assert point["state"] == ("not_observed" if ahead else "observed")
    assert point["how"] == "SNTP, 2 of 3 servers answered; wanted: within 1 s"
    assert float(point["value"].split()[0]) == pytest.approx(ahead, abs=0.2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: b"short",
        lambda request: sntp_answer(bytes(48), 0),
        lambda request: sntp_answer(request, 0, stratum=0),
        lambda request: sntp_answer(request, 0, flags=0xE4),
        lambda request: sntp_answer(request, 0, flags=0x23),
    ],
    ids=["short", "forged", "kiss-of-death", "unsynchronised", "no-server"],
)
def test_answers_that_are_none(answer: Answer) -> None:
    with time_server(answer) as server:
        assert ask_offset(server) is None
        point = observe_clock([server])
    assert (point["state"], point["value"]) == ("not_observed", None)


def test_without_servers_nothing_is_sent_and_it_says_so() -> None:
    point = observe_clock([])
    assert (point["state"], point["how"]) == ("not_checked", "no time_servers in config.toml")


def test_the_disk_and_the_network_of_this_machine(tmp_path: Path) -> None:
    points = {point["check"]: point for point in observe_disk(bytes(tmp_path))}
    # What the kernel says of the same place, asked another way.
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    best = max((line for line in lines if str(tmp_path).startswith(line[1])), key=lambda line: len(line[1]))
    assert points["disk.filesystem"]["value"] == best[2]
    assert int(points["disk.free"]["value"].split()[0]) > 0
    assert points["disk.encryption"]["state"] in ("observed", "not_observed")
    assert observe_network()["value"] in ("connected", "not connected")


def test_security_software_that_runs_is_seen(tmp_path: Path) -> None:
    """A process that calls itself clamd: the name is all that is looked at, and the record says so."""
    found = {point["check"]: point for point in observe_security()}
    assert found["malware.scan"]["state"] == "not_checked"
    named = tmp_path / "clamd"
    named.symlink_to("/bin/sleep")
    child = os.spawnv(os.P_NOWAIT, str(named), ["clamd", "30"])
    try:
        deadline = time.monotonic() + 10
        while Path(f"/proc/{child}/comm").read_text().strip() != "clamd" and time.monotonic() < deadline:
            time.sleep(0.01)
        found = {point["check"]: point for point in observe_security()}
        assert "ClamAV" in found["security.software"]["value"]
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_the_record_names_no_machine_and_no_person(tmp_path: Path) -> None:
    text = json.dumps(observe_environment(bytes(tmp_path), []))
    addresses = {item[4][0] for item in socket.getaddrinfo(socket.gethostname(), None)}
    for secret in (socket.gethostname(), getpass.getuser() + "@", str(tmp_path), *map(str, addresses)):
        assert f'"{secret}' not in text
        assert f" {secret} " not in text
