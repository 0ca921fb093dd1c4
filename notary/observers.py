"""Observers, from both sides: a notary asks them, and `mizheng-notary observe` is one.

In notary.toml:

    [observers.court]
    url = "https://observer.court.example"
    public_key = "MCowBQYDK2VwAyEA…"
    chain = "mainnet"                   # optional, where there are several chains: the one that it watches
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from mizheng.notary.chain.final_blocks import final_blocks
from mizheng.notary.chain.node import discover_profile
from mizheng.notary.chain.nodes import open_nodes
from mizheng.notary.chain.observer import Observer, create_observer_app, load_or_create_observer_key
from mizheng.notary.chain.profiles import ChainProfile, parse_finality, parse_kind
from mizheng.notary.chain.tables import anchors, observations
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.outgoing import make_client
from mizheng.verifier.canonical import dump
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.foreign import parse_foreign, verify_foreign_observation
from mizheng.verifier.observation import parse_observation
from mizheng.verifier.signature import PublicKey
from mizheng.verifier.statement import BlockReference
from sqlalchemy import Engine, and_, insert, select
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10.0
# An observation has some 900 bytes; whoever sends more is no observer.
_MAX_ANSWER_BYTES = 16 * 1024
# An observer that is down is left alone for this long, and one block that it does not sign as well.
_REST_SECONDS = 60.0
# As many blocks are looked at for one that an observer has not refused just now.
_CANDIDATES = 50

DEFAULT_LISTEN = "127.0.0.1:8480"


class ObserverError(MizhengError):
    """An observer did not sign. `code`: unreachable, refused-…, or broken-answer."""

    def __init__(self, code: str, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message, hint, **values)
        self.code = code


@dataclass(frozen=True, slots=True)
class ObserverPeer:
    """An observer that this notary asks, about blocks of one chain."""

    name: str
    url: str
    key: PublicKey


def parse_observers(table: Mapping[str, Any], chain: str | None = None) -> tuple[ObserverPeer, ...]:
    """Read the `[observers]` tables, all or those of one chain; ConfigurationError names a wrong one."""
    peers = []
    for name, row in table.items():
        if not isinstance(row, dict) or set(row) | {"chain"} != {"url", "public_key", "chain"}:
            raise ConfigurationError(
                "notary.toml: [observers.{name}] has url, public_key and perhaps chain, nothing else",
                name=name,
            )
        url = row["url"]
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            raise ConfigurationError("notary.toml: the url of the observer {name} is none", name=name)
        try:
            key = PublicKey.from_base64(row["public_key"])
        except MizhengError:
            raise ConfigurationError(
                "notary.toml: the public_key of the observer {name} cannot be read",
                hint="the observer prints it when it starts",
                name=name,
            ) from None
        if chain is None or row.get("chain", chain) == chain:
            peers.append(ObserverPeer(name, url.rstrip("/"), key))
    return tuple(peers)


def ask_observer(client: httpx.Client, peer: ObserverPeer, block: BlockReference) -> bytes:
    """The observer's statement about exactly this block, checked; ObserverError if there is none."""
    body = _ask(client, f"{peer.url}/v1/observations", dump(block.to_json()))
    try:
        observation, signer = parse_observation(body)
    except MizhengError as error:
        raise ObserverError("broken-answer", "the observer's answer does not check") from error
    if signer != peer.key:
        raise ObserverError("broken-answer", "the observer signed with another key than configured")
    if observation.block != block:
        raise ObserverError("broken-answer", "the observer signed about another block than it was asked")
    return body


def ask_about_foreign(client: httpx.Client, peer: ObserverPeer, evidence: bytes) -> bytes:
    """The observer's statement about exactly this `mizheng/foreign-anchor/v1`, checked; ObserverError if
    there is none.
    """
    body = _ask(client, f"{peer.url}/v1/foreign-observations", evidence)
    try:
        found = verify_foreign_observation(parse_foreign(evidence), body)
    except MizhengError as error:
        raise ObserverError("broken-answer", "the observer's answer does not check") from error
    if found.signer != peer.key:
        raise ObserverError("broken-answer", "the observer signed with another key than configured")
    return body


def _ask(client: httpx.Client, url: str, question: bytes) -> bytes:
    try:
        headers = {"content-type": "application/json"}
        with client.stream("POST", url, content=question, headers=headers) as answer:
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise ObserverError("broken-answer", "the observer's answer is too long")
    except httpx.HTTPError as error:
        raise ObserverError(
            "unreachable", "the observer does not answer ({kind})", kind=type(error).__name__
        ) from error
    if answer.status_code != 200:
        raise ObserverError(
            f"refused-{answer.status_code}",
            "the observer does not confirm the block ({status})",
            status=answer.status_code,
        )
    return body


class ObservationCollector:
    """Asks every observer about every final block that evidence stands on. `step` from one thread."""

    def __init__(
        self,
        engine: Engine,
        profile: ChainProfile,
        peers: Sequence[ObserverPeer],
        *,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._profile = profile
        self._peers = peers
        self._client = client or make_client(_TIMEOUT_SECONDS)
        self._clock = clock
        self._rests: dict[tuple[str, bytes], float] = {}
        self.states: dict[str, str] = {}
        """By observer's name: ok, or the code of what went wrong when it was asked last."""

    def step(self) -> bool:
        """Ask one observer about one block; whether there may be more to do at once."""
        now = self._clock()
        for peer in self._peers:
            if self._rests_now(peer, b"", now):
                continue
            for block in self._missing(peer):
                if not self._rests_now(peer, block.hash, now):
                    self._ask(peer, block)
                    return True
        # Nothing to ask now: forget the rests that are over.
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        return False

    def close(self) -> None:
        self._client.close()

    def _rests_now(self, peer: ObserverPeer, about: bytes, now: float) -> bool:
        # Longer than a whole rest: the clock was set back meanwhile.
        return 0 < self._rests.get((peer.key.keyid, about), 0) - now <= _REST_SECONDS

    def _ask(self, peer: ObserverPeer, block: BlockReference) -> None:
        try:
            envelope = self._question(peer, block)
        except ObserverError as error:
            if self.states.get(peer.name) != error.code:
                logger.warning("observer %s: %s", peer.name, error.code)
            self.states[peer.name] = error.code
            about = b"" if error.code == "unreachable" else block.hash
            self._rests[peer.key.keyid, about] = self._clock() + _REST_SECONDS
            return
        self.states[peer.name] = "ok"
        values = {
            "chain_id": block.chain_id,
            "genesis_hash": block.genesis_hash,
            "block_number": block.number,
            "block_hash": block.hash,
            "observer_keyid": peer.key.keyid,
            "envelope": envelope,
            "received_at": int(self._clock()),
        }
        try:
            # Dying before this commits: it is asked again, and signs again.
            with writing(self._engine) as connection:
                connection.execute(insert(observations).values(values))
        except IntegrityError:
            # Another process asked at the same moment.
            return

    def _question(self, peer: ObserverPeer, block: BlockReference) -> bytes:
        if not self._profile.is_foreign:
            return ask_observer(self._client, peer, block)
        with reading(self._engine) as connection:
            evidence = connection.execute(
                select(anchors.c.evidence_final).where(
                    anchors.c.chain_id == block.chain_id,
                    anchors.c.genesis_hash == block.genesis_hash,
                    anchors.c.block_hash == block.hash,
                    anchors.c.state == "final",
                )
            ).scalar()
        if evidence is None:
            raise ObserverError("broken-answer", "the anchor is no longer final")
        return ask_about_foreign(self._client, peer, evidence)

    def _missing(self, peer: ObserverPeer) -> list[BlockReference]:
        """Final blocks of anchors and beacons that this observer has not signed, newest first."""
        wanted = final_blocks(self._profile)
        has = and_(
            observations.c.chain_id == self._profile.chain_id,
            observations.c.genesis_hash == self._profile.genesis_hash,
            observations.c.block_hash == wanted.c.hash,
            observations.c.observer_keyid == peer.key.keyid,
        )
        statement = (
            select(wanted.c.number, wanted.c.hash)
            .outerjoin(observations, has)
            .where(observations.c.id.is_(None))
            .distinct()
            .order_by(wanted.c.number.desc())
            .limit(_CANDIDATES)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        profile = self._profile
        return [BlockReference(profile.chain_id, profile.genesis_hash, row.number, row.hash) for row in rows]


def run_observer(
    rpc: Sequence[str],
    key_path: Path,
    rule: str,
    listen: str = DEFAULT_LISTEN,
    *,
    kind: str = "ethereum",
    announce: Callable[[Mapping[str, str | int]], None] = lambda _: None,
) -> None:
    """Serve observations until told to stop.

    `announce` is called once, when it listens, with `Observer.describe()` and its url.
    """
    import uvicorn

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError("{listen} is not an address", hint="HOST:PORT", listen=listen)
    observer = _open_observer(rpc, key_path, rule, kind)
    try:
        listener = socket.create_server((host.strip("[]"), int(port)))
    except (OSError, OverflowError) as error:
        raise ConfigurationError("cannot listen on {listen}: {reason}", listen=listen, reason=error) from None
    announce({**observer.describe(), "url": "http://{}:{}".format(*listener.getsockname()[:2])})
    config = uvicorn.Config(
        create_observer_app(observer), log_config=None, access_log=False, server_header=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def observe_once(
    rpc: Sequence[str], key_path: Path, rule: str, number: int, *, kind: str = "ethereum"
) -> bytes:
    """One signed observation of the final block at this height, to be carried to the notary by hand."""
    return _open_observer(rpc, key_path, rule, kind).observe_number(number)


def _open_observer(rpc: Sequence[str], key_path: Path, rule: str, kind: str) -> Observer:
    finality = parse_finality(rule)
    key = load_or_create_observer_key(key_path)
    return Observer(open_nodes(discover_profile(tuple(rpc), finality, parse_kind(kind))), key)
