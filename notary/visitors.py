"""How often somebody may ask: whom nobody knows, by address, at public routes and pages; a company with a
limit of its own, by its number.

A bucket for each address fills at the rate of so many requests a minute and holds one minute's worth. Kept in
memory, by each process for itself; nothing is written down about who asked. The address is that of the
connection, or what a reverse proxy says in a header that `[pages]` names: a header that nobody in between
sets would let everybody choose an address of his own.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from mizheng.notary.errors import Problem

# Some 200 bytes each; who asked longest ago is forgotten first.
_MAX_ADDRESSES = 50_000
# Whoever has an IPv6 address has 2^64 of them.
_IPV6_PREFIX = 64


class Buckets:
    """A bucket for each name. Whoever takes more than is left is in debt, and let in when it is paid."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, limit: int = _MAX_ADDRESSES) -> None:
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        # Name to tokens left and when they were counted, who asked last at the end.
        self._buckets: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: object, per_minute: int, count: int = 1) -> int:
        """0, or seconds until the next request is let in. A bucket holds one minute's worth."""
        now, rate = self._clock(), per_minute / 60
        with self._lock:
            left, counted_at = self._buckets.pop(name, (float(per_minute), now))
            left = min(float(per_minute), left + (now - counted_at) * rate)
            is_in = left >= 1
            self._buckets[name] = (left - count if is_in else left, now)
            if len(self._buckets) > self._limit:
                self._buckets.popitem(last=False)
        return 0 if is_in else max(1, -int(-(1 - left) // rate))


class Visitors:
    """Counts requests by address; `per_minute` 0 lets everybody in."""

    def __init__(
        self,
        per_minute: int,
        header: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        limit: int = _MAX_ADDRESSES,
    ) -> None:
        self._per_minute = per_minute
        self._header = header
        self._buckets = Buckets(clock=clock, limit=limit)

    def let_in(self, address: str | None, headers: Mapping[str, str]) -> None:
        """Count one request; Problem `too-many-requests` when there were too many."""
        if not self._per_minute:
            return
        said = headers.get(self._header) if self._header else address
        wait = self._buckets.take(_group(said or ""), self._per_minute)
        if wait:
            raise Problem("too-many-requests", retry_after=wait)


class Callers:
    """Counts requests of companies that have a limit of their own."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = Buckets(clock=clock)

    def let_in(self, organisation_id: int, per_minute: int | None, count: int = 1) -> None:
        """Count requests, or deposits of a batch; Problem `quota-minute` when there were too many."""
        if per_minute is not None:
            wait = self._buckets.take(organisation_id, per_minute, count)
            if wait:
                raise Problem("quota-minute", retry_after=wait)


def _group(said: str) -> str:
    # Of a list, which grows by one at each proxy, the last is what our own proxy saw.
    text = said.rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        # Whatever it is, it has no more than one bucket.
        return "unknown"
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
