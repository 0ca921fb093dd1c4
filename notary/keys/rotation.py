"""A new key for the log, or for the issuer, in the place of the present one: `mizheng-notary key rotate-…`.

The order matters, and the same command goes on wherever it was interrupted:

1. The new key is written beside the old one (`….coming`). Dying here: nothing was signed with it, a start
   leaves it alone, and the next run takes it.
2. One transaction, the log's head locked. For the log's key: the change, signed by both keys, is appended as
   an entry, and the head that contains it is signed with the new key. Before the commit nothing happened.
   After it, what the database says counts: whoever has the old key signs nothing any more.
3. The state file, as with every head that is signed.
4. The new key takes the old one's file; `log.vkey` names both. The old private key is gone.
5. The prepared key is taken away. Until then the same command, or the next start, does 4 and 5 again.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mizheng.notary.auditing.recording import record
from mizheng.notary.chain.tables import anchors
from mizheng.notary.config import Settings
from mizheng.notary.database import create_engine, reading, wait_for_turn, writing
from mizheng.notary.errors import ConfigurationError, OperatorError
from mizheng.notary.instance import only_server, reporting_database_errors, setting_up
from mizheng.notary.keys.files import LOG_VKEYS, load_key, prepare_key
from mizheng.notary.keys.settled import (
    ISSUER_KEY,
    LOG_KEY,
    add_issuer,
    finish_issuer_rotation,
    finish_log_rotation,
    settle_issuer,
    settle_log_key,
    take_up_issuers,
)
from mizheng.notary.log.append import NewEntry, append, check_head
from mizheng.notary.log.guard import LogGuard, Turn, writing_log
from mizheng.notary.log.head import load_head
from mizheng.notary.log.keys import add_log_key, begin_log_keys, load_log_keys
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.statefile import STATE_NAME, StateFile
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.logkeys import (
    LOST,
    SCHEDULED,
    STOLEN,
    KeyChange,
    LoggedChange,
    LogKeys,
    check_logged,
    issuer_name,
)
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.signature import PublicKey
from sqlalchemy import Connection, Engine, func, select


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why the log's key is changed."""

    is_stolen: bool = False
    is_lost: bool = False
    """The old key cannot sign the change: the issuer does."""
    last_size: int | None = None
    """Of a stolen key: the largest tree it is believed for. None: the largest that is final on a chain."""

    @property
    def reason(self) -> str:
        return STOLEN if self.is_stolen else LOST if self.is_lost else SCHEDULED


def rotate_log(settings: Settings, occasion: Occasion) -> LoggedChange:
    """Change the log's key, or finish a change that was interrupted; what then stands in the log.

    ConfigurationError or OperatorError when it cannot be changed, LogBehindError when the log must not be
    signed at all.
    """
    with _alone(settings) as engine:
        if not _finish_log(engine, settings):
            _change_log_key(engine, settings, occasion)
            _finish_log(engine, settings)
        with reading(engine) as connection:
            keys = load_log_keys(connection)
    assert keys is not None  # noqa: S101 - it was just written down
    return keys.changes[-1]


def rotate_issuer(settings: Settings, *, is_lost: bool = False) -> PublicKey:
    """Change the issuer's key, or finish a change that was interrupted; the new public key."""
    path = settings.keys_dir / ISSUER_KEY
    with _alone(settings) as engine:
        if not _finish_issuer(engine, settings):
            fresh = prepare_key(path)
            with _set_up(engine) as connection:
                if is_lost:
                    take_up_issuers(connection, settings.keys_dir)
                else:
                    settle_issuer(connection, settings.keys_dir, load_key(path).public)
                add_issuer(connection, fresh.public)
                record(connection, "key.rotate-issuer", f"key:{fresh.public.keyid[:16]}")
            _finish_issuer(engine, settings)
        return load_key(path).public


@contextmanager
def _alone(settings: Settings) -> Iterator[Engine]:
    """The database of a notary that does not serve from this data directory."""
    if not (settings.keys_dir / LOG_VKEYS).exists():
        raise OperatorError(
            "there is no notary in {path}",
            hint="name its data directory with --data-dir",
            path=settings.data_dir,
        )
    with only_server(settings), setting_up(settings), reporting_database_errors():
        from mizheng.notary.migrations import upgrade

        engine = create_engine(settings.database_url)
        try:
            upgrade(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _set_up(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as connection:
        wait_for_turn(connection, "setup")
        yield connection


def _finish_log(engine: Engine, settings: Settings) -> bool:
    with _set_up(engine) as connection:
        return finish_log_rotation(connection, settings.keys_dir, load_head(connection).origin)


def _finish_issuer(engine: Engine, settings: Settings) -> bool:
    with _set_up(engine) as connection:
        return finish_issuer_rotation(connection, settings.keys_dir)


def _change_log_key(engine: Engine, settings: Settings, occasion: Occasion) -> None:
    path = settings.keys_dir / LOG_KEY
    with reading(engine) as connection:
        origin = load_head(connection).origin
    old = None if occasion.is_lost else NoteSigner(origin, load_key(path))
    key = None if old is None else old.verifier
    guard = LogGuard(origin, StateFile(settings.data_dir / STATE_NAME), key)
    fresh = NoteSigner(origin, prepare_key(path))
    with writing_log(engine, guard) as turn:
        check_head(turn.connection, turn.head)
        if old is None:
            present = _lost_key(turn.connection, settings)
            issuer = _issuer(turn.connection, settings, origin)
            signers = (fresh, issuer)
        else:
            present = settle_log_key(turn.connection, turn.head, old)
            issuer, signers = None, (old, fresh)
        change = _describe(turn, present.present, fresh, occasion, issuer)
        note = change.sign(*signers)
        entry = NewEntry(hashlib.sha256(note).digest(), "key-change")
        appended = append(turn.connection, fresh, turn.head, [entry])
        turn.head = appended.head
        proof = tlog_proof(appended.reader, change.size, appended.head)
        # Before it is signed for good: the same checks that everybody else will make.
        add_log_key(turn.connection, check_logged(change, note, proof))
        name = f"key:{fresh.verifier.key.keyid[:16]}"
        record(turn.connection, "key.rotate-log", name, detail={"reason": change.reason})


def _describe(
    turn: Turn, old: NoteVerifier, fresh: NoteSigner, occasion: Occasion, issuer: NoteSigner | None
) -> KeyChange:
    size = turn.head.tree_size
    return KeyChange(
        size=size,
        root=turn.head.root_hash,
        last_size=_last_size(turn, occasion) if occasion.is_stolen else size,
        old=old,
        new=fresh.verifier,
        reason=occasion.reason,
        changed_at=format_instant(int(time.time())),
        issuer=None if issuer is None else issuer.verifier,
    )


def _last_size(turn: Turn, occasion: Occasion) -> int:
    """What was anchored before the theft was anchored by us: the contract takes no other beginning."""
    if occasion.last_size is None:
        final = select(func.max(anchors.c.tree_size)).where(anchors.c.state == "final")
        return turn.connection.execute(final).scalar() or 0
    if not 0 <= occasion.last_size <= turn.head.tree_size:
        raise OperatorError(
            "the log has {count} entries: its key cannot have signed {asked} of them",
            count=turn.head.tree_size,
            asked=occasion.last_size,
        )
    return occasion.last_size


def _lost_key(connection: Connection, settings: Settings) -> LogKeys:
    """The keys of a log whose private key is gone."""
    keys = load_log_keys(connection)
    if keys is None:
        text = (settings.keys_dir / LOG_VKEYS).read_text("utf-8")
        begin_log_keys(connection, NoteVerifier.from_vkey(text.split()[-1]))
        keys = load_log_keys(connection)
    assert keys is not None  # noqa: S101 - it was just written down
    try:
        held = load_key(settings.keys_dir / LOG_KEY).public
    except MizhengError:
        return keys
    if held == keys.present.key:
        raise OperatorError(
            "keys/log.pem is not lost: it is the log's present key", hint="run the same without --lost"
        )
    return keys


def _issuer(connection: Connection, settings: Settings, origin: str) -> NoteSigner:
    key = load_key(settings.keys_dir / ISSUER_KEY)
    settle_issuer(connection, settings.keys_dir, key.public)
    if key.public.algorithm != "ed25519":
        raise ConfigurationError("keys/issuer.pem is not an Ed25519 key")
    return NoteSigner(issuer_name(origin), key)
