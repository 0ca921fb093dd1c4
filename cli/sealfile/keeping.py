"""A list of items in a file beside a seal, oldest first: on the disk whenever a call returns.

Its seal must be locked while anything is changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from mizheng.cli.sealfile.beside import Beside, damaged
from mizheng.verifier.canonical import dump, parse_typed
from mizheng.verifier.errors import MizhengError

T = TypeVar("T")


class Keeping(ABC, Generic[T]):
    """Items of dataclass `T`."""

    FILE: ClassVar[Beside]
    TYPE: ClassVar[str]
    MAX_BYTES: ClassVar[int]

    def __init__(self, seal: Path, manifest_key: bytes) -> None:
        """DataFault when there is a file that is damaged, or another seal's."""
        self.path = self.FILE.path_of(seal)
        self._key = manifest_key
        self.kept: list[T] = self._read() if self.path.exists() else []

    @classmethod
    @abstractmethod
    def dump_item(cls, item: T) -> Mapping[str, Any]:
        """For canonical JSON."""

    @classmethod
    @abstractmethod
    def parse_item(cls, value: Any) -> T:
        """From what `dump_item` gave; MizhengError or ValueError when it is not that."""

    def add(self, item: T) -> int:
        """Keep one more; its place."""
        self.kept.append(item)
        self._write()
        return len(self.kept) - 1

    def change(self, place: int, **changes: Any) -> T:
        """Keep what became of one."""
        self.kept[place] = replace(self.kept[place], **changes)  # type: ignore[type-var]
        self._write()
        return self.kept[place]

    def _write(self) -> None:
        value = {"type": self.TYPE, "items": [dict(self.dump_item(item)) for item in self.kept]}
        self.FILE.write(self.path, self._key, dump(value))

    def _read(self) -> list[T]:
        try:
            data = self.FILE.read(self.path, self._key)
            value = parse_typed(data, self.TYPE, {"items": list}, max_bytes=self.MAX_BYTES)
            return [self.parse_item(item) for item in value["items"]]
        except (MizhengError, ValueError) as error:
            raise damaged(self.path) from error
