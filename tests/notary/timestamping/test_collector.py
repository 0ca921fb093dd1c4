"""Tokens over anchored checkpoints: fetched, checked, stored once; whatever else is answered is not."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from mizheng.notary.database import reading
from mizheng.notary.lease import make_lease
from mizheng.notary.timestamping import asking
from mizheng.notary.timestamping.collector import TokenCollector
from mizheng.notary.timestamping.kept import load_authority_status, load_first_stamps
from mizheng.notary.timestamping.setup import AuthoritySetup, parse_timestamps
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.authority import judge
from mizheng.verifier.timestamp.revocation import check_revocation
from mizheng.verifier.timestamp.token import dump_response, parse_token
from mizheng.verifier.timestamp.x509 import load_certificate

from tests.notary.timestamping.conftest import StampedLog
from tests.support.opensslocsp import answer_with_openssl
from tests.support.opensslts import Answer, OpensslAuthority, verify_with_openssl
from tests.support.ports import take_port
from tests.support.tsa import DAY, YEAR, make_authority


class Clock:
    """The present time, moved by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def test_stamps_the_newest_anchored_head(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup, tmp_path: Path
) -> None:
    collector = TokenCollector(log.engine, setup)
    assert not collector.step()
    log.anchor(3)
    log.anchor(9)
    log.anchor(20, "prepared")
    assert collector.step()
    assert not collector.step()
    (row,) = log.stamps()
    assert (row.authority, row.tree_size, row.text) == ("local", 9, log.text(9))
    assert abs(row.stamped_at - time.time()) < 60
    assert row.holds_until == load_certificate(authority.authority.signer.der).not_after
    result = verify_with_openssl(dump_response(row.token), row.text, authority.roots.read_bytes(), tmp_path)
    assert result.returncode == 0, result.stderr
    assert log.states() == {"local": "ok"}
    log.anchor(30, "final")
    assert collector.step()
    assert [found.tree_size for found in log.stamps()] == [9, 30]
    # Restarted, it knows what there is.
    assert not TokenCollector(log.engine, setup).step()
    assert len(authority.requests) == 2


def test_first_stamp_of_each_authority_goes_into_a_bundle(log: StampedLog, setup: AuthoritySetup) -> None:
    second = replace(setup, trusted=replace(setup.trusted, name="second"))
    for size in (3, 9):
        log.anchor(size)
        TokenCollector(log.engine, setup).step()
    TokenCollector(log.engine, second).step()
    with reading(log.engine) as connection:
        assert [found.tree_size for found in load_first_stamps(connection, 2)] == [3, 9]
        assert [found.tree_size for found in load_first_stamps(connection, 3)] == [9, 9]
        assert not load_first_stamps(connection, 9)
        # The head of size 3 was signed by a thief, who came after 2 and was gone by 5.
        spans = [(0, 2), (5, None)]
        assert [found.tree_size for found in load_first_stamps(connection, 2, spans)] == [9, 9]
        assert not load_first_stamps(connection, 2, [(0, 2)])
        shown = load_authority_status(connection, [setup, second, replace(setup, url=None)])
    assert [(found.state, found.tree_size) for found in shown] == [("ok", 9), ("ok", 9), ("retired", 9)]


def test_interval_between_two_tokens(log: StampedLog, setup: AuthoritySetup) -> None:
    clock = Clock()
    collector = TokenCollector(log.engine, replace(setup, interval=100), clock=clock)
    log.anchor(1)
    assert collector.step()
    log.anchor(2)
    assert not collector.step()
    clock.ahead = 101
    assert collector.step()


def test_clock_set_back_holds_nothing_up(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup
) -> None:
    clock = Clock()
    collector = TokenCollector(log.engine, setup, clock=clock)
    log.anchor(1)
    clock.ahead = 10 * DAY
    assert not collector.step()
    assert log.states() == {"local": "clock-differs"}
    clock.ahead = 0
    assert collector.step()


def wrong_status(body: bytes) -> Answer:
    return 503, "text/plain", b"later"


def redirected(body: bytes) -> Answer:
    return 302, "text/plain", b""


def a_page(body: bytes) -> Answer:
    return 200, "text/html", b"<html>it works</html>"


def refusal(body: bytes) -> Answer:
    return (
        200,
        "application/timestamp-reply",
        der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(2))),
    )


def too_long(body: bytes) -> Answer:
    return 200, "application/timestamp-reply", b"\x30" * (asking.MAX_ANSWER_BYTES + 1)


def packed(body: bytes) -> Answer:
    """Half a kilobyte on the wire: nothing is unpacked, so it is simply no token."""
    return 200, "application/timestamp-reply", gzip.compress(b"\x30" * (1 << 19))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (wrong_status, "refused-503"),
        (redirected, "refused-302"),
        (a_page, "broken-answer"),
        (refusal, "broken-answer"),
        (too_long, "answer-too-long"),
        (packed, "broken-answer"),
    ],
)
def test_what_is_no_token_is_not_stored(
    log: StampedLog,
    authority: OpensslAuthority,
    setup: AuthoritySetup,
    answer: Callable[[bytes], Answer],
    state: str,
) -> None:
    authority.answer_with = answer
    log.anchor(1)
    assert not TokenCollector(log.engine, setup).step()
    assert not log.stamps()
    assert log.states() == {"local": state}


def test_token_for_another_request(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup
) -> None:
    """Replayed: a true token of this authority over this very text, but not the answer to this nonce."""
    log.anchor(1)
    first: list[bytes] = []

    def replay(body: bytes) -> Answer:
        first.append(first[0] if first else authority.reply(body))
        return 200, "application/timestamp-reply", first[0]

    authority.answer_with = replay
    assert TokenCollector(log.engine, setup).step()
    log.anchor(2)
    assert not TokenCollector(log.engine, setup).step()
    assert log.states() == {"local": "other-request"}
    assert [row.tree_size for row in log.stamps()] == [1]


def test_token_of_somebody_else(log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup) -> None:
    now = int(time.time())
    stranger = make_authority("stranger", start=now - YEAR, end=now + YEAR, number=3)

    def answer(body: bytes) -> Answer:
        reader = der.parse(body).reader()
        reader.next()
        imprint = reader.next().reader()
        imprint.next()
        digest = imprint.next().octets()
        reader.optional(der.OID)
        nonce = reader.next().integer()
        return 200, "", stranger.response(b"", now, imprint=digest, nonce=nonce, policy=authority.policy)

    authority.answer_with = answer
    log.anchor(1)
    assert not TokenCollector(log.engine, setup).step()
    assert log.states() == {"local": "not-believed"}
    # The same answer is right where that authority is the one that is configured.
    trusted = replace(stranger.trusted(), name="local")
    known = replace(setup, trusted=replace(trusted, policies=(authority.policy,)))
    assert TokenCollector(log.engine, known).step()


def test_policy_that_the_authority_does_not_have(log: StampedLog, setup: AuthoritySetup) -> None:
    log.anchor(1)
    assert not TokenCollector(log.engine, replace(setup, policy="1.2.3.4")).step()
    assert log.states() == {"local": "broken-answer"}


def test_nobody_there_and_back_again(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup
) -> None:
    """Asked more and more seldom; and when it is back, one token covers all that was missed."""
    clock = Clock()
    away = replace(setup, url=f"http://127.0.0.1:{take_port()}/")
    collector = TokenCollector(log.engine, away, clock=clock)
    log.anchor(1)
    waited = []
    for _ in range(4):
        assert not collector.step()
        start = clock.ahead
        while collector._rest_until > clock():
            clock.ahead += 1
        waited.append(clock.ahead - start)
    assert log.states() == {"local": "unreachable"}
    assert waited == sorted(waited)
    assert waited[-1] >= 4 * waited[0]
    log.anchor(2)
    log.anchor(3)
    clock.ahead = 0
    back = TokenCollector(log.engine, setup, clock=clock)
    assert back.step()
    assert [row.tree_size for row in log.stamps()] == [3]
    assert log.states() == {"local": "ok"}


def test_answer_that_drips(log: StampedLog, setup: AuthoritySetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte every now and then keeps each read alive, but not the whole."""
    monkeypatch.setattr(asking, "TOTAL_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(100):
                    try:
                        client.sendall(b"\x30")
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        log.anchor(1)
        started = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert not TokenCollector(log.engine, replace(setup, url=url)).step()
        assert time.monotonic() - started < 3
    assert log.states() == {"local": "too-slow"}


def test_silence_is_too_slow(log: StampedLog, setup: AuthoritySetup) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        log.anchor(1)
        client = httpx.Client(timeout=0.3)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert not TokenCollector(log.engine, replace(setup, url=url), client=client).step()
    assert log.states() == {"local": "too-slow"}


def test_credentials(log: StampedLog, tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("notary:a secret\n")
    with OpensslAuthority("guarded", user="notary:a secret") as guarded:
        row = {"url": guarded.url, "roots": str(guarded.roots)}
        (without,) = parse_timestamps({"guarded": row})
        (known,) = parse_timestamps({"guarded": {**row, "credentials": str(path)}})
        assert "secret" not in repr(known)
        log.anchor(1)
        assert not TokenCollector(log.engine, without).step()
        assert log.states() == {"guarded": "refused-401"}
        assert TokenCollector(log.engine, known).step()


def test_revocation_lists_are_put_beside_the_signature(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup, tmp_path: Path
) -> None:
    now = int(time.time())
    lists = {
        "/good": authority.authority.crl(now - 60),
        "/stranger": make_authority(start=now - YEAR, end=now).crl(now),
    }

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, stream=httpx.ByteStream(authority.reply(request.content)))
        found = lists.get(request.url.path)
        return httpx.Response(404) if found is None else httpx.Response(200, stream=httpx.ByteStream(found))

    crls = tuple(f"http://ca.example{path}" for path in ("/gone", "/good", "/stranger"))
    client = httpx.Client(transport=httpx.MockTransport(serve))
    log.anchor(1)
    assert TokenCollector(log.engine, replace(setup, crls=crls), client=client).step()
    (row,) = log.stamps()
    assert [item.encoded for item in parse_token(row.token).signed.revocation.lists] == [lists["/good"]]
    result = verify_with_openssl(dump_response(row.token), row.text, authority.roots.read_bytes(), tmp_path)
    assert result.returncode == 0, result.stderr


def test_ocsp_answers_are_put_beside_the_signature(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup, tmp_path: Path
) -> None:
    """openssl reads the question, and the token with the answer in it."""
    made = authority.authority
    stranger = make_authority(start=int(time.time()) - YEAR, end=int(time.time()) + YEAR)
    asked = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/tsa":
            return httpx.Response(200, stream=httpx.ByteStream(authority.reply(request.content)))
        asked.append(request.headers["Content-Type"])
        issuer = {"/good": made.root, "/stranger": stranger.root}.get(request.url.path)
        if issuer is None:
            return httpx.Response(200, stream=httpx.ByteStream(b"what?"))
        answer = answer_with_openssl(tmp_path, made.signer, issuer, request=request.content)
        return httpx.Response(200, stream=httpx.ByteStream(answer))

    ocsp = tuple(f"http://ocsp.example{path}" for path in ("/broken", "/stranger", "/good"))
    client = httpx.Client(transport=httpx.MockTransport(serve))
    log.anchor(1)
    assert TokenCollector(log.engine, replace(setup, ocsp=ocsp), client=client).step()
    (row,) = log.stamps()
    token = parse_token(row.token)
    path = judge(token, [setup.trusted], {}).path
    assert check_revocation(path, token.signed.revocation, token.at).is_known
    assert len(token.signed.revocation.answers) == 1
    assert asked == ["application/ocsp-request"] * 3
    result = verify_with_openssl(dump_response(row.token), row.text, authority.roots.read_bytes(), tmp_path)
    assert result.returncode == 0, result.stderr


def test_a_token_that_the_responder_calls_revoked_is_not_kept(
    log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup, tmp_path: Path
) -> None:
    made, since = authority.authority, int(time.time()) - 60

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/tsa":
            return httpx.Response(200, stream=httpx.ByteStream(authority.reply(request.content)))
        answer = answer_with_openssl(
            tmp_path, made.signer, made.root, request=request.content, revoked=(since, "keyCompromise")
        )
        return httpx.Response(200, stream=httpx.ByteStream(answer))

    client = httpx.Client(transport=httpx.MockTransport(serve))
    log.anchor(1)
    TokenCollector(log.engine, replace(setup, ocsp=("http://ocsp.example/",)), client=client).step()
    assert not log.stamps()
    assert log.states() == {setup.name: "broken-answer"}


def test_one_process_asks(log: StampedLog) -> None:
    """The lease is the authority's: another process may ask another one meanwhile."""
    first, again, other = (make_lease(log.engine, f"timestamps.{name}") for name in ("a", "a", "b"))
    assert first.hold()
    assert not again.hold()
    assert other.hold()
    first.release()
    assert again.hold()
    again.release()
    other.release()


def test_two_at_the_same_moment(log: StampedLog, authority: OpensslAuthority, setup: AuthoritySetup) -> None:
    """For once two processes hold the lease: two tokens are asked for, one is kept, nothing breaks."""
    log.anchor(1)
    second = TokenCollector(log.engine, setup)

    def meanwhile(body: bytes) -> Answer:
        authority.answer_with = None
        assert second.step()
        return 200, "application/timestamp-reply", authority.reply(body)

    authority.answer_with = meanwhile
    TokenCollector(log.engine, setup).step()
    assert len(log.stamps()) == 1
    assert len(authority.requests) == 2
