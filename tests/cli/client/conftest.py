"""Fixtures of the notary's own tests: a server that may send webhooks to this machine, companies at it."""

from tests.notary.conftest import database, depositor
from tests.notary.webhooks.conftest import server

__all__ = ["database", "depositor", "server"]
