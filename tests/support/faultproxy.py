"""A TCP proxy that cuts connections where it hurts: before or after the server has seen certain bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from types import TracebackType
from typing import Literal

# lost: the bytes never reach the server. persisted: they do, and its answer never reaches the client.
Cut = Literal["lost", "persisted"]


class FaultProxy:
    """Listens on `port` and passes everything on to a local port, until `cut_at` says otherwise."""

    def __init__(self, target: int, trigger: bytes) -> None:
        self._target = target
        self._trigger = trigger
        self._plan: deque[Cut] = deque()
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts: list[Cut] = []

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def cut_at(self, *cuts: Cut) -> None:
        """Cut the next connections that send the trigger, one after the other."""
        with self._guard:
            self._plan.extend(cuts)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                cut = self._due(data)
                if cut == "lost":
                    break
                if cut == "persisted":
                    # No answer goes back any more, whatever the server still says.
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                if cut == "persisted":
                    # The server's end is closed by itself once it has done what it was told.
                    server.shutdown(socket.SHUT_WR)
                    while server.recv(1 << 16):
                        continue
                    break
        _close(client, server)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
        _close(client)

    def _due(self, data: bytes) -> Cut | None:
        with self._guard:
            if self._trigger not in data or not self._plan:
                return None
            cut = self._plan.popleft()
            self.cuts.append(cut)
            return cut


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
