"""One example of each document of the API, and of each parameter, for the OpenAPI document.

A test reads each as the class that it is an example of. Long Base64 is cut short.
"""

from __future__ import annotations

from typing import Any

DIGEST = "07343a1a76bebe5c6a9b91a9db4a7507e94a3e15dbb69a5c9376875c676f7799"
_KEYID = "c958b9c9c827299204fa65acdc4344f85f97cea77b90fbcd8645cf1a5044e91a"
_ORIGIN = "notary.example/log/2026"
_GENESIS = "67129dd5a85a92a8ae6ad2d7c6ee03a30a0bb2ff4f3da44ffec59a9e79d7d5a1"
_BLOCK = "1f6a1c0d5b7a4ce0a3c7f48b0a2f0d0d4e5f60718293a4b5c6d7e8f901122334"
_TRANSACTION = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d2f3c8a7e6b5d4c3b2a19081726354453"
_PROOF = "c2sp.org/tlog-proof@v1\nindex 1\n…"
_AT = "2026-11-23T07:18:32Z"
NUMBER = "G8YR-VKQX-H09T-Y219-0WV1"
_WAY = {"chain": "court", "kind": "ethereum", "chain_id": 20261}

_DEPOSIT: dict[str, Any] = {
    "id": DIGEST,
    "envelope_sha256": DIGEST,
    "leaf_index": 1,
    "tlog_proof": _PROOF,
    "received_at": _AT,
}
_CERTIFICATE: dict[str, Any] = {
    "masked": True,
    "state": None,
    "number": NUMBER,
    "holder": "示＊＊＊",
    "issuer": _ORIGIN,
    "issued_at": "2026-11-23T07:21:10Z",
    "is_trial": False,
    "signed": True,
    "pdf_sha256": None,
    "facts": None,
}
_WEBHOOK: dict[str, Any] = {
    "id": "wh_5d1f0c2b9a8e7d6c5b4a3f2e",
    "url": "https://plm.example.com/hooks/mizheng",
    "events": ["deposit.deposited", "deposit.anchored", "deposit.final", "certificate.issued"],
    "state": "active",
    "created_at": _AT,
    "failures": 0,
    "last_outcome": "delivered",
    "last_success_at": "2026-11-23T07:20:02Z",
    "resting_until": None,
}
_DELIVERY: dict[str, Any] = {
    "id": "msg_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "event": "deposit.final",
    "state": "delivered",
    "created_at": "2026-11-23T07:20:01Z",
    "attempts": 1,
    "attempted_at": "2026-11-23T07:20:02Z",
    "outcome": "delivered",
    "next_attempt_at": None,
}
_ISSUED: dict[str, Any] = {
    "id": DIGEST,
    "state": "issued",
    "waiting_for": None,
    "number": NUMBER,
    "issued_at": "2026-11-23T07:21:10Z",
    "pdf_sha256": DIGEST[::-1],
    "signed": True,
    "visibility": "masked",
}
_ITEM: dict[str, Any] = {
    "id": "9f2c4e6a8b0d1f3052749618a3c5e7f9",
    "state": "kept",
    "size": 41_943_040,
    "sha256": DIGEST,
    "part_bytes": 8_388_608,
    "parts": 5,
    "created_at": _AT,
    "expires_at": "2026-12-23T07:18:32Z",
    "withdrawn": False,
    "answered": False,
    "have": [0, 1, 2, 3, 4],
}

# By the name of the class.
EXAMPLES: dict[str, dict[str, Any]] = {
    "OrganisationAnswer": {
        "name": "示例精密机械有限公司",
        "id_scheme": "CN-USCC",
        "id": "91420100MA4K00001U",
        "origin": _ORIGIN,
        "log_vkey": f"{_ORIGIN}+fe7a44e5+AcDB31tcfwgSraXLxzlR6Aw1RYTlpjZyFLI42GeZcsHg",
        "issuer_public_key": "MCowBQYDK2VwAyEAG7fgZvRXfd/iougRuVLam8TYp+RSo8zdibrxqznjRPU=",
        "active_keyid": _KEYID,
        "chains": [
            {
                "name": _WAY["chain"],
                "kind": _WAY["kind"],
                "chain_id": _WAY["chain_id"],
                "genesis_hash": _GENESIS,
                "contract": "8b07" * 10,
                "log_id": "39b4" * 16,
            }
        ],
        "limits": {
            "entries_per_day": 5000,
            "entries_in_all": None,
            "requests_per_minute": 600,
            "used_today": 12,
            "used_in_all": 48211,
        },
    },
    "KeyRequest": {
        "public_key": "MCowBQYDK2VwAyEAG7fgZvRXfd/iougRuVLam8TYp+RSo8zdibrxqznjRPU=",
        "proof": "mMfkNwTbVvJk…",
        "replaces": None,
        "replaces_proof": None,
    },
    "KeyAnswer": {"enrolment": "eyJwYXlsb2FkIjoi…", "leaf_index": 0, "tlog_proof": _PROOF},
    "DepositAnswer": _DEPOSIT,
    "StatusAnswer": {
        "id": DIGEST,
        "leaf_index": 1,
        "state": "final",
        "received_at": _AT,
        "waiting_for": None,
        "chains": [{**_WAY, "state": "final", "waiting_for": None, "warnings": []}],
        "anchors": [
            {
                **_WAY,
                "tree_size": 128,
                "state": "final",
                "transaction_hash": _TRANSACTION,
                "block_number": 7312,
                "block_hash": _BLOCK,
                "cost": {
                    "gas_used": 67000,
                    "wei": "67000000000000",
                    "amount": "0.000067",
                    "entries": 100,
                    "wei_per_entry": "670000000000",
                    "amount_per_entry": "0.00000067",
                    "unit": "ETH",
                },
            }
        ],
    },
    "UrgentAnswer": {"id": DIGEST, "state": "requested", "remaining": 4, "per_day": 5},
    "EvidenceAnswer": {
        "id": DIGEST,
        "leaf_index": 1,
        "heads": {"128": _PROOF},
        "anchors": ["eyJ0eXBlIjoi…"],
        "foreign": [],
        "observations": ["eyJwYXlsb2FkIjoi…"],
        "seals": [],
        "timestamps": [{"response": "MIIKqTADAgEA…", "text": f"{_ORIGIN}\n128\n…\n"}],
        "renewals": [],
        "enrolment": "eyJwYXlsb2FkIjoi…",
        "enrolment_proof": _PROOF,
        "key_status": "eyJwYXlsb2FkIjoi…",
        "beacon": None,
        "platform": None,
    },
    "BeaconAnswer": {"chain_id": 20261, "genesis_hash": _GENESIS, "number": 7300, "hash": _BLOCK},
    "ReadyAnswer": {
        "state": "degraded",
        "checks": {"database": {"state": "ok"}, "chain.court": {"state": "unreachable"}},
    },
    "CertificateState": _ISSUED,
    "VisibilityRequest": {"visibility": "published"},
    "CertificateView": _CERTIFICATE,
    "AnchorView": {
        "transaction_hash": _TRANSACTION,
        "state": "final",
        **_WAY,
        "genesis_hash": _GENESIS,
        "contract": "8b07" * 10,
        "log_id": "39b4" * 16,
        "block_number": 7312,
        "block_hash": _BLOCK,
        "tree_size": 128,
        "root_hash": DIGEST[::-1],
        "checkpoint": f"{_ORIGIN}\n128\n…\n\n— {_ORIGIN} /npE5Q…\n",
    },
    "HealthAnswer": {"state": "ok"},
    "LookupAnswer": {
        "asked": "number",
        "certificate": _CERTIFICATE,
        "retrieval": None,
        "entry": None,
        "anchor": None,
    },
    "EntryList": {
        "items": [{"id": DIGEST, "leaf_index": 1, "received_at": _AT, "state": "final"}],
        "next": "1",
    },
    "CertificateList": {"items": [_ISSUED], "next": None},
    "WebhookRequest": {"url": _WEBHOOK["url"], "events": ["deposit.final"]},
    "WebhookAnswer": _WEBHOOK,
    "WebhookSecret": {**_WEBHOOK, "secret": "whsec_bWl6aGVuZyBkb2VzIG5vdCByZXBlYXQgdGhpcyAxMjM="},
    "WebhookList": {"items": [_WEBHOOK], "next": None},
    "DeliveryAnswer": _DELIVERY,
    "DeliveryList": {"items": [_DELIVERY], "next": None},
    "MailboxRequest": {
        "size": _ITEM["size"],
        "sha256": DIGEST,
        "token_sha256": DIGEST[::-1],
        "days": 30,
        "addressee": "CN-USCC:91420100MA4K00001U",
    },
    "MailboxItem": _ITEM,
    "MailboxPage": {"items": [_ITEM], "next": None},
    "ProblemAnswer": {
        "type": "urn:mizheng:problem:deposit-unknown",
        "title": "no such deposit of this organisation",
        "status": 404,
    },
}

# By the name of the parameter.
PARAMETERS: dict[str, Any] = {
    "request": "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
    "deposit_id": DIGEST,
    "digest": DIGEST,
    "transaction_hash": _TRANSACTION,
    "number": NUMBER,
    "Mizheng-Code": "7B4Y-YEWC-2BVF",
    "q": NUMBER,
    "state": "final",
    "after": "128",
    "limit": 50,
    "webhook": "wh_5d1f0c2b9a8e7d6c5b4a3f2e",
    "delivery": "msg_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "item": "9f2c4e6a8b0d1f3052749618a3c5e7f9",
    "box": "received",
    "Mizheng-Token": "b1946ac92492d2347c6235b4d2611184",
    "level": "0",
    "path": "x001/234",
}

# Of bodies that are read as bytes: by their path.
BODIES: dict[str, Any] = {
    "/v1/mailbox/{item}/withdrawal": {
        "payload": "eyJ0eXBlIjoi…",
        "payloadType": "application/vnd.mizheng.withdrawal.v1+json",
        "signatures": [{"keyid": _KEYID, "sig": "mMfkNwTbVvJk…"}],
    }
}
