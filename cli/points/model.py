"""What points.toml says, checked: each thing becomes one record of the seal (formats §1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.verifier.record import build_record

# As 商业秘密 are graded in practice; the record holds the Chinese word, which is the one a court reads.
LEVELS = {"core": "核心商密", "ordinary": "普通商密"}
POINTS_NAME = "points.toml"

Label = Callable[[Path], bytes | None]
"""The name under which a path is sealed, or None when it is not."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record to be: its kind, its number (0 for a kind that has none) and its own fields."""

    kind: str
    number: int
    fields: Mapping[str, Any]

    def record(self, manifest_key: bytes) -> bytes:
        """The record's canonical bytes; FormatError or LimitError when it cannot be one."""
        label = str(self.number).encode() if self.number else b""
        return build_record(manifest_key, self.kind, label, self.fields)


@dataclass(frozen=True, slots=True)
class Points:
    """A whole points.toml."""

    path: Path
    """The file itself. It is not sealed as one: opened by mistake, it would give every point away."""
    items: tuple[Item, ...]

    def of(self, kind: str) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == kind)

    def records(self, manifest_key: bytes) -> Iterator[bytes]:
        """The records in the order of the file's kinds, each with its salt under this key."""
        for item in self.items:
            yield item.record(manifest_key)
