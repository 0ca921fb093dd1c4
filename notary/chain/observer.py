"""An observer: says under its own key which blocks its own node holds final.

This is what makes a header more than a drawing: a court, a notary office or a witness runs it beside a node
that is not the notary's. It answers anyone, for it says nothing but what every node can see; it signs nothing
that its node does not show it at that moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from mizheng.notary.chain.foreign import holds
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.keys.files import write_secret
from mizheng.notary.routes.limits import BodyLimit
from mizheng.notary.routes.problems import document, install_handlers
from mizheng.verifier.canonical import MAX_INTEGER, format_instant
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.foreign import ForeignAnchor, parse_foreign
from mizheng.verifier.observation import Observation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference
from pydantic import BaseModel, ConfigDict, Field

# A block of Ethereum takes twelve seconds and finality some sixty of them; asking more often is of no use.
_RETRY_AFTER_SECONDS = 30

_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class BlockQuestion(BaseModel):
    """Which block the observer is asked about."""

    model_config = ConfigDict(extra="forbid", strict=True)

    chain_id: int = Field(ge=1, le=MAX_INTEGER, description="EIP-155 chain id")
    genesis_hash: _Digest = Field(description="hash of block 0, hex")
    number: int = Field(ge=0, le=MAX_INTEGER, description="height of the block")
    hash: _Digest = Field(description="hash of the block, hex")

    def reference(self) -> BlockReference:
        return BlockReference(
            self.chain_id, bytes.fromhex(self.genesis_hash), self.number, bytes.fromhex(self.hash)
        )


class Observer:
    """One key and one chain, seen through the observer's own node."""

    def __init__(self, chain: Chain, key: PrivateKey, *, clock: Callable[[], float] = time.time) -> None:
        self._chain = chain
        self._key = key
        self._clock = clock

    def describe(self) -> dict[str, str | int]:
        """What a trust file needs to name this observer."""
        profile = self._chain.profile
        return {
            "public_key": self._key.public.to_base64(),
            "keyid": self._key.public.keyid,
            "chain_id": profile.chain_id,
            "genesis_hash": profile.genesis_hash.hex(),
            "rule": profile.finality.rule,
        }

    def observe(self, asked: BlockReference) -> bytes:
        """A signed observation of exactly this block; Problem if the node does not show it final."""
        try:
            return self._observe(asked)
        except ChainError as error:
            raise Problem("chain-unavailable", retry_after=_RETRY_AFTER_SECONDS) from error

    def observe_foreign(self, asked: ForeignAnchor) -> bytes:
        """A signed observation of exactly this anchor; Problem if the node does not show it."""
        profile = self._chain.profile
        try:
            identity = self._chain.check_identity()
            if identity.state != "ok":
                raise Problem("chain-unavailable", retry_after=_RETRY_AFTER_SECONDS)
            if asked.chain != profile.identity:
                raise Problem("chain-other", f"{profile.kind}, chain id {profile.chain_id}")
            if not holds(self._chain, asked):
                raise Problem("block-differs", "the node does not show this anchor")
        except ChainError as error:
            raise Problem("chain-unavailable", retry_after=_RETRY_AFTER_SECONDS) from error
        return asked.observe(profile.finality.rule, format_instant(int(self._clock())), self._key)

    def observe_number(self, number: int) -> bytes:
        """A signed observation of whatever final block the node has at this height."""
        profile = self._chain.profile
        try:
            block = self._chain.block(number)
        except ChainError as error:
            raise Problem("chain-unavailable") from error
        if block is None:
            raise Problem("block-unknown")
        return self.observe(BlockReference(profile.chain_id, profile.genesis_hash, number, block.hash))

    def _observe(self, asked: BlockReference) -> bytes:
        profile = self._chain.profile
        # Asked each time: whoever runs the node may have put another chain behind the same address.
        identity = self._chain.check_identity()
        if identity.state == "unreachable":
            raise Problem("chain-unavailable", retry_after=_RETRY_AFTER_SECONDS)
        if identity.state != "ok":
            raise Problem("chain-other", "the node is not on the chain that this observer was started for")
        if (asked.chain_id, asked.genesis_hash) != (profile.chain_id, profile.genesis_hash):
            raise Problem("chain-other", f"chain id {profile.chain_id}, genesis {profile.genesis_hash.hex()}")
        # The final height first: a block that is read after it and lies at or below it is final.
        final = self._chain.final()
        block = self._chain.block(asked.number)
        if block is None:
            raise Problem("block-unknown")
        if final is None or final.number < asked.number:
            raise Problem("block-not-final", retry_after=_RETRY_AFTER_SECONDS)
        if block.hash != asked.hash:
            raise Problem("block-differs", f"block {asked.number} has the hash {block.hash.hex()}")
        # All of it on one and the same quorum, where there are several nodes.
        if not self._chain.holds_final(asked.number, asked.hash):
            raise Problem("block-not-final", retry_after=_RETRY_AFTER_SECONDS)
        observed_at = format_instant(int(self._clock()))
        return Observation(asked, profile.finality.rule, observed_at).sign(self._key)


def create_observer_app(observer: Observer) -> FastAPI:
    """The observer's HTTP interface."""
    app = FastAPI(title="Mizheng observer", docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit)
    install_handlers(app)

    @app.get("/v1/observer")
    def get_observer() -> dict[str, str | int]:
        """Its public key and the chain it watches."""
        return observer.describe()

    @app.post(
        "/v1/observations",
        response_class=Response,
        responses=document(
            "chain-other", "block-unknown", "block-differs", "block-not-final", "chain-unavailable"
        ),
    )
    def post_observation(question: BlockQuestion) -> Response:
        """A DSSE envelope over `mizheng/observation/v1`, if the observer's own node holds the block final."""
        return Response(observer.observe(question.reference()), media_type="application/json")

    @app.post(
        "/v1/foreign-observations",
        response_class=Response,
        responses=document("chain-other", "block-differs", "chain-unavailable", "request-malformed"),
    )
    async def post_foreign(request: Request) -> Response:
        """A DSSE envelope over `mizheng/foreign-observation/v1`, if the observer's own node shows the anchor
        that is sent, `mizheng/foreign-anchor/v1`.
        """
        try:
            asked = parse_foreign(await request.body())
        except MizhengError:
            raise Problem("request-malformed") from None
        answer = await run_in_threadpool(observer.observe_foreign, asked.with_observations(()))
        return Response(answer, media_type="application/json")

    return app


def load_or_create_observer_key(path: Path) -> PrivateKey:
    """The observer's Ed25519 key in `path` (PKCS#8 PEM, 0600), made anew if there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, PrivateKey.generate("ed25519").to_pem())
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "the observer's key {path} is open to other accounts", hint="run: chmod 600 {path}", path=path
        )
    return PrivateKey.from_pem(path.read_bytes())
