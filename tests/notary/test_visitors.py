"""How often a stranger may ask."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from mizheng.notary.errors import Problem
from mizheng.notary.visitors import Visitors

from tests.notary.depositor import problem_of
from tests.support.notary import NotaryServer


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def admitted(visitors: Visitors, address: str, tries: int, **headers: str) -> int:
    count = 0
    for _ in range(tries):
        try:
            visitors.let_in(address, {name.replace("_", "-"): value for name, value in headers.items()})
        except Problem as problem:
            assert problem.code == "too-many-requests"
            assert problem.retry_after is not None and problem.retry_after >= 1
        else:
            count += 1
    return count


def test_so_many_a_minute_and_no_more() -> None:
    clock = Clock()
    visitors = Visitors(6, clock=clock)
    assert admitted(visitors, "192.0.2.1", 20) == 6
    clock.now += 10
    assert admitted(visitors, "192.0.2.1", 20) == 1
    clock.now += 10_000
    assert admitted(visitors, "192.0.2.1", 20) == 6


def test_what_is_told_to_wait_is_let_in_after_that_time() -> None:
    clock = Clock()
    visitors = Visitors(7, clock=clock)
    admitted(visitors, "192.0.2.1", 7)
    with pytest.raises(Problem) as refused:
        visitors.let_in("192.0.2.1", {})
    clock.now += refused.value.retry_after or 0
    assert admitted(visitors, "192.0.2.1", 1) == 1


def test_each_address_for_itself_but_a_network_of_ipv6_together() -> None:
    visitors = Visitors(2, clock=Clock())
    assert admitted(visitors, "192.0.2.1", 3) == admitted(visitors, "192.0.2.2", 3) == 2
    assert admitted(visitors, "2001:db8::1", 3) == 2
    assert admitted(visitors, "2001:db8::ffff", 3) == 0
    assert admitted(visitors, "::ffff:192.0.2.1", 1) == 0


def test_behind_a_proxy_its_header_counts_and_without_one_no_header_does() -> None:
    behind = Visitors(2, "x-forwarded-for", clock=Clock())
    # What stands before the last comma came from the client itself.
    assert admitted(behind, "127.0.0.1", 3, x_forwarded_for="198.51.100.9, 192.0.2.1") == 2
    assert admitted(behind, "127.0.0.1", 3, x_forwarded_for="198.51.100.8, 192.0.2.1") == 0
    direct = Visitors(2, clock=Clock())
    assert admitted(direct, "192.0.2.1", 3, x_forwarded_for="198.51.100.9") == 2


def test_memory_is_bounded() -> None:
    visitors = Visitors(1, clock=Clock(), limit=100)
    for number in range(1_000):
        admitted(visitors, f"10.0.{number // 250}.{number % 250}", 1)
    assert len(visitors._buckets) == 100


def test_a_server_counts_public_routes_and_pages_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notary.toml").write_text("[pages]\nper_minute = 5\n")
    with NotaryServer(tmp_path / "data") as server, httpx.Client(base_url=server.url) as client:
        answers = [client.get("/v1/anchors/" + "00" * 32) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [404] * 5 + [429]
        assert problem_of(answers[-1]) == "too-many-requests"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/v1/organisation").status_code == 401
        assert client.get("/checkpoint").status_code == 200
