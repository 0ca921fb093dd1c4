"""Deletions of kept originals: each a signed document in NAME.deletions, on record in the log.

    deletion.dsse.json: {type, public_key, commitment, records, ciphertexts, reason, created_at, nonce}

`records` are the leaf hashes of the records in the manifest, `ciphertexts` the SHA-256 of what was removed.
The document stays here; the log gets an event with its digest.

What is true if we die:
- before the document is kept: nothing was deleted
- after it is kept: some copies may be gone; the same command goes on under the same document
- once it is `finished`: every copy is gone from every store that was known, as far as those say
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.cli.sealfile.beside import Beside
from mizheng.cli.sealfile.keeping import Keeping
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
from mizheng.verifier.event import NONCE_BYTES, check_text
from mizheng.verifier.signature import PrivateKey, PublicKey

PAYLOAD_TYPE = "application/vnd.mizheng.deletion.v1+json"
DELETION_TYPE = "mizheng/deletion/v1"
# A million records at 140 characters, in Base64.
_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted, why and by whose word."""

    public_key: PublicKey
    commitment: str
    """Of the seal, hex."""
    records: tuple[str, ...]
    """Leaf hashes, hex, ascending."""
    ciphertexts: tuple[str, ...]
    """SHA-256, hex, ascending."""
    reason: str
    created_at: str
    nonce: bytes

    def sign(self, key: PrivateKey) -> bytes:
        """The envelope's bytes."""
        payload = dump(
            {
                "type": DELETION_TYPE,
                "public_key": self.public_key.to_base64(),
                "commitment": self.commitment,
                "records": list(self.records),
                "ciphertexts": list(self.ciphertexts),
                "reason": check_text(self.reason),
                "created_at": self.created_at,
                "nonce": self.nonce.hex(),
            }
        )
        return dsse.sign(payload, PAYLOAD_TYPE, key)


def parse_deletion(data: bytes) -> Deletion:
    """Read a signed deletion, its signature checked against the key that it names."""
    envelope = dsse.parse(data, PAYLOAD_TYPE, max_bytes=_MAX_BYTES)
    texts = ("public_key", "commitment", "reason", "created_at", "nonce")
    fields = {**dict.fromkeys(texts, str), "records": list, "ciphertexts": list}
    value = parse_typed(envelope.payload, DELETION_TYPE, fields, max_bytes=_MAX_BYTES)
    key = PublicKey.from_base64(value["public_key"])
    envelope.verify(key)
    parse_instant(value["created_at"])
    for digest in (value["commitment"], *value["records"], *value["ciphertexts"]):
        from_hex(digest, 32)
    return Deletion(
        key,
        value["commitment"],
        tuple(value["records"]),
        tuple(value["ciphertexts"]),
        check_text(value["reason"]),
        value["created_at"],
        from_hex(value["nonce"], NONCE_BYTES),
    )


@dataclass(frozen=True, slots=True)
class KeptDeletion:
    """One deletion as its company keeps it."""

    document: bytes
    is_finished: bool = False
    event: bytes | None = None
    """What was, or is about to be, sent."""
    answer: dict[str, Any] | None = None
    """{leaf_index, received_at, tlog_proof}, checked; None until then."""

    @property
    def deletion(self) -> Deletion:
        return parse_deletion(self.document)


class Deletions(Keeping[KeptDeletion]):
    """The deletions of one seal's originals, the oldest first."""

    FILE = Beside(".deletions", b"mizheng-deletions/v1\n", b"mizheng/deletions/v1\n")
    TYPE = "mizheng/deletions/v1"
    MAX_BYTES = 1 << 30

    @classmethod
    def dump_item(cls, item: KeptDeletion) -> dict[str, Any]:
        return {
            "document": to_base64(item.document),
            "finished": item.is_finished,
            "event": None if item.event is None else to_base64(item.event),
            "answer": item.answer,
        }

    @classmethod
    def parse_item(cls, value: Any) -> KeptDeletion:
        null = type(None)
        wanted = {"document": str, "finished": bool, "event": (str, null), "answer": (dict, null)}
        fields = require_fields(value, wanted)
        event = None if fields["event"] is None else from_base64(fields["event"])
        return KeptDeletion(from_base64(fields["document"]), fields["finished"], event, fields["answer"])

    def find_unfinished(self, records: Sequence[str], reason: str) -> int | None:
        """The place of the same deletion from a run that did not come to its end."""
        for place, kept in enumerate(self.kept):
            # Copies may be gone already, so a later run finds as many originals or fewer.
            if kept.is_finished or kept.deletion.reason != reason:
                continue
            if set(records) <= set(kept.deletion.records):
                return place
        return None

    def waiting(self) -> list[int]:
        """Places of those that no notary has answered for."""
        return [place for place, kept in enumerate(self.kept) if kept.answer is None]
