"""The notary's keys as its database knows them, against the files of this data directory.

Several processes may share one database, each with files of its own: which key is the present one, the
database says. Opened before anything is signed, so a data directory that was left behind is refused by name.
"""

from pathlib import Path

from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.keys.files import (
    LOG_VKEYS,
    adopt_key,
    find_prepared,
    forget_prepared,
    load_earlier_issuers,
    replace_private,
)
from mizheng.notary.log.head import Head
from mizheng.notary.log.keys import begin_log_keys, load_log_keys
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.models import issuer_keys
from mizheng.verifier.checkpoint import open_checkpoint
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.logkeys import LogKeys
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.signature import PublicKey
from sqlalchemy import Connection, insert, select

LOG_KEY = "log.pem"
ISSUER_KEY = "issuer.pem"


def finish_log_rotation(connection: Connection, keys_dir: Path, origin: str) -> bool:
    """Go on with a change of the log's key that the database knows of and that was interrupted; whether
    there was one. A prepared key that the database does not know of is left alone: it has signed nothing.
    """
    path, known = keys_dir / LOG_KEY, load_log_keys(connection)
    coming = find_prepared(path)
    if coming is None or known is None or known.present.vkey != NoteVerifier(origin, coming.public).vkey:
        return False
    adopt_key(path)
    write_vkeys(keys_dir, known)
    # Dying before this line: all of it is done once more.
    forget_prepared(path)
    return True


def finish_issuer_rotation(connection: Connection, keys_dir: Path) -> bool:
    """The same for the issuer's key."""
    path = keys_dir / ISSUER_KEY
    coming = find_prepared(path)
    if coming is None or load_issuers(connection)[-1:] != [coming.public]:
        return False
    adopt_key(path)
    forget_prepared(path)
    return True


def settle_log_key(connection: Connection, head: Head, signer: NoteSigner) -> LogKeys:
    """The log's keys, of which the signer has the present one; ConfigurationError when it has not.

    LogCorruptError when the head is not what its signed checkpoint says.
    """
    keys = load_log_keys(connection)
    if keys is not None and keys.changes_after(signer.vkey):
        raise ConfigurationError(
            "keys/log.pem is a key of this log that was replaced",
            hint="copy keys/ from the data directory in which mizheng-notary key rotate-log was run",
        )
    try:
        checkpoint, _signed = open_checkpoint(head.checkpoint, [signer.verifier])
    except MizhengError:
        raise ConfigurationError(
            "keys/log.pem is not the key that signed this log", hint="restore the key from your backup"
        ) from None
    if (checkpoint.size, checkpoint.root) != (head.tree_size, head.root_hash):
        raise LogCorruptError("the checkpoint does not say what the head says")
    if keys is None:
        begin_log_keys(connection, signer.verifier)
        return LogKeys(signer.verifier, ())
    return keys


def write_vkeys(keys_dir: Path, keys: LogKeys) -> None:
    """Let `keys/log.vkey` name every key of the log."""
    data = "".join(f"{log.verifier.vkey}\n" for log in keys.ranges).encode()
    path = keys_dir / LOG_VKEYS
    if not path.exists() or path.read_bytes() != data:
        replace_private(path, data)


def load_issuers(connection: Connection) -> list[PublicKey]:
    """The issuer's keys, the present one last."""
    rows = connection.execute(select(issuer_keys.c.public_key).order_by(issuer_keys.c.number)).scalars()
    return [PublicKey(spki) for spki in rows]


def settle_issuer(connection: Connection, keys_dir: Path, key: PublicKey) -> None:
    """ConfigurationError unless `key` is the issuer's present one; the first time it is written down."""
    issuers = load_issuers(connection)
    if not issuers:
        take_up_issuers(connection, keys_dir, key)
    elif key in issuers[:-1]:
        raise ConfigurationError(
            "keys/issuer.pem is a key of this notary's issuer that was replaced",
            hint="copy keys/ from the data directory in which mizheng-notary key rotate-issuer was run",
        )
    elif key != issuers[-1]:
        raise ConfigurationError(
            "keys/issuer.pem is not the key of this notary's issuer",
            hint="restore the key from your backup, or copy keys/ from a data directory that serves this log",
        )


def check_issuer(connection: Connection, key: PublicKey) -> None:
    """Problem `issuer-key-replaced` unless `key` is the issuer's present one; call it before it signs."""
    if load_issuers(connection)[-1:] != [key]:
        raise Problem("issuer-key-replaced", retry_after=60)


def take_up_issuers(connection: Connection, keys_dir: Path, present: PublicKey | None = None) -> None:
    """Write down the keys that an earlier release kept in files; nothing if any is written down already."""
    if load_issuers(connection):
        return
    earlier = [item for item in dict.fromkeys(load_earlier_issuers(keys_dir)) if item != present]
    for item in (*earlier, *([] if present is None else [present])):
        add_issuer(connection, item)


def add_issuer(connection: Connection, key: PublicKey) -> None:
    """Make `key` the issuer's present one."""
    number = len(load_issuers(connection))
    connection.execute(insert(issuer_keys), {"number": number, "public_key": key.spki})
