"""The nginx configuration of the documents, on a published directory."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.step import FilePublisher

from tests.notary.readside.logs import make_log, tile_files
from tests.support.missing import do_without
from tests.support.plain import NO_TLS
from tests.support.ports import take_port
from tests.tools.layout import ROOT

SIZE = 600


def documented() -> str:
    """The server block for a published directory, as operators are told to write it."""
    blocks = (ROOT / "docs" / "operating.md").read_text("utf-8").split("    server {\n")[1:]
    (block,) = [block for block in blocks if "root /srv/log;" in block]
    return "server {\n" + block.partition("\n    }\n")[0] + "\n}\n"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        do_without("nginx is missing: Debian's nginx-light brings it")
    folder = tmp_path_factory.mktemp("nginx")
    FilePublisher(make_log(folder / "log", SIZE), DirectoryTarget(folder / "public")).publish()
    port = take_port()
    server = documented().replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    server = server.replace("/srv/log", str(folder / "public"))
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Root's nginx hands its work to a user who may not look into a test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user}pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\nevents {{ }}\n"
        f"http {{\naccess_log off;\n{paths}{server}}}\n"
    )
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=NO_TLS)
    deadline = time.monotonic() + 20
    while True:
        try:
            client.get("/checkpoint")
            break
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.05)
    yield client
    client.close()
    process.terminate()
    process.wait(20)


def test_every_file_is_served(nginx: httpx.Client) -> None:
    for path, data in tile_files(SIZE).items():
        answer = nginx.get(f"/{path}")
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    note = nginx.get("/checkpoint")
    assert note.text.splitlines()[1] == str(SIZE)
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.headers["cache-control"] == "public, max-age=1"


def test_entries_are_compressed(nginx: httpx.Client) -> None:
    with nginx.stream("GET", "/tile/entries/000", headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == tile_files(SIZE)["tile/entries/000"]


def test_what_the_reader_has_is_not_sent_again(nginx: httpx.Client) -> None:
    tag = nginx.get("/checkpoint").headers["etag"]
    assert nginx.get("/checkpoint", headers={"if-none-match": tag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/tile/0/002", "/tile/0/003", "/.publishing/lock", "/.publishing", "/tile/"]
)
def test_nothing_else_is_there(nginx: httpx.Client, path: str) -> None:
    answer = nginx.get(path)
    assert answer.status_code in (403, 404)
    assert "immutable" not in answer.headers.get("cache-control", "")
