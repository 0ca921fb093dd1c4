"""Pages that were rendered before: what a certificate says never changes, so its page is made once.

Only what is shown without a code is remembered, under all that decides on it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

# Some 15 KiB each.
_MAX_PAGES = 500
Key = tuple[object, ...]


class RememberedPages:
    """Bodies by what decides on them; who was asked for longest ago is forgotten first."""

    def __init__(self, limit: int = _MAX_PAGES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._bodies: OrderedDict[Key, bytes] = OrderedDict()

    def find(self, key: Key) -> bytes | None:
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def remember(self, key: Key, body: bytes) -> None:
        with self._lock:
            self._bodies[key] = body
            if len(self._bodies) > self._limit:
                self._bodies.popitem(last=False)
