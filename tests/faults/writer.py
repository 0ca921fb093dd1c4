"""A process that writes to a log as the notary does, without HTTP; each answer becomes a line on its output.

    python -m tests.faults.writer URL DATA_DIR NAME THREADS SECONDS     as many as it can
    python -m tests.faults.writer URL DATA_DIR NAME 1 0                 one entry, between two marks

A line is `<envelope_sha256, hex> <leaf index> <tlog-proof, base64>`, written when the answer is there: what a
client would hold. Every second envelope has a name that all writers use, so that they race for its place.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mizheng.notary.config import load_settings
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.log.append import NewEntry
from mizheng.notary.log.sequencer import Sequencer
from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Item:
    name: str

    @property
    def entry(self) -> NewEntry:
        return NewEntry(hashlib.sha256(self.name.encode()).digest(), "deposit")

    @property
    def name_sha256(self) -> str:
        """The digest as a client writes it."""
        return self.entry.envelope_sha256.hex()


class AllAdmitted:
    """Refuses nobody and keeps nothing: what is tested is the log alone."""

    def refusals(
        self, connection: Connection, batch: Sequence[Item]
    ) -> Callable[[Collection[bytes]], Mapping[int, Problem]]:
        return lambda known: {}

    def record(self, connection: Connection, placed: Sequence[tuple[Item, int]]) -> None:
        return


def open_log(url: str, data_dir: str) -> Instance:
    return open_instance(load_settings({"MIZHENG_DATA_DIR": data_dir, "MIZHENG_DATABASE_URL": url}))


def make_sequencer(instance: Instance) -> Sequencer[Item]:
    return Sequencer(instance.engine, instance.signer, AllAdmitted(), guard=instance.guard)


def main(url: str, data_dir: str, name: str, threads: int, seconds: float) -> None:
    instance = open_log(url, data_dir)
    sequencer = make_sequencer(instance)
    sequencer.start()
    lock = threading.Lock()
    numbers = itertools.count()

    def answer(item: Item) -> bool:
        try:
            found = sequencer.submit(item).result(120)
        except Problem as problem:
            print(f"! {problem.code}", file=sys.stderr, flush=True)
            return False
        proof = base64.b64encode(found.tlog_proof).decode()
        line = f"{item.entry.envelope_sha256.hex()} {found.leaf_index} {proof}"
        with lock:
            print(line, flush=True)
        return True

    def race() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            number = next(numbers)
            item = Item(f"shared-{number}" if number % 2 else f"{name}-{number}")
            while not answer(item) and time.monotonic() < until:
                time.sleep(0.01)

    if seconds:
        workers = [threading.Thread(target=race) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    else:
        # Marks for who traces system calls: an open of a path that is not there.
        for mark in ("begin", "end"):
            with contextlib.suppress(OSError):
                open(f"/mark/{mark}")  # noqa: PTH123, SIM115
            if mark == "begin" and not answer(Item(name)):
                sys.exit(3)
    sequencer.stop()
    instance.engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
