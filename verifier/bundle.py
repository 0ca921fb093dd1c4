"""The bundle: what goes to court (formats §8). Names, reading and writing; judging is verify's.

Two sorts of members. The depositor's are listed with their SHA-256 in bundle.dsse.json, which the
statement's key signs. The others prove themselves, each bound to the envelope's digest or to a
checkpoint, and may be added or renewed later without the company.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from . import dsse
from .archive import CHUNK_BYTES, MAX_MEMORY_BYTES, ArchiveReader, Source, write_archive
from .canonical import dump, from_hex, parse_instant, parse_typed
from .errors import FormatError, LimitError, MizhengError, VersionError
from .manifest import OpenedRecord
from .record import Record, parse_record
from .signature import PrivateKey

BUNDLE_PAYLOAD_TYPE = "application/vnd.mizheng.bundle.v1+json"
BUNDLE_TYPE = "mizheng/bundle/v1"
# formats §8: NNNN is at most this.
MAX_NUMBER = 1_000_000

README = "README.txt"
DOCUMENT = "bundle.dsse.json"
STATEMENT = "statement.dsse.json"
ENROLMENT = "enrolment.dsse.json"
ENROLMENT_PROOF = "enrolment.tlog-proof"
KEY_STATUS = "key-status.dsse.json"
BEACON = "beacon.json"
DISCLOSURE = "disclosure.dsse.json"
DISCLOSURE_EVENT = "disclosure.event.dsse.json"
DISCLOSURE_PROOF = "disclosure.tlog-proof"
PAGE = "verify.html"

_NUMBER = r"([0-9]{4}|[1-9][0-9]{4,6})"
_SIZE = r"(0|[1-9][0-9]{0,18})"
# Every name there is, in the order of the ZIP; True marks the depositor's own.
_MEMBERS: tuple[tuple[str, re.Pattern[str], bool], ...] = tuple(
    (group, re.compile(pattern), is_depositors)
    for group, pattern, is_depositors in (
        ("readme", r"README\.txt", True),
        ("document", r"bundle\.dsse\.json", False),
        ("statement", r"statement\.dsse\.json", True),
        ("enrolment", r"enrolment\.dsse\.json", False),
        ("enrolment-proof", r"enrolment\.tlog-proof", False),
        ("key-status", r"key-status\.dsse\.json", False),
        ("x509", rf"x509/{_NUMBER}\.der", False),
        ("records", rf"records/{_NUMBER}\.json", True),
        ("originals", rf"originals/{_NUMBER}", True),
        ("heads", rf"heads/{_SIZE}\.tlog-proof", False),
        ("timestamps", rf"timestamps/{_NUMBER}\.(?:tsr|txt)", False),
        ("anchors", rf"anchors/{_NUMBER}\.json", False),
        ("seals", rf"seals/{_NUMBER}\.json", False),
        ("foreign", rf"foreign/{_NUMBER}\.json", False),
        ("observations", rf"observations/{_NUMBER}\.dsse\.json", False),
        ("beacon", r"beacon\.json", False),
        ("renewals", rf"renewals/{_NUMBER}\.ers", False),
        ("custody", rf"custody/{_NUMBER}\.(?:dsse\.json|event\.dsse\.json|tlog-proof)", False),
        ("disclosure", r"disclosure\.(?:dsse\.json|event\.dsse\.json|tlog-proof)", False),
        ("platform", r"platform\.dsse\.json", False),
        ("certificate", r"certificate\.pdf", False),
        ("exhibits", r"exhibits\.pdf", True),
        ("page", r"verify\.html", True),
    )
)
_FOLDERS = frozenset(
    pattern.pattern.partition("/")[0] + "/" for _, pattern, _ in _MEMBERS if "/" in pattern.pattern
)
_ORDER = {group: place for place, (group, _, _) in enumerate(_MEMBERS)}


@dataclass(frozen=True, slots=True)
class BundleDocument:
    """The depositor's signed list: what he put in, for whom and for what."""

    envelope_sha256: str
    recipient: str | None
    purpose: str | None
    created_at: str
    members: Mapping[str, str]
    """Member name to hex SHA-256."""

    def sign(self, key: PrivateKey) -> bytes:
        payload = dump(
            {
                "type": BUNDLE_TYPE,
                "envelope_sha256": self.envelope_sha256,
                "recipient": self.recipient,
                "purpose": self.purpose,
                "created_at": self.created_at,
                "members": dict(self.members),
            }
        )
        return dsse.sign(payload, BUNDLE_PAYLOAD_TYPE, key)


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


class Bundle:
    """An open bundle: every member has a name of the list, nothing else is checked yet."""

    def __init__(self, source: Source) -> None:
        """FormatError for a ZIP that plays tricks or holds other names; OSError for an unreadable path."""
        self._archive = ArchiveReader(source)
        self._groups: dict[str, list[str]] = {}
        try:
            self._sort_members()
        except FormatError:
            try:
                self._refuse_later_version()
            finally:
                self._archive.close()
            raise
        self.is_canonical = self._archive.is_canonical and self._archive.names == self.names
        """False when somebody packed the members anew; they are judged all the same."""

    def _refuse_later_version(self) -> None:
        """VersionError when the list of members is of a later version, whose names are not known here."""
        if DOCUMENT in self._archive.names:
            try:
                dsse.parse(self.read(DOCUMENT), BUNDLE_PAYLOAD_TYPE, max_bytes=MAX_MEMORY_BYTES)
            except VersionError:
                raise
            except FormatError:
                # A broken list is a finding of its own, when its signature is checked.
                return

    def _sort_members(self) -> None:
        for name in self._archive.names:
            self._groups.setdefault(member_group(name), []).append(name)
        # A tool that packs anew adds the folders of our own names; any other is a name not on the list.
        if not _FOLDERS.issuperset(self._archive.folders):
            raise FormatError("a member whose name is not on the list of formats §8")
        for required in (DOCUMENT, STATEMENT):
            if not self.has(required):
                raise FormatError(
                    "the ZIP has no {name}: it is not a bundle, or half of one",
                    hint="ask for the bundle again from where it was made",
                    name=required,
                )

    @property
    def names(self) -> list[str]:
        """All members, in the order of the form that bundles are written in."""
        return sorted(self._archive.names, key=member_order)

    def group(self, group: str) -> list[str]:
        """Names of the members of one group, sorted by their number."""
        return sorted(self._groups.get(group, []), key=member_order)

    def has(self, name: str) -> bool:
        return name in self._groups.get(member_group(name), ())

    def size(self, name: str) -> int:
        return self._archive.size(name)

    def read(self, name: str, limit: int = MAX_MEMORY_BYTES) -> bytes:
        return self._archive.read(name, limit)

    def chunks(self, name: str) -> Iterator[bytes]:
        return self._archive.chunks(name)

    @property
    def depositor_members(self) -> list[str]:
        """Members that must be listed in bundle.dsse.json."""
        return [
            name
            for group, _, is_depositors in _MEMBERS
            if is_depositors
            for name in self._groups.get(group, [])
        ]

    def sha256(self, name: str) -> str:
        """Hex SHA-256 of a member's content, read in pieces; LimitError above what all but originals have."""
        if self.size(name) > MAX_MEMORY_BYTES and member_group(name) != "originals":
            raise LimitError("member {name} of {size} bytes", name=name, size=self.size(name))
        digest = hashlib.sha256()
        for chunk in self.chunks(name):
            digest.update(chunk)
        return digest.hexdigest()

    def close(self) -> None:
        self._archive.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# Bundles have the same few names, and each is looked up again and again.
@lru_cache(4096)
def member_group(name: str) -> str:
    """The group a member name belongs to; FormatError for any name that is not on the list."""
    for group, pattern, _ in _MEMBERS:
        match = pattern.fullmatch(name)
        if match:
            if match.groups() and group != "heads" and int(match[1]) > MAX_NUMBER:
                raise LimitError("a member numbered above {limit}", limit=MAX_NUMBER)
            return group
    raise FormatError("a member whose name is not on the list of formats §8")


@lru_cache(4096)
def number_of(name: str) -> int:
    """The NNNN, or the size, in a member's name."""
    match = re.search(r"/(\d+)", name)
    if not match:
        raise FormatError("a member without a number")
    return int(match[1])


def parse_bundle_document(payload: bytes) -> BundleDocument:
    """Read the payload of bundle.dsse.json; its signature is checked by the caller."""
    required = {
        "envelope_sha256": str,
        "recipient": (str, type(None)),
        "purpose": (str, type(None)),
        "created_at": str,
        "members": dict,
    }
    value = parse_typed(payload, BUNDLE_TYPE, required, max_bytes=MAX_MEMORY_BYTES)
    from_hex(value["envelope_sha256"], 32)
    parse_instant(value["created_at"])
    for name, digest in value["members"].items():
        group = member_group(name)
        if not next(own for known, _, own in _MEMBERS if known == group):
            raise FormatError("a list of members with one that is not the depositor's")
        from_hex(digest, 32)
    return BundleDocument(
        value["envelope_sha256"],
        value["recipient"],
        value["purpose"],
        value["created_at"],
        value["members"],
    )


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
    digests = {name: hashlib.sha256(content[name]).hexdigest() for name in content if _is_depositors(name)}
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


def _is_depositors(name: str) -> bool:
    group = member_group(name)
    return next(is_depositors for known, _, is_depositors in _MEMBERS if known == group)


def member_order(name: str) -> tuple[int, int, str]:
    """What members are sorted by in a bundle; FormatError for a name that is not on the list."""
    group = member_group(name)
    return _ORDER[group], number_of(name) if "/" in name else 0, name
