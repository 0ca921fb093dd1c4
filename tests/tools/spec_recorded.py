"""What is on record in the specification's example, and what its notary says of itself."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mizheng.verifier.disclosure import Disclosure
from mizheng.verifier.event import Event
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.platform_facts import Fact, PlatformFacts
from mizheng.verifier.signature import PrivateKey

from tests.support.custody import Chain, party

BUNDLED_AT = "2026-11-24T01:00:00Z"
RECIPIENT, PURPOSE = "示例市中级人民法院", "示例"
# Made apart from everything else, so that other examples stay as they are.
COURT = PrivateKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"mizheng example court").digest()))
PLATFORM_FACTS = PlatformFacts(
    "示例电子数据存证中心有限公司",
    "2026-11-23T01:00:00Z",
    (
        Fact(
            "filing", "区块链信息服务备案号（示例）", None, hashlib.sha256(b"an example filing").hexdigest()
        ),
        Fact("protection", "网络安全等级保护第三级（示例）", "2028-06-30T16:00:00Z", None),
        Fact("keys", "日志密钥由示例公证处与本公司分持（示例）", None, None),
    ),
)
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
