"""One attempt against servers that do what servers should not: each has its outcome, and an end."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mizheng.notary.webhooks.addresses import Target, WebhookSetup, parse_webhooks
from mizheng.notary.webhooks.posting import is_fault_of_message, post_message

HERE = parse_webhooks({"networks": ["127.0.0.0/8"]})
BODY = b'{"type":"webhook.test"}'
HEADERS = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
Behave = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(behave: Behave, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server for one connection; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError), listener:
            stream, _ = listener.accept()
            if context is not None:
                stream = context.wrap_socket(stream, server_side=True)
            with stream:
                behave(stream)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(10)


def saying(answer: bytes) -> Behave:
    def behave(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(answer)

    return behave


def trickle(stream: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
        stream.sendall(bytes([byte]))
        time.sleep(0.05)


def post(port: int, *, seconds: float = 5.0, setup: WebhookSetup = HERE) -> str:
    target = Target("http", "plm.example.com", port, "/hook")
    return post_message(
        setup, target, HEADERS, BODY, seconds=seconds, resolve=lambda _host, _port: ["127.0.0.1"]
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "delivered"),
        (b"HTTP/1.0 204 No Content\r\n\r\n", "delivered"),
        (b"HTTP/1.1 301 Moved\r\nlocation: http://169.254.169.254/\r\n\r\n", "http-301"),
        (b"HTTP/1.1 500 No\r\n\r\n", "http-500"),
        (b"HTTP/1.1 999 No\r\n\r\n", "unreadable"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "unreadable"),
        (b"", "unreadable"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000, "delivered"),
    ],
)
def test_of_an_answer_nothing_but_its_status_counts(answer: bytes, outcome: str) -> None:
    with serving(saying(answer)) as port:
        assert post(port) == outcome


def test_an_endless_body_is_not_read_to_its_end() -> None:
    def pour(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            stream.sendall(bytes(65536))

    with serving(pour) as port:
        assert post(port) == "delivered"


@pytest.mark.parametrize("behave", [trickle, lambda stream: time.sleep(1.5)])
def test_who_trickles_is_as_late_as_who_is_silent(behave: Behave) -> None:
    with serving(behave) as port:
        assert post(port, seconds=0.5) == "slow"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert post(port) == "unreachable"


def test_what_a_name_says_later_is_not_asked() -> None:
    """DNS rebinding: the address that was looked at is the one that is connected to."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    heard: list[bytes] = []

    def listen(stream: socket.socket) -> None:
        heard.append(stream.recv(65536))
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with serving(listen) as port:
        target = Target("http", "plm.example.com", port, "/hook")
        assert post_message(HERE, target, HEADERS, BODY, resolve=resolve) == "delivered"
    assert asked == ["plm.example.com"]
    assert f"host: plm.example.com:{port}\r\n".encode() in heard[0]


def test_an_address_that_has_become_an_inner_one_is_refused() -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        assert post(port, setup=WebhookSetup()) == "address-refused"
        # Let the server go.
        socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.parametrize(
    ("name", "outcome"), [("plm.example.com", "delivered"), ("other.example.com", "tls-failed")]
)
def test_tls_is_for_the_name(tmp_path: Path, name: str, outcome: str) -> None:
    server, client = make_tls(tmp_path, "plm.example.com")
    with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n"), server) as port:
        target = Target("https", name, port, "/hook")
        found = post_message(
            HERE, target, HEADERS, BODY, seconds=5, resolve=lambda _host, _port: ["127.0.0.1"], tls=client
        )
    assert found == outcome


def test_which_outcomes_lie_with_the_message() -> None:
    assert [is_fault_of_message(f"http-{status}") for status in (400, 404, 413, 422)] == [True] * 4
    assert not any(
        is_fault_of_message(found) for found in ("http-408", "http-410", "http-425", "http-429", "http-500")
    )
    assert not any(is_fault_of_message(found) for found in ("http-302", "slow", "unreachable", "unreadable"))


def make_tls(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for this name, and a client's that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, client
