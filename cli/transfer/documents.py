"""What is signed about a transfer (docs/spec/transfer.md): card, transfer, acceptance, withdrawal.

Each is a DSSE envelope with one signature, by the key that it names in `public_key`, and holds 32 random
bytes where its digest is shown to somebody who may not read it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from mizheng.cli.transfer.names import check_distinct, check_name
from mizheng.verifier import dsse
from mizheng.verifier.canonical import (
    dump,
    from_base64,
    from_hex,
    parse_instant,
    parse_typed,
    require_fields,
    to_base64,
)
from mizheng.verifier.errors import FormatError, LimitError
from mizheng.verifier.event import NONCE_BYTES, check_text
from mizheng.verifier.signature import PrivateKey, PublicKey

BUNDLE_MEMBER = "bundle.zip"
# A transfer is what one person hands to another; a list of a thousand files is about 200 KB.
MAX_FILES = 1_000
MAX_DOCUMENT_BYTES = 1024 * 1024
VERDICTS = ("valid", "undetermined")

_AGE = re.compile(r"age1[02-9ac-hj-np-z]{58}")


@dataclass(frozen=True, slots=True)
class Card:
    """What a recipient gives to those who are to send to him: `mizheng/recipient-card/v1`."""

    public_key: PublicKey
    """Signs the card, and his acceptances."""
    name: str
    """As he calls himself."""
    age: str
    """age recipient (age1…): what is sent to him is encrypted to this."""
    replaces: str | None
    """His age recipient before, which nobody should use any more."""
    company: str | None
    """SCHEME:ID under which the notary at `origin` knows him, or null."""
    origin: str | None
    made_at: str

    def sign(self, key: PrivateKey) -> bytes:
        fields = {
            name: getattr(self, name) for name in ("name", "age", "replaces", "company", "origin", "made_at")
        }
        return _sign("recipient-card", self.public_key, fields, key)


@dataclass(frozen=True, slots=True)
class Sent:
    """One file of a transfer."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Who sends what to whom, for what, until when: `mizheng/transfer/v1`, inside the ciphertext only."""

    public_key: PublicKey
    """The sender's."""
    sender: str
    recipient: str
    recipient_age: str
    """The key it was encrypted to: nobody can pass it on as if it had been made for a third."""
    matter: str
    """Case number (案号) or what else names the matter."""
    purpose: str
    envelope_sha256: str
    """Of the statement of the bundle, hex."""
    files: tuple[Sent, ...]
    """The bundle first."""
    created_at: str
    expires_at: str
    replaces: str | None
    """SHA-256 of the transfer that this one repeats, or null."""
    reply_to: str
    """age recipient of this transfer alone: an acceptance that goes through a mailbox is encrypted to it."""
    custody_sha256: str | None
    """Of custody.dsse.json: a hand-over that the giver signed and the taker is to sign, or null."""
    nonce: bytes

    def sign(self, key: PrivateKey) -> bytes:
        fields: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS}
        fields["files"] = [
            {"name": item.name, "size": item.size, "sha256": item.sha256} for item in self.files
        ]
        return _sign("transfer", self.public_key, {**fields, "nonce": self.nonce.hex()}, key)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That its signer has a transfer, whole, and what the verifier said of it: `mizheng/acceptance/v1`."""

    public_key: PublicKey
    """The recipient's."""
    transfer_sha256: str
    accepted_at: str
    verdict: str
    """valid or undetermined, then and under that trust file; an invalid bundle is not accepted."""
    is_trial: bool
    """What was said of it rests on a chain for trying: it is no evidence, whatever the verdict."""
    trust_sha256: str | None
    custody: bytes | None
    """The hand-over with both signatures, or None."""
    nonce: bytes

    def sign(self, key: PrivateKey) -> bytes:
        fields = {
            "transfer_sha256": self.transfer_sha256,
            "accepted_at": self.accepted_at,
            "verdict": self.verdict,
            "is_trial": self.is_trial,
            "trust_sha256": self.trust_sha256,
            "custody": None if self.custody is None else to_base64(self.custody),
            "nonce": self.nonce.hex(),
        }
        return _sign("acceptance", self.public_key, fields, key)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That its signer takes a transfer back: `mizheng/withdrawal/v1`."""

    public_key: PublicKey
    transfer_sha256: str
    withdrawn_at: str

    def sign(self, key: PrivateKey) -> bytes:
        fields = {"transfer_sha256": self.transfer_sha256, "withdrawn_at": self.withdrawn_at}
        return _sign("withdrawal", self.public_key, fields, key)


def parse_card(data: bytes) -> Card:
    null = type(None)
    value, key = _open(
        data,
        "recipient-card",
        {
            "name": str,
            "age": str,
            "replaces": (str, null),
            "company": (str, null),
            "origin": (str, null),
            "made_at": str,
        },
    )
    for name in ("age", "replaces"):
        if value[name] is not None:
            check_age(value[name])
    for name in ("company", "origin"):
        if value[name] is not None:
            check_text(value[name])
    parse_instant(value["made_at"])
    return Card(
        key,
        check_text(value["name"]),
        *(value[name] for name in ("age", "replaces", "company", "origin", "made_at")),
    )


def parse_transfer(data: bytes) -> Transfer:
    """The transfer, its signature checked against the key that it names; whose that is, is for the caller."""
    value, key = _open(data, "transfer", {**_TEXTS, "files": list, "nonce": str})
    for name in ("sender", "recipient", "matter", "purpose"):
        check_text(value[name])
    for name in ("envelope_sha256", "replaces", "custody_sha256"):
        if value[name] is not None:
            from_hex(value[name], 32)
    for name in ("created_at", "expires_at"):
        parse_instant(value[name])
    for name in ("recipient_age", "reply_to"):
        check_age(value[name])
    if not 1 <= len(value["files"]) <= MAX_FILES:
        raise LimitError("a transfer of {count} files", count=len(value["files"]))
    files = tuple(map(_parse_sent, value["files"]))
    check_distinct(item.name for item in files)
    texts = {name: value[name] for name in _TEXTS}
    return Transfer(public_key=key, files=files, nonce=from_hex(value["nonce"], NONCE_BYTES), **texts)


def parse_acceptance(data: bytes) -> Acceptance:
    null = type(None)
    fields = {"transfer_sha256": str, "accepted_at": str, "verdict": str, "is_trial": bool, "nonce": str}
    value, key = _open(data, "acceptance", {**fields, "trust_sha256": (str, null), "custody": (str, null)})
    parse_instant(value["accepted_at"])
    for name in ("transfer_sha256", "trust_sha256"):
        if value[name] is not None:
            from_hex(value[name], 32)
    if value["verdict"] not in VERDICTS:
        raise FormatError("an acceptance with another verdict than there are")
    return Acceptance(
        key,
        value["transfer_sha256"],
        value["accepted_at"],
        value["verdict"],
        value["is_trial"],
        value["trust_sha256"],
        None if value["custody"] is None else from_base64(value["custody"]),
        from_hex(value["nonce"], NONCE_BYTES),
    )


def parse_withdrawal(data: bytes) -> Withdrawal:
    value, key = _open(data, "withdrawal", {"transfer_sha256": str, "withdrawn_at": str})
    from_hex(value["transfer_sha256"], 32)
    parse_instant(value["withdrawn_at"])
    return Withdrawal(key, value["transfer_sha256"], value["withdrawn_at"])


def compute_id(document: bytes) -> str:
    """How a transfer is named: hex SHA-256 of its signed document."""
    return hashlib.sha256(document).hexdigest()


def check_age(text: str) -> str:
    """An age recipient in its one spelling; FormatError for anything else. Its checksum is left to age."""
    if not _AGE.fullmatch(text):
        raise FormatError("not an age recipient")
    return text


_TEXTS: dict[str, Any] = {
    **dict.fromkeys(("sender", "recipient", "recipient_age", "matter", "purpose", "envelope_sha256"), str),
    **dict.fromkeys(("created_at", "expires_at", "reply_to"), str),
    **dict.fromkeys(("replaces", "custody_sha256"), (str, type(None))),
}


def _parse_sent(value: object) -> Sent:
    fields = require_fields(value, {"name": str, "size": int, "sha256": str})
    if fields["size"] < 0:
        raise FormatError("a file of a size below nothing")
    from_hex(fields["sha256"], 32)
    return Sent(check_name(fields["name"]), fields["size"], fields["sha256"])


def _payload_type(kind: str) -> str:
    return f"application/vnd.mizheng.{kind}.v1+json"


def _sign(kind: str, public_key: PublicKey, fields: dict[str, Any], key: PrivateKey) -> bytes:
    if key.public != public_key:
        raise ValueError("a document is signed by the key it names")
    value = {"type": f"mizheng/{kind}/v1", "public_key": public_key.to_base64(), **fields}
    return dsse.sign(dump(value), _payload_type(kind), key)


def _open(data: bytes, kind: str, fields: dict[str, Any]) -> tuple[dict[str, Any], PublicKey]:
    envelope = dsse.parse(data, _payload_type(kind), max_bytes=MAX_DOCUMENT_BYTES)
    value = parse_typed(envelope.payload, f"mizheng/{kind}/v1", {"public_key": str, **fields})
    key = PublicKey.from_base64(value["public_key"])
    envelope.verify(key)
    return value, key
