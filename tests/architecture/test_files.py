"""What holds for every file: it is packaged, not too long, and does not name the machine it was made on."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from tests.architecture.syntax import find_modules
from tests.support.order import FIRST
from tests.tools.layout import ROOT

# A file that grows past about 300 lines is usually two things; past this it certainly is.
LONGEST = 350
# A table of attacks is read whole, however long.
LONGEST_TEST = 450
# Folders of people and machines: none of them means anything to whoever clones this.
PRIVATE_PATH = re.compile(rb"(?<![\w.])/(?:root|home/\w+|Users/\w+|work)/")
# The indexes and mirrors that packages come from: a clone uses those its machine is set up for.
PACKAGE_HOST = re.compile(
    rb"(?:pypi|pythonhosted|npmjs|npmmirror|yarnpkg|debian)\.(?:org|com)/", re.IGNORECASE
)


@cache
def list_files() -> tuple[Path, ...]:
    """The files that git tracks or would track, as they stand in the work tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    return tuple(path for name in names if name and (path := ROOT / name.decode()).is_file())


def test_every_package_is_listed_for_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {module.name for module in find_modules().values() if module.is_package}
    assert set(settings["tool"]["setuptools"]["packages"]) == packages


def test_every_module_stands_in_a_package() -> None:
    folders = {module.path.parent for module in find_modules().values()}
    assert not {str(folder) for folder in folders if not (folder / "__init__.py").exists()}


def test_no_file_is_too_long() -> None:
    code = [path for path in list_files() if path.suffix in (".py", ".c", ".h", ".sol", ".mjs", ".js", ".ts")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in code}
    limits = {name: LONGEST_TEST if name.startswith("tests/") else LONGEST for name in lengths}
    assert not {name: length for name, length in lengths.items() if length > limits[name]}


def test_no_file_names_a_private_path() -> None:
    faults = {str(path.relative_to(ROOT)) for path in list_files() if PRIVATE_PATH.search(path.read_bytes())}
    assert not faults


def test_no_file_names_a_package_host() -> None:
    faults = {str(path.relative_to(ROOT)) for path in list_files() if PACKAGE_HOST.search(path.read_bytes())}
    assert not faults


def test_nothing_is_left_to_do() -> None:
    # Classes of one letter, so that this file does not find itself.
    marks = re.compile(
        r"\b(?:TOD[O]|FIXM[E]|X{3}|raise NotImplementedErro[r]|pytest\.mark\.(?:ski[p]|xfai[l])\b)"
    )
    code = [path for path in list_files() if path.suffix in (".py", ".sol", ".mjs")]
    assert not {str(path.relative_to(ROOT)) for path in code if marks.search(path.read_text("utf-8"))}


def test_files_that_begin_first_are_there() -> None:
    assert not [name for name in FIRST if not (ROOT / name).exists()]
