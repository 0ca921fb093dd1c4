"""The receiving side of the notary's webhooks: who sent a message, when, and whether it was here before.

Standard Webhooks 1.0.0: the three headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, the last
one `v1,` and Base64 of HMAC-SHA-256 over id, timestamp and body with dots between. Any library for that
standard does the same as this module.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizheng.verifier.errors import MizhengError

# How far sender's and receiver's clocks may be apart, and how long a message may have been on its way.
TOLERANCE_SECONDS = 300
# Ids are kept as long as their messages could be replayed; more than this in ten minutes is an attack or a
# receiver that needs a database.
_MAX_REMEMBERED = 100_000
_PREFIX = "whsec_"


class WebhookRefusedError(MizhengError):
    """A message that the notary did not send, or not now. It is to be answered 400 and forgotten."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A message whose signature was checked. A hint, and no evidence: what it says, ask the notary for."""

    id: str
    type: str
    """`deposit.deposited`, `deposit.anchored`, `deposit.final`, `certificate.issued`, `webhook.test`."""
    timestamp: str
    """When it happened, RFC 3339, by the notary's clock."""
    data: Mapping[str, Any]
    is_repeat: bool
    """It was here before: answer 200 again and do nothing."""


class WebhookReceiver:
    """Checks what one webhook's address is sent. Usable from several threads.

    `secrets`: as the notary showed them, the present one, and while it is being replaced the one before it.
    Remembers ids in memory; several processes behind one address keep the ids of done work in their database.
    """

    def __init__(self, *secrets: str) -> None:
        if not secrets:
            raise WebhookRefusedError("no secret was given")
        self._keys = [_read_secret(secret) for secret in secrets]
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def receive(self, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> WebhookMessage:
        """The message in a request; WebhookRefusedError when it is not the notary's or too old.

        `headers` by their names in lower case, or any mapping that does not mind the case; `body` byte for
        byte as it came.
        """
        at = time.time() if now is None else now
        name, said = headers.get("webhook-id"), headers.get("webhook-timestamp")
        signatures = headers.get("webhook-signature")
        if not name or not said or not signatures:
            raise WebhookRefusedError("the message has no signature")
        if not said.isascii() or not said.isdecimal() or abs(at - int(said[:16])) > TOLERANCE_SECONDS:
            raise WebhookRefusedError(
                "the message was signed too long ago, or by another clock", hint="set this machine's clock"
            )
        self._verify(f"{name}.{said}.".encode() + body, signatures)
        try:
            found = json.loads(body)
            message = found["type"], found["timestamp"], found["data"]
        except (ValueError, TypeError, KeyError):
            raise WebhookRefusedError("the message does not have the expected form") from None
        return WebhookMessage(name, *message, is_repeat=self._is_repeat(name, at))

    def _verify(self, signed: bytes, signatures: str) -> None:
        expected = [hmac.digest(key, signed, hashlib.sha256) for key in self._keys]
        is_right = False
        for part in signatures.split(" ")[:16]:
            version, _, text = part.partition(",")
            if version == "v1":
                # All are compared, so that how long it takes tells nothing.
                found = _decode(text)
                is_right |= sum(hmac.compare_digest(found, one) for one in expected) > 0
        if not is_right:
            raise WebhookRefusedError(
                "the message's signature is wrong",
                hint="is the secret this webhook's, and the body as it came?",
            )

    def _is_repeat(self, name: str, at: float) -> bool:
        with self._lock:
            while self._seen:
                oldest, seen_at = next(iter(self._seen.items()))
                if at - seen_at <= 2 * TOLERANCE_SECONDS and len(self._seen) < _MAX_REMEMBERED:
                    break
                del self._seen[oldest]
            if name in self._seen:
                return True
            self._seen[name] = at
            return False


def sign_like_the_notary(secret: str, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of a message, for testing a receiver of one's own."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(_read_secret(secret), signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _read_secret(secret: str) -> bytes:
    key = _decode(secret.removeprefix(_PREFIX)) if secret.startswith(_PREFIX) else b""
    if len(key) < 24:
        raise WebhookRefusedError("this is not the secret of a webhook", hint="it begins with whsec_")
    return key


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
