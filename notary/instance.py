"""One notary: its data directory, database, keys and log, opened and checked before anything is served.

Opening makes what is missing, in an order that can be interrupted anywhere and gone through again:
directory, keys, schema, the log's first head, and last `keys/log.vkey`, which says that the log was begun.
Processes that open one database at the same moment do so one after the other.
"""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mizheng.notary.config import Settings
from mizheng.notary.database import check_durability, create_engine, wait_for_turn, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.keys.files import LOG_VKEYS, NotaryKeys, create_keys, load_keys
from mizheng.notary.keys.settled import (
    finish_issuer_rotation,
    finish_log_rotation,
    settle_issuer,
    settle_log_key,
    write_vkeys,
)
from mizheng.notary.log.append import check_head
from mizheng.notary.log.guard import LogGuard
from mizheng.notary.log.head import Head, create_log, has_log, load_head
from mizheng.notary.log.statefile import STATE_NAME, StateFile
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.platform_facts import state_platform
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

# In the keys directory, beside the two keys of the log: the account that pays for anchors.
PUBLISHER_FILE = "publisher.key"


@dataclass(frozen=True, slots=True)
class Instance:
    """What every command of the notary works with."""

    settings: Settings
    engine: Engine
    keys: NotaryKeys
    signer: NoteSigner
    """Signs checkpoints; its name is the log's origin."""
    guard: LogGuard
    """Knows what the world has seen of the log; asked before anything is signed."""
    platform: bytes | None = None
    """What this notary says of itself, signed when it was opened; a member of every bundle."""

    @property
    def origin(self) -> str:
        return self.signer.verifier.name


def open_instance(settings: Settings) -> Instance:
    """Open the notary of this data directory, making it first if there is none."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(settings, "setup.lock", wait=True):
            return _open(settings)
    except OSError as error:
        raise ConfigurationError(
            "the data directory {path} cannot be used: {reason}",
            hint="name another one with --data-dir or MIZHENG_DATA_DIR",
            path=settings.data_dir,
            reason=error.strerror or "input/output error",
        ) from None


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Hold the data directory for one serving process; ConfigurationError when another one has it."""
    with _locked(settings, "serve.lock", wait=False):
        yield


@contextmanager
def setting_up(settings: Settings) -> Iterator[None]:
    """Hold the data directory's keys and schema, as every opening does for a moment."""
    with _locked(settings, "setup.lock", wait=True):
        yield


@contextmanager
def reporting_database_errors() -> Iterator[None]:
    """ConfigurationError for a database that cannot be opened or is damaged."""
    try:
        yield
    except SQLAlchemyError as error:
        raise ConfigurationError(
            "the database cannot be opened ({kind})",
            hint="check MIZHENG_DATABASE_URL, and that the disk is not full",
            kind=type(error).__name__,
        ) from None
    except LogCorruptError as error:
        raise damaged(error) from None


def _open(settings: Settings) -> Instance:
    engine = create_engine(settings.database_url)
    with reporting_database_errors():
        # Imported here: a command line that only prints its help must not wait for Alembic.
        from mizheng.notary.migrations import upgrade

        upgrade(engine)
        with writing(engine) as connection:
            check_durability(connection)
            wait_for_turn(connection, "setup")
            if has_log(connection):
                head = load_head(connection)
                origin = _settled_origin(settings, head)
                if finish_log_rotation(connection, settings.keys_dir, origin):
                    logger.warning("a change of the log's key was interrupted; it is finished now")
                if finish_issuer_rotation(connection, settings.keys_dir):
                    logger.warning("a change of the issuer's key was interrupted; it is finished now")
                keys = load_keys(settings.keys_dir)
                signer = NoteSigner(origin, keys.log)
            else:
                keys = _new_keys(settings)
                signer = NoteSigner(settings.origin or _made_origin(keys), keys.log)
                head = create_log(connection, signer)
            log_keys = settle_log_key(connection, head, signer)
            settle_issuer(connection, settings.keys_dir, keys.issuer.public)
            check_head(connection, head)
    # Dying before this line: the next start finds the log in the database and comes here again.
    write_vkeys(settings.keys_dir, log_keys)
    guard = LogGuard(signer.verifier.name, StateFile(settings.data_dir / STATE_NAME), signer.verifier)
    platform = state_platform(settings.platform, keys.issuer, int(time.time()))
    return Instance(settings, engine, keys, signer, guard, platform)


def damaged(error: LogCorruptError) -> ConfigurationError:
    """What the operator is told when stored bytes of the log are not what was written."""
    return ConfigurationError(
        "the log is damaged: {reason}", hint="stop, and restore the database from a backup", reason=error
    )


def _new_keys(settings: Settings) -> NotaryKeys:
    if (settings.keys_dir / LOG_VKEYS).exists():
        # A second log under the same key and name would contradict the first one.
        raise ConfigurationError(
            "the database has no log, but {path} says that one was begun",
            hint="restore the database; to begin another log, choose another data directory",
            path=settings.keys_dir,
        )
    return create_keys(settings.keys_dir)


def _made_origin(keys: NotaryKeys) -> str:
    # .invalid (RFC 2606) belongs to nobody; part of the key makes the name one of its own.
    return f"mizheng.invalid/log/{hashlib.sha256(keys.log.public.spki).hexdigest()[:16]}"


def _settled_origin(settings: Settings, head: Head) -> str:
    if settings.origin not in (None, head.origin):
        raise ConfigurationError(
            "the log's origin is {present}, not {asked}",
            hint="an origin is for good: take the setting away, or begin another log elsewhere",
            present=head.origin,
            asked=settings.origin,
        )
    return head.origin


@contextmanager
def _locked(settings: Settings, name: str, *, wait: bool) -> Iterator[None]:
    # The kernel lets go of the lock when the process dies, however it dies.
    handle = os.open(settings.data_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise ConfigurationError(
                "another notary is serving from {path}",
                hint="stop it first, or give this one its own --data-dir",
                path=settings.data_dir,
            ) from None
        yield
    finally:
        os.close(handle)
