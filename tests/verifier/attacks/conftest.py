import pytest

from .scene import Scene, build_scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Built once: no attack changes it."""
    return build_scene(tmp_path_factory.mktemp("scene"))
