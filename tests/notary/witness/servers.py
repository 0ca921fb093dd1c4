"""Witnesses as processes of their own, and a log in memory that shows them heads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import AddCheckpoint

from tests.support import prepared
from tests.support.plain import NO_TLS
from tests.support.serving import Serving

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


class WitnessServer(Serving):
    """`mizheng-notary witness` on a port of its own that it keeps over restarts."""

    def __init__(self, folder: Path, *logs: str, prelude: str = "", options: tuple[str, ...] = ()) -> None:
        """`prelude`: Python that runs in the process first, to break something in it."""
        super().__init__()
        self.folder = folder
        self.key_path = folder / "witness.pem"
        self.state_path = folder / "witness.db"
        self.misbehaviour = folder / "witness.misbehaviour"
        self.logs = list(logs)
        self.prelude = prelude
        self.options = options
        self.witness: WitnessKey | None = None

    @property
    def vkey(self) -> str:
        assert self.witness is not None
        return self.witness.vkey

    def policy_line(self, name: str) -> str:
        return f"witness {name} {self.vkey} {self.url}"

    def add_checkpoint(self, request: AddCheckpoint | bytes) -> httpx.Response:
        body = request if isinstance(request, bytes) else request.dump()
        with httpx.Client(trust_env=False, verify=NO_TLS, timeout=30) as client:
            return client.post(f"{self.url}/add-checkpoint", content=body)

    def _begin(self) -> subprocess.Popen[str] | prepared.Prepared:
        self.folder.mkdir(exist_ok=True)
        self._output.clear()
        arguments = ["witness", "--listen", self.url.removeprefix("http://"), "--key", str(self.key_path)]
        arguments += self.options
        for vkey in self.logs:
            arguments += ["--log", vkey]
        environment = {**os.environ, "MIZHENG_LANG": "en"}
        output: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if not self.prelude:
            return prepared.start("mizheng.notary", arguments, environment, **output)
        # What breaks something has to come before all imports.
        script = f"{self.prelude}\nfrom mizheng.notary.main import main\nmain()"
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.Popen(command, env=environment, encoding="utf-8", **output)

    def _is_there(self, line: str) -> bool:
        match = _POLICY_LINE.search(line)
        if match is None:
            return False
        assert match[2] == self.url
        self.witness = WitnessKey.from_vkey(match[1])
        return True
