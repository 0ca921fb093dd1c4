"""What is sent never becomes a line of a log or a header of an answer, and never makes state grow."""

from __future__ import annotations

import httpx
import pytest
from mizheng.notary.companies.api_keys import _MAX_REMEMBERED, Caller, RememberedCallers
from mizheng.notary.visitors import Buckets
from mizheng.verifier.statement import Depositor

from tests.notary.depositor import TestDepositor
from tests.notary.wire import talk
from tests.support.notary import NotaryServer

MARK = "zxinjectedzx"
# As they travel in a path or a query; raw ones no client of ours would send.
BREAKS = ["%0d%0a", "%0a", "%0d", "%00", "%e2%80%a8", "%1b[31m"]
PATHS = [
    "/v1/lookup?q={}",
    "/v1/certificates?digest={}",
    "/v1/certificates/{}",
    "/v1/certificates/{}/certificate.pdf",
    "/v1/anchors/{}",
    "/v1/deposits/{}",
    "/v1/deposits?after={}",
    "/v1/deposits?state={}",
    "/v1/webhooks/{}",
    "/tile/0/{}",
    "/c/{}",
    "/{}",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_line_break_in_a_path_breaks_no_line(
    server: NotaryServer, depositor: TestDepositor, path: str
) -> None:
    before = server.output
    for breaking in BREAKS:
        answer = depositor.client.get(path.format(f"a{breaking}{MARK}: 1"))
        assert answer.status_code in (400, 404, 422), answer.text
        assert MARK not in str(answer.headers).lower()
        # Nothing of the request is repeated, in no form.
        assert MARK not in answer.text
    assert MARK not in server.output[len(before) :]


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer mzk_{}",
        "Authorization: {}",
        "Mizheng-Code: {}",
        "Accept-Language: {}",
        "Accept-Encoding: {}",
        "If-None-Match: {}",
        "X-Forwarded-For: {}",
        "Host: {}",
        "Content-Type: {}",
    ],
)
def test_a_header_comes_back_nowhere(server: NotaryServer, header: str) -> None:
    sent = header.format(f"{MARK}\x1b]0;{MARK}\x07\xff'\"<script>")
    for path in ("/v1/organisation", "/v1/lookup?q=0", "/checkpoint", "/lookup"):
        said = talk(server.port, f"GET {path} HTTP/1.1\r\nhost: here\r\n{sent}\r\nconnection: close\r\n\r\n")
        assert MARK.encode() not in said.lower()
    assert MARK not in server.output


def test_a_request_within_a_request_is_none(server: NotaryServer) -> None:
    """A line break within a header ends it, for the notary as for whoever stands before it."""
    smuggled = f"GET /{MARK} HTTP/1.1\r\nhost: x\r\n\r\n"
    said = talk(
        server.port,
        "POST /v1/deposits HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n"
        f"connection: close\r\n\r\n0\r\n\r\n{smuggled}",
    )
    assert said.count(b"HTTP/1.1 ") == 1


def test_no_answer_says_what_software_it_is_of(server: NotaryServer) -> None:
    """Nor, where something is wrong, which line of it that was."""
    for path in ("/", "/healthz", "/checkpoint", "/nothing", "/v1/deposits"):
        answer = httpx.get(server.url + path, trust_env=False)
        assert not {"server", "x-powered-by"} & set(answer.headers)
        assert "Traceback" not in answer.text and ".py" not in answer.text


def test_names_and_bodies_are_in_no_log(server: NotaryServer, depositor: TestDepositor) -> None:
    for body in (
        f'{{"url": "https://{MARK}.example/\\r\\nx: y"}}',
        f'{{"{MARK}": 1}}',
        f'{{"url": ["{MARK}"]}}',
        f"{MARK}",
    ):
        answer = depositor.client.post(
            "/v1/webhooks", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422
        assert MARK not in answer.text
    assert MARK not in server.output


def test_a_million_callers_take_no_more_room_than_the_bound() -> None:
    """What counts requests forgets who asked longest ago: as many addresses as there are cost the same."""
    buckets = Buckets(clock=lambda: 0.0, limit=1_000)
    for number in range(1_000_000):
        buckets.take(number, 60)
    assert len(buckets) == 1_000


def test_remembered_callers_are_bounded() -> None:
    remembered = RememberedCallers()
    caller = Caller(1, 1, Depositor("试验有限公司", "CN-USCC", "91350100M000100Y43"))
    for number in range(2 * _MAX_REMEMBERED + 7):
        remembered.remember(f"Bearer mzk_{number}", caller)
    assert len(remembered._callers) <= _MAX_REMEMBERED


def test_figures_do_not_grow_with_what_is_asked(server: NotaryServer, depositor: TestDepositor) -> None:
    """Routes are counted by their pattern and methods by a list: a stranger makes no new series."""

    def series() -> int:
        text = httpx.get(server.url + "/metrics", trust_env=False).text
        return len([line for line in text.splitlines() if not line.startswith("#")])

    def ask(number: int) -> None:
        for method in ("GET", f"M{number}"):
            depositor.client.request(method, f"/v1/deposits/{number:064x}")
            depositor.client.request(method, f"/{number}")

    series()
    ask(0)
    before = series()
    for number in range(1, 30):
        ask(number)
    assert series() == before
