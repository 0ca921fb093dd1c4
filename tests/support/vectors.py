"""The published vectors of whole bundles, as anybody reads them, and what two verifiers must say alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        """What a report says, in the form of the expectation that it has to equal.

        Codes are only ever added: one newer than the vector has nothing to be about in its bundle.
        """
        told = answer(report)
        listed = {line.split()[0] for line in self.expected["checks"]}
        told["checks"] = [
            line for line in told["checks"] if line.split()[0] in listed or line.split()[1] != "NOT_PROVIDED"
        ]
        return told


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


def answer(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a report in JSON says, in the form of a vector's expectation."""
    checks = report["checks"]
    return {
        "verdict": report["verdict"],
        "failing": sorted({check["code"] for check in checks if check["status"] == "FAIL"}),
        "missing": sorted(report["missing"]),
        "trial": report["trial"],
        "earliest": report["earliest"] and report["earliest"]["at"],
        "latest": report["latest"] and report["latest"]["at"],
        "checks": sorted(
            " ".join(filter(None, (check["code"], check["status"], check["subject"]))) for check in checks
        ),
    }
