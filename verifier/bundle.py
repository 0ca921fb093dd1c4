"""Reading a bundle, what goes to court (formats §8); judging is verify's.

Two sorts of members. The depositor's are listed with their SHA-256 in bundle.dsse.json, which the
statement's key signs. The others prove themselves, each bound to the envelope's digest or to a
checkpoint, and may be added or renewed later without the company.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import dsse
from .archive import MAX_MEMORY_BYTES, ArchiveReader, Source
from .canonical import dump, from_hex, parse_instant, parse_typed
from .errors import FormatError, LimitError, VersionError
from .members import (
    DEPOSITORS,
    DOCUMENT,
    FOLDERS,
    GROUPS,
    STATEMENT,
    is_depositors,
    member_group,
    member_order,
)
from .signature import PrivateKey

BUNDLE_PAYLOAD_TYPE = "application/vnd.mizheng.bundle.v1+json"
BUNDLE_TYPE = "mizheng/bundle/v1"


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
        for place, _number, name in sorted(map(member_order, self._archive.names)):
            self._groups.setdefault(GROUPS[place], []).append(name)
        # A tool that packs anew adds the folders of our own names; any other is a name not on the list.
        if not FOLDERS.issuperset(self._archive.folders):
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
        return [name for group in self._groups.values() for name in group]

    def group(self, group: str) -> list[str]:
        """Names of the members of one group, sorted by their number."""
        return list(self._groups.get(group, ()))

    def has(self, name: str) -> bool:
        return name in self._archive

    def size(self, name: str) -> int:
        return self._archive.size(name)

    def read(self, name: str, limit: int = MAX_MEMORY_BYTES) -> bytes:
        return self._archive.read(name, limit)

    def chunks(self, name: str) -> Iterator[bytes]:
        return self._archive.chunks(name)

    @property
    def depositor_members(self) -> list[str]:
        """Members that must be listed in bundle.dsse.json."""
        return [name for group in DEPOSITORS for name in self._groups.get(group, ())]

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
        if not is_depositors(name):
            raise FormatError("a list of members with one that is not the depositor's")
        from_hex(digest, 32)
    return BundleDocument(
        value["envelope_sha256"],
        value["recipient"],
        value["purpose"],
        value["created_at"],
        value["members"],
    )
