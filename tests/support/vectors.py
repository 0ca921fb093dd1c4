"""The published vectors of whole bundles, as anybody reads them, and what two verifiers must say alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.cli.checking.selftest import comparable

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "bundles"


@dataclass(frozen=True)
class Vector:
    """One vector; `expected` is its JSON."""

    name: str
    bundle: bytes
    trust: bytes | None
    expected: Mapping[str, Any]

    @property
    def now(self) -> str:
        return str(self.expected["now"])

    def told(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """What a report says, in the form of the expectation that it has to equal."""
        return comparable(self.expected, report)


def names() -> list[str]:
    """group/defect, of every vector."""
    found = (path.relative_to(FOLDER).with_suffix("") for path in FOLDER.glob("*/*.json"))
    return sorted(path.as_posix() for path in found)


def read(name: str) -> Vector:
    expected = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    trust = expected["trust"]
    return Vector(
        name,
        (FOLDER / expected["bundle"]).read_bytes(),
        None if trust is None else (FOLDER / trust).read_bytes(),
        expected,
    )
