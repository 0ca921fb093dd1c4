"""A deposit dated by a local authority: `openssl ts` behind HTTP, the notary and the commands as they are."""

from __future__ import annotations

import json
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer
from tests.support.opensslts import OpensslAuthority, verify_with_openssl
from tests.support.plain import NO_TLS

SECONDS = 60


@pytest.fixture(scope="module")
def authority() -> Iterator[OpensslAuthority]:
    with OpensslAuthority("本地时间戳") as running:
        yield running


@pytest.fixture(scope="module")
def stamping(authority: OpensslAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """A notary that asks two authorities, of which one is not there."""
    folder = tmp_path_factory.mktemp("stamping")
    away = f'[timestamps.away]\nurl = "http://127.0.0.1:9/"\nroots = "{authority.roots}"\n'
    (folder / "notary.toml").write_text(authority.settings() + away)
    with NotaryServer(folder) as server:
        yield server


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def ready(server: NotaryServer) -> dict[str, dict[str, str]]:
    checks: dict[str, dict[str, str]] = httpx.get(
        f"{server.url}/readyz", trust_env=False, verify=NO_TLS
    ).json()["checks"]
    return checks


@pytest.fixture(scope="module")
def bundled(stamping: NotaryServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mizheng, Path]:
    """A bundle with a token, and the trust file of now."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "work").mkdir()
    mizheng = Mizheng(folder / "home", folder / "work")
    _org, api_key = stamping.add_org()
    mizheng("init", "--notary", stamping.url, "--store", "file", stdin=api_key).ok()
    (mizheng.cwd / "配方.txt").write_bytes(b"the recipe")
    mizheng("notarize", "配方.txt", "-o", "a.seal").ok()
    mizheng("status", "a.seal", "--wait", "--timeout", "90").ok()
    wait_for(lambda: ready(stamping)["timestamps.local"]["detail"] != "stamped size 0")
    wait_for(lambda: has_token(mizheng))
    trust = stamping.export_trust(mizheng.cwd / "trust.toml")
    return mizheng, trust


def has_token(mizheng: Mizheng) -> bool:
    mizheng("bundle", "a.seal", "--open", "配方.txt", "-o", "a.zip", "--force").ok()
    with zipfile.ZipFile(mizheng.cwd / "a.zip") as archive:
        return any(name.startswith("timestamps/") for name in archive.namelist())


def test_bundle_is_dated_by_token_and_block(
    bundled: tuple[Mizheng, Path], authority: OpensslAuthority, tmp_path: Path
) -> None:
    mizheng, trust = bundled
    report = mizheng("verify", "a.zip", "--trust", trust, "--json").ok().json
    checks = {check["code"]: check["status"] for check in report["checks"]}
    assert checks["token.valid"] == checks["anchor.canonical"] == "PASS"
    assert report["verdict"] == "valid"
    assert report["earliest"]["at"] <= report["latest"]["at"]
    assert {clock["by"] for clock in report["clocks"]} >= {"time-stamp token of local"}
    with zipfile.ZipFile(mizheng.cwd / "a.zip") as archive:
        response, text = archive.read("timestamps/0001.tsr"), archive.read("timestamps/0001.txt")
    result = verify_with_openssl(response, text, authority.roots.read_bytes(), tmp_path)
    assert result.returncode == 0, result.stderr


def test_without_the_chain_the_token_alone_dates_it(bundled: tuple[Mizheng, Path], tmp_path: Path) -> None:
    """As after the chain's death, for a bundle that was made without its anchor."""
    mizheng, trust = bundled
    alone = tmp_path / "alone.zip"
    with zipfile.ZipFile(mizheng.cwd / "a.zip") as archive, zipfile.ZipFile(alone, "w") as target:
        for name in archive.namelist():
            if not name.startswith("anchors/"):
                target.writestr(name, archive.read(name))
    report = mizheng("verify", alone, "--trust", trust, "--json").ok().json
    assert (report["verdict"], [clock["by"] for clock in report["clocks"]]) == (
        "valid",
        ["time-stamp token of local"],
    )
    text = mizheng("verify", alone, "--trust", trust, MIZHENG_LANG="zh_CN").ok().out
    assert "local 的时间戳令牌" in text


def test_trust_file_names_the_authorities(bundled: tuple[Mizheng, Path], authority: OpensslAuthority) -> None:
    mizheng, trust = bundled
    tables = {table["name"]: table for table in tomllib.loads(trust.read_text())["tsas"]}
    assert tables["local"]["policies"] == [authority.policy]
    assert "policies" not in tables["away"]
    shown = mizheng("trust", "show", trust).ok().out
    assert "local" in shown
    assert authority.policy in shown
    described = mizheng("trust", "show", trust, "--json").ok().json
    assert [item["name"] for item in described["tsas"]] == ["local", "away"]


def test_each_authority_is_seen_by_whoever_runs_the_notary(
    stamping: NotaryServer, bundled: tuple[Mizheng, Path]
) -> None:
    wait_for(lambda: ready(stamping)["timestamps.away"]["state"] == "unreachable")
    assert ready(stamping)["timestamps.local"]["state"] == "ok"
    figures = httpx.get(f"{stamping.url}/metrics", trust_env=False, verify=NO_TLS).text
    assert 'mizheng_timestamp_state{authority="away",state="unreachable"} 1.0' in figures
    assert 'mizheng_timestamp_state{authority="local",state="ok"} 1.0' in figures
    size = float(figures.partition('mizheng_timestamp_size{authority="local"} ')[2].split()[0])
    assert size >= 2
    status = json.loads(stamping.run("status", "--json").stdout)
    assert status["time stamps away"].startswith("unreachable")
    assert status["time stamps local"].startswith("ok, size ")


def test_operator_asks_what_is_due(stamping: NotaryServer, bundled: tuple[Mizheng, Path]) -> None:
    """Beside the serving notary, which renews by itself what is due."""
    assert json.loads(stamping.run("renew", "--list", "--json").stdout) == {"due": [], "renewed": 0}
    later = json.loads(stamping.run("renew", "--list", "--within", "4000", "--json").stdout)
    assert {row["needs"] for row in later["due"]} == {"time-stamp-renewal"}
    # The only authority that answers has the same certificate still: nothing is gained, and it says so.
    assert stamping.run("renew", "--within", "4000", check=False).returncode == 75
    assert ready(stamping)["renewal"]["state"] == "ok"
    assert (
        json.loads(stamping.run("status", "--json").stdout)["time stamps hold until"] == later["due"][0]["by"]
    )


def test_tokens_outlive_the_notary_as_files(
    stamping: NotaryServer, bundled: tuple[Mizheng, Path], authority: OpensslAuthority, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    stamping.run("export-static", str(folder))
    kinds = {item["kind"]: item for item in json.loads((folder / "index.json").read_text())["files"]}
    stamp = kinds["time-stamp"]
    text = (folder / stamp["path"]).with_suffix(".txt").read_bytes()
    response = (folder / stamp["path"]).read_bytes()
    result = verify_with_openssl(response, text, authority.roots.read_bytes(), tmp_path)
    assert result.returncode == 0, result.stderr
    assert text.split(b"\n")[1] == str(stamp["tree_size"]).encode()
