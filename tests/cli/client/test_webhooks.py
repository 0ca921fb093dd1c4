"""What a receiver believes of a webhook's message, and what not."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from mizheng.cli.client.webhooks import (
    TOLERANCE_SECONDS,
    WebhookReceiver,
    WebhookRefusedError,
    sign_like_the_notary,
)
from mizheng.notary.webhooks.signing import sign_message

# The example of the Standard Webhooks specification and its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
OTHER = "whsec_" + "AAAA" * 10
BODY = json.dumps({"type": "webhook.test", "timestamp": "2026-11-23T07:18:32Z", "data": {}}).encode()


def receive(headers: Mapping[str, str], body: bytes = BODY, now: float = AT, secret: str = SECRET) -> str:
    return WebhookReceiver(secret).receive(headers, body, now=now).id


def test_the_signature_is_the_one_of_the_standard() -> None:
    headers = sign_like_the_notary(SECRET, ID, AT, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_both_sides_sign_alike() -> None:
    key = b"0123456789abcdef0123456789abcdef"
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    assert sign_message(ID, AT, BODY, [key]) == sign_like_the_notary(secret, ID, AT, BODY)


def test_a_message_is_taken_and_its_repeat_is_told() -> None:
    receiver, headers = WebhookReceiver(SECRET), sign_like_the_notary(SECRET, ID, AT, BODY)
    found = [receiver.receive(headers, BODY, now=AT).is_repeat for _ in range(2)]
    assert found == [False, True]


@pytest.mark.parametrize("away", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_a_message_of_another_time_is_refused(away: int) -> None:
    with pytest.raises(WebhookRefusedError, match="too long ago"):
        receive(sign_like_the_notary(SECRET, ID, AT, BODY), now=AT + away)


def test_a_message_replayed_with_a_fresh_timestamp_is_refused() -> None:
    headers = {**sign_like_the_notary(SECRET, ID, AT, BODY), "webhook-timestamp": str(AT + 600)}
    with pytest.raises(WebhookRefusedError, match="signature"):
        receive(headers, now=AT + 600)


def test_a_message_replayed_under_another_id_is_refused() -> None:
    headers = {**sign_like_the_notary(SECRET, ID, AT, BODY), "webhook-id": "msg_other"}
    with pytest.raises(WebhookRefusedError, match="signature"):
        receive(headers)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(WebhookRefusedError, match="signature"):
        receive(sign_like_the_notary(SECRET, ID, AT, BODY), BODY + b" ")


def test_another_secret_is_refused() -> None:
    with pytest.raises(WebhookRefusedError, match="signature"):
        receive(sign_like_the_notary(OTHER, ID, AT, BODY))


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing(missing: str) -> None:
    headers = {**sign_like_the_notary(SECRET, ID, AT, BODY)}
    del headers[missing]
    with pytest.raises(WebhookRefusedError, match="no signature"):
        receive(headers)


@pytest.mark.parametrize("signature", ["v1,", "v1,====", "v2,g0hM9SsE", "v1a,xx", "", " ", "v1,\xff"])
def test_a_signature_that_is_none(signature: str) -> None:
    headers = {**sign_like_the_notary(SECRET, ID, AT, BODY), "webhook-signature": signature}
    with pytest.raises(WebhookRefusedError):
        receive(headers)


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "١٦١٤٢٦٥٣٣٠", "9" * 400])
def test_a_timestamp_that_is_none(timestamp: str) -> None:
    headers = {**sign_like_the_notary(SECRET, ID, AT, BODY), "webhook-timestamp": timestamp}
    with pytest.raises(WebhookRefusedError):
        receive(headers)


def test_while_a_secret_is_replaced_either_one_will_do() -> None:
    for secret in (SECRET, OTHER):
        receiver = WebhookReceiver(OTHER, SECRET)
        assert receiver.receive(sign_like_the_notary(secret, ID, AT, BODY), BODY, now=AT).id == ID


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'{"type":"x"}', b"\xff"])
def test_a_signed_body_of_another_form(body: bytes) -> None:
    with pytest.raises(WebhookRefusedError, match="form"):
        receive(sign_like_the_notary(SECRET, ID, AT, body), body)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(WebhookRefusedError, match="not the secret"):
        WebhookReceiver(secret)
