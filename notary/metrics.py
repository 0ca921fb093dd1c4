"""Figures for Prometheus, in a registry of their own for each service."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What is counted while serving. Labels are route patterns and codes, never anything a caller sent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mizheng_http_requests",
            "requests answered, by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "mizheng_http_request_seconds",
            "time to answer, by route",
            ["method", "route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.deposits = Counter(
            "mizheng_deposits",
            "deposits answered: created, existing, or the problem's code",
            ["outcome"],
            registry=self.registry,
        )
        self.events = Counter(
            "mizheng_events",
            "events answered: created, existing, or the problem's code",
            ["outcome"],
            registry=self.registry,
        )
        self.batch_entries = Histogram(
            "mizheng_batch_entries",
            "deposits that shared one commit",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 512),
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "mizheng_batch_seconds",
            "time from taking a batch to its commit",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )

        # To find a label's figure takes longer than to add to it; there are few labels.
        self._by_answer = lru_cache(None)(self._find_answer)
        self._by_outcome = lru_cache(None)(self.deposits.labels)

    def _find_answer(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)

    def observe_batch(self, size: int, seconds: float) -> None:
        self.batch_entries.observe(size)
        self.batch_seconds.observe(seconds)

    def count_answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more request was answered."""
        requests, times = self._by_answer(method, route, status)
        requests.inc()
        times.observe(seconds)

    def count_deposits(self, outcome: str, number: int = 1) -> None:
        """So many more deposits had this outcome: created, existing, or a problem's code."""
        self._by_outcome(outcome).inc(number)

    def count_events(self, outcome: str) -> None:
        """One more event had this outcome: created, existing, or a problem's code."""
        self.events.labels(outcome).inc()

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A value that is read when it is asked for."""
        Gauge(name, description, registry=self.registry).set_function(read)

    def gauges(
        self,
        name: str,
        description: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], float]],
    ) -> None:
        """Values by their labels, all read when they are asked for; a state that is over is not shown."""
        self.registry.register(_Gauges(name, description, labels, read))

    def dump(self) -> bytes:
        """The text exposition format, version 0.0.4."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    """A gauge whose labels come and go."""

    def __init__(
        self,
        name: str,
        description: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], float]],
    ) -> None:
        self._about = (name, description, labels)
        self._read = read

    def describe(self) -> Iterator[Metric]:
        name, description, labels = self._about
        yield GaugeMetricFamily(name, description, labels=labels)

    def collect(self) -> Iterator[Metric]:
        name, description, labels = self._about
        family = GaugeMetricFamily(name, description, labels=labels)
        for values, value in self._read().items():
            family.add_metric(values, float(value))
        yield family


class Counting:
    """ASGI middleware: counts and times every answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            # The pattern and not the path: ids stay out of the figures, and their number stays bounded.
            method, route = _known_method(scope["method"]), getattr(scope.get("route"), "path", "none")
            self._metrics.count_answer(method, route, status, perf_counter() - started)


def _known_method(method: str) -> str:
    return method if method in ("GET", "POST", "HEAD") else "other"
