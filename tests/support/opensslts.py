"""A time-stamp authority that answers over HTTP: `openssl ts` behind a small server, with a CA of its own.

`-chain` is left out on purpose: with it, openssl 3.0 writes the certificates in an order that is not DER's.
"""

from __future__ import annotations

import base64
import hmac
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.tsa import DAY, POLICY, YEAR, Issued, TestAuthority, issue, make_key

_CONFIGURATION = """\
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = {digest}
default_policy = {policy}
other_policies = {policy}.2
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = {digest}
"""

Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class OpensslAuthority:
    """Started by `with`. `answer_with` puts another answer in place of the right one, to see it refused."""

    def __init__(
        self,
        name: str = "OpenSSL TSA",
        *,
        kind: str = "p256",
        digest: str = "sha256",
        days: int = 3650,
        user: str = "",
    ) -> None:
        """`user`: NAME:PASSWORD that is asked for."""
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        now = int(time.time())
        number = int.from_bytes(name.encode()[-3:], "big")
        root = issue(
            f"{name} root",
            make_key("p256", number + 1),
            None,
            start=now - YEAR,
            end=now + 20 * YEAR,
            is_ca=True,
        )
        signer = issue(
            name,
            make_key(kind, number),
            root,
            start=now - DAY,
            end=now + days * DAY,
            purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
        )
        self.authority = TestAuthority(name, root, signer)
        self.policy = POLICY
        self.digest = digest
        self._user = user
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.answer_with: Callable[[bytes], Answer] | None = None
        """Given the request; None: what openssl answers."""
        self._write(signer)

    @property
    def roots(self) -> Path:
        """The roots as a PEM file, for a notary's settings and `openssl ts -verify`."""
        return self.folder / "roots.pem"

    def __enter__(self) -> OpensslAuthority:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, kind, answer = authority._serve(body, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    return

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tsa"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def reply(self, request: bytes) -> bytes:
        """What openssl answers to a TimeStampReq."""
        with self._lock:
            (self.folder / "request").write_bytes(request)
            subprocess.run(
                [
                    "openssl",
                    "ts",
                    "-reply",
                    "-config",
                    "tsa.cnf",
                    "-queryfile",
                    "request",
                    "-out",
                    "response",
                ],
                cwd=self.folder,
                check=True,
                capture_output=True,
            )
            return (self.folder / "response").read_bytes()

    def settings(self, name: str = "local") -> str:
        """The table of notary.toml for it."""
        return f'[timestamps.{name}]\nurl = "{self.url}"\nroots = "{self.roots}"\npolicy = "{self.policy}"\n'

    def _serve(self, body: bytes, authorization: str) -> Answer:
        self.requests.append(body)
        wanted = f"Basic {base64.b64encode(self._user.encode()).decode()}"
        if self._user and not hmac.compare_digest(authorization, wanted):
            return 401, "text/plain", b"who are you"
        if self.answer_with is not None:
            return self.answer_with(body)
        return 200, "application/timestamp-reply", self.reply(body)

    def _write(self, signer: Issued) -> None:
        for name, data in (
            ("signer.pem", signer.pem),
            ("signer.key", signer.key_pem),
            ("roots.pem", self.authority.root.pem),
            ("serial", b"01\n"),
        ):
            (self.folder / name).write_bytes(data)
        configuration = _CONFIGURATION.format(folder=self.folder, digest=self.digest, policy=self.policy)
        (self.folder / "tsa.cnf").write_text(configuration)


def verify_with_openssl(
    response: bytes, data: bytes, roots: bytes, folder: Path, *, at: int | None = None, between: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """`openssl ts -verify` of a TimeStampResp over `data`; `roots` and `between` in PEM."""
    for name, content in (("response", response), ("data", data), ("roots", roots), ("between", between)):
        (folder / name).write_bytes(content)
    command = ["openssl", "ts", "-verify", "-in", "response", "-data", "data", "-CAfile", "roots"]
    if between:
        command += ["-untrusted", "between"]
    if at is not None:
        command += ["-attime", str(at)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
