"""`mizheng-notary restore`: a backup into an empty place, and what is known of the log beyond it.

Everything is checked before anything is written, and nothing is overwritten. What is true if we die: without
a database `keys/log.vkey`, which is written first, keeps a start from beginning another log; the same command
goes on, because a file that is there with the same bytes is left alone.

The state file is the exception to both: it may have outlived the database, and then the higher head stays.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.backup.archive import (
    CHECKPOINT,
    DATABASE_FILES,
    Manifest,
    copy_file,
    digest_file,
    read_backup,
    sync_path,
)
from mizheng.notary.backup.databases import load_copy, require_empty
from mizheng.notary.chain.open import EMBEDDED_FILE
from mizheng.notary.config import CONFIG_NAME, load_settings
from mizheng.notary.database import create_engine
from mizheng.notary.errors import OperatorError
from mizheng.notary.keys.files import EARLIER_ISSUERS, LOG_VKEYS, write_secret
from mizheng.notary.log.statefile import STATE_NAME, SeenHead, StateFile
from mizheng.verifier.checkpoint import Checkpoint, open_checkpoint
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.signature import PrivateKey


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and how far the log is known to have gone."""

    manifest: Manifest
    data_dir: Path
    seen_size: int
    """Entries of the highest head that is known to have been signed; above the backup's: it will not sign."""


def restore_backup(
    folder: Path,
    environment: Mapping[str, str],
    options: Mapping[str, object],
    keys: Mapping[str, bytes] | None = None,
    seen: Sequence[bytes] = (),
) -> Restored:
    """Restore `folder`; `keys` from a key file, `seen`: signed checkpoints of the log from anywhere."""
    manifest = read_backup(folder)
    verifiers = _verifiers(folder, manifest)
    heads = [_open(note, verifiers) for note in ((folder / CHECKPOINT).read_bytes(), *seen)]
    if (heads[0].size, heads[0].root.hex()) != (manifest.tree_size, manifest.root_hash):
        raise OperatorError("the backup's checkpoint is not that of its manifest")
    _check_keys(manifest, keys)
    settings = load_settings(environment, options)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.keys_dir.mkdir(mode=0o700, exist_ok=True)
        plan = {
            name: settings.data_dir / name for name in (CONFIG_NAME, EMBEDDED_FILE) if name in manifest.files
        }
        for name, target in plan.items():
            _require_free(target, manifest.files[name].sha256)
        for name, data in (keys or {}).items():
            _require_free(settings.keys_dir / name, hashlib.sha256(data).hexdigest())
        for name in (LOG_VKEYS, EARLIER_ISSUERS):
            if name in manifest.files:
                _copy_new(folder / name, settings.keys_dir / name, manifest)
        if CONFIG_NAME in plan:
            _copy_new(folder / CONFIG_NAME, plan[CONFIG_NAME], manifest)
            # It may name the database.
            settings = load_settings(environment, options)
        engine = create_engine(settings.database_url)
        try:
            if engine.dialect.name != manifest.database:
                raise OperatorError(
                    "the backup is of {kind}, and the database to restore into is not",
                    hint="set MIZHENG_DATABASE_URL; a backup goes back into a database of its own kind",
                    kind=manifest.database,
                )
            require_empty(engine)
            seen_size = _note_heads(StateFile(settings.data_dir / STATE_NAME), folder, manifest, heads)
            if EMBEDDED_FILE in plan:
                _copy_new(folder / EMBEDDED_FILE, plan[EMBEDDED_FILE], manifest)
            for name, data in (keys or {}).items():
                if not (settings.keys_dir / name).exists():
                    write_secret(settings.keys_dir / name, data)
            load_copy(engine, folder / DATABASE_FILES[manifest.database])
        finally:
            engine.dispose()
    except OSError as error:
        raise OperatorError(
            "the data directory {path} cannot be used: {reason}",
            path=settings.data_dir,
            reason=error.strerror or "input/output error",
        ) from None
    return Restored(manifest, settings.data_dir, seen_size)


def _verifiers(folder: Path, manifest: Manifest) -> list[NoteVerifier]:
    verifiers = [NoteVerifier.from_vkey(vkey) for vkey in (folder / LOG_VKEYS).read_text("utf-8").split()]
    if not verifiers or {verifier.name for verifier in verifiers} != {manifest.origin}:
        raise OperatorError("the backup's log key is not that of its manifest")
    if verifiers[-1].key.keyid != manifest.log_keyid:
        raise OperatorError("the backup's log key is not that of its manifest")
    return verifiers


def _open(note: bytes, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    try:
        checkpoint, _signed = open_checkpoint(note, verifiers)
    except MizhengError as error:
        raise OperatorError(
            "a checkpoint that this log's key did not sign: {reason}",
            hint="take one from GET /checkpoint, a published directory, a seal or an auditor; if the log's "
            "key was changed after this backup, restore one that was made afterwards",
            reason=error,
        ) from None
    return checkpoint


def _check_keys(manifest: Manifest, keys: Mapping[str, bytes] | None) -> None:
    if keys is None:
        return
    for name, keyid in (("log.pem", manifest.log_keyid), ("issuer.pem", manifest.issuer_keyid)):
        if name not in keys or PrivateKey.from_pem(keys[name]).public.keyid != keyid:
            raise OperatorError(
                "the key {name} is not the one that this backup belongs to",
                hint="keys that were changed since are in a later file",
                name=name,
            )


def _note_heads(state: StateFile, folder: Path, manifest: Manifest, heads: Sequence[Checkpoint]) -> int:
    """Raise the state file to the highest head that anything here knows of; its size."""
    known = [SeenHead(manifest.origin, head.size, head.root) for head in heads]
    if STATE_NAME in manifest.files:
        kept = StateFile(folder / STATE_NAME).read(manifest.origin)
        known += [kept] if kept else []
    # Never lowered: `write` leaves a higher head, which outlived the database, as it is.
    for head in sorted(known, key=lambda item: item.size):
        state.write(head)
    present = state.read(manifest.origin)
    return present.size if present else 0


def _require_free(path: Path, sha256: str | None = None) -> None:
    if path.exists() and (sha256 is None or digest_file(path).sha256 != sha256):
        raise OperatorError(
            "{path} exists already: nothing is overwritten",
            hint="move it away, or restore into a data directory of its own: --data-dir",
            path=path,
        )


def _copy_new(source: Path, target: Path, manifest: Manifest) -> None:
    _require_free(target, manifest.files[source.name].sha256)
    if target.exists():
        return
    draft = target.with_name(target.name + ".restoring")
    draft.unlink(missing_ok=True)
    copy_file(source, draft)
    os.link(draft, target)
    draft.unlink()
    sync_path(target.parent)
