"""Writing a bundle: what the notary handed out, and what the depositor opens and signs for (formats §8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .archive import CHUNK_BYTES, write_archive
from .bundle import BundleDocument
from .errors import MizhengError
from .manifest import OpenedRecord
from .members import (
    BEACON,
    DOCUMENT,
    ENROLMENT,
    ENROLMENT_PROOF,
    KEY_STATUS,
    PLATFORM,
    README,
    STATEMENT,
    is_depositors,
    member_order,
)
from .record import Record, parse_record
from .signature import PrivateKey


@dataclass(frozen=True, slots=True)
class Evidence:
    """The members that prove themselves, as the notary hands them out."""

    heads: Mapping[int, bytes] = field(default_factory=dict)
    """Tree size to .tlog-proof bytes, all of the statement's entry."""
    timestamps: Sequence[tuple[bytes, bytes]] = ()
    """TimeStampResp and the checkpoint text that it is over."""
    anchors: Sequence[bytes] = ()
    foreign: Sequence[bytes] = ()
    """Anchors on chains with foreign headers, with what observers signed of them."""
    observations: Sequence[bytes] = ()
    renewals: Sequence[bytes] = ()
    """EvidenceRecord of RFC 4998, each of one of the tokens."""
    seals: Sequence[bytes] = ()
    """Of validators, over blocks of the anchors and of the beacon."""
    enrolment: bytes | None = None
    enrolment_proof: bytes | None = None
    key_status: bytes | None = None
    beacon: bytes | None = None
    platform: bytes | None = None
    """What the notary says of itself, signed."""


def write_bundle(
    target: BinaryIO,
    key: PrivateKey,
    envelope: bytes,
    opened: Sequence[OpenedRecord],
    evidence: Evidence,
    *,
    readme: str,
    created_at: str,
    originals: Mapping[int, Path] | None = None,
    recipient: str | None = None,
    purpose: str | None = None,
    extra_members: Mapping[str, bytes] | None = None,
) -> None:
    """Write a bundle that opens these records, signed by the statement's key.

    `originals` maps a record's place in `opened` to the file to hand over. A file that is no longer
    what was sealed raises MizhengError: a bundle that contradicts itself is never written.
    `extra_members` are further members of the list by name (exhibits, certificate, …).
    """
    content: dict[str, bytes] = {README: readme.encode(), STATEMENT: envelope, **(extra_members or {})}
    for place, item in enumerate(opened, 1):
        content[f"records/{place:04}.json"] = item.dump()
    content.update(evidence_members(evidence))
    files = {f"originals/{place + 1:04}": path for place, path in (originals or {}).items()}
    records = {f"originals/{place:04}": parse_record(item.record) for place, item in enumerate(opened, 1)}
    digests = {name: hashlib.sha256(content[name]).hexdigest() for name in content if is_depositors(name)}
    digests.update({name: records[name].fields["sha256"] for name in files})
    document = BundleDocument(hashlib.sha256(envelope).hexdigest(), recipient, purpose, created_at, digests)
    content[DOCUMENT] = document.sign(key)
    names = sorted([*content, *files], key=member_order)
    write_archive(
        target,
        (
            (name, records[name].fields["size"], _checked_chunks(files[name], records[name]))
            if name in files
            else (name, len(content[name]), (content[name],))
            for name in names
        ),
    )


def evidence_members(evidence: Evidence) -> dict[str, bytes]:
    """The notary's members by their names."""
    members = {f"heads/{size}.tlog-proof": data for size, data in evidence.heads.items()}
    for n, (response, text) in enumerate(evidence.timestamps, 1):
        members |= {f"timestamps/{n:04}.tsr": response, f"timestamps/{n:04}.txt": text}
    members |= {f"renewals/{n:04}.ers": data for n, data in enumerate(evidence.renewals, 1)}
    members |= {f"anchors/{n:04}.json": data for n, data in enumerate(evidence.anchors, 1)}
    members |= {f"seals/{n:04}.json": data for n, data in enumerate(evidence.seals, 1)}
    members |= {f"foreign/{n:04}.json": data for n, data in enumerate(evidence.foreign, 1)}
    members |= {f"observations/{n:04}.dsse.json": data for n, data in enumerate(evidence.observations, 1)}
    single = {
        ENROLMENT: evidence.enrolment,
        ENROLMENT_PROOF: evidence.enrolment_proof,
        KEY_STATUS: evidence.key_status,
        BEACON: evidence.beacon,
        PLATFORM: evidence.platform,
    }
    return members | {name: data for name, data in single.items() if data is not None}


def _checked_chunks(path: Path, record: Record) -> Iterable[bytes]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != record.fields["sha256"]:
        raise MizhengError(
            "a file to hand over is no longer what was sealed",
            hint="bring back the sealed version of the file, or bundle without originals",
        )
