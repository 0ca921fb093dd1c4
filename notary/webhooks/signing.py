"""How a message is signed: Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric, `v1`.

    webhook-id         the message's; the same when it is sent again
    webhook-timestamp  when this attempt was made, unix seconds
    webhook-signature  v1,Base64(HMAC-SHA-256(secret, id || "." || timestamp || "." || body)), several with a
                       space between while a secret is being replaced

A receiver refuses a timestamp that is more than five minutes off, and an id that it has had.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

# Between 24 and 64 bytes, says the standard.
SECRET_BYTES = 32


def make_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def show_secret(secret: bytes) -> str:
    """As receivers' libraries take it."""
    return "whsec_" + base64.b64encode(secret).decode()


def sign_message(message_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of one attempt."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
