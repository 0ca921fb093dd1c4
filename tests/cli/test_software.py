"""What the software says of itself is what was released."""

from __future__ import annotations

import tomllib

from mizheng.cli.software import software_version

from tests.tools.layout import ROOT


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert software_version() == project["version"]
