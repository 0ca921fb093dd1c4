"""Looking into a seal with the keys of the home that made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal

from tests.cli.runner import Mizheng


@contextmanager
def opened(mizheng: Mizheng, name: str | Path) -> Iterator[Content]:
    """What is inside the seal `name` of this person."""
    with Seal(mizheng.cwd / name) as seal:
        yield open_seal(seal, mizheng.home)


def record_lines(mizheng: Mizheng, name: str | Path) -> list[bytes]:
    """Every record of the seal in its order."""
    with opened(mizheng, name) as content:
        return list(content.records())
