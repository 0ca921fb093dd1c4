"""`mizheng-notary backup`: the whole notary but its keys, of one instant, while it serves.

The order matters: the state file first, so that it is never ahead of the database that goes with it; then
one snapshot of the database; the embedded chain after it, and only if nothing new was to be anchored
meanwhile, so that the chain knows every block that the database speaks of and anchors nothing that the
database lacks.
"""

import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mizheng.notary.backup.archive import (
    CHECKPOINT,
    DATABASE_FILES,
    MANIFEST,
    Manifest,
    copy_file,
    digest_file,
    sync_path,
    write_file,
)
from mizheng.notary.backup.chainfile import copy_chain
from mizheng.notary.backup.databases import copy_snapshot
from mizheng.notary.chain.configured import has_embedded_chain
from mizheng.notary.chain.open import EMBEDDED_FILE
from mizheng.notary.chain.tables import anchors
from mizheng.notary.config import CONFIG_NAME
from mizheng.notary.database import reading
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance
from mizheng.notary.keys.files import LOG_VKEYS
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log.append import check_head
from mizheng.notary.log.head import load_head
from mizheng.notary.log.keys import load_ranges
from mizheng.notary.log.statefile import STATE_NAME
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Connection, func, select

# An anchor that is made in the moment of the copy begins it anew; they are seconds apart at least.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup."""

    manifest: Manifest
    manifest_sha256: str


def make_backup(instance: Instance, folder: Path) -> Made:
    """Write a backup into the new folder `folder`; OperatorError when that cannot be done."""
    draft = folder.with_name(folder.name + ".unfinished")
    if folder.exists():
        raise OperatorError("{path} exists already", hint="name a new folder", path=folder)
    try:
        # Left over from a run that was interrupted: without a manifest it is no backup.
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        made = _fill(instance, draft)
        sync_path(draft)
        draft.rename(folder)
        sync_path(folder.parent)
    except OSError as error:
        raise OperatorError(
            "{path} cannot be written: {reason}", path=folder, reason=error.strerror or "input/output error"
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _fill(instance: Instance, folder: Path) -> Made:
    settings = instance.settings
    for name in (CONFIG_NAME, STATE_NAME):
        if (settings.data_dir / name).exists():
            copy_file(settings.data_dir / name, folder / name)
    kind = instance.engine.dialect.name
    is_embedded = has_embedded_chain(settings)
    for _ in range(_TRIES):
        with reading(instance.engine) as connection:
            head = load_head(connection)
            check_head(connection, head)
            newest = _newest_anchor(connection)
            if is_embedded and (settings.data_dir / EMBEDDED_FILE).exists():
                copy_chain(settings.data_dir / EMBEDDED_FILE, folder / EMBEDDED_FILE)
            with reading(instance.engine) as meanwhile:
                is_settled = not is_embedded or _newest_anchor(meanwhile) == newest
            if is_settled:
                # As of this snapshot: a key may be changed at any moment.
                vkeys = [log.verifier for log in load_ranges(connection)]
                issuer = load_issuers(connection)[-1]
                copy_snapshot(connection, folder / DATABASE_FILES[kind])
                break
    else:
        raise OperatorError(
            "the notary anchors too often to be backed up while it serves",
            hint="stop it, or set a longer anchor_interval",
        )
    write_file(folder / CHECKPOINT, head.checkpoint)
    write_file(folder / LOG_VKEYS, "".join(f"{verifier.vkey}\n" for verifier in vkeys).encode())
    manifest = Manifest(
        format_instant(int(time.time())),
        version("mizheng"),
        kind,
        head.origin,
        head.tree_size,
        head.root_hash.hex(),
        vkeys[-1].key.keyid,
        issuer.keyid,
        {path.name: digest_file(path) for path in sorted(folder.iterdir())},
    )
    # Dying before this line: no manifest, no backup.
    write_file(folder / MANIFEST, manifest.dump())
    return Made(manifest, digest_file(folder / MANIFEST).sha256)


def _newest_anchor(connection: Connection) -> tuple[object, ...]:
    # Written down before it is sent: what is not in here cannot be in the chain's copy either.
    return tuple(connection.execute(select(func.max(anchors.c.id), func.count())).one())
