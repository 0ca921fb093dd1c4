"""The same on both databases, with two processes' worth of threads that ask, choose and publish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.cosigning.asking import WitnessAsker
from mizheng.notary.cosigning.choosing import Chooser
from mizheng.notary.instance import open_instance
from mizheng.verifier.note import parse_note

from tests.notary.witness.scene import Peer, Scene
from tests.support.missing import do_without
from tests.support.postgres import PostgresMissing, running_postgres
from tests.support.scale import scaled


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def create(request: pytest.FixtureRequest) -> Iterator[Callable[[], str] | None]:
    """Makes a fresh database and gives its URL; None: SQLite, as by default."""
    if request.param == "sqlite":
        yield None
        return
    try:
        with running_postgres() as server:
            yield server.create
    except PostgresMissing as missing:
        do_without(missing)


@pytest.fixture
def scene(create: Callable[[], str] | None, tmp_path: Path) -> Iterator[Scene]:
    environment = {"MIZHENG_DATA_DIR": str(tmp_path / "notary")}
    if create is not None:
        environment["MIZHENG_DATABASE_URL"] = create()
    instance = open_instance(load_settings(environment))
    made = Scene(instance, tmp_path)
    yield made
    for peer in (made.east, made.west):
        peer.state.close()
    instance.engine.dispose()


def test_two_of_each_at_once(scene: Scene) -> None:
    """Whoever is faster: what is published only grows, every one of them has its quorum."""
    engine, stop = scene.instance.engine, threading.Event()
    failures: list[BaseException] = []
    seen: list[tuple[int, str]] = []

    def over_and_over(step: Callable[[], bool]) -> None:
        try:
            while not stop.wait(0.001):
                step()
        except BaseException as error:
            failures.append(error)

    def second(peer: Peer) -> WitnessAsker:
        client = httpx.Client(transport=httpx.MockTransport(peer.handle))
        return WitnessAsker(engine, peer.peer, client=client, clock=scene.clock)

    steps = [scene.chooser.step, Chooser(engine, scene.setup, clock=scene.clock).step]
    for peer in (scene.east, scene.west):
        steps += [peer.asker.step, second(peer).step]
    threads = [threading.Thread(target=over_and_over, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    try:
        for _ in range(scaled(12, 400)):
            head = scene.grow(3)
            for _ in range(2000):
                found = scene.published
                seen.append((found.head.tree_size, found.quorum))
                if found.head.tree_size == head.tree_size or failures:
                    break
                # Less than the wait: without a quorum nothing would be published.
                scene.now += 0.2
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert [size for size, _ in seen] == sorted(size for size, _ in seen)
    assert scene.published.head.tree_size == scene.published.quorum_size or scene.published.quorum != "met"
    # Each head's note has one line of each witness.
    for size in {size for size, quorum in seen if quorum == "met"}:
        assert scene.names(size) == {"east", "west"}
    assert scene.published.quorum_size > 0


def test_away_and_back(scene: Scene) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens", request=request)

    scene.west.answer = down
    scene.grow(3)
    scene.turn()
    scene.choose(11)
    assert (scene.published.head.tree_size, scene.published.quorum) == (3, "not-met")
    kept = scene.keep()
    scene.grow(2)
    scene.turn()
    scene.west.answer = None
    scene.now += 120
    scene.west.run()
    scene.choose(0)
    assert scene.published.quorum == "met"
    assert scene.names(kept) == {"east", "west"}
    assert parse_note(scene.published.head.checkpoint).signatures[0].name == scene.instance.origin
