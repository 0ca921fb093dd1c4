"""Originals given as a folder: the one that was sealed, or the one it stood in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.world import FILES, Company, World, judge, statuses

OPENED = "图纸/发动机.dwg"


@dataclass
class Scene:
    world: World
    members: dict[str, bytes]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    world = World(tmp_path_factory.mktemp("folders"))
    deposit = world.deposit(world.enrol(Company()))
    return Scene(world, world.bundle(deposit, [world.anchor()], (OPENED,)))


def verify(scene: Scene, folder: Path) -> list[str]:
    return statuses(judge(scene.members, scene.world.trust(), files=[folder]), "original.match")


def lay_out(folder: Path, content: bytes) -> Path:
    path = folder / OPENED
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("inside", [False, True], ids=["where it stood", "the sealed folder itself"])
def test_the_file_is_found(scene: Scene, tmp_path: Path, inside: bool) -> None:
    path = lay_out(tmp_path, FILES[OPENED])
    assert verify(scene, path.parent if inside else tmp_path) == ["PASS"]


@pytest.mark.parametrize("inside", [False, True], ids=["where it stood", "the sealed folder itself"])
def test_another_file_of_its_name_fails(scene: Scene, tmp_path: Path, inside: bool) -> None:
    path = lay_out(tmp_path, b"another drawing")
    assert verify(scene, path.parent if inside else tmp_path) == ["FAIL"]


def test_a_folder_of_another_name_does_not_stand_for_it(scene: Scene, tmp_path: Path) -> None:
    path = lay_out(tmp_path, FILES[OPENED])
    renamed = path.parent.rename(tmp_path / "drawings")
    assert verify(scene, renamed) == ["NOT_PROVIDED"]
