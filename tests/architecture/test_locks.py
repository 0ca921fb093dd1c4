"""The lock files: they name no host, cover pyproject.toml and what that needs, and agree with each other."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tools.layout import ROOT

PIN = re.compile(r"^([a-z0-9-]+)==([^ ]+)(?: ; (.+?))? \\$")
DIGEST = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
LOCKS = ("requirements.lock", "requirements-dev.lock")


def read_pins(name: str) -> dict[str, str]:
    pins = {}
    for line in (ROOT / name).read_text("ascii").splitlines():
        if pin := PIN.match(line):
            assert pin[1] not in pins, f"{pin[1]} is there twice"
            pins[pin[1]] = pin[2]
        else:
            # So no host, no path, no comment and no option can be in it.
            assert DIGEST.match(line), line
    return pins


def read_requirements(extras: set[str]) -> list[Requirement]:
    """What pyproject.toml asks for, with extras that name extras resolved, and the build back end."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = settings["project"]
    lines = [*settings["build-system"]["requires"], *project["dependencies"]]
    queue = sorted(extras)
    while queue:
        for line in project["optional-dependencies"][queue.pop()]:
            requirement = Requirement(line)
            if requirement.name == project["name"]:
                queue += requirement.extras
            else:
                lines.append(line)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("name", "extras"), [(LOCKS[0], {"notary"}), (LOCKS[1], {"dev"})])
def test_lock_holds_what_pyproject_asks_for(name: str, extras: set[str]) -> None:
    pins = read_pins(name)
    for requirement in read_requirements(extras):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, requirement
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {version}"


def needed_by(name: str) -> Iterator[Requirement]:
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_complete(name: str) -> None:
    """Installed with --no-deps: what a locked package needs on this platform has to be locked as well."""
    pins = read_pins(name)
    missing = set()
    for package in pins:
        try:
            needs = list(needed_by(package))
        except metadata.PackageNotFoundError:
            continue  # for another platform
        missing |= {f"{package} needs {need}" for need in needs if canonicalize_name(need.name) not in pins}
    assert not missing


def test_locks_agree() -> None:
    runtime, development = (read_pins(name) for name in LOCKS)
    assert runtime.items() <= development.items()


def test_lock_is_what_is_installed() -> None:
    """Tests speak for the locked versions only if these are the ones they run on."""
    wrong = {}
    for name, version in read_pins("requirements.lock").items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if installed != version:
            wrong[name] = f"{installed}, locked {version}"
    assert not wrong
