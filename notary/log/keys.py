"""The history of the log's key, as every process on the database sees it."""

from collections.abc import Sequence

from mizheng.notary.models import log_keys
from mizheng.verifier.logkeys import LoggedChange, LogKeys, dump_log_keys, parse_key_change
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.trust import TrustedLog
from sqlalchemy import Connection, insert, select, update


def load_log_keys(connection: Connection) -> LogKeys | None:
    """Every key of the log; None as long as none was written down (a database of an earlier release)."""
    rows = connection.execute(select(log_keys).order_by(log_keys.c.first_size)).all()
    if not rows:
        return None
    changes = [
        LoggedChange(parse_key_change(row.change_note), row.change_note, row.change_proof) for row in rows[1:]
    ]
    return LogKeys(NoteVerifier.from_vkey(rows[-1].vkey), tuple(changes))


def load_history(connection: Connection) -> bytes | None:
    """The same as everybody is shown it: mizheng/log-keys/v1."""
    rows = connection.execute(select(log_keys).order_by(log_keys.c.first_size)).all()
    if not rows:
        return None
    vkey = rows[-1].vkey
    changes = [(row.change_note, row.change_proof) for row in rows[1:]]
    return dump_log_keys(vkey.partition("+")[0], vkey, changes)


def load_ranges(connection: Connection) -> Sequence[TrustedLog]:
    """Every key of the log with the sizes it is to be believed for, the present one last."""
    keys = load_log_keys(connection)
    return () if keys is None else keys.ranges


def load_spans(connection: Connection) -> Sequence[tuple[int, int | None]]:
    """First and last size of each key, for `is_believed`; nothing but two columns is read."""
    rows = connection.execute(select(log_keys.c.first_size, log_keys.c.last_size))
    return [(row.first_size, row.last_size) for row in rows]


def is_believed(spans: Sequence[tuple[int, int | None]], size: int) -> bool:
    """Whether the log's head of this size is believed: no, where a stolen key signed it after the theft."""
    return not spans or any(first <= size and (last is None or size <= last) for first, last in spans)


def begin_log_keys(connection: Connection, verifier: NoteVerifier) -> None:
    """Write down the log's first key."""
    connection.execute(insert(log_keys), {"first_size": 0, "vkey": verifier.vkey})


def add_log_key(connection: Connection, logged: LoggedChange) -> None:
    """Write down that the key was changed; belongs into the transaction that appends the change's entry."""
    change = logged.change
    connection.execute(
        update(log_keys).where(log_keys.c.vkey == change.old.vkey).values(last_size=change.last_size)
    )
    connection.execute(
        insert(log_keys),
        {
            "first_size": change.size + 1,
            "vkey": change.new.vkey,
            "change_note": logged.note,
            "change_proof": logged.tlog_proof,
        },
    )
