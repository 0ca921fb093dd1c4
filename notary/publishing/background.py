"""Publication in the background of a serving notary: the `[publish]` table of notary.toml.

    [publish]
    directory = "/srv/log"                          # for any web server
    s3 = { bucket = "log", prefix = "2026", endpoint = "https://s3.example", region = "cn-1" }
    interval = 1.0                                  # seconds between two checkpoints

One of `directory` and `s3`, or both. Nothing that is answered waits for it: deposits stand in the database,
and each step publishes whatever has been committed by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.s3 import S3Target
from mizheng.notary.publishing.step import FilePublisher, Target
from mizheng.notary.worker import Worker
from mizheng.verifier.words import N_

# Auditors ask every few seconds at most. In a bucket each head costs some six requests.
DEFAULT_INTERVAL = 1.0
# Below this it would only be busy; above it the public log is no longer that of today.
_SHORTEST, _LONGEST = 0.1, 86400.0
_KEYS = {"directory", "s3", "interval"}
_S3_KEYS = {"bucket", "prefix", "endpoint", "region"}


@dataclass(frozen=True, slots=True)
class PublishSetup:
    """What `[publish]` asks for."""

    targets: tuple[Target, ...]
    interval: float


def parse_publish(table: Mapping[str, Any]) -> PublishSetup:
    """The targets of a `[publish]` table; ConfigurationError if it cannot be used. An empty table: none."""
    if unknown := set(table) - _KEYS:
        raise _wrong(N_("[publish] has no key {key!r}"), key=min(unknown))
    interval = table.get("interval", DEFAULT_INTERVAL)
    if isinstance(interval, bool) or not isinstance(interval, int | float):
        raise _wrong(N_("[publish]: interval is a number of seconds"))
    if not _SHORTEST <= interval <= _LONGEST:
        raise _wrong(N_("[publish]: interval is from 0.1 to 86400 seconds"))
    targets: list[Target] = []
    if "directory" in table:
        targets.append(_directory(table["directory"]))
    if "s3" in table:
        targets.append(_bucket(table["s3"]))
    if table and not targets:
        raise _wrong(N_("[publish] names neither a directory nor s3"))
    return PublishSetup(tuple(targets), float(interval))


class PublishKeeper:
    """One publisher and one thread for each target."""

    def __init__(self, instance: Instance) -> None:
        setup = parse_publish(instance.settings.publish)
        self.publishers: Sequence[FilePublisher] = [
            FilePublisher(instance.engine, target, instance.guard, asks_who_signed=True)
            for target in setup.targets
        ]
        self._workers = [
            Worker("publication", publisher.step, setup.interval) for publisher in self.publishers
        ]

    @property
    def states(self) -> dict[str, str]:
        """For `directory` and `s3`: ok, waiting, or the code of what is in the way."""
        return {publisher.kind: publisher.state for publisher in self.publishers}

    def check(self) -> None:
        """PublicationError when what is published is not the beginning of this log.

        A database that was restored from an old backup is found here, before anything is signed with it.
        """
        for publisher in self.publishers:
            publisher.check()

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after the files that are being written; the next start goes on from there."""
        for publisher in self.publishers:
            publisher.stop()
        for worker in self._workers:
            worker.stop()


def _directory(value: object) -> DirectoryTarget:
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise _wrong(N_("[publish]: directory is an absolute path"))
    return DirectoryTarget(Path(value))


def _bucket(value: object) -> S3Target:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _wrong(N_("[publish]: s3 is a table of strings"))
    if not value.get("bucket") or set(value) - _S3_KEYS:
        raise _wrong(N_("[publish]: s3 has a bucket, and perhaps prefix, endpoint and region"))
    return S3Target(**value)


def _wrong(message: str, **values: object) -> ConfigurationError:
    return ConfigurationError(message, hint='for example: directory = "/srv/log"', **values)
