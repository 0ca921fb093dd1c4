"""Facts of a deposit that never was, for papers."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.paper.certificate import (
    AnchorFacts,
    Authentication,
    CertificateFacts,
    ProvenInstant,
    TokenFacts,
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


BLOCK_AT = parse_instant("2026-11-23T02:02:02Z")
ANCHOR = AnchorFacts(
    chain_name="示例链",
    chain_kind="ethereum",
    chain_id=1337,
    genesis_hash=digest("genesis"),
    contract=digest("contract")[:40],
    log_id=digest("log"),
    transaction_hash=digest("transaction"),
    height=8_123_456,
    block_hash=digest("block"),
    block_at=BLOCK_AT,
    tree_size=6,
    finality="finalized",
    observers=("示例观察方一", "示例观察方二"),
)
ROOT = base64.b64encode(hashlib.sha256(b"root").digest()).decode()


def make_facts(**changes: Any) -> CertificateFacts:
    facts = CertificateFacts(
        number="MZ-7K2Q-9XHD-4TPA-W3",
        lookup_code="q7fk-2mzd-9xwt",
        holder="示例精密机械有限公司",
        holder_id_scheme="CN-USCC",
        holder_id="91420100MA4K00001U",
        operator="经办人甲",
        authentication=Authentication("现场核验营业执照", "2026-11-20T02:00:00Z", "示例签发方"),
        holder_keyid=digest("key"),
        commitment=digest("commitment"),
        envelope_sha256=digest("envelope"),
        leaf_index=4,
        log_origin="log.example/one",
        checkpoint=f"log.example/one\n6\n{ROOT}\n",
        checkpoint_keyid="b33c2d0b",
        witnesses=("witness.example/a",),
        claimed_at=BLOCK_AT - 32,
        not_before=ProvenInstant(BLOCK_AT - 61, "示例链第 8123450 号区块"),
        not_after=ProvenInstant(BLOCK_AT, "示例链第 8123456 号区块"),
        anchors=(ANCHOR,),
        tokens=(TokenFacts("示例时间戳机构", BLOCK_AT + 69, "1a2b"),),
        issuer="示例存证服务",
        issuer_keyid=digest("issuer"),
        issued_at=BLOCK_AT + 86_400,
        attachments={"statement.dsse.json": b"{}", "timestamps/0001.tsr": bytes(range(256))},
    )
    return dataclasses.replace(facts, **changes)
