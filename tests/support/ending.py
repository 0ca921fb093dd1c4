"""How a server that a test started is ended."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

from tests.support.prepared import Prepared

# Longer than the longest grace that a server of ours gives itself.
PATIENCE = 30.0


def end_process(
    process: subprocess.Popen[Any] | Prepared | None, how: signal.Signals, patience: float = PATIENCE
) -> None:
    """Send the signal and wait until it is dead; what does not die of it in time is killed."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
