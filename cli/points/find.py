"""Which points.toml belongs to what is sealed, and under which names the seal has the files it speaks of."""

# ruff: noqa: PTH100, PTH118 - pathlib has no paths of bytes

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mizheng.cli.errors import UsageFault
from mizheng.cli.points.model import POINTS_NAME, Label, Points
from mizheng.cli.sealing.walking import split_argument


def find_points(arguments: Iterable[bytes], asked: str | None, *, without: bool) -> Path | None:
    """The file asked for, else the one at the top of a folder to seal; UsageFault when several have one."""
    if without:
        if asked:
            raise UsageFault("--points and --no-points contradict each other")
        return None
    if asked:
        return Path(asked)
    found = [path for path in (Path(os.fsdecode(item)) / POINTS_NAME for item in arguments) if path.is_file()]
    if len(found) > 1:
        raise UsageFault(
            "several of the folders have a {name}",
            "name the one that counts with --points, or seal the folders apart",
            name=POINTS_NAME,
        )
    return found[0] if found else None


def load_points(path: Path, arguments: Iterable[bytes]) -> Points:
    """The points of this file, for a seal of these arguments."""
    # Here, because most seals have no points, and reading TOML takes a while to be ready.
    from mizheng.cli.points.read import read_points

    return read_points(path, sealed_labels(arguments))


def sealed_labels(arguments: Iterable[bytes]) -> Label:
    """From a path on the disk to its name in a seal of these arguments."""
    roots = []
    for argument in arguments:
        base, name = split_argument(argument)
        roots.append((os.path.abspath(base + name), name))

    def label(path: Path) -> bytes | None:
        target = os.path.abspath(os.fsencode(path))
        for root, name in roots:
            if target == root:
                return name
            if target.startswith(os.path.join(root, b"")):
                return name + target[len(root) :].replace(os.sep.encode(), b"/")
        return None

    return label
