"""The log as plain files that need no notary any more: `mizheng-notary export-static`.

What leaves is what is public: entries, tiles, checkpoints, keys, and what proves anchors. Envelopes,
companies, enrolments and revocations stay: an auditor of the log sees their digests only, as always.

Files of the log itself are written as publication writes them, each checked. What stands beside them is
written after the checkpoint, and `index.json`, which names it all, last. Run again, the export goes on.
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.notary.chain.beacon import list_beacons
from mizheng.notary.chain.tables import anchors, observations, validator_seals
from mizheng.notary.database import reading
from mizheng.notary.errors import OperatorError
from mizheng.notary.exports.static_readme import KINDS, README
from mizheng.notary.exports.trust import make_trust, trusted_issuers, trusted_logs
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import Head
from mizheng.notary.log.keys import load_log_keys
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.models import checkpoints
from mizheng.notary.publishing.directory import WORK_FOLDER, DirectoryTarget
from mizheng.notary.publishing.head import add_cosignatures
from mizheng.notary.publishing.step import FilePublisher
from mizheng.notary.timestamping.kept import load_all_stamps
from mizheng.verifier.beacon import dump_beacon
from mizheng.verifier.canonical import format_instant, to_base64
from mizheng.verifier.logkeys import LOG_KEYS_PATH
from mizheng.verifier.timestamp.token import dump_response
from mizheng.verifier.trust import dump_trust
from sqlalchemy import Connection, select

INDEX = "index.json"
INDEX_TYPE = "mizheng/export/v1"
# Ten years: nobody will be there to make another one.
TRUST_DAYS = 3660
_IN_BLOCK = ("mined", "final")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, for the operator to publish by other channels."""

    tree_size: int
    files: int
    index_sha256: str
    trust_sha256: str | None
    """None where nothing was anchored, so that there is no chain to trust."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    kind: str
    data: bytes
    facts: dict[str, Any] = field(default_factory=dict)


def export_static(instance: Instance, folder: Path) -> Exported:
    """Export the published log; PublicationError or OperatorError when that cannot be done."""
    try:
        return _export(instance, folder)
    except OSError as error:
        raise OperatorError(
            "{path} cannot be written: {reason}",
            hint="run the same command again once it can: what is written already is kept",
            path=folder,
            reason=error.strerror or type(error).__name__,
        ) from None
    except LogCorruptError as error:
        raise OperatorError("the log is damaged: {reason}", reason=error) from None


def _export(instance: Instance, folder: Path) -> Exported:
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder):
        raise OperatorError("{path} is not empty", hint="name a directory of its own", path=folder)
    target = DirectoryTarget(folder)
    head = FilePublisher(instance.engine, target).publish()
    described: list[dict[str, Any]] = [
        {"path": "checkpoint", "kind": "checkpoint"},
        {"path": "tile/", "kind": "tiles"},
        {"path": "tile/entries/", "kind": "entries"},
    ]
    trust_sha256 = None
    with target.taken():
        # One snapshot for all that stands beside the log; nothing in it that is newer than the head.
        with reading(instance.engine) as connection:
            for file in _beside(connection, instance, head):
                target.replace_file(file.path, file.data)
                digest = hashlib.sha256(file.data).hexdigest()
                described.append({"path": file.path, "kind": file.kind, "sha256": digest, **file.facts})
                if file.kind == "trust":
                    trust_sha256 = digest
            index = _dump({**_summary(instance, head), "kinds": KINDS, "files": described})
        target.settle()
        # Dying before this line: without an index it is not an export yet, and is gone on with.
        target.replace_file(INDEX, index)
        target.settle()
    target.clean()
    return Exported(head.tree_size, len(described), hashlib.sha256(index).hexdigest(), trust_sha256)


def _is_ours(folder: Path) -> bool:
    return any((folder / name).exists() for name in (INDEX, WORK_FOLDER))


def _summary(instance: Instance, head: Head) -> dict[str, Any]:
    return {
        "type": INDEX_TYPE,
        "origin": head.origin,
        "tree_size": head.tree_size,
        "root_hash": head.root_hash.hex(),
        "exported_at": format_instant(int(time.time())),
        "log_keys": [
            {"vkey": log.verifier.vkey, "first_size": log.first_size, "last_size": log.last_size}
            for log in trusted_logs(instance)
        ],
        "issuer_keys": [
            {"keyid": issuer.key.keyid, "public_key": to_base64(issuer.key.spki)}
            for issuer in trusted_issuers(instance)
        ],
    }


def _beside(connection: Connection, instance: Instance, head: Head) -> Iterator[_File]:
    yield _File("README.txt", "readme", README.encode())
    yield from _keys(connection, instance)
    kept = (
        select(checkpoints).where(checkpoints.c.tree_size <= head.tree_size).order_by(checkpoints.c.tree_size)
    )
    for row in connection.execute(kept):
        note = add_cosignatures(connection, row.tree_size, row.note)
        yield _File(f"checkpoints/{row.tree_size}", "kept-checkpoint", note, {"tree_size": row.tree_size})
    yield from _anchors(connection, head)
    yield from _time_stamps(connection, head)
    yield from _blocks(connection)
    if connection.execute(select(anchors.c.id).where(anchors.c.state.in_(_IN_BLOCK))).first() is not None:
        yield _File("trust.toml", "trust", dump_trust(make_trust(instance, days=TRUST_DAYS)))


def _keys(connection: Connection, instance: Instance) -> Iterator[_File]:
    vkeys = "".join(f"{log.verifier.vkey}\n" for log in trusted_logs(instance))
    yield _File("keys/log.vkey", "log-keys", vkeys.encode())
    history = load_log_keys(connection)
    if history is not None:
        yield _File(LOG_KEYS_PATH, "log-key-changes", history.dump())
    for issuer in trusted_issuers(instance):
        body = base64.encodebytes(issuer.key.spki).decode()
        pem = f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n"
        keyid = issuer.key.keyid
        yield _File(f"keys/issuer-{keyid[:16]}.pem", "issuer-key", pem.encode(), {"keyid": keyid})


def _anchors(connection: Connection, head: Head) -> Iterator[_File]:
    query = select(anchors).where(anchors.c.state.in_(_IN_BLOCK), anchors.c.tree_size <= head.tree_size)
    for row in connection.execute(query.order_by(anchors.c.tree_size, anchors.c.id)):
        evidence = row.evidence_final or row.evidence
        if evidence:
            facts = {
                "tree_size": row.tree_size,
                "chain_id": row.chain_id,
                "block_number": row.block_number,
                "block_hash": row.block_hash.hex(),
                "is_final": row.state == "final",
            }
            name = f"{row.tree_size}-{row.chain_id}-{row.block_number}-{row.block_hash.hex()[:16]}"
            yield _File(f"anchors/{name}.json", "anchor", evidence, facts)


def _time_stamps(connection: Connection, head: Head) -> Iterator[_File]:
    for row in load_all_stamps(connection, head.tree_size):
        name, facts = f"timestamps/{row.tree_size}-{row.authority}", {"tree_size": row.tree_size}
        yield _File(f"{name}.tsr", "time-stamp", dump_response(row.token), facts)
        yield _File(f"{name}.txt", "stamped-text", row.text, facts)
        if row.record is not None:
            yield _File(f"{name}.ers", "evidence-record", row.record, facts)


def _blocks(connection: Connection) -> Iterator[_File]:
    seen = select(observations).order_by(observations.c.block_number, observations.c.id)
    for row in connection.execute(seen):
        facts = {
            "chain_id": row.chain_id,
            "block_number": row.block_number,
            "block_hash": row.block_hash.hex(),
            "observer_keyid": row.observer_keyid,
        }
        name = f"{row.chain_id}-{row.block_number}-{row.block_hash.hex()[:16]}-{row.observer_keyid[:16]}"
        yield _File(f"observations/{name}.dsse.json", "observation", row.envelope, facts)
    sealed = select(validator_seals).order_by(validator_seals.c.chain_id, validator_seals.c.block_number)
    for row in connection.execute(sealed):
        facts = {
            "chain_id": row.chain_id,
            "block_number": row.block_number,
            "block_hash": row.block_hash.hex(),
        }
        name = f"{row.chain_id}-{row.block_number}-{row.block_hash.hex()[:16]}"
        yield _File(f"seals/{name}.json", "seals", row.evidence, facts)
    for beacon in list_beacons(connection):
        chain_id, block = beacon.chain.chain_id, beacon.block
        facts = {"chain_id": chain_id, "block_number": block.number, "block_hash": block.hash.hex()}
        name = f"{chain_id}-{block.number}-{block.hash.hex()[:16]}"
        yield _File(f"beacons/{name}.json", "beacon", dump_beacon(beacon), facts)


def _dump(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
