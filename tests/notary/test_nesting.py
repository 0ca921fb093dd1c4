"""JSON from the network that nests deeper than any stack: an error, never the end of the process.

py-evm and py_ecc raise Python's recursion limit to 100,000 when they are imported, at which the JSON
parser overflows the C stack before it notices.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

NESTED = b"[" * 60_000


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """On the embedded chain, whose libraries are loaded by the time it answers."""
    with NotaryServer(tmp_path_factory.mktemp("nesting") / "data") as server:
        yield server


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/keys"), ("POST", "/v1/deposits"), ("POST", "/v1/deposits:batch")]
)
@pytest.mark.parametrize("body", [NESTED, b'{"a":' * 10_000, b'{"public_key":' + NESTED])
def test_nested_bodies_do_no_harm(notary: NotaryServer, method: str, path: str, body: bytes) -> None:
    _organisation, api_key = notary.add_org()
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    pid = notary.pid
    answer = httpx.request(
        method, notary.url + path, content=body, headers=headers, trust_env=False, verify=NO_TLS
    )
    assert answer.status_code < 500
    # A batch answers for each envelope, whatever a line of it holds; the others for the whole body.
    problems = answer.json()["items"] if path.endswith(":batch") else [answer.json()]
    assert all(problem["type"].startswith("urn:mizheng:problem:") for problem in problems)
    assert httpx.get(notary.url + "/healthz", trust_env=False, verify=NO_TLS).status_code == 200
    assert notary.pid == pid


def test_the_embedded_chain_leaves_the_recursion_limit_as_it_was() -> None:
    script = (
        "import sys; before = sys.getrecursionlimit()\n"
        "import mizheng.notary.chain.embedded, mizheng.notary.chain.publisher\n"
        "assert sys.getrecursionlimit() == before, sys.getrecursionlimit()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
