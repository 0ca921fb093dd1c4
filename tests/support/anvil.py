"""A real EVM node for tests: anvil in a process of its own."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.ending import end_process
from tests.support.plain import NO_TLS
from tests.support.ports import take_port
from tests.support.tools import anvil_path

START_SECONDS = 20.0  # it needs 0.05 s; the rest is for a machine that is busy with other things
STOP_SECONDS = 10.0


class RpcError(RuntimeError):
    """The node answered with a JSON-RPC error."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('message')}")
        self.code: int = error.get("code", 0)
        self.data: Any = error.get("data")


class Anvil:
    """One anvil process, started by `with` or `start()`.

    The port is this node's own and stays the same over `restart()`, so that a client which knew it finds it
    again. `slots_in_an_epoch` n makes "safe" the head less n and "finalized" the head less 2n.
    With `state` the chain is kept in that file: written on `stop()`, and every `state_interval` seconds, so
    that it also survives `kill()`.
    """

    def __init__(
        self,
        *,
        chain_id: int = 31337,
        slots_in_an_epoch: int = 4,
        block_time: float | None = None,
        state: Path | None = None,
        state_interval: int = 1,
        hardfork: str | None = None,
        extra: tuple[str, ...] = (),
    ) -> None:
        self.chain_id = chain_id
        self.accounts: list[str] = []
        self.keys: list[str] = []
        self.port = take_port()
        self._arguments = ["--chain-id", str(chain_id), "--slots-in-an-epoch", str(slots_in_an_epoch)]
        if block_time is not None:
            self._arguments += ["--block-time", str(block_time)]
        if state is not None:
            self._arguments += ["--state", str(state), "--state-interval", str(state_interval)]
        if hardfork is not None:
            self._arguments += ["--hardfork", hardfork]
        self._arguments += extra
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(timeout=30, trust_env=False, verify=NO_TLS)

    @property
    def url(self) -> str:
        """Where the node listens, http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the node and wait until it answers."""
        if self.running:
            return
        binary = anvil_path()
        with tempfile.TemporaryDirectory(prefix="anvil-") as folder:
            config, output = Path(folder, "config.json"), Path(folder, "output")
            with output.open("wb") as sink:
                self._process = subprocess.Popen(
                    [binary, "--port", str(self.port), "--config-out", config, *self._arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                )
            self._wait_until_listening(output)
            accounts = json.loads(config.read_text())
            self.accounts = [str(account) for account in accounts["available_accounts"]]
            self.keys = [str(key) for key in accounts["private_keys"]]
        assert int(self.rpc("eth_chainId"), 16) == self.chain_id

    def stop(self) -> None:
        """End the node as Ctrl-C does; it writes its state first."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the node as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again, at the same address."""
        self.stop()
        self.start()

    def rpc(self, method: str, *params: Any) -> Any:
        """The `result` of one JSON-RPC call; RpcError if the node answers with an error."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._client.post(self.url, json=request).raise_for_status().json()
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Add empty blocks."""
        if blocks:
            self.rpc("anvil_mine", hex(blocks))

    def dump(self) -> bytes:
        """The chain at this moment, as the file `state` has it."""
        return gzip.decompress(bytes.fromhex(self.rpc("anvil_dumpState")[2:]))

    def block_number(self, tag: str = "latest") -> int:
        return int(self.rpc("eth_getBlockByNumber", tag, False)["number"], 16)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._client.close()

    def _wait_until_listening(self, output: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            text = output.read_text(errors="replace")
            if f"Listening on 127.0.0.1:{self.port}" in text:
                return
            if self._process.poll() is not None:
                raise RuntimeError(f"anvil ended at once: {text.strip()[-300:]}")
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"anvil did not start within {START_SECONDS:.0f} s")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        end_process(process, how, STOP_SECONDS)
