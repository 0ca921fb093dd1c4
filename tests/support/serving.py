"""A server of ours as a process of its own: started, stopped, killed, and started again on the same port."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import Self

from tests.support import prepared
from tests.support.ending import end_process
from tests.support.ports import take_port

# A cold first start compiles byte code and makes a chain; on a busy machine that takes its time.
START_SECONDS = 90.0
# This machine's own addresses are never looked for at a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Serving(ABC):
    """One server; what it writes is kept."""

    def __init__(self) -> None:
        self.port = take_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | prepared.Prepared | None = None
        self._output: deque[str] = deque(maxlen=400)

    @abstractmethod
    def _begin(self) -> subprocess.Popen[str] | prepared.Prepared:
        """Its process, with standard output and error in one pipe."""

    @abstractmethod
    def _is_there(self, line: str) -> bool:
        """Whether it says in this line of its output that it is there."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """The last lines that the process wrote."""
        return "".join(self._output)

    def start(self) -> Self:
        """Start and wait until it answers."""
        assert self._process is None, "it runs already"
        self._process = process = self._begin()
        told = threading.Event()

        def collect() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self._output.append(line)
                if self._is_there(line):
                    told.set()

        threading.Thread(target=collect, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not (told.wait(0.02) and self._answers()):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.output}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would, for the process; what the kernel holds stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        self.stop()
        return self.start()

    def wait_for_death(self) -> int:
        """Until it has ended by itself; its exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.wait(30)

    def _answers(self) -> bool:
        try:
            with _DIRECT.open(self.url + "/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        end_process(process, how)
