"""The statement: what the depositor declares and signs (formats §3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import dsse
from .canonical import dump, from_hex, parse_instant, parse_typed, require_fields
from .errors import FormatError, LimitError
from .signature import PrivateKey, PublicKey

STATEMENT_PAYLOAD_TYPE = "application/vnd.mizheng.statement.v1+json"
STATEMENT_TYPE = "mizheng/deposit/v1"

# The longest registered company names are below 100 characters; foreign ones may run longer.
MAX_NAME = 400

_FIELDS = {
    "public_key": str,
    "commitment": str,
    "depositor": dict,
    "operator": (str, type(None)),
    "claimed_at": str,
    "not_before": (dict, type(None)),
    "software": dict,
    "nonce": str,
}
_SOFTWARE_FIELDS = {"name": str, "version": str, "digest": (str, type(None))}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits: legal name, and a number under a scheme such as CN-USCC (统一社会信用代码)."""

    name: str
    id_scheme: str
    id: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "id_scheme": self.id_scheme, "id": self.id}


@dataclass(frozen=True, slots=True)
class BlockReference:
    """A block named by chain, number and hash."""

    chain_id: int
    genesis_hash: bytes
    number: int
    hash: bytes

    def to_json(self) -> dict[str, Any]:
        return {
            "chain_id": self.chain_id,
            "genesis_hash": self.genesis_hash.hex(),
            "number": self.number,
            "hash": self.hash.hex(),
        }


@dataclass(frozen=True, slots=True)
class Software:
    """What made the statement; `digest` is the hex SHA-256 of its installed form, or null."""

    name: str
    version: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A deposit statement. Its times and names are the depositor's claims."""

    public_key: PublicKey
    commitment: bytes
    depositor: Depositor
    operator: str | None
    claimed_at: str
    not_before: BlockReference | None
    """A recent final block: the statement was signed after it existed."""
    software: Software
    nonce: bytes

    def dump(self) -> bytes:
        return dump(
            {
                "type": STATEMENT_TYPE,
                "public_key": self.public_key.to_base64(),
                "commitment": self.commitment.hex(),
                "depositor": self.depositor.to_json(),
                "operator": self.operator,
                "claimed_at": self.claimed_at,
                "not_before": self.not_before.to_json() if self.not_before else None,
                "software": {
                    "name": self.software.name,
                    "version": self.software.version,
                    "digest": self.software.digest,
                },
                "nonce": self.nonce.hex(),
            }
        )

    def sign(self, key: PrivateKey) -> bytes:
        """The envelope's bytes, signed by the key the statement names."""
        if key.public != self.public_key:
            raise ValueError("a statement is signed by the key it names")
        return dsse.sign(self.dump(), STATEMENT_PAYLOAD_TYPE, key)


def parse_statement(payload: bytes) -> Statement:
    """Read a statement; VersionError for a later version, FormatError when malformed."""
    value = parse_typed(payload, STATEMENT_TYPE, _FIELDS)
    software = require_fields(value["software"], _SOFTWARE_FIELDS)
    if software["digest"] is not None:
        from_hex(software["digest"], 32)
    from_hex(value["nonce"], 16)
    parse_instant(value["claimed_at"])
    before = value["not_before"]
    return Statement(
        PublicKey.from_base64(value["public_key"]),
        from_hex(value["commitment"], 32),
        parse_depositor(value["depositor"]),
        value["operator"],
        value["claimed_at"],
        parse_block_reference(before) if before is not None else None,
        Software(software["name"], software["version"], software["digest"]),
        bytes.fromhex(value["nonce"]),
    )


def parse_envelope(data: bytes) -> tuple[dsse.Envelope, Statement]:
    """The envelope and its statement, the signature checked against the key the statement names."""
    envelope = dsse.parse(data, STATEMENT_PAYLOAD_TYPE)
    statement = parse_statement(envelope.payload)
    envelope.verify(statement.public_key)
    return envelope, statement


def parse_depositor(value: object) -> Depositor:
    """Read {name, id_scheme, id}: none empty, none too long, no control characters."""
    fields = require_fields(value, {"name": str, "id_scheme": str, "id": str})
    for text in fields.values():
        if not text or _CONTROL.search(text):
            raise FormatError("a depositor's name or number that is empty or holds control characters")
        if len(text) > MAX_NAME:
            raise LimitError("a depositor's name or number of {size} characters", size=len(text))
    return Depositor(fields["name"], fields["id_scheme"], fields["id"])


def parse_block_reference(value: object) -> BlockReference:
    """Read {chain_id, genesis_hash, number, hash}."""
    fields = require_fields(value, {"chain_id": int, "genesis_hash": str, "number": int, "hash": str})
    if fields["chain_id"] < 1 or fields["number"] < 0:
        raise FormatError("a chain id or block number out of range")
    return BlockReference(
        fields["chain_id"],
        from_hex(fields["genesis_hash"], 32),
        fields["number"],
        from_hex(fields["hash"], 32),
    )
