"""Observers: they sign what their own node holds final and nothing else; a notary checks what it is given."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.observer import Observer, create_observer_app, load_or_create_observer_key
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.chain.tables import observations
from mizheng.notary.database import reading
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.observers import (
    ObservationCollector,
    ObserverError,
    ObserverPeer,
    ask_observer,
    observe_once,
    run_observer,
)
from mizheng.verifier.observation import Observation, parse_observation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference
from sqlalchemy import select

from tests.notary.chain.support import Clock, Place, anchor_all, make_node_place
from tests.support.anvil import Anvil
from tests.support.plain import NO_TLS
from tests.tools.layout import ROOT


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil() as found:
        found.mine(20)
        yield found


@pytest.fixture
def place(tmp_path: Path, node: Anvil) -> Iterator[Place]:
    found = make_node_place(tmp_path, node)
    yield found
    found.engine.dispose()


@pytest.fixture
def key() -> PrivateKey:
    return PrivateKey.generate()


@contextmanager
def serving(observer: Observer) -> Iterator[str]:
    """The observer's HTTP interface on a free port, in a thread; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_observer_app(observer), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(place: Place, key: PrivateKey) -> Iterator[str]:
    """An honest observer whose rule is six confirmations."""
    chain = NodeChain(replace(place.chain.profile, finality=parse_finality("confirmations:6")))
    with serving(Observer(chain, key)) as found:
        yield found


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=NO_TLS) as found:
        yield found


def reference(place: Place, number: int, **changes: Any) -> BlockReference:
    profile = place.chain.profile
    block = place.chain.block(number)
    digest = block.hash if block else b"\x07" * 32
    return replace(BlockReference(profile.chain_id, profile.genesis_hash, number, digest), **changes)


def collected(place: Place) -> list[Any]:
    with reading(place.engine) as connection:
        return list(connection.execute(select(observations).order_by(observations.c.block_number)))


def test_an_honest_answer(place: Place, client: httpx.Client, url: str, key: PrivateKey) -> None:
    peer = ObserverPeer("court", url, key.public)
    envelope = ask_observer(client, peer, reference(place, 3))
    observation, signer = parse_observation(envelope)
    assert signer == key.public
    assert observation.block == reference(place, 3)
    assert observation.rule == "confirmations:6"


@pytest.mark.parametrize(
    ("number", "changes", "status", "code"),
    [
        (3, {"hash": b"\x01" * 32}, 409, "block-differs"),
        (3, {"chain_id": 5}, 409, "chain-other"),
        (3, {"genesis_hash": b"\x01" * 32}, 409, "chain-other"),
        (20, {}, 425, "block-not-final"),
        (9999, {}, 404, "block-unknown"),
        # Of a block that is not final it says nothing, not even that it is another one.
        (20, {"hash": b"\x01" * 32}, 425, "block-not-final"),
    ],
)
def test_what_its_node_does_not_show_final_it_does_not_sign(
    place: Place, client: httpx.Client, url: str, number: int, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(url + "/v1/observations", json=reference(place, number, **changes).to_json())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:mizheng:problem:{code}"
    if code == "block-differs":
        assert reference(place, number).hash.hex() in answer.json()["detail"]


def test_its_own_node_decides_and_not_the_notarys(
    tmp_path: Path, place: Place, key: PrivateKey, client: httpx.Client
) -> None:
    """The notary's node shows a block that the observer's node, on the same chain id, has not."""
    with Anvil(extra=("--timestamp", "1577836800")) as other:
        other.mine(20)
        chain = make_node_place(tmp_path, other).chain
        with serving(Observer(chain, key)) as url, pytest.raises(ObserverError) as caught:
            ask_observer(client, ObserverPeer("court", url, key.public), reference(place, 3))
    assert caught.value.code == "refused-409"


def test_a_node_that_is_gone_or_on_another_chain(node: Anvil, place: Place, key: PrivateKey) -> None:
    observer = Observer(NodeChain(replace(place.chain.profile, genesis_hash=bytes(32))), key)
    asked = reference(place, 3)
    with pytest.raises(Problem) as caught:
        observer.observe(replace(asked, genesis_hash=bytes(32)))
    assert caught.value.code == "chain-other"
    node.stop()
    with pytest.raises(Problem) as caught:
        Observer(place.chain, key).observe(asked)
    assert (caught.value.code, caught.value.status) == ("chain-unavailable", 503)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"chain_id": 1}',
        b'{"chain_id": "1", "genesis_hash": "", "number": -1, "hash": ""}',
        b"x" * 70_000,
    ],
)
def test_malformed_questions(client: httpx.Client, url: str, body: bytes) -> None:
    answer = client.post(url + "/v1/observations", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_it_says_who_it_is(place: Place, client: httpx.Client, url: str, key: PrivateKey) -> None:
    found = client.get(url + "/v1/observer").json()
    assert found["public_key"] == key.public.to_base64()
    assert found["genesis_hash"] == place.chain.profile.genesis_hash.hex()
    assert found["rule"] == "confirmations:6"


def answering(status: int, content: bytes) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, content=content)))


def test_what_a_dishonest_observer_sends_is_not_kept(place: Place, key: PrivateKey) -> None:
    asked = reference(place, 3)
    other = replace(asked, number=4)
    peer = ObserverPeer("court", "http://observer", key.public)
    good = Observation(asked, "finalized", "2026-11-23T02:00:00Z")
    answers = [
        (good.sign(PrivateKey.generate()), "broken-answer"),
        (Observation(other, "finalized", "2026-11-23T02:00:00Z").sign(key), "broken-answer"),
        (good.sign(key).replace(b"sig", b"gis"), "broken-answer"),
        (b"{}", "broken-answer"),
        (b" " * 20_000, "broken-answer"),
    ]
    for content, code in answers:
        with pytest.raises(ObserverError) as caught:
            ask_observer(answering(200, content), peer, asked)
        assert caught.value.code == code
    with pytest.raises(ObserverError) as caught:
        ask_observer(answering(302, b""), peer, asked)
    assert caught.value.code == "refused-302"
    assert ask_observer(answering(200, good.sign(key)), peer, asked)


def test_every_final_block_is_observed_once(
    node: Anvil, place: Place, client: httpx.Client, url: str, key: PrivateKey
) -> None:
    anchor_all(place)
    clock = Clock()
    collector = ObservationCollector(
        place.engine,
        place.chain.profile,
        [ObserverPeer("court", url, key.public)],
        client=client,
        clock=clock,
    )
    while collector.step():
        pass
    # The anchor's block is final for the notary, whose rule is "instant", and not yet for the observer.
    assert collector.states == {"court": "refused-425"}
    assert not collected(place)
    node.mine(6)
    assert not collector.step()
    clock.tick(61)
    while collector.step():
        pass
    assert collector.states == {"court": "ok"}
    rows = collected(place)
    wanted = {place.rows()[0].block_hash} | {reference(place, row.block_number).hash for row in rows}
    assert {row.block_hash for row in rows} == wanted
    for row in rows:
        observation, _ = parse_observation(row.envelope)
        assert observation.block == reference(place, row.block_number)
    place.log.grow()
    anchor_all(place)
    node.mine(6)
    while collector.step():
        pass
    assert len(collected(place)) == len(rows) + 1


def test_an_observer_that_is_down_does_not_keep_the_others_waiting(
    place: Place, client: httpx.Client, url: str, key: PrivateKey
) -> None:
    anchor_all(place)
    place.chain._rpc.call("anvil_mine", "0x8")  # type: ignore[attr-defined]

    def route(request: httpx.Request) -> httpx.Response:
        if request.url.host == "down":
            raise httpx.ConnectError("down")
        answer = client.post(url + "/v1/observations", json=json.loads(request.read()))
        return httpx.Response(answer.status_code, content=answer.content)

    peers = [
        ObserverPeer("down", "http://down", PrivateKey.generate().public),
        ObserverPeer("court", url, key.public),
    ]
    collector = ObservationCollector(
        place.engine,
        place.chain.profile,
        peers,
        client=httpx.Client(transport=httpx.MockTransport(route)),
        clock=Clock(),
    )
    while collector.step():
        pass
    assert collector.states == {"down": "unreachable", "court": "ok"}
    assert {row.observer_keyid for row in collected(place)} == {key.public.keyid}


def test_once_for_a_number(node: Anvil, place: Place, tmp_path: Path) -> None:
    path = tmp_path / "observer" / "key.pem"
    envelope = observe_once([node.url], path, "finalized", 3)
    observation, signer = parse_observation(envelope)
    assert observation.block == reference(place, 3)
    assert signer == load_or_create_observer_key(path).public
    assert path.stat().st_mode & 0o777 == 0o600
    for number, code in ((20, "block-not-final"), (999, "block-unknown")):
        with pytest.raises(Problem) as caught:
            observe_once([node.url], path, "finalized", number)
        assert caught.value.code == code
    path.chmod(0o644)
    with pytest.raises(ConfigurationError):
        observe_once([node.url], path, "finalized", 3)


def test_a_process_of_its_own(node: Anvil, place: Place, tmp_path: Path) -> None:
    script = (
        "import sys, json\n"
        "from pathlib import Path\n"
        "from mizheng.notary.observers import run_observer\n"
        "run_observer([sys.argv[1]], Path(sys.argv[2]), 'finalized', '127.0.0.1:0',\n"
        "             announce=lambda about: print(json.dumps(about), flush=True))\n"
    )
    command = [sys.executable, "-c", script, node.url, str(tmp_path / "key.pem")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        try:
            with urllib.request.urlopen(about["url"] + "/v1/observer", timeout=10) as answer:  # noqa: S310
                assert answer.status == 200
            peer = ObserverPeer(
                "court", about["url"], load_or_create_observer_key(tmp_path / "key.pem").public
            )
            with httpx.Client(trust_env=False, verify=NO_TLS) as client:
                envelope = ask_observer(client, peer, reference(place, 3))
            assert parse_observation(envelope)[0].rule == "finalized"
        finally:
            process.terminate()


@pytest.mark.parametrize("listen", ["", "8480", "127.0.0.1:", "127.0.0.1:x"])
def test_addresses_that_are_none(tmp_path: Path, listen: str) -> None:
    with pytest.raises(ConfigurationError):
        run_observer(["http://127.0.0.1:1"], tmp_path / "key.pem", "finalized", listen)
