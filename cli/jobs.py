"""A whole job with the settings of this person, for the command and for the Python interface alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.errors import UsageFault
from mizheng.cli.keys.sealing import recipients
from mizheng.cli.points.find import find_points, load_points
from mizheng.cli.sealing.earlier import earlier_runs
from mizheng.cli.sealing.run import Lister, Task
from mizheng.cli.session import Session

if TYPE_CHECKING:
    from mizheng.cli.sealing.elsewhere import Source


@contextmanager
def sealing_task(
    paths: tuple[bytes, ...],
    target: Path,
    *,
    points: str | None = None,
    without_points: bool = False,
    since: Path | None = None,
    read_all: bool = False,
    with_ignored: bool = False,
    force: bool = False,
    scheduler: str | None = None,
) -> Iterator[Task]:
    """What to seal and for whom; made while the seal of the version before is open."""
    session = Session.load()
    public_key = session.active_key.public
    # Before anything is read: a fault in it would else be told after minutes of hashing.
    named = find_points(paths, points, without=without_points)
    found = load_points(named, paths) if named else None
    readers = recipients(session.home, session.config.seal_key_store)
    with (
        _reading(paths, scheduler) as (source, lister),
        earlier_runs(target, session.home, since, read_all=read_all) as (previous, earlier),
    ):
        yield Task(
            paths,
            target,
            public_key,
            readers,
            points=found,
            previous=previous,
            earlier=earlier,
            force=force,
            time_servers=tuple(session.config.time_servers.split()),
            with_ignored=with_ignored,
            source=source,
            lister=lister,
        )


@contextmanager
def _reading(
    paths: tuple[bytes, ...], scheduler: str | None
) -> Iterator[tuple[Source | None, Lister | None]]:
    """Who reads, and who lists: (None, None) is this machine, of its disks."""
    in_store = [path.startswith(b"s3://") for path in paths]
    if any(in_store):
        from mizheng.cli.sealing.objects import Store

        if not all(in_store):
            raise UsageFault("objects and files cannot stand in one seal", "seal them apart")
        if scheduler is not None:
            raise UsageFault(
                "a cluster reads files, not objects", "seal them without --scheduler: this machine reads them"
            )
        with Store() as store:
            yield store, store.walk
    elif scheduler is not None:
        from mizheng.cli.sealing.cluster import Cluster

        with Cluster(scheduler) as cluster:
            yield cluster, None
    else:
        yield None, None
