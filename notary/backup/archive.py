"""What a backup is: a private folder of plain files and a manifest with their digests.

    backup.json     the manifest, written last: a folder without one is no backup
    checkpoint      the signed head that the database in it has
    mizheng.db      SQLite, or database.sql, what pg_dump wrote
    chain.db        the embedded chain, where there is one
    notary.toml     settings, where there are some
    signed-head     the state file, taken before the database
    log.vkey        every key of the log, the present one last; public
    issuers.pub     of earlier releases: the issuer's keys before the present one; public

No private key is ever in it: see `keyfile`.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mizheng.notary.errors import OperatorError
from mizheng.notary.keys.files import EARLIER_ISSUERS, LOG_VKEYS
from mizheng.verifier.canonical import from_hex, parse_instant, require_fields
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import require_keyid

BACKUP_TYPE = "mizheng/backup/v1"
MANIFEST = "backup.json"
CHECKPOINT = "checkpoint"
DATABASE_FILES: Mapping[str, str] = {"sqlite": "mizheng.db", "postgresql": "database.sql"}
_FILES = frozenset(
    {
        CHECKPOINT,
        *DATABASE_FILES.values(),
        "chain.db",
        "notary.toml",
        "signed-head",
        LOG_VKEYS,
        EARLIER_ISSUERS,
    }
)
_CHUNK = 1 << 20
# A manifest names seven files.
_MAX_MANIFEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, and of which log."""

    made_at: str
    version: str
    """Of the software that made it."""
    database: str
    """sqlite or postgresql: a backup goes back into a database of its own kind."""
    origin: str
    tree_size: int
    root_hash: str
    log_keyid: str
    issuer_keyid: str
    files: Mapping[str, Copied]

    def dump(self) -> bytes:
        fields = {"type": BACKUP_TYPE, **asdict(self)}
        return (json.dumps(fields, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_backup(folder: Path) -> Manifest:
    """The manifest, once every file of the folder is what it says; OperatorError otherwise."""
    try:
        if (folder / MANIFEST).stat().st_size > _MAX_MANIFEST:
            raise _no_backup(folder)
        manifest = _parse((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, MizhengError):
        raise _no_backup(folder) from None
    for name, expected in manifest.files.items():
        try:
            found = digest_file(folder / name)
        except OSError as error:
            raise OperatorError(
                "{path} cannot be read: {reason}",
                path=folder / name,
                reason=error.strerror or "input/output error",
            ) from None
        if found != expected:
            raise OperatorError(
                "{path} is not the file that was backed up: its digest is another",
                hint="take another copy of this backup, or an older backup; nothing was restored",
                path=folder / name,
            )
    return manifest


def digest_file(path: Path) -> Copied:
    """Size and SHA-256 of a file of any size."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
            size += len(data)
    return Copied(size, digest.hexdigest())


def copy_file(source: Path, target: Path) -> None:
    """Copy bytes into a new private file, synced."""
    with source.open("rb") as file, open_private(target) as copy:
        while data := file.read(_CHUNK):
            copy.write(data)
        copy.flush()
        os.fsync(copy.fileno())


def write_file(path: Path, data: bytes) -> None:
    """Write a new private file, synced."""
    with open_private(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def open_private(path: Path) -> io.BufferedWriter:
    """A new file that nobody else can read; FileExistsError rather than overwriting one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(handle, "wb")


def sync_path(path: Path) -> None:
    """Sync a file that something else wrote, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parse(data: bytes) -> Manifest:
    value = json.loads(data)
    texts = ("made_at", "version", "database", "origin", "root_hash", "log_keyid", "issuer_keyid")
    fields = require_fields(
        value, {"type": str, "tree_size": int, "files": dict, **dict.fromkeys(texts, str)}
    )
    if fields["type"] != BACKUP_TYPE or fields["database"] not in DATABASE_FILES:
        raise ValueError("not a backup of this version")
    parse_instant(fields["made_at"])
    from_hex(fields["root_hash"], 32)
    require_keyid(fields["log_keyid"])
    require_keyid(fields["issuer_keyid"])
    files = {}
    for name, item in fields["files"].items():
        if name not in _FILES:
            # Names become paths.
            raise ValueError("a file that no backup has")
        entry = require_fields(item, {"size": int, "sha256": str})
        files[name] = Copied(entry["size"], entry["sha256"])
    if not {CHECKPOINT, LOG_VKEYS, DATABASE_FILES[fields["database"]]} <= files.keys():
        raise ValueError("a backup without a database")
    return Manifest(tree_size=fields["tree_size"], files=files, **{name: fields[name] for name in texts})


def _no_backup(folder: Path) -> OperatorError:
    return OperatorError(
        "{path} is not a whole backup",
        hint="name the folder that mizheng-notary backup wrote; one that was interrupted has no {manifest}",
        path=folder,
        manifest=MANIFEST,
    )
