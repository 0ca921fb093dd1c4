"""What programs of a company use of a notary's API; see `docs/python.md`. Names of this package stay."""

from mizheng.cli.client.webhooks import WebhookMessage, WebhookReceiver, WebhookRefusedError

__all__ = ["WebhookMessage", "WebhookReceiver", "WebhookRefusedError"]
