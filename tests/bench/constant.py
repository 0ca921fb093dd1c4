"""What FastAPI can do here at most: an application that takes the same requests and answers a constant.

It stands on the notary's own server settings, has no database and checks nothing.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from mizheng.notary.serve import configure_server, listen, prepare_interpreter

from tests.tools.layout import ROOT

_ANSWER = {"id": "0" * 64, "envelope_sha256": "0" * 64, "leaf_index": 1, "tlog_proof": "x" * 700}
_LISTENING = re.compile(r"listening on ([0-9]+)")


@contextmanager
def constant_server() -> Iterator[tuple[str, int]]:
    """Its URL and process id, while it runs."""
    command = [sys.executable, "-m", "tests.bench.constant", "serve"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            found = _LISTENING.search(process.stdout.readline())
            assert found, "it does not start"
            yield f"http://127.0.0.1:{found[1]}", process.pid
        finally:
            process.terminate()


def server_parts() -> str:
    """Event loop and parser that uvicorn takes up here by itself: the extra `speed`, or Python's own."""
    loop, parser = (importlib.util.find_spec(name) is not None for name in ("uvloop", "httptools"))
    return f"{'uvloop' if loop else 'asyncio'} and {'httptools' if parser else 'h11'}"


def serve() -> None:
    app = FastAPI()

    @app.post("/v1/deposits", status_code=201)
    async def answer(request: Request) -> dict[str, object]:
        await request.body()
        return _ANSWER

    with listen("127.0.0.1", 0) as listener:
        print(f"listening on {listener.getsockname()[1]}", flush=True)
        prepare_interpreter()
        uvicorn.Server(configure_server(app)).run(sockets=[listener])


if sys.argv[1:] == ["serve"]:
    serve()
