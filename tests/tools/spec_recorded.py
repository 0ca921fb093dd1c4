"""What the specification's example has on record: for whom it was opened, and who had the drawing."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mizheng.verifier.disclosure import Disclosure
from mizheng.verifier.event import Event
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.signature import PrivateKey

from tests.support.custody import Chain, party

BUNDLED_AT = "2026-11-24T01:00:00Z"
RECIPIENT, PURPOSE = "示例市中级人民法院", "示例"
# Made apart from everything else, so that other examples stay as they are.
COURT = PrivateKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"mizheng example court").digest()))
DRAWING_SHA256 = "dd6390fff5691a39f25310de510dc12d59d095692d74acb51391d0299243f54f"


def disclose(key: PrivateKey, envelope: bytes, opened: list[bytes]) -> tuple[bytes, bytes]:
    """The disclosure of the first two records, the second with its file, and the event that records it."""
    leaves = [leaf_hash(record).hex() for record in opened]
    document = Disclosure(
        key.public,
        hashlib.sha256(envelope).hexdigest(),
        RECIPIENT,
        PURPOSE,
        tuple(sorted(leaves)),
        (leaves[1],),
        BUNDLED_AT,
        # Made apart from everything else, so that other examples stay as they are.
        hashlib.sha256(b"mizheng example nonce").digest(),
    ).sign(key)
    return document, Event(key.public, hashlib.sha256(document).digest()).sign(key)


def custody_documents(company: PrivateKey, envelope: bytes) -> list[bytes]:
    """A drawing on a disk, sealed by its company, then handed to a court: the second is signed by both."""
    chain = Chain(hashlib.sha256(envelope).hexdigest())
    keeper = party(company, "保管员甲", "示例精密机械有限公司", "档案室")
    clerk = party(COURT, "书记员乙", RECIPIENT)
    for what, to, at, where, why in (
        ("seal-number", None, "2026-11-24T01:10:00Z", "示例精密机械有限公司档案室", "封存图纸光盘"),
        ("handover", clerk, "2026-11-24T02:30:00Z", f"{RECIPIENT}立案庭", PURPOSE),
    ):
        event = chain.event(
            what,
            keeper,
            to,
            at=at,
            where=where,
            why=why,
            before=DRAWING_SHA256,
            after=DRAWING_SHA256,
            seal_number="FT-2026-0001",
            nonce=hashlib.sha256(f"mizheng example {what}".encode()).digest(),
        )
        chain.add(event, company, COURT)
    return chain.documents
