"""The second verifier, asked through one Node.js process that answers many questions.

    with WebVerifier() as web:
        report = web.verify(bundle, trust_toml, now="2027-01-15T08:00:00Z")

The report has the shape of `mizheng verify --json`. `shared()` is one for a whole test process.
"""

from __future__ import annotations

import base64
import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tests.support.tools import ROOT, node_path
from tests.support.webbuild import built

RUNNER = ROOT / "tests" / "tools" / "webverifier.mjs"


class WebVerifier:
    """Runs until it is closed, or this process ends. For one thread."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [node_path(), RUNNER, built() / "verifier.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def verify(
        self,
        bundle: bytes,
        trust: str | bytes | None,
        *,
        now: str | None = None,
        originals: Mapping[str, bytes] | None = None,
    ) -> dict[str, Any]:
        """The report; `{"trust_error": …}` where the trust file cannot be used.

        `trust` is the file's text, `now` an instant, `originals` files laid beside the bundle by name.
        """
        return self._ask(
            {
                "bundle": _text(bundle),
                "trust": trust.decode("utf-8") if isinstance(trust, bytes) else trust,
                "now": now,
                "originals": {name: _text(data) for name, data in (originals or {}).items()},
            }
        )

    def verify_seals(self, evidence: bytes, validators: Sequence[Any]) -> dict[str, Any]:
        """{outcome, message, values} of one `seals/NNNN.json` by the rows of a trust file's validators."""
        return self._ask({"seals": _text(evidence), "validators": list(validators)})

    def digest(self, data: bytes) -> dict[str, Any]:
        """{size, sha256, sm3, crc32}, hex, as the page computes them of a file."""
        return self._ask({"digest": _text(data)})

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)

    def __enter__(self) -> WebVerifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the second verifier ended: its error is above")
        return cast("dict[str, Any]", json.loads(line))


@functools.cache
def shared() -> WebVerifier:
    """One process for all tests of this worker; it ends when standard input closes."""
    return WebVerifier()


def outcomes(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(code, status, subject) of every check, by name: what both verifiers have to agree on."""
    return sorted((check["code"], check["status"], check["subject"]) for check in report["checks"])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
