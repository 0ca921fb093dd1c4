"""A home with a key, a notary of the session, a company enrolled with it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.cli.config import Config, save_config
from mizheng.cli.keys.signing import create_key

from tests.cli.buckets import SECRET, Bucket
from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

# What it says of itself goes into every bundle.
PLATFORM = """\
[platform]
operator = "示例电子数据存证中心有限公司"
[[platform.facts]]
about = "filing"
text = "示例备案号"
expires_at = "2056-06-30T16:00:00Z"
"""


@pytest.fixture
def bare(tmp_path: Path) -> Mizheng:
    """`mizheng` on a machine where nothing was set up."""
    work = tmp_path / "work"
    work.mkdir()
    return Mizheng(tmp_path / "home", work)


@pytest.fixture
def mizheng(bare: Mizheng) -> Mizheng:
    """`mizheng` with a key that no notary knows: enough to seal."""
    entry, _key = create_key(bare.home, "file", "2026-11-23T02:00:00Z", None)
    save_config(bare.home, Config(active_key=entry.public.keyid, key_store="file"))
    return bare


@pytest.fixture(scope="session")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """One notary for the whole run. Nobody stops it: a test that needs that starts its own."""
    data_dir = tmp_path_factory.mktemp("notary")
    (data_dir / "notary.toml").write_text(PLATFORM, "utf-8")
    with NotaryServer(data_dir) as server:
        yield server


@pytest.fixture
def own_company(bare: Mizheng, notary: NotaryServer) -> Mizheng:
    """`mizheng` of a company of the test's own, whose keys it may rotate, lose or have disabled."""
    _org, api_key = notary.add_org()
    bare("init", "--notary", notary.url, "--store", "file", stdin=api_key).ok()
    return bare


@pytest.fixture(scope="session")
def enrolled(notary: NotaryServer, tmp_path_factory: pytest.TempPathFactory) -> Mizheng:
    """A company with drawings.seal of drawings/{pump,valve…}.dwg, final. To be copied, not used."""
    folder = tmp_path_factory.mktemp("enrolled")
    template = Mizheng(folder / "home", folder / "work")
    _org, api_key = notary.add_org()
    drawings = template.cwd / "drawings"
    drawings.mkdir(parents=True)
    template("init", "--notary", notary.url, "--store", "file", stdin=api_key).ok()
    (drawings / "pump.dwg").write_bytes(b"the pump")
    (drawings / "valve-of-the-secret-kind.dwg").write_bytes(b"the valve")
    template("notarize", "drawings").ok()
    template("status", "drawings.seal", "--wait", "--timeout", "90").ok()
    return template


@pytest.fixture
def company(bare: Mizheng, enrolled: Mizheng) -> Mizheng:
    """`mizheng` of a company that is enrolled with the notary; the same one for many tests."""
    shutil.copytree(enrolled.home, bare.home)
    return bare


@pytest.fixture
def final(company: Mizheng, enrolled: Mizheng) -> Mizheng:
    """The same with its drawings, deposited and final."""
    shutil.copytree(enrolled.cwd, company.cwd, dirs_exist_ok=True)
    return company


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """An S3-compatible store: moto's server, in this process."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    return Bucket(endpoint)
