"""docs/python.md: the interface is what it says, and its two programs run."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mizheng.cli import api

from tests.cli.runner import Mizheng
from tests.support.certificates import find_code
from tests.support.notary import NotaryServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def program(section: str) -> str:
    """The program in the section of this heading."""
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1]
    found = re.search(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "seals").mkdir(parents=True)
    return tmp_path / "home"


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIZHENG_", "GIT_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": path, "MIZHENG_HOME": str(home / "mizheng")}


def enrol(home: Path, server: NotaryServer) -> Mizheng:
    company = Mizheng(home / "mizheng", home)
    _org, api_key = server.add_org()
    company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
    return company


def test_the_page_names_every_function_with_its_parameters() -> None:
    rows = dict(re.findall(r"^\| `(\w+)\(([^)]*)\)[^`]*` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    for name in (
        "seal",
        "deposit",
        "state",
        "bundle",
        "disclosures",
        "requests",
        "supplement",
        "keep",
        "retrieve",
    ):
        wanted = list(inspect.signature(getattr(api, name)).parameters)
        assert [item for item in rows[name].split(", ") if item != "*"] == wanted
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
        ask = [sys.executable, "-c", program("A court's system that fetches and verifies"), server.url]

        def run(code: str, bundle: str) -> subprocess.CompletedProcess[str]:
            command = [*ask, number, code, str(home / bundle), str(trust)]
            return subprocess.run(
                command, cwd=tmp_path / "court", env=environment(home), capture_output=True, text=True
            )

        right, other = run(code, "a.zip"), run(code, "b.zip")
        wrong = run("0000-0000-0000", "a.zip")
    assert right.returncode == 0, right.stdout + right.stderr
    assert "of one deposit: yes" in right.stdout
    assert (tmp_path / "court" / "certificate.pdf").read_bytes() == paper
    assert other.returncode == 1 and "of one deposit: NO" in other.stdout
    assert wrong.returncode == 1 and "does not open" in wrong.stderr


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
