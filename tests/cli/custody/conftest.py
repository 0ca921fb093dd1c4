"""The company and the court of the transfers: they know each other's keys."""

from tests.cli.transfer.conftest import known, sides

__all__ = ["known", "sides"]
