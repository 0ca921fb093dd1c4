"""A log in a database, two witnesses, and a clock in the hand: all in this process."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

import httpx
from mizheng.notary.cosigning.asking import WitnessAsker
from mizheng.notary.cosigning.choosing import Chooser
from mizheng.notary.cosigning.witnesses import WitnessPeer, WitnessSetup
from mizheng.notary.database import reading, writing
from mizheng.notary.instance import Instance
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import Head, keep_checkpoint, load_head, lock_head
from mizheng.notary.models import witnesses
from mizheng.notary.publishing.head import (
    PublishedHead,
    begin_publishing,
    find_published,
    load_lines,
    load_published_head,
)
from mizheng.notary.witness.misbehaviour import Misbehaviour
from mizheng.notary.witness.state import WitnessState
from mizheng.notary.witness.witness import Witness
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import select

NUMBERS = itertools.count()
Answer = Callable[[httpx.Request], httpx.Response]


class Peer:
    """A real witness behind a transport in this process; `answer` puts something else in its place."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.signer = WitnessSigner(f"{name}.example/w", PrivateKey.generate())
        self.folder = scene.folder / name
        self.folder.mkdir()
        self.state = WitnessState(self.folder / "witness.db")
        cases = Misbehaviour(self.folder / "cases")
        log = scene.instance.signer.verifier
        self.witness = Witness(self.signer, [log], self.state, cases, clock=scene.clock)
        self.peer = WitnessPeer(name, self.signer.witness, f"http://{name}.example/prefix")
        self.answer: Answer | None = None
        self.asked: list[bytes] = []
        client = httpx.Client(transport=httpx.MockTransport(self.handle))
        self.asker = WitnessAsker(scene.instance.engine, self.peer, client=client, clock=scene.clock)

    def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/prefix/add-checkpoint"
        body = request.read()
        self.asked.append(body)
        if self.answer is not None:
            return self.answer(request)
        found = self.witness.add_checkpoint(body)
        return httpx.Response(found.status, content=found.body, headers={"Content-Type": found.media_type})

    def olds(self) -> list[int]:
        """The old sizes it was told, since the last look."""
        found = [int(body.split(b"\n", 1)[0][4:]) for body in self.asked]
        self.asked.clear()
        return found

    def run(self) -> None:
        while self.asker.step():
            pass


class Scene:
    """A log in a database, two witnesses, and a clock in the hand."""

    def __init__(self, instance: Instance, folder: Path, quorum: str = "both") -> None:
        self.instance = instance
        self.folder = folder
        self.now = 1_800_000_000.0
        self.east, self.west = Peer(self, "east"), Peer(self, "west")
        peers = (self.east.peer, self.west.peer)
        lines = [f"witness {peer.name} {peer.key.vkey} {peer.url}" for peer in peers]
        text = "\n".join([*lines, "group both all east west", f"quorum {quorum}", ""])
        self.setup = WitnessSetup(parse_policy(text), peers, 10.0)
        self.chooser = Chooser(instance.engine, self.setup, clock=self.clock)
        with writing(instance.engine) as connection:
            begin_publishing(connection, load_head(connection), int(self.now))

    def clock(self) -> float:
        return self.now

    def grow(self, count: int = 1) -> Head:
        new = [NewEntry(hashlib.sha256(b"%d" % next(NUMBERS)).digest(), "deposit") for _ in range(count)]
        with writing(self.instance.engine) as connection:
            return append(connection, self.instance.signer, lock_head(connection), new).head

    def keep(self) -> int:
        """Keep the published head, as the anchorer does."""
        with writing(self.instance.engine) as connection:
            head = load_published_head(connection)
            keep_checkpoint(connection, head)
        return head.tree_size

    def choose(self, later: float = 2.0) -> None:
        self.now += later
        self.chooser.step()

    def turn(self) -> None:
        """A head is chosen, asked about, and decided on."""
        self.choose()
        self.east.run()
        self.west.run()
        self.choose(0)

    @property
    def published(self) -> PublishedHead:
        with reading(self.instance.engine) as connection:
            found = find_published(connection)
        assert found is not None
        return found

    def names(self, size: int) -> set[str]:
        with reading(self.instance.engine) as connection:
            lines = load_lines(connection, size)
        return {peer.name for peer in self.setup.peers if peer.key.vkey in lines}

    def state(self, peer: Peer) -> tuple[str, int] | None:
        query = select(witnesses.c.state, witnesses.c.tree_size).where(witnesses.c.vkey == peer.peer.key.vkey)
        with reading(self.instance.engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.state, row.tree_size)


def down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


def status(code: int, body: bytes = b"no\n", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(code, content=body, headers=named)
