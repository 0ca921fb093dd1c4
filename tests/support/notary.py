"""A notary as its users meet it: a process of its own, a data directory, a URL."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support import prepared
from tests.support.ending import end_process
from tests.support.ports import take_port

# A cold first start compiles byte code and makes a chain; on a busy machine that takes its time.
START_SECONDS = 90.0
_LISTENING = re.compile(r"(http://[0-9.]+:[0-9]+)")
# This machine's own addresses are never looked for at a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Org:
    """A registered company, as statements must name it."""

    name: str
    id_scheme: str
    id: str


def make_uscc(number: int) -> str:
    """A well-formed 统一社会信用代码; its check digit is computed here, apart from the notary's code."""
    first = f"91350100M{number:08d}"
    total = sum(
        _USCC_ALPHABET.index(character) * weight
        for character, weight in zip(
            first, (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28), strict=True
        )
    )
    return first + _USCC_ALPHABET[(31 - total % 31) % 31]


class NotaryServer:
    """`mizheng-notary serve` over a data directory, on a port of its own that it keeps over restarts."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = Path(data_dir)
        self.url = ""
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MIZHENG_")},
            "MIZHENG_DATA_DIR": str(self.data_dir),
            # Short, so that a test sees an anchor soon; each anchor is a block of the embedded chain.
            "MIZHENG_ANCHOR_INTERVAL": "0.5",
            "MIZHENG_LANG": "en",
            **environment,
        }
        self._port = take_port()
        self._process: prepared.Prepared | None = None
        self._output: deque[str] = deque(maxlen=400)
        self._organisations = 0

    def __enter__(self) -> NotaryServer:
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

    def start(self) -> NotaryServer:
        """Start and wait until it answers."""
        assert self._process is None, "it runs already"
        listening = threading.Event()
        self._process = process = prepared.start(
            _PROGRAM,
            ("serve", "--port", str(self._port)),
            self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

        def collect() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self._output.append(line)
                found = _LISTENING.search(line)
                if found and not listening.is_set():
                    self.url = found[1]
                    listening.set()

        threading.Thread(target=collect, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not listening.wait(0.02):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the notary did not start:\n{self.output}")
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the notary does not answer:\n{self.output}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would, for the process; what the kernel holds stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> NotaryServer:
        self.stop()
        return self.start()

    def add_org(self, name: str = "", identifier: str = "") -> tuple[Org, str]:
        """Register a company through the operator's command line; it and its API key."""
        self._organisations += 1
        name = name or f"第{self._organisations}试验有限公司"
        made = self.run("org", "add", name, identifier or make_uscc(self._organisations), "--json")
        values = json.loads(made.stdout)
        return Org(values["name"], values["id_scheme"], values["id"]), values["api_key"]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another command of `mizheng-notary` on the same data directory, in a process of its own."""
        result = prepared.run(_PROGRAM, arguments, self._environment)
        if check and result.returncode:
            raise RuntimeError(f"mizheng-notary {' '.join(arguments)}:\n{result.stdout}{result.stderr}")
        return result

    def export_trust(self, path: Path) -> Path:
        """Write the trust file and return its path."""
        self.run("trust", "export", "-o", str(path))
        return path

    def _answers(self) -> bool:
        try:
            with _DIRECT.open(self.url + "/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        end_process(process, how)


_PROGRAM = "mizheng.notary"
