"""Disclosures: to whom and for what records were opened, signed by the depositor (formats §8).

It is on record in the log through an event (`event`), which tells nobody what it says. Records are named by
their leaf hashes in the manifest: salted, so they tell nothing to whoever does not have the record.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import dsse
from .archive import MAX_MEMORY_BYTES
from .canonical import dump, from_hex, parse_instant, parse_typed
from .errors import FormatError
from .event import NONCE_BYTES, check_text
from .signature import PrivateKey, PublicKey
from .words import N_

DISCLOSURE_PAYLOAD_TYPE = "application/vnd.mizheng.disclosure.v1+json"
DISCLOSURE_TYPE = "mizheng/disclosure/v1"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One opening of one deposit, for one recipient."""

    public_key: PublicKey
    """The statement's key, which signs this too."""
    envelope_sha256: str
    """The deposit whose records are opened, hex."""
    recipient: str
    purpose: str | None
    records: tuple[str, ...]
    """Leaf hashes of the opened records in the manifest's tree, hex, ascending."""
    originals: tuple[str, ...]
    """Those of `records` whose files are handed over as well."""
    created_at: str
    nonce: bytes
    """32 random bytes: the digest of the signed disclosure tells nothing of it."""

    def sign(self, key: PrivateKey) -> bytes:
        """The envelope's bytes: member disclosure.dsse.json."""
        if key.public != self.public_key:
            raise ValueError("a disclosure is signed by the key it names")
        payload = dump(
            {
                "type": DISCLOSURE_TYPE,
                "public_key": self.public_key.to_base64(),
                "envelope_sha256": self.envelope_sha256,
                "recipient": check_text(self.recipient),
                "purpose": None if self.purpose is None else check_text(self.purpose),
                "records": list(self.records),
                "originals": list(self.originals),
                "created_at": self.created_at,
                "nonce": self.nonce.hex(),
            }
        )
        return dsse.sign(payload, DISCLOSURE_PAYLOAD_TYPE, key)


def parse_disclosure(data: bytes) -> Disclosure:
    """Read disclosure.dsse.json, its signature checked against the key it names."""
    envelope = dsse.parse(data, DISCLOSURE_PAYLOAD_TYPE, max_bytes=MAX_MEMORY_BYTES)
    fields = {
        "public_key": str,
        "envelope_sha256": str,
        "recipient": str,
        "purpose": (str, type(None)),
        "records": list,
        "originals": list,
        "created_at": str,
        "nonce": str,
    }
    value = parse_typed(envelope.payload, DISCLOSURE_TYPE, fields, max_bytes=MAX_MEMORY_BYTES)
    key = PublicKey.from_base64(value["public_key"])
    envelope.verify(key)
    from_hex(value["envelope_sha256"], 32)
    parse_instant(value["created_at"])
    records, originals = parse_leaves(value["records"]), parse_leaves(value["originals"])
    if not set(records).issuperset(originals):
        raise FormatError("a disclosure that hands over the file of a record it does not open")
    return Disclosure(
        key,
        value["envelope_sha256"],
        check_text(value["recipient"]),
        None if value["purpose"] is None else check_text(value["purpose"]),
        records,
        originals,
        value["created_at"],
        from_hex(value["nonce"], NONCE_BYTES),
    )


def parse_leaves(
    values: list[str],
    fault: str = N_("records of a disclosure that are not in ascending order, each once"),
) -> tuple[str, ...]:
    """Leaf hashes, hex, as a document lists them; FormatError with the message `fault` in any other order."""
    for value in values:
        from_hex(value, 32)
    if values != sorted(set(values)):
        raise FormatError(fault)
    return tuple(values)
