"""Logs as plain files (C2SP tlog-tiles), of any size and with any fault, and a web server for them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import EMPTY_ROOT, compute_root
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.tiles import TILE_WIDTH, TileTree, format_tile_path, tile_width

ORIGIN = "log.example/static"


def make_entry(number: int, branch: bytes = b"") -> bytes:
    """The entry of a made-up envelope."""
    return dump_entry(hashlib.sha256(b"envelope %d%s" % (number, branch)).digest())


@dataclass(slots=True)
class StaticLog:
    """A log that grows in a folder. Each `publish` signs a checkpoint; earlier partial tiles stay."""

    folder: Path
    signer: NoteSigner = field(default_factory=lambda: NoteSigner(ORIGIN, PrivateKey.generate()))
    size: int = 0
    _levels: list[list[bytes]] = field(default_factory=lambda: [[] for _ in range(8)])
    _entries: list[bytes] = field(default_factory=list)
    """Of the bundle that is not full yet."""

    @property
    def vkey(self) -> str:
        return self.signer.vkey

    def grow(self, size: int, branch: bytes = b"") -> StaticLog:
        """Append made-up entries up to `size` and publish."""
        return self.append(make_entry(number, branch) for number in range(self.size, size))

    def append(self, entries: Iterable[bytes]) -> StaticLog:
        for entry in entries:
            self._entries.append(entry)
            self._push(0, hashlib.sha256(b"\x00" + entry).digest())
            self.size += 1
            if len(self._entries) == TILE_WIDTH:
                self._write_bundle(self.size // TILE_WIDTH - 1)
                self._entries = []
        return self.publish()

    def publish(self) -> StaticLog:
        """Write the partial tiles and the signed checkpoint."""
        if self._entries:
            self._write_bundle(self.size // TILE_WIDTH)
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._write_tile(level, (self.size >> 8 * level) // TILE_WIDTH, hashes)
        self.sign(Checkpoint(self.signer.verifier.name, self.size, self.root))
        return self

    def sign(self, checkpoint: Checkpoint, signer: NoteSigner | None = None) -> bytes:
        """Show this as the log's checkpoint."""
        note = sign_checkpoint(checkpoint, signer or self.signer)
        self.write("checkpoint", note)
        return note

    @property
    def root(self) -> bytes:
        if not self.size:
            return EMPTY_ROOT
        read = {
            (level, (self.size >> 8 * level) // TILE_WIDTH): b"".join(hashes)
            for level, hashes in enumerate(self._levels)
        }
        return TileTree(lambda level, index: read[level, index]).subtree_root(0, self.size)

    def write(self, path: str, data: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def flip(self, path: str, position: int) -> None:
        """Turn one bit of a file over."""
        data = bytearray((self.folder / path).read_bytes())
        data[position] ^= 1
        (self.folder / path).write_bytes(data)

    def tile(self, level: int, index: int) -> str:
        """The path of a tile as the present checkpoint needs it."""
        return f"tile/{level}/{format_tile_path(index, tile_width(level, index, self.size))}"

    def bundle(self, index: int) -> str:
        return f"tile/entries/{format_tile_path(index, tile_width(0, index, self.size))}"

    def _push(self, level: int, node: bytes) -> None:
        hashes = self._levels[level]
        hashes.append(node)
        if len(hashes) == TILE_WIDTH:
            # The leaf that fills it is not counted yet: this is the index of the tile it is in.
            index = self.size >> 8 * (level + 1)
            self._write_tile(level, index, hashes)
            self._levels[level] = []
            self._push(level + 1, compute_root(hashes))

    def _write_tile(self, level: int, index: int, hashes: list[bytes]) -> None:
        self.write(f"tile/{level}/{format_tile_path(index, len(hashes))}", b"".join(hashes))

    def _write_bundle(self, index: int) -> None:
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in self._entries)
        self.write(f"tile/entries/{format_tile_path(index, len(self._entries))}", data)


Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class StaticServer:
    """A web server over a folder; `interfere` may answer instead of it."""

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)
    interfere: Callable[[str], Answer | None] = lambda _path: None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the tests."""


@contextmanager
def serving(folder: Path, *, keep_requests: bool = True) -> Iterator[StaticServer]:
    """Serve a folder on a free port of this machine."""
    state = StaticServer(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this the kernel waits for more to send: 40 ms a request.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            if keep_requests:
                state.requests.append(path)
            code, headers, data = state.interfere(path) or self._read(path)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _read(self, path: str) -> Answer:
            try:
                return 200, {}, (state.folder / path).read_bytes()
            except OSError:
                return 404, {}, b""

        def log_message(self, format: str, *args: object) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
