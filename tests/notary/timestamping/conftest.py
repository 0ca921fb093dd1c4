"""A database with anchored checkpoints, and an authority that answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mizheng.notary.chain.tables import anchors
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.migrations import upgrade
from mizheng.notary.models import checkpoints
from mizheng.notary.timestamping.setup import AuthoritySetup, parse_timestamps
from mizheng.notary.timestamping.tables import time_stamp_status, time_stamps
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Engine, Row, insert, select

from tests.support.opensslts import OpensslAuthority
from tests.support.scale import SOAK
from tests.support.schema import lay_database

ORIGIN = "notary.example/log"


@dataclass
class StampedLog:
    """Checkpoints that are anchored as far as this database says; no chain is needed for that."""

    engine: Engine
    signer: NoteSigner = field(default_factory=lambda: NoteSigner(ORIGIN, PrivateKey.generate()))

    def text(self, size: int) -> bytes:
        return Checkpoint(ORIGIN, size, size.to_bytes(32, "big")).text()

    def anchor(self, size: int, state: str = "mined") -> None:
        note = sign_checkpoint(Checkpoint(ORIGIN, size, size.to_bytes(32, "big")), self.signer)
        values = {
            "chain": "main",
            "kind": "ethereum",
            "chain_id": 1,
            "genesis_hash": b"\1" * 32,
            "contract": b"\2" * 20,
            "log_id": b"\3" * 32,
            "tree_size": size,
            "root_hash": size.to_bytes(32, "big"),
            "checkpoint_note": note,
            "state": state,
            "publisher": b"\4" * 20,
            "nonce": size,
            "raw_transaction": b"",
            "transaction_hash": size.to_bytes(32, "big"),
            "prepared_at": 0,
            "updated_at": 0,
        }
        with writing(self.engine) as connection:
            connection.execute(insert(anchors).values(values))
            connection.execute(
                insert(checkpoints).values(
                    tree_size=size, root_hash=size.to_bytes(32, "big"), note=note, kept_at=0
                )
            )

    def stamps(self) -> list[Row[tuple[object, ...]]]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(time_stamps).order_by(time_stamps.c.id)))

    def states(self) -> dict[str, str]:
        with reading(self.engine) as connection:
            return {row.authority: row.state for row in connection.execute(select(time_stamp_status))}


@pytest.fixture(params=["sqlite", *(["postgresql"] if SOAK else [])])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StampedLog]:
    """A fresh database, of the other kind as well in the long form."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{lay_database(tmp_path / 'log')}")
    else:
        engine = create_engine(request.getfixturevalue("postgres").create())
        upgrade(engine)
    yield StampedLog(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def authority() -> Iterator[OpensslAuthority]:
    with OpensslAuthority() as running:
        yield running


@pytest.fixture
def setup(authority: OpensslAuthority) -> Iterator[AuthoritySetup]:
    authority.requests.clear()
    (found,) = parse_timestamps(
        {"local": {"url": authority.url, "roots": str(authority.roots), "policy": authority.policy}}
    )
    yield found
    authority.answer_with = None
