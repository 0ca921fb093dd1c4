"""What a court installs: the wheel with the base dependencies alone, in a virtual environment of its own."""

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.syntax import find_modules
from tests.support.wheel import build_archives, install_wheel, run
from tests.tools.layout import ROOT

# The service's stack, and what PDFs are made with: none of it may be needed, or come along.
SERVICE = ("web3", "fastapi", "sqlalchemy", "alembic", "uvicorn", "eth_tester", "pydantic")
PAPER = ("typst", "pyhanko", "segno")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build_archives(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def court(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a virtual environment with the wheel and its base dependencies."""
    return install_wheel(archives[0], tmp_path_factory.mktemp("court") / "venv")


def test_wheel_holds_every_module_and_its_data(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[0]) as archive:
        names = set(archive.namelist())
    modules = {"mizheng/" + module.path.relative_to(ROOT).as_posix() for module in find_modules().values()}
    assert not modules - names
    data = {
        "mizheng/verifier/py.typed",
        "mizheng/cli/py.typed",
        "mizheng/verifier/locale/zh_CN/LC_MESSAGES/mizheng.mo",
        "mizheng/verifier/locale/en/LC_MESSAGES/mizheng.mo",
        "mizheng/verifier/paper/templates/common.typ",
        *(f"mizheng/verifier/paper/templates/{name}.typ" for name in ("certificate", "exhibits", "report")),
        "mizheng/contracts/artifacts/MizhengAnchor.json",
        "mizheng/cli/checking/vectors.tar.xz",
    }
    assert not data - names


def test_wheel_takes_one_name_only(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[0]) as archive:
        tops = {PurePosixPath(name).parts[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mizheng"}


def test_source_archive_leaves_no_private_file(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[1]) as archive:
        suffixes = {PurePosixPath(name).suffix for name in archive.getnames()}
    assert not suffixes & {".pem", ".key", ".db", ".seal"}


def test_source_archive_holds_what_is_compiled(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    native = ROOT / "cli" / "sealing" / "native"
    assert {path.relative_to(ROOT).as_posix() for path in native.iterdir()} <= names


def test_base_installation_is_without_the_service(court: Path) -> None:
    look = (
        "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    )
    assert run(court / "python", "-c", look, *SERVICE, *PAPER, cwd=court).strip() == "[]"


def test_every_module_downstairs_imports(court: Path) -> None:
    rooms = ("mizheng.verifier", "mizheng.cli", "mizheng.contracts")
    # contracts.build is for whoever has a compiler.
    modules = [
        name
        for name in find_modules()
        if name.startswith(rooms) and not name.endswith(("__main__", "contracts.build"))
    ]
    load = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    run(court / "python", "-W", "error", "-c", load, *modules, cwd=court)


def test_it_passes_its_own_test(court: Path) -> None:
    """As an appraiser runs it: every published vector, with what was installed and nothing else."""
    told = json.loads(run(court / "mizheng", "self-test", "--json", cwd=court))
    assert (told["result"], told["differences"]) == ("passed", [])
    assert told["vectors"] >= 150


@pytest.mark.parametrize("command", [("mizheng",), ("python", "-m", "mizheng.verifier")], ids=" ".join)
def test_command_answers(court: Path, command: tuple[str, ...]) -> None:
    assert "--help" in run(court / command[0], *command[1:], "--help", cwd=court)


def test_notary_says_what_is_missing(court: Path) -> None:
    """`mizheng-notary` without its extra: one line that says how to get it, and no traceback."""
    result = subprocess.run(
        [court / "mizheng-notary", "--help"], cwd=court, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr
    assert result.returncode == 0 or "mizheng[notary]" in result.stderr


def test_service_runs_installed(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """`mizheng[notary]` from the wheel alone: migrations and the contract come along."""
    commands = install_wheel(archives[0], tmp_path / "venv", ("notary",))
    made = run(commands / "mizheng-notary", "chain", "address", "--data-dir", tmp_path / "data", cwd=tmp_path)
    assert made.startswith("0x")
    assert (tmp_path / "data" / "mizheng.db").exists()
    run(commands / "python", "-c", "from mizheng.contracts.artifact import load_artifact; load_artifact()")
