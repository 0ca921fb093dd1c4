"""The log's head: one row, whose lock makes its holder the log's only writer.

The row holds the signed checkpoint exactly as it is published. Checkpoints of sizes that are anchored are
kept beside it for good.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from mizheng.notary.errors import ConfigurationError
from mizheng.notary.intake.rows import Row, Statement
from mizheng.notary.log.keys import begin_log_keys
from mizheng.notary.models import checkpoints, log_head
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.merkle import EMPTY_ROOT
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Connection, bindparam, insert, select, update

_ONLY_ROW = 1


_HEAD = select(
    log_head.c.origin,
    log_head.c.tree_size,
    log_head.c.root_hash,
    log_head.c.checkpoint,
    log_head.c.damaged_bundle,
).where(log_head.c.id == _ONLY_ROW)
_LOCKED_HEAD = Statement(_HEAD.with_for_update())
_SEEN_HEAD = Statement(_HEAD)
_DAMAGE = update(log_head).where(log_head.c.id == _ONLY_ROW).values(damaged_bundle=bindparam("bundle"))
_NEW_HEAD = Statement(
    update(log_head)
    .where(log_head.c.id == _ONLY_ROW)
    .values(
        tree_size=bindparam("size"),
        root_hash=bindparam("root"),
        checkpoint=bindparam("note"),
        updated_at=bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True)
class Head:
    """The log at one size."""

    origin: str
    tree_size: int
    root_hash: bytes
    checkpoint: bytes
    """Signed note over origin, size and root."""
    damaged_bundle: int | None = field(default=None, compare=False)
    """The entry bundle where stored bytes were found damaged, by whichever process; None: all is well."""


def load_head(connection: Connection) -> Head:
    """The head of this transaction's snapshot."""
    return _head(_SEEN_HEAD.run(connection))


def lock_head(connection: Connection) -> Head:
    """The head, locked until the transaction ends. Call it first in a `writing` transaction.

    SQLite's BEGIN IMMEDIATE has locked already; PostgreSQL locks the row.
    """
    return _head(_LOCKED_HEAD.run(connection))


def create_log(connection: Connection, signer: NoteSigner) -> Head:
    """Write the head of an empty log whose origin is the signer's name, and its first key."""
    head = sign_head(signer, 0, EMPTY_ROOT)
    begin_log_keys(connection, signer.verifier)
    connection.execute(
        insert(log_head),
        {
            "id": _ONLY_ROW,
            "origin": head.origin,
            "tree_size": 0,
            "root_hash": head.root_hash,
            "checkpoint": head.checkpoint,
            "updated_at": int(time.time()),
        },
    )
    return head


def has_log(connection: Connection) -> bool:
    """Whether the log's first head has been written."""
    return connection.execute(select(log_head.c.id)).first() is not None


def sign_head(signer: NoteSigner, tree_size: int, root_hash: bytes) -> Head:
    """A head with its signed checkpoint; nothing is stored."""
    origin = signer.verifier.name
    note = sign_checkpoint(Checkpoint(origin, tree_size, root_hash), signer)
    return Head(origin, tree_size, root_hash, note)


def store_head(connection: Connection, head: Head) -> None:
    """Put a new head in the place of the locked one."""
    _NEW_HEAD.run(
        connection, size=head.tree_size, root=head.root_hash, note=head.checkpoint, now=int(time.time())
    )


def note_damage(connection: Connection, bundle: int | None) -> None:
    """Let every process on this database know where the log is damaged; None: it is well again.

    Call it with the head's lock.
    """
    connection.execute(_DAMAGE, {"bundle": bundle})


def keep_checkpoint(connection: Connection, head: Head) -> None:
    """Keep the signed checkpoint of this size for good; harmless when it is kept already.

    Belongs into the transaction that writes down what the checkpoint is kept for.
    """
    kept = select(checkpoints.c.tree_size).where(checkpoints.c.tree_size == head.tree_size)
    if connection.execute(kept).first() is None:
        connection.execute(
            insert(checkpoints),
            {
                "tree_size": head.tree_size,
                "root_hash": head.root_hash,
                "note": head.checkpoint,
                "kept_at": int(time.time()),
            },
        )


def load_checkpoint(connection: Connection, tree_size: int) -> bytes | None:
    """The signed checkpoint kept for this size."""
    query = select(checkpoints.c.note).where(checkpoints.c.tree_size == tree_size)
    note: bytes | None = connection.execute(query).scalar_one_or_none()
    return note


def _head(found: Sequence[Row]) -> Head:
    if not found:
        raise ConfigurationError("the log has not been created yet", hint="run: mizheng-notary serve")
    return Head(*found[0])
