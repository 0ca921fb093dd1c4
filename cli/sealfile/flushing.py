"""Bringing what was written to the disk while more is made, so that the wait at the end is short."""

from __future__ import annotations

import os
import threading

# Worth a trip to the disk of its own; a seal of some thousand files takes none.
_BYTES = 8 << 20


class Flusher:
    """At most one `fsync` of an open file is under way at a time, in a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None
        self._pending = 0

    def written(self, size: int) -> None:
        """So many bytes more; OSError when an earlier part did not reach the disk."""
        self._pending += size
        if self._pending >= _BYTES and (self._thread is None or not self._thread.is_alive()):
            self.wait()
            self._pending = 0
            self._thread = threading.Thread(target=self._flush, name="flush")
            self._thread.start()

    def wait(self) -> None:
        """Until nothing is under way. A failure is told by the system once, so it is kept and raised here."""
        self.stop()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """The same, when the file is given up: what failed does not matter."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _flush(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._error = error
