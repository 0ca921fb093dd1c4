"""Being told to end."""

from __future__ import annotations

import signal
from typing import NoReturn


def end_in_order() -> None:
    """From now on SIGTERM ends the command as Ctrl-C does: what is unfinished is removed on the way out."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
