"""Requests and decisions made up for tests, signed by keys of their own."""

from __future__ import annotations

import secrets
from typing import Any

from mizheng.verifier.access import Approval, Document, Refusal, Request, Signed, Withdrawal, parse_access
from mizheng.verifier.signature import PrivateKey

MATTER, BASIS = "(2026)示01民初1号", "民事诉讼法第七十九条"
AT = "2026-11-30T00:00:00Z"
START, END = "2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z"
DEPOSIT = "ab" * 32
LEAVES = tuple(f"{number:064x}" for number in range(1, 6))


def make_request(key: PrivateKey, **changes: Any) -> Request:
    fields: dict[str, Any] = {
        "envelope_sha256": DEPOSIT,
        "name": "鉴定人甲",
        "role": "appraiser",
        "organisation": "示例司法鉴定所",
        "matter": MATTER,
        "basis": BASIS,
        "scope": "泵的图纸",
        "points": (1, 3),
        "wants_originals": True,
        "ends_at": END,
        "undertaking": "仅用于本案。\n不复制。",
    }
    return Request(**_common(key), **{**fields, **changes})


def make_approval(key: PrivateKey, request: Signed, **changes: Any) -> Approval:
    fields: dict[str, Any] = {
        "request_sha256": request.sha256,
        "person": "张三",
        "records": LEAVES[:3],
        "originals": LEAVES[:1],
        "starts_at": START,
        "ends_at": END,
        "conditions": None,
    }
    return Approval(**_common(key), **{**fields, **changes})


def make_refusal(key: PrivateKey, request: Signed, person: str = "张三") -> Refusal:
    return Refusal(**_common(key), request_sha256=request.sha256, person=person, reason="与本案无关")


def make_withdrawal(key: PrivateKey, approval: Signed, person: str = "张三") -> Withdrawal:
    return Withdrawal(**_common(key), approval_sha256=approval.sha256, person=person, reason="已撤诉")


def signed(document: Document, key: PrivateKey) -> Signed:
    return parse_access(document.sign(key))


def _common(key: PrivateKey) -> dict[str, Any]:
    return {"public_key": key.public, "created_at": AT, "nonce": secrets.token_bytes(32)}
