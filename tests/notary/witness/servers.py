"""Witnesses as processes of their own, and a log in memory that shows them heads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import AddCheckpoint

from tests.support import prepared
from tests.support.ending import end_process
from tests.support.plain import NO_TLS
from tests.support.ports import take_port

START_SECONDS = 60.0
_POLICY_LINE = re.compile(r"^witness NAME (\S+) (http://[0-9.]+:[0-9]+)$", re.MULTILINE)


class MemoryLog:
    """A log whose heads are made to order; `fork` gives another history under the same name and key."""

    def __init__(self, origin: str = "log.example/1", key: PrivateKey | None = None) -> None:
        self.key = key or PrivateKey.generate()
        self.signer = NoteSigner(origin, self.key)
        self._leaves: list[bytes] = []
        self._name = b"entry"

    @property
    def vkey(self) -> str:
        return self.signer.vkey

    def grow(self, size: int) -> MemoryLog:
        self._leaves += [leaf_hash(b"%s %d" % (self._name, n)) for n in range(len(self._leaves), size)]
        return self

    def fork(self, at: int) -> MemoryLog:
        other = MemoryLog(self.signer.verifier.name, self.key).grow(at)
        other._name = b"other"
        return other

    def head(self, size: int) -> Checkpoint:
        self.grow(size)
        return Checkpoint(self.signer.verifier.name, size, Tree(self._leaves).root(size))

    def note(self, size: int) -> bytes:
        return sign_checkpoint(self.head(size), self.signer)

    def request(self, old: int, size: int) -> AddCheckpoint:
        note = self.note(size)
        proof = Tree(self._leaves).consistency_proof(old, size) if old <= size else []
        return AddCheckpoint(old, tuple(proof), note)


class WitnessServer:
    """`mizheng-notary witness` on a port of its own that it keeps over restarts."""

    def __init__(self, folder: Path, *logs: str, prelude: str = "", options: tuple[str, ...] = ()) -> None:
        """`prelude`: Python that runs in the process first, to break something in it."""
        self.folder = folder
        self.key_path = folder / "witness.pem"
        self.state_path = folder / "witness.db"
        self.misbehaviour = folder / "witness.misbehaviour"
        self.logs = list(logs)
        self.prelude = prelude
        self.options = options
        self.url = f"http://127.0.0.1:{take_port()}"
        self.witness: WitnessKey | None = None
        self._process: subprocess.Popen[str] | prepared.Prepared | None = None
        self._output: deque[str] = deque(maxlen=200)

    def __enter__(self) -> WitnessServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def output(self) -> str:
        return "".join(self._output)

    @property
    def vkey(self) -> str:
        assert self.witness is not None
        return self.witness.vkey

    def policy_line(self, name: str) -> str:
        return f"witness {name} {self.vkey} {self.url}"

    def start(self) -> WitnessServer:
        assert self._process is None, "it runs already"
        self.folder.mkdir(exist_ok=True)
        self._output.clear()
        found = threading.Event()
        listen = self.url.removeprefix("http://")
        arguments = ["witness", "--listen", listen, "--key", str(self.key_path), *self.options]
        for vkey in self.logs:
            arguments += ["--log", vkey]
        self._process = process = self._run(arguments)

        def collect() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self._output.append(line)
                match = _POLICY_LINE.search(line)
                if match:
                    assert match[2] == self.url
                    self.witness = WitnessKey.from_vkey(match[1])
                    found.set()

        threading.Thread(target=collect, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not found.wait(0.02):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the witness did not start:\n{self.output}")
        while not self._answers():
            assert process.poll() is None and time.monotonic() < deadline, self.output
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def wait_for_death(self) -> int:
        """Until it has ended by itself; its exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.wait(30)

    def add_checkpoint(self, request: AddCheckpoint | bytes) -> httpx.Response:
        body = request if isinstance(request, bytes) else request.dump()
        with httpx.Client(trust_env=False, verify=NO_TLS, timeout=30) as client:
            return client.post(f"{self.url}/add-checkpoint", content=body)

    def _run(self, arguments: list[str]) -> subprocess.Popen[str] | prepared.Prepared:
        environment = {**os.environ, "MIZHENG_LANG": "en"}
        output: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if not self.prelude:
            return prepared.start("mizheng.notary", arguments, environment, **output)
        # What breaks something has to come before all imports.
        script = f"{self.prelude}\nfrom mizheng.notary.main import main\nmain()"
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.Popen(command, env=environment, encoding="utf-8", **output)

    def _answers(self) -> bool:
        try:
            with httpx.Client(trust_env=False, verify=NO_TLS, timeout=5) as client:
                return client.get(f"{self.url}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        end_process(process, how)
