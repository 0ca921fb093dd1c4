"""A thread that does one piece of work after the other until told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Worker:
    """Calls `step` again at once while it says that there is more, else after `pause` seconds."""

    def __init__(self, name: str, step: Callable[[], bool], pause: float) -> None:
        self._name = name
        self._step = step
        self._pause = pause
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Let the present step end; a thread that hangs in a network call is left behind."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        failure = ""
        while not self._stopping.is_set():
            try:
                more = self._step()
                failure = ""
            except Exception as error:
                # Whatever it is, the next step starts from the database. The type alone: messages of database
                # errors repeat what was written.
                more = False
                if failure != type(error).__name__:
                    failure = type(error).__name__
                    logger.error("%s: %s", self._name, failure)
            if not more:
                self._stopping.wait(self._pause)
