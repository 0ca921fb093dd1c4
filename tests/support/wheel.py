"""The project as others install it: built, and put into a virtual environment of its own, with no network."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.tools.layout import ROOT


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Standard output of a command that has to succeed."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build_archives(folder: Path) -> tuple[Path, Path]:
    """Wheel and source archive; the wheel is built from the source archive, so that has to be whole."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def install_wheel(
    wheel: Path, folder: Path, extras: tuple[str, ...] = (), *, is_compiled: bool = False
) -> Path:
    """A virtual environment with the wheel and what it asks for; answers its bin folder.

    What it asks for are copies, file by file, of what runs here: nothing else comes along. `is_compiled`:
    with byte code, as pip leaves it and as one has to measure it.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    site = next((folder / "lib").glob("python3*/site-packages"))
    asked = [Requirement(line) for line in read_metadata(wheel).requires or ()]
    seen: set[str] = set()
    for distribution in list_needed(asked, extras, seen):
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check")
    run(*pip, "--no-index", *[f"{wheel}[{','.join(extras)}]" if extras else wheel])
    if is_compiled:
        run(python, "-m", "compileall", "-q", site)
    return folder / "bin"


def read_metadata(wheel: Path) -> metadata.Distribution:
    (folder,) = (path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    return metadata.PathDistribution(folder)


def list_needed(
    requirements: list[Requirement], extras: tuple[str, ...], seen: set[str]
) -> Iterator[metadata.Distribution]:
    """What requirements bring on this platform, and what that brings in turn, each once."""
    for need in requirements:
        wanted = any(need.marker is None or need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        # One package may be asked for with and without its extras.
        key = str(need.name) + ",".join(sorted(need.extras))
        if not wanted or key in seen:
            continue
        seen.add(key)
        distribution = metadata.distribution(need.name)
        yield distribution
        inner = [Requirement(line) for line in distribution.requires or ()]
        yield from list_needed(inner, tuple(need.extras), seen)
