"""Lawful use: who asked to see records of a deposit, who allowed it, who took that back, and each look.

    Request      an appraiser or a court asks; signed by its own key
    Approval     one person of the company allows these records, from then until then
    Refusal      one person of the company says no
    Withdrawal   an approval is taken back
    Access       the company says: this was shown, on these approvals; one for each look

A request is known by the SHA-256 of its signed bytes: decisions name it, so a request that was changed after
it was approved, or another one, is not what was approved. Records are named by their leaf hashes in the
manifest's tree: salted, so they tell nothing to whoever does not have the record. Names may be pseudonyms:
the key says who it is. What these documents allow together, `permit` works out; that none is missing from
their order, `accesslog`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

from . import dsse
from .archive import MAX_MEMORY_BYTES
from .canonical import dump, from_hex, parse, parse_instant, parse_typed, require_fields
from .disclosure import parse_leaves
from .errors import FormatError, LimitError
from .event import NONCE_BYTES, check_text
from .signature import PrivateKey, PublicKey, require_keyid
from .words import N_

ROLES = ("court", "appraiser", "authority", "lawyer", "other")
"""What a requester can be."""
# More than any list of secret points that was ever before a court.
MAX_POINTS = 1000
# Some pages of text.
MAX_UNDERTAKING = 10_000

# A line break is no control character here: an undertaking has paragraphs.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_UNSORTED = N_("records that are not in ascending order, each once")
_NULL = type(None)

D = TypeVar("D", bound="Document")


@dataclass(frozen=True, slots=True)
class Document:
    """What all of them have. Texts have 1 to 1,000 characters, instants are RFC 3339 in UTC."""

    KIND: ClassVar[str]
    """Its type is mizheng/KIND/v1, its payloadType application/vnd.mizheng.KIND.v1+json."""
    TYPES: ClassVar[dict[str, Any]]
    """JSON type of each field of its own."""

    public_key: PublicKey
    """Of whose word it is; signs it."""
    created_at: str
    """By the signer's clock: a claim."""
    nonce: bytes
    """32 random bytes: the digest of the signed document tells nothing of it."""

    def sign(self, key: PrivateKey) -> bytes:
        """The signed bytes; FormatError where the document contradicts itself."""
        if key.public != self.public_key:
            raise ValueError("signed by the key it names")
        self.check()
        value = {name: _plain(getattr(self, name)) for name in self.TYPES}
        value |= {
            "type": f"mizheng/{self.KIND}/v1",
            "public_key": self.public_key.to_base64(),
            "created_at": self.created_at,
            "nonce": self.nonce.hex(),
        }
        return dsse.sign(dump(value), _payload_type(self.KIND), key)

    def check(self) -> None:
        """FormatError for what cannot stand in it."""
        parse_instant(self.created_at)


@dataclass(frozen=True, slots=True)
class Request(Document):
    """Somebody asks to see records of one deposit. `public_key` is the requester's."""

    KIND: ClassVar = "access-request"
    TYPES: ClassVar = {
        **dict.fromkeys(("envelope_sha256", "name", "role", "matter", "basis"), str),
        **dict.fromkeys(("ends_at", "undertaking"), str),
        **dict.fromkeys(("organisation", "scope"), (str, _NULL)),
        "points": list,
        "wants_originals": bool,
    }

    envelope_sha256: str
    """The deposit, hex."""
    name: str
    """Of the requester; a pseudonym will do."""
    role: str
    """One of `ROLES`."""
    organisation: str | None
    matter: str
    """Case number (案号), or what else the matter is called."""
    basis: str
    """The legal basis: a law's article, an order, a commission."""
    scope: str | None
    """What is asked for, in words; None where `points` say it all."""
    points: tuple[int, ...]
    """Numbers of secret points that are asked for, ascending."""
    wants_originals: bool
    ends_at: str
    """Nothing is asked for from this instant on."""
    undertaking: str
    """What the requester binds himself to: up to 10,000 characters, with line breaks."""

    @property
    def recipient(self) -> str:
        """For whom a bundle on this request is made, as its disclosure says it."""
        return self.name if self.organisation is None else f"{self.organisation} {self.name}"

    @property
    def purpose(self) -> str:
        """What for, in the same way."""
        return f"{self.matter}, {self.basis}"

    def check(self) -> None:
        Document.check(self)
        from_hex(self.envelope_sha256, 32)
        if self.role not in ROLES:
            raise FormatError("a requester of role {role}, which there is not", role=self.role[:80])
        for text in (self.matter, self.basis, self.name, self.recipient, self.purpose):
            check_text(text)
        parse_instant(self.ends_at)
        if not self.undertaking.strip() or _CONTROL.search(self.undertaking):
            raise FormatError("an undertaking that is empty or holds control characters")
        if len(self.undertaking) > MAX_UNDERTAKING:
            raise LimitError("an undertaking of {size} characters", size=len(self.undertaking))
        if self.scope is not None:
            check_text(self.scope)
        elif not self.points:
            raise FormatError("a request that does not say what it asks for")
        if any(type(number) is not int or number < 1 for number in self.points):
            raise FormatError("a point's number is a whole number from 1 on")
        if len(self.points) > MAX_POINTS or list(self.points) != sorted(set(self.points)):
            raise FormatError("points that are not in ascending order, each once")


@dataclass(frozen=True, slots=True)
class Approval(Document):
    """One person of the company allows some records, for a term."""

    KIND: ClassVar = "access-approval"
    TYPES: ClassVar = {
        **dict.fromkeys(("request_sha256", "person", "starts_at", "ends_at"), str),
        **dict.fromkeys(("records", "originals"), list),
        "conditions": (str, _NULL),
    }

    request_sha256: str
    person: str
    """Who allows it; a pseudonym will do."""
    records: tuple[str, ...]
    """Leaf hashes, hex, ascending."""
    originals: tuple[str, ...]
    """Those of `records` whose files may be handed over as well."""
    starts_at: str
    ends_at: str
    """The term: from the first instant on, before the second."""
    conditions: str | None

    def check(self) -> None:
        Document.check(self)
        from_hex(self.request_sha256, 32)
        check_text(self.person)
        _check_records(self.records, self.originals)
        if parse_instant(self.starts_at) >= parse_instant(self.ends_at):
            raise FormatError("a term that ends before it begins")
        if self.conditions is not None:
            check_text(self.conditions)


@dataclass(frozen=True, slots=True)
class Refusal(Document):
    """One person of the company says no: on this request nothing is shown, whoever allowed it."""

    KIND: ClassVar = "access-refusal"
    TYPES: ClassVar = dict.fromkeys(("request_sha256", "person", "reason"), str)

    request_sha256: str
    person: str
    reason: str

    def check(self) -> None:
        Document.check(self)
        from_hex(self.request_sha256, 32)
        for text in (self.person, self.reason):
            check_text(text)


@dataclass(frozen=True, slots=True)
class Withdrawal(Document):
    """An approval counts no longer. What was shown before stays shown."""

    KIND: ClassVar = "access-withdrawal"
    TYPES: ClassVar = dict.fromkeys(("approval_sha256", "person", "reason"), str)

    approval_sha256: str
    person: str
    reason: str

    def check(self) -> None:
        Document.check(self)
        from_hex(self.approval_sha256, 32)
        for text in (self.person, self.reason):
            check_text(text)


@dataclass(frozen=True, slots=True)
class Counted:
    """An approval that counted, and whose the company says that it was."""

    sha256: str
    person: str
    keyid: str


@dataclass(frozen=True, slots=True)
class Access(Document):
    """The company says: this was shown. `public_key` is the statement's."""

    KIND: ClassVar = "access"
    TYPES: ClassVar = {
        **dict.fromkeys(("request_sha256", "disclosure_sha256", "ends_at"), str),
        **dict.fromkeys(("approvals", "records", "originals"), list),
        "needed": int,
    }

    request_sha256: str
    approvals: tuple[Counted, ...]
    needed: int
    """How many persons had to approve."""
    disclosure_sha256: str
    """Of disclosure.dsse.json in the bundle that was made."""
    records: tuple[str, ...]
    originals: tuple[str, ...]
    ends_at: str
    """Until when the approvals allowed it."""

    def check(self) -> None:
        Document.check(self)
        for digest in (self.request_sha256, self.disclosure_sha256):
            from_hex(digest, 32)
        for item in self.approvals:
            from_hex(item.sha256, 32)
            require_keyid(item.keyid)
            check_text(item.person)
        persons, keys = ({getattr(item, name) for item in self.approvals} for name in ("person", "keyid"))
        if not 1 <= self.needed <= min(len(persons), len(keys)):
            raise FormatError("a look on fewer approvals than it says are needed")
        _check_records(self.records, self.originals)
        parse_instant(self.ends_at)


@dataclass(frozen=True, slots=True)
class Signed:
    """A document as it was read, its signature checked against the key that it names."""

    document: Document
    sha256: str
    """Of the bytes, hex: how other documents name it."""


def parse_access(data: bytes) -> Signed:
    """Read any of these documents; FormatError, SignatureError or VersionError."""
    outer = parse(data, max_bytes=MAX_MEMORY_BYTES)
    found = outer.get("payloadType") if isinstance(outer, dict) else None
    kinds = {_payload_type(kind.KIND): kind for kind in (Request, Approval, Refusal, Withdrawal, Access)}
    kind = kinds.get(found) if isinstance(found, str) else None
    if kind is None:
        raise FormatError("this is no request, approval, refusal, withdrawal or access")
    envelope = dsse.parse(data, _payload_type(kind.KIND), max_bytes=MAX_MEMORY_BYTES)
    types = {**kind.TYPES, "public_key": str, "created_at": str, "nonce": str}
    value = parse_typed(envelope.payload, f"mizheng/{kind.KIND}/v1", types, max_bytes=MAX_MEMORY_BYTES)
    document = _read(kind, value)
    document.check()
    envelope.verify(document.public_key)
    return Signed(document, hashlib.sha256(data).hexdigest())


def _read(kind: type[D], value: dict[str, Any]) -> D:
    own: dict[str, Any] = {
        name: tuple(item) if isinstance(item, list) else item for name, item in value.items()
    }
    own["public_key"] = PublicKey.from_base64(value["public_key"])
    own["nonce"] = from_hex(value["nonce"], NONCE_BYTES)
    if "approvals" in own:
        required = dict.fromkeys((item.name for item in fields(Counted)), str)
        own["approvals"] = tuple(Counted(**require_fields(item, required)) for item in own["approvals"])
    return kind(**{item.name: own[item.name] for item in fields(kind)})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [asdict(item) if isinstance(item, Counted) else item for item in value]
    return value


def _check_records(records: tuple[str, ...], originals: tuple[str, ...]) -> None:
    if not records:
        raise FormatError("a list of records that is empty")
    for leaves in (records, originals):
        parse_leaves(list(leaves), _UNSORTED)
    if not set(records).issuperset(originals):
        raise FormatError("the file of a record that is not in the list")


def _payload_type(kind: str) -> str:
    return f"application/vnd.mizheng.{kind}.v1+json"
