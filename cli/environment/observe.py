"""All points of the record, after 法释〔2021〕12号 Art. 17 (3): system, software, safety, network."""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.cli.environment.clock import observe_clock
from mizheng.cli.environment.machine import observe_disk, observe_network, observe_security
from mizheng.cli.environment.observation import Observation
from mizheng.cli.environment.system import observe_software, observe_system


def observe_environment(place: bytes | None, time_servers: Sequence[str]) -> list[Observation]:
    """The observations; `place` is the first thing sealed, whose disk is looked at; None when it is on none
    of this machine.

    Packets leave the machine for `time_servers` only, and none when there are none.
    """
    return [
        *observe_system(),
        *observe_software(),
        observe_clock(time_servers),
        *observe_disk(place),
        *observe_security(),
        observe_network(),
    ]
