"""A log in memory, a clock that is moved by hand, and a place where an anchorer works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.notary.anchoring.anchorer import Anchorer
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.interface import Chain
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.profiles import ChainProfile, embedded_profile, parse_finality
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.notary.chain.tables import anchor_transactions, anchors
from mizheng.notary.database import create_engine, reading
from mizheng.notary.models import metadata
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor, verify_anchor
from mizheng.verifier.merkle import Tree, leaf_hash
from sqlalchemy import Engine, Row, select

from tests.support.anvil import Anvil

ORIGIN = "notary.example/log"
START = 1_795_400_000


class Crash(BaseException):
    """The process dies here: nothing of ours may catch it."""


class Clock:
    """Seconds, moved by hand."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float = 1) -> None:
        self.now += seconds


class MemoryLog:
    """The anchorer's view of a log whose leaves are numbers."""

    def __init__(self, size: int = 0, *, salt: bytes = b"") -> None:
        self._salt = salt
        self._leaves: list[bytes] = []
        self.kept: list[int] = []
        self.grow(size)

    def grow(self, count: int = 1) -> None:
        for _ in range(count):
            self._leaves.append(leaf_hash(self._salt + len(self._leaves).to_bytes(8, "big")))

    def root(self, size: int) -> bytes:
        return Tree(self._leaves).root(size)

    def head(self) -> tuple[int, bytes, bytes]:
        size = len(self._leaves)
        return size, self.root(size), b"note %d" % size

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        return Tree(self._leaves).consistency_proof(old_size, new_size)

    def keep_checkpoint(self, size: int) -> None:
        self.kept.append(size)


def make_engine(folder: Path, database_url: str | None = None) -> Engine:
    engine = create_engine(database_url or f"sqlite:///{folder / 'mizheng.db'}")
    metadata.create_all(engine)
    return engine


def open_embedded(folder: Path, publisher: Publisher, clock: Clock) -> EmbeddedChain:
    return EmbeddedChain(folder / "chain.db", embedded_profile(), publisher.address, clock=clock)


@dataclass
class Place:
    """One notary's chain side: everything that survives a crash, and ways to start again after one."""

    engine: Engine
    chain: Chain
    publisher: Publisher
    deployment: Deployment
    clock: Clock
    log: MemoryLog = field(default_factory=MemoryLog)

    def anchorer(self, chain: Chain | None = None, **changes: Any) -> Anchorer:
        arguments: dict[str, Any] = {"log": self.log, "interval": 0.0, "clock": self.clock}
        arguments |= {"elapsed": self.clock, **changes}
        log = arguments.pop("log")
        return Anchorer(self.engine, chain or self.chain, self.publisher, self.deployment, log, **arguments)

    def rows(self) -> list[Row[Any]]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(anchors).order_by(anchors.c.id)))

    def attempts(self) -> list[Row[Any]]:
        """All transactions that were signed, in that order."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(anchor_transactions).order_by(anchor_transactions.c.id)))

    def live(self) -> list[Row[Any]]:
        return [row for row in self.rows() if row.state != "failed"]

    def check(self, evidence: bytes) -> AnchorEvidence:
        """The evidence, if a court that trusts this chain and contract would accept it."""
        found = parse_anchor(evidence)
        profile: ChainProfile = self.chain.profile
        verify_anchor(found, profile.identity, self.deployment.contract, self.deployment.code_hash)
        assert found.root_hash == self.log.root(found.tree_size)
        return found


def run(anchorer: Anchorer, clock: Clock, until: Callable[[], bool], *, steps: int = 60) -> None:
    """Step, a second each, until it is so."""
    for _ in range(steps):
        if until():
            return
        if not anchorer.step():
            clock.tick()
    raise AssertionError(f"not reached in {steps} steps; waiting for {anchorer.waiting_for}")


def is_final(place: Place, size: int) -> bool:
    return any(row.state == "final" and row.tree_size == size for row in place.rows())


def anchor_all(place: Place) -> None:
    size = place.log.head()[0]
    run(place.anchorer(), place.clock, lambda: is_final(place, size))


def make_embedded_place(folder: Path, size: int = 5) -> Place:
    clock = Clock()
    publisher = Publisher(KeyFileSigner.load_or_create(folder / "publisher.key"))
    chain = open_embedded(folder, publisher, clock)
    deployment = bring_up(chain, publisher, ORIGIN, sleep=lambda _: clock.tick())
    return Place(make_engine(folder), chain, publisher, deployment, clock, MemoryLog(size))


def make_node_place(
    folder: Path,
    node: Anvil,
    size: int = 5,
    rule: str = "instant",
    publisher: Publisher | None = None,
    database_url: str | None = None,
) -> Place:
    """A notary whose chain is anvil; every account of it has money."""
    publisher = publisher or Publisher(KeyFileSigner(bytes.fromhex(node.keys[0][2:])))
    chain = NodeChain(discover_profile((node.url,), parse_finality(rule)))
    deployment = bring_up(chain, publisher, ORIGIN)
    return Place(make_engine(folder, database_url), chain, publisher, deployment, Clock(), MemoryLog(size))


def states(place: Place) -> list[str]:
    return [row.state for row in place.rows()]


def rest(anchorer: Anchorer) -> str | None:
    """Step until there is nothing more to do at once; what it waits for then."""
    while anchorer.step():
        pass
    return anchorer.waiting_for


class Through:
    """A chain with some of its methods replaced."""

    def __init__(self, chain: Any, **methods: Any) -> None:
        self._chain = chain
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._chain, name)


def contract_head(place: Place) -> tuple[int, bytes]:
    return calls.read_head(place.chain, place.deployment.contract, place.deployment.log_id)
