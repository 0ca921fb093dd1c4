"""Which head readers are shown, and with whose cosignatures.

Without witnesses every head is shown when it is committed. With witnesses a head is chosen, written down as
the next one, put to all of them, and shown when their quorum is met or has been waited for long enough; the
row says which of the two. The published head never goes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mizheng.notary.log.head import Head, load_head
from mizheng.notary.models import checkpoints, cosignatures, published_head
from mizheng.verifier.witnessing import cosigned_note
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

# What is said of a head's quorum; none: the policy asks for nobody, or there is no policy.
MET = "met"
NOT_MET = "not-met"
NONE = "none"

# A cosignature over a head that is not kept is of use while somebody may still read or keep that head.
KEEP_SECONDS = 3600

_ONLY_ROW = 1
_ROW = select(published_head).where(published_head.c.id == _ONLY_ROW)
_LOCKED_ROW = _ROW.with_for_update()
_CHANGE = update(published_head).where(published_head.c.id == _ONLY_ROW)
_LINES = (
    select(cosignatures.c.vkey, cosignatures.c.line)
    .where(cosignatures.c.tree_size == bindparam("size"))
    .order_by(cosignatures.c.vkey)
)


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """The row: what is published, and what is to be published next."""

    head: Head
    """With the log's own signature alone."""
    quorum: str
    """MET, NOT_MET or NONE, of `head`."""
    quorum_size: int
    """The largest published size that had a quorum; 0 if none ever had."""
    published_at: int
    next: Head | None
    """The head that witnesses are asked about now."""
    next_since: int


def find_published(connection: Connection, *, lock: bool = False) -> PublishedHead | None:
    """None where no witnesses are asked. `lock`: until the transaction ends, nobody else changes it."""
    row = connection.execute(_LOCKED_ROW if lock else _ROW).one_or_none()
    return None if row is None else _parse(row, load_head(connection).origin)


def load_published_head(connection: Connection) -> Head:
    """The published head with the log's own signature alone."""
    found = find_published(connection)
    return load_head(connection) if found is None else found.head


def load_published(connection: Connection) -> Head:
    """The published head with its cosignatures: what readers are shown."""
    head = load_published_head(connection)
    return replace(head, checkpoint=add_cosignatures(connection, head.tree_size, head.checkpoint))


def load_lines(connection: Connection, tree_size: int) -> dict[str, bytes]:
    """Cosignature lines over the head of this size, by the witness's vkey, in one order for everybody."""
    return {row.vkey: row.line for row in connection.execute(_LINES, {"size": tree_size})}


def add_cosignatures(connection: Connection, tree_size: int, note: bytes) -> bytes:
    """The log's signed checkpoint of this size with every cosignature that there is of it."""
    return cosigned_note(note, load_lines(connection, tree_size).values())


# Changes: each within the caller's `writing` transaction


def begin_publishing(connection: Connection, head: Head, now: int) -> None:
    """Show from here on what witnesses were asked about, beginning with the head as it is."""
    connection.execute(insert(published_head).values({"id": _ONLY_ROW, **_values(head, NOT_MET, 0, now)}))


def end_publishing(connection: Connection) -> None:
    """No witnesses any more: every head is shown when it is committed."""
    connection.execute(delete(published_head))


def choose_next(connection: Connection, head: Head, now: int) -> None:
    """Write down which head the witnesses are asked about from here on."""
    values = {
        "next_size": head.tree_size,
        "next_root_hash": head.root_hash,
        "next_checkpoint": head.checkpoint,
        "next_since": now,
    }
    connection.execute(_CHANGE.values(values))


def publish_next(connection: Connection, found: PublishedHead, quorum: str, now: int) -> None:
    """Put the next head in the place of the published one."""
    if found.next is None:
        return
    size = found.next.tree_size if quorum == MET else found.quorum_size
    nothing = {"next_size": None, "next_root_hash": None, "next_checkpoint": None, "next_since": None}
    connection.execute(_CHANGE.values({**_values(found.next, quorum, size, now), **nothing}))


def note_quorum(connection: Connection, found: PublishedHead, quorum: str) -> None:
    """The published head has its quorum after all, or not any more by another policy."""
    size = found.head.tree_size if quorum == MET else found.quorum_size
    connection.execute(_CHANGE.values(quorum=quorum, quorum_size=size))


def forget_cosignatures(connection: Connection, now: int) -> None:
    """Take away old cosignatures over heads that nobody keeps."""
    kept = select(checkpoints.c.tree_size)
    published = select(published_head.c.tree_size)
    connection.execute(
        delete(cosignatures).where(
            cosignatures.c.received_at < now - KEEP_SECONDS,
            cosignatures.c.tree_size.not_in(kept),
            cosignatures.c.tree_size.not_in(published),
        )
    )


def _values(head: Head, quorum: str, quorum_size: int, now: int) -> Mapping[str, object]:
    return {
        "tree_size": head.tree_size,
        "root_hash": head.root_hash,
        "checkpoint": head.checkpoint,
        "quorum": quorum,
        "quorum_size": quorum_size,
        "published_at": now,
    }


def _parse(row: Row[tuple[object, ...]], origin: str) -> PublishedHead:
    following = None
    if row.next_size is not None:
        following = Head(origin, row.next_size, row.next_root_hash, row.next_checkpoint)
    return PublishedHead(
        head=Head(origin, row.tree_size, row.root_hash, row.checkpoint),
        quorum=row.quorum,
        quorum_size=row.quorum_size,
        published_at=row.published_at,
        next=following,
        next_since=row.next_since or 0,
    )
