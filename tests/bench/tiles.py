"""Reading the log's tiles over HTTP, beside nginx serving the same files.

One notary process without a published directory, and one nginx worker; 64 kept-alive connections read the
same full tiles in turn, which both have in memory after the first round. With a published directory nginx
would serve them, and the notary not be asked.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from mizheng.verifier.tiles import format_tile_path

from tests.bench.constant import server_parts
from tests.bench.generated import grow_log
from tests.bench.load import CONNECTIONS, make_request, run_load
from tests.support.notary import NotaryServer

ROUNDS = int(os.environ.get("MIZHENG_BENCH_ROUNDS", "5"))
SECONDS = 2.0
TILES = 100
BAR = 0.2
_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/log; }}
}}
"""


@contextmanager
def running_nginx(program: str, folder: Path) -> Iterator[str]:
    """Its URL; it serves `folder`/log."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port), "utf-8")
    with subprocess.Popen([program, "-c", configuration, "-p", folder], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def main() -> int:
    print(f"{TILES} full tiles of 8 KiB, {CONNECTIONS} connections, medians of {ROUNDS} rounds")
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run); the notary on {server_parts()}")
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = NotaryServer(folder / "notary", MIZHENG_ANCHOR_INTERVAL="3600")
        server.start().stop()
        grow_log(folder / "notary", TILES * 256)
        paths = [f"/tile/0/{format_tile_path(index)}" for index in range(TILES)]
        with server:
            for path in paths:
                file = folder / "log" / path[1:]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(httpx.get(server.url + path, trust_env=False).content)
            ours = [make_request(server.url, path) for path in paths]
            if program is None:
                print("nginx is not here (Debian package nginx-light): nothing to stand beside")
                print(f"notary  {run_load(server.url, ours, SECONDS, again=True).rate:8,.0f} tiles/s")
                return 0
            with running_nginx(program, folder) as url:
                theirs = [make_request(url, path) for path in paths]
                rounds = [
                    (
                        run_load(url, theirs, SECONDS, again=True).rate,
                        run_load(server.url, ours, SECONDS, again=True).rate,
                    )
                    for _ in range(ROUNDS)
                ]
    ratio = statistics.median(notary / nginx for nginx, notary in rounds)
    print(f"nginx   {statistics.median(nginx for nginx, _ in rounds):8,.0f} tiles/s")
    print(f"notary  {statistics.median(notary for _, notary in rounds):8,.0f} tiles/s")
    print(f"ratio   {ratio:8.2f} (bar {BAR:.1f})")
    return 0 if ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
