"""docs/python.md: the interface is what it says, and its programs run (of transfers: tests/cli/transfer)."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli import api
from mizheng.cli.client.webhooks import sign_like_the_notary

from tests.cli.runner import Mizheng
from tests.docs.programs import PAGE, environment, program, run
from tests.support.certificates import find_code
from tests.support.notary import NotaryServer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "seals").mkdir(parents=True)
    return tmp_path / "home"


def enrol(home: Path, server: NotaryServer) -> Mizheng:
    company = Mizheng(home / "mizheng", home)
    _org, api_key = server.add_org()
    company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
    return company


def test_the_page_names_every_function_with_its_parameters() -> None:
    rows = dict(re.findall(r"^\| `(\w+)\(([^)]*)\)[^`]*` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    for name in rows.keys() - {"verify"}:
        wanted = list(inspect.signature(getattr(api, name)).parameters)
        assert [item for item in rows[name].split(", ") if item not in ("*", "")] == wanted
    assert set(rows) == {name for name in api.__all__ if name.islower()}


def test_a_tag_is_sealed_and_deposited(home: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / "design.txt").write_text("the design")
    hook = repository / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(program("A Git hook that seals each tag"))
    hook.chmod(0o755)
    with NotaryServer(tmp_path / "notary") as server:
        company = enrol(home, server)
        for command in (["add", "."], ["commit", "-q", "-m", "first"], ["tag", "v1/a"]):
            done = subprocess.run([*git, *command], env=environment(home), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        assert "mizheng" not in done.stderr
        listed = company("bundle", "seals/v1-a.seal", "--list").ok().out
    assert "file\tv1-a/design.txt" in listed
    # The notary is gone: the tag is made all the same, and the hook says what is missing.
    done = subprocess.run(
        [*git, "tag", "v2"], env=environment(home), capture_output=True, text=True, check=True
    )
    assert "mizheng: the notary" in done.stderr
    assert (home / "seals" / "v2.seal").exists()


def test_a_nightly_export(home: Path, tmp_path: Path) -> None:
    (home / "exports").mkdir()
    (home / "exports" / "part").write_text("one")
    with NotaryServer(tmp_path / "notary") as server:
        enrol(home, server)
        command = [sys.executable, "-c", program("A nightly export")]
        subprocess.run(command, cwd=home, env=environment(home), check=True)
        (seal,) = (home / "seals").iterdir()
        seal = seal.rename(home / "seals" / "plm-20200101.seal")
        (home / "exports" / "part").write_text("two")
        subprocess.run(command, cwd=home, env=environment(home), check=True)
        states = {path.name: _state(home, path) for path in (home / "seals").iterdir()}
    assert len(states) == 2
    assert set(states.values()) <= {"deposited", "anchored", "final"}


def test_a_courts_system_fetches_and_verifies(home: Path, tmp_path: Path) -> None:
    (home / "design.txt").write_text("the design")
    (tmp_path / "court").mkdir()
    with NotaryServer(tmp_path / "notary") as server:
        company = enrol(home, server)
        for name in ("a", "b"):
            company("seal", "design.txt", "-o", f"{name}.seal").ok()
            company("notarize", f"{name}.seal").ok()
            company("status", f"{name}.seal", "--wait", "--timeout", "60").ok()
            company("bundle", f"{name}.seal", "--open", "*", "-o", f"{name}.zip").ok()
        trust = server.export_trust(tmp_path / "trust.toml")
        number = str(company("status", "a.seal", "--json").ok().json["certificate"])
        with zipfile.ZipFile(home / "a.zip") as archive:
            paper = archive.read("certificate.pdf")
        code = find_code(paper, number)

        def ask(code: str, bundle: str) -> subprocess.CompletedProcess[str]:
            section, of = "A court's system that fetches and verifies", (server.url, number, code)
            return run(section, *of, home / bundle, trust, home=home, cwd=tmp_path / "court")

        right, other = ask(code, "a.zip"), ask(code, "b.zip")
        wrong = ask("0000-0000-0000", "a.zip")
        # And on the company's side: its list, and an answer to the court on record.
        api_key = (home / "mizheng" / "api-key").read_text().strip()
        listed = run("The notary's API", server.url, api_key, home=home, cwd=home)
        answered = run(
            "A PLM that answers a court", "b.seal", "design.txt", "某法院", "案号", home=home, cwd=home
        )
    assert right.returncode == 0, right.stdout + right.stderr
    assert "of one deposit: yes" in right.stdout
    assert (tmp_path / "court" / "certificate.pdf").read_bytes() == paper
    assert other.returncode == 1 and "of one deposit: NO" in other.stdout
    assert wrong.returncode == 1 and "does not open" in wrong.stderr
    assert listed.returncode == 0, listed.stderr
    assert len(re.findall(r"(?m)^\d+ [0-9a-f]{64} 20\d\d-", listed.stdout)) == 2
    assert answered.returncode == 0, answered.stderr
    assert re.fullmatch(r"design\.txt\.zip final\n\S+ 某法院 .*design\.txt\n", answered.stdout)


def test_a_webhook_is_received_once_and_only_from_the_notary() -> None:
    names: dict[str, Any] = {}
    exec(program("Being told: webhooks"), names)  # noqa: S102 - as the page shows it
    secret = re.findall(r"whsec_[^\"]+", program("Being told: webhooks"))[0]
    body = b'{"type":"deposit.final","timestamp":"2026-11-30T00:00:00Z","data":{"id":"ab"}}'
    headers = sign_like_the_notary(secret, "msg_1", int(time.time()), body)
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        assert [names["handle"](headers, body), names["handle"](headers, body)] == [204, 204]
        assert names["handle"](headers, body + b" ") == 400
    assert heard.getvalue() == "now final: ab\n"


def _state(home: Path, path: Path) -> str:
    script = "import sys; from mizheng.cli.api import state; print(state(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_errors_come_with_a_hint_and_nothing_is_printed(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.environ.get("MIZHENG_HOME")
    os.environ["MIZHENG_HOME"] = str(home / "nothing")
    try:
        with pytest.raises(api.MizhengError) as caught:
            api.seal([home], home / "x.seal")
    finally:
        if before is None:
            del os.environ["MIZHENG_HOME"]
        else:
            os.environ["MIZHENG_HOME"] = before
    assert "mizheng init" in caught.value.hint
    assert capfd.readouterr() == ("", "")
