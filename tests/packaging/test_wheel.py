"""What a court installs: the wheel with the base dependencies alone, in a virtual environment of its own."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from tests.architecture.syntax import find_modules
from tests.tools.layout import ROOT

# The service's stack: none of it may be needed, or come along.
SERVICE = ("web3", "fastapi", "sqlalchemy", "alembic", "uvicorn", "eth_tester", "pydantic")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Wheel and source archive; the wheel is built from the source archive, so that has to be whole."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def list_needed(requirement: str) -> Iterator[metadata.Distribution]:
    """What one requirement brings on this platform, and what that brings in turn."""
    need = Requirement(requirement)
    if need.marker is None or need.marker.evaluate({"extra": ""}):
        distribution = metadata.distribution(need.name)
        yield distribution
        for line in distribution.requires or ():
            yield from list_needed(line)


def read_metadata(wheel: Path) -> metadata.Distribution:
    (folder,) = (path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    return metadata.PathDistribution(folder)


@pytest.fixture(scope="module")
def court(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and copies of its base dependencies; answers its bin folder.

    Copies of what runs here, file by file: no network, and nothing but what the wheel asks for.
    """
    folder = tmp_path_factory.mktemp("court") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    site = next((folder / "lib").glob("python3*/site-packages"))
    for line in read_metadata(archives[0]).requires or ():
        if "extra ==" in line:
            continue
        for distribution in list_needed(line):
            for file in distribution.files or ():
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    target = site / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(file.locate()), target)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check")
    run(*pip, "--no-index", archives[0])
    return folder / "bin"


def test_wheel_holds_every_module_and_its_data(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[0]) as archive:
        names = set(archive.namelist())
    modules = {"mizheng/" + module.path.relative_to(ROOT).as_posix() for module in find_modules().values()}
    assert not modules - names
    data = {
        "mizheng/verifier/py.typed",
        "mizheng/verifier/locale/zh_CN/LC_MESSAGES/mizheng.mo",
        "mizheng/verifier/locale/en/LC_MESSAGES/mizheng.mo",
        "mizheng/contracts/artifacts/Anchor.json",
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


def test_base_installation_is_without_the_service(court: Path) -> None:
    look = (
        "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    )
    assert run(court / "python", "-c", look, *SERVICE, cwd=court).strip() == "[]"


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
