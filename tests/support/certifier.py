"""An authority that certifies a notary: its X.509 certificate, key files, revocation lists over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from cryptography import x509

from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, issue, make_key

_NO_USAGE = dict.fromkeys(
    (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    ),
    False,
)


class Certifier:
    """A root, a certificate of the notary under it, and both as files in `folder`."""

    def __init__(self, folder: Path, name: str = "示例存证服务", number: int = 77) -> None:
        now = int(time.time())
        ca_usage = x509.KeyUsage(**{**_NO_USAGE, "key_cert_sign": True, "crl_sign": True})
        usage = x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True, "content_commitment": True})
        self.root = issue(
            "Example CA",
            make_key("p256", number),
            None,
            start=now - YEAR,
            end=now + 20 * YEAR,
            is_ca=True,
            more=((ca_usage, True),),
        )
        self.leaf: Issued = issue(
            name,
            make_key("p256", number + 1),
            self.root,
            start=now - DAY,
            end=now + YEAR,
            more=((usage, True),),
        )
        self.key = folder / f"certifier-{number}.key"
        self.chain = folder / f"certifier-{number}.pem"
        self.key.write_bytes(self.leaf.key_pem)
        self.key.chmod(0o600)
        self.chain.write_bytes(self.leaf.pem + self.root.pem)

    def crl(self, *, is_revoked: bool = False) -> bytes:
        now = int(time.time())
        revoked = {self.leaf.certificate.serial_number: (now - 60, None)} if is_revoked else {}
        return TestAuthority("Example CA", self.root, self.leaf).crl(now - 30, revoked)


class Lists:
    """Serves revocation lists by path while it is open by `with`."""

    def __init__(self, lists: Mapping[str, bytes]) -> None:
        self.lists = dict(lists)

    def __enter__(self) -> Lists:
        lists = self.lists

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = lists.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
