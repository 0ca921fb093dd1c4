"""The custody of the specification's example: a drawing, sealed by its company, handed to a court."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mizheng.verifier.signature import PrivateKey

from tests.support.custody import Chain, party

# Made apart from everything else, so that other examples stay as they are.
COURT = PrivateKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"mizheng example court").digest()))
DRAWING_SHA256 = "dd6390fff5691a39f25310de510dc12d59d095692d74acb51391d0299243f54f"


def custody_documents(company: PrivateKey, envelope: bytes) -> list[bytes]:
    """Two events, the second signed by company and court."""
    chain = Chain(hashlib.sha256(envelope).hexdigest())
    keeper = party(company, "保管员甲", "示例精密机械有限公司", "档案室")
    clerk = party(COURT, "书记员乙", "示例市中级人民法院")
    for what, to, at, where, why in (
        ("seal-number", None, "2026-11-24T01:10:00Z", "示例精密机械有限公司档案室", "封存图纸光盘"),
        ("handover", clerk, "2026-11-24T02:30:00Z", "示例市中级人民法院立案庭", "示例"),
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
