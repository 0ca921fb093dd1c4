"""Sealing on a Dask cluster: a real scheduler, and two workers in processes of their own."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest
from mizheng.cli.errors import ConfigurationFault, UnavailableFault
from mizheng.cli.sealing import cluster as module
from mizheng.cli.sealing.chunks import Chunk, Part, cut
from mizheng.cli.sealing.cluster import Cluster, digest_paths
from mizheng.cli.sealing.elsewhere import record_elsewhere
from mizheng.cli.sealing.pool import record_all
from mizheng.cli.sealing.recording import Batch
from mizheng.cli.sealing.walking import walk_folders

from tests.cli import cluster_faults
from tests.cli.runner import Mizheng
from tests.cli.seals import record_lines

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    make: Any = distributed.LocalCluster
    with make(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as made:
        yield made


@pytest.fixture
def address(local: Any) -> str:
    return str(local.scheduler_address)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files, some that fill a piece of work each, a link, something that cannot be read."""
    monkeypatch.setattr(module, "_PIECE_BYTES", 1 << 20)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for number in range(40):
        (root / f"{number}").write_bytes(b"%d" % number * number)
    for number in range(6):
        (root / "sub" / f"large{number}").write_bytes(b"%d" % number * (1 << 20))
    (root / "link").symlink_to("0")
    os.mkfifo(root / "pipe")
    return root


def chunks_of(folder: Path) -> Iterator[Chunk]:
    return cut(walk_folders([bytes(folder)]))


def joined(batches: Iterator[Batch]) -> tuple[bytes, bytes, bytes, list[tuple[bytes, str]]]:
    done = list(batches)
    lines, leaves, labels = (
        b"".join(getattr(item, name) for item in done) for name in ("lines", "leaves", "labels")
    )
    return lines, leaves, labels, [reason for item in done for reason in item.unreadable]


def at_home(folder: Path) -> tuple[bytes, bytes, bytes, list[tuple[bytes, str]]]:
    return joined(record_all(chunks_of(folder), KEY, lambda _size: None))


def on_cluster(
    folder: Path, address: str, tick: Callable[[int], None] = lambda _size: None
) -> tuple[bytes, bytes, bytes, list[tuple[bytes, str]]]:
    with Cluster(address) as cluster:
        return joined(record_elsewhere(chunks_of(folder), KEY, cluster, tick))


def test_under_the_same_key_every_byte_is_that_of_a_seal_made_here(folder: Path, address: str) -> None:
    sizes: list[int] = []
    assert on_cluster(folder, address, sizes.append) == at_home(folder)
    assert sum(sizes) == sum(
        path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )


def test_a_worker_that_dies_on_the_way_is_made_up_for(folder: Path, address: str, local: Any) -> None:
    killed: list[int] = []

    def kill_one(_size: int) -> None:
        if not killed:
            with distributed.Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    with Cluster(address) as cluster:
        # One file a chunk: the first is done, the last has not been asked for when the worker dies.
        single = [
            Chunk((Part(part.base, part.folder, name, {}),), 1)
            for chunk in chunks_of(folder)
            for part in chunk.parts
            for place, name in enumerate(part.names.split(b"\0"))
            if place not in part.others
        ]
        cluster.window = 4
        found = joined(record_elsewhere(single, KEY, cluster, kill_one))
    assert killed
    assert found == joined(record_all(single, KEY, lambda _size: None))
    local.wait_for_workers(2, timeout=60)


@pytest.mark.parametrize("fault", ["sees_nothing", "sees_another"])
def test_a_worker_that_does_not_see_the_file_ends_it(
    tmp_path: Path, address: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not recorded as unreadable, and above all not with the digests of something else."""
    (tmp_path / "file").write_bytes(b"this")
    (tmp_path / "file.other").write_bytes(b"that")
    monkeypatch.setattr(module, "digest_paths", getattr(cluster_faults, fault))
    with pytest.raises(ConfigurationFault, match="does not see"):
        on_cluster(tmp_path / "file", address)


def test_what_went_between_two_looks_is_said_as_this_machine_finds_it(tmp_path: Path, address: str) -> None:
    (tmp_path / "file").write_bytes(b"this")
    chunks = list(chunks_of(tmp_path / "file"))
    (tmp_path / "file").unlink()
    with Cluster(address) as cluster:
        (*_rest, unreadable) = joined(record_elsewhere(chunks, KEY, cluster, lambda _size: None))
    assert unreadable == [(b"file", "vanished before it was read")]


def test_nothing_but_paths_leaves_this_machine(
    folder: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    with Cluster(address) as cluster:
        honest = cluster._client.submit

        def submit(function: Any, *arguments: Any, **options: Any) -> Any:
            sent.append(pickle.dumps((function, arguments, options)))
            return honest(function, *arguments, **options)

        monkeypatch.setattr(cluster._client, "submit", submit)
        joined(record_elsewhere(chunks_of(folder), KEY, cluster, lambda _size: None))
    assert any(bytes(folder / "sub" / "large0") in data for data in sent)
    assert not [data for data in sent if KEY in data or KEY.hex().encode() in data]
    assert digest_paths.__module__ == "mizheng.cli.sealing.cluster"


def test_the_command(mizheng: Mizheng, address: str) -> None:
    folder = mizheng.cwd / "drawings"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_text(name)
    made = mizheng("seal", "drawings", "--scheduler", address, "--json").ok().json
    assert (made["files"], made["unreadable"]) == (3, [])
    (folder / "b").write_text("another b")
    again = ("--scheduler", address, "--since", "drawings.seal", "-o", "2.seal", "--json")
    assert mizheng("seal", "drawings", *again).ok().json["reused"] == 2
    mizheng("seal", "drawings", "-o", "here.seal").ok()
    assert told(mizheng, "2.seal") == told(mizheng, "here.seal")


def told(mizheng: Mizheng, name: str) -> list[dict[str, Any]]:
    """The records of files, without what is new in every seal."""
    records = [json.loads(line) for line in record_lines(mizheng, name)]
    return [{**fields, "salt": ""} for fields in records if fields["kind"] == "file"]


def test_no_scheduler_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 1)
    with pytest.raises(UnavailableFault, match="no Dask scheduler") as caught:
        Cluster("tcp://127.0.0.1:9")
    assert "dask scheduler" in caught.value.hint


def test_a_scheduler_without_workers_is_an_error() -> None:
    make: Any = distributed.LocalCluster
    with make(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1", processes=True) as empty:
        address = str(empty.scheduler_address)
        with pytest.raises(UnavailableFault, match="no workers"):
            Cluster(address)
