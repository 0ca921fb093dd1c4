"""The audit log in the background of a serving notary: by lease one process puts it on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mizheng.notary.auditing.heads import HeadRecorder
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.worker import Worker

# An act is on record within the hour; what is done in one hour is one entry of the log.
INTERVAL = 3600
# How often it is looked whether a row waits for too long.
_PAUSE = 10.0


def parse_audit(table: Mapping[str, Any]) -> int:
    """Read the table `[audit]` of notary.toml: `interval`, seconds."""
    interval = table.get("interval", INTERVAL)
    if set(table) - {"interval"} or type(interval) is not int or not 10 <= interval <= 86400:
        raise ConfigurationError(
            "notary.toml: [audit] has nothing but interval, seconds from 10 to 86400",
            hint="so long an act waits at most until the log has a record of it",
        )
    return interval


class AuditKeeper:
    """Puts the audit log on record while this process has the lease."""

    def __init__(self, instance: Instance) -> None:
        self._recorder = HeadRecorder(instance, parse_audit(instance.settings.audit))
        self._lease = make_lease(instance.engine, "audit-log")
        self._worker = Worker("audit log", self._step, _PAUSE)

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        self._worker.stop()
        self._lease.release()

    def _step(self) -> bool:
        return self._lease.hold() and self._recorder.step()
