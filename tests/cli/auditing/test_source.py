"""Logs over a network that is slow, busy, absent or in the way."""

from __future__ import annotations

import gzip
import threading
import time

import httpx
import pytest
from mizheng.cli.auditing.source import HttpSource, open_source
from mizheng.cli.errors import UnavailableFault

from tests.cli.auditing.conftest import Auditor
from tests.cli.runner import Mizheng
from tests.support.staticlog import Answer, StaticLog, serving


def test_busy_servers_are_waited_for(log: StaticLog, auditor: Auditor) -> None:
    met: dict[str, int] = {}

    def busy(path: str) -> Answer | None:
        met[path] = met.get(path, 0) + 1
        code = {1: 429, 2: 503}.get(met[path])
        return (code, {"Retry-After": "0"}, b"later") if code else None

    with serving(log.folder) as server:
        server.interfere = busy
        assert auditor(server.url, log.vkey).checked == 700
    # The tile at the right edge is read twice: for the root, and beside its bundle.
    assert {path: times for path, times in met.items() if times != 3} == {log.tile(0, 2): 4}


def test_a_server_that_stays_busy_is_unavailable(log: StaticLog, auditor: Auditor) -> None:
    with serving(log.folder) as server:
        server.interfere = lambda path: (429, {}, b"") if path == log.bundle(1) else None
        with pytest.raises(UnavailableFault):
            auditor(HttpSource(server.url, patience=2), log.vkey)
        # Not a word against the log; and the next audit goes on behind the first bundle.
        server.interfere = lambda _path: None
        assert auditor(server.url).checked == 700 - 256


def test_a_server_that_drips_is_given_up(log: StaticLog) -> None:
    with serving(log.folder) as server:
        server.interfere = lambda _path: time.sleep(3)
        source = HttpSource(server.url, seconds=0.3, patience=1)
        start = time.monotonic()
        with pytest.raises(UnavailableFault):
            source.read("checkpoint", 1000)
        assert time.monotonic() - start < 3
        source.close()


def test_a_server_that_ends_in_the_middle(log: StaticLog, auditor: Auditor) -> None:
    broken: list[str] = []

    def cut(path: str) -> Answer | None:
        if path == log.bundle(0) and not broken:
            broken.append(path)
            return 200, {"Content-Length": "100000"}, b"short"
        return None

    with serving(log.folder) as server:
        server.interfere = cut
        source = HttpSource(server.url, seconds=1, patience=20)
        assert auditor(source, log.vkey).checked == 700


def test_a_cache_that_holds_something_old_is_asked_past(log: StaticLog, auditor: Auditor) -> None:
    stale = {log.bundle(0): b"old", log.tile(0, 1): b"", log.tile(1, 0): bytes(64)}
    with serving(log.folder) as server:
        server.interfere = lambda path: (200, {}, stale.pop(path)) if path in stale else None
        assert auditor(server.url, log.vkey).checked == 700


def test_a_checkpoint_out_of_a_cache_is_no_step_back(log: StaticLog, auditor: Auditor) -> None:
    old = (log.folder / "checkpoint").read_bytes()
    log.grow(900)
    auditor(log.folder, log.vkey)
    left = [old, old]
    with serving(log.folder) as server:
        server.interfere = lambda path: (200, {}, left.pop()) if path == "checkpoint" and left else None
        assert auditor(server.url).checked == 0
    assert not left


def test_compressed_answers(log: StaticLog, auditor: Auditor) -> None:
    def compressed(path: str) -> Answer:
        data = gzip.compress((log.folder / path).read_bytes())
        return 200, {"Content-Encoding": "gzip"}, data

    with serving(log.folder) as server:
        server.interfere = compressed
        assert auditor(server.url, log.vkey).checked == 700


def test_an_answer_without_end_is_cut() -> None:
    sent = threading.Event()

    def endless(_request: httpx.Request) -> httpx.Response:
        def stream():  # type: ignore[no-untyped-def]
            for _ in range(10_000):
                yield bytes(1 << 16)
            sent.set()

        return httpx.Response(200, content=stream())

    source = HttpSource("http://127.0.0.1:9")
    source._client = httpx.Client(transport=httpx.MockTransport(endless))
    assert source.read("checkpoint", 1000) == bytes(1001)
    assert not sent.is_set()


def test_redirects_are_followed(log: StaticLog, auditor: Auditor) -> None:
    with serving(log.folder) as real, serving(log.folder) as front:
        front.interfere = lambda path: (302, {"Location": f"{real.url}/{path}"}, b"")
        assert auditor(front.url, log.vkey).checked == 700


def test_stores_that_deny_what_they_do_not_have(log: StaticLog, auditor: Auditor) -> None:
    note = (log.folder / "checkpoint").read_bytes()
    partial = [log.bundle(2), log.tile(0, 2)]
    log.grow(800)
    log.write("checkpoint", note)
    with serving(log.folder) as server:
        server.interfere = lambda path: (403, {}, b"denied") if path in partial else None
        assert auditor(server.url, log.vkey).checked == 700
        # Both denied: nobody knows whether it is there.
        server.interfere = lambda path: (403, {}, b"denied") if path.startswith("tile/entries/") else None
        with pytest.raises(UnavailableFault):
            Auditor(auditor.state.with_name("fresh.json"))(server.url, log.vkey)


def test_other_answers_end_the_audit(log: StaticLog, bare: Mizheng) -> None:
    with serving(log.folder) as server:
        server.interfere = lambda _path: (403, {}, b"no")
        refused = bare("audit", server.url, "--key", log.vkey)
        assert refused.code == 69 and "answers 403" in refused.err
        url = server.url
    # And nobody listens any more.
    source = HttpSource(url, patience=0.5)
    with pytest.raises(UnavailableFault):
        source.read("checkpoint", 1000)
    source.close()


def test_passwords_stay_out_of_names() -> None:
    source = open_source("https://user:secret@log.example:8443/mirror/")
    assert source.name == "https://log.example:8443/mirror"
    source.close()
