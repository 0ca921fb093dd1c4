"""What programs use of a notary's API; see `docs/python.md`. Names of this package stay."""

from mizheng.cli.client.notary import Certificate, Entry, Found, LodgedRequest, Notary, Receipt, Webhook
from mizheng.cli.client.webhooks import WebhookMessage, WebhookReceiver, WebhookRefusedError

__all__ = [
    "Certificate",
    "Entry",
    "Found",
    "LodgedRequest",
    "Notary",
    "Receipt",
    "Webhook",
    "WebhookMessage",
    "WebhookReceiver",
    "WebhookRefusedError",
]
