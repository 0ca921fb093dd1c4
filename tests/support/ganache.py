"""Ganache 7.9.2, whose pool wants a tenth more of a replacement, on both fields, as real nodes do."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.anvil import RpcError
from tests.support.plain import NO_TLS
from tests.support.ports import take_port
from tests.support.tools import ganache_path, node_path

START_SECONDS = 60.0  # two seconds alone; the rest is for a machine that is busy with other things


class Ganache:
    """One Ganache in a process of its own, started by `with`.

    It mines what is sent at once, and after `miner_stop` only when asked with `mine()`. Two oddities: nonce 0
    is read as none given, and a fee below the base fee is taken.
    """

    def __init__(
        self, *, chain_id: int = 1337, hardfork: str = "shanghai", extra: tuple[str, ...] = ()
    ) -> None:
        self.chain_id = chain_id
        self.port = 0
        self.keys: list[str] = []
        self._arguments = ["--chain.chainId", str(chain_id), "--chain.hardfork", hardfork]
        self._arguments += extra
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(timeout=60, trust_env=False, verify=NO_TLS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rpc(self, method: str, *params: Any) -> Any:
        """The `result` of one JSON-RPC call; RpcError if the node answers with an error."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._client.post(self.url, json=request).json()
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.rpc("evm_mine")

    def __enter__(self) -> Self:
        # It cannot choose a port by itself.
        self.port = take_port()
        with tempfile.TemporaryDirectory(prefix="ganache-") as folder:
            output = Path(folder, "output")
            with output.open("wb") as sink:
                self._process = subprocess.Popen(
                    [node_path(), ganache_path(), "--server.port", str(self.port), *self._arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                )
            text = self._wait(output)
        self.keys = re.findall(r"\(\d\) (0x[0-9a-f]{64})", text)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._client.close()

    def _wait(self, output: Path) -> str:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            text = output.read_text(errors="replace")
            if "RPC Listening on" in text:
                return text
            if self._process.poll() is not None:
                raise RuntimeError(f"ganache ended at once: {text.strip()[-300:]}")
            time.sleep(0.05)
        self._process.kill()
        raise RuntimeError(f"ganache did not start within {START_SECONDS:.0f} s")
