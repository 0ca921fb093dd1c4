"""How much the tests do: `make test` the short number, `make soak` the long one, of the same test."""

import os

SOAK = os.environ.get("MIZHENG_SOAK") == "1"


def scaled(short: int, long: int) -> int:
    """The first number in `make test`, the second in `make soak`."""
    return long if SOAK else short
