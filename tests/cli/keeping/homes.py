"""A home, a folder of files and its seal, and what is done to them in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.cli.config import load_config
from mizheng.cli.keeping.fixity import Checked, check_seal
from mizheng.cli.keeping.keep import Done, keep_seal
from mizheng.cli.keeping.record import KeepingRecord
from mizheng.cli.keeping.retrieve import Retrieved, retrieve_seal
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session

from tests.cli.runner import Mizheng

FILES = {"pump.dwg": b"the pump", "图纸/valve.dwg": "阀".encode() * 1000, "empty": b""}


@dataclass(frozen=True, slots=True)
class Kept:
    """A seal of `drawings/`, and stores beside it."""

    mizheng: Mizheng

    @property
    def folder(self) -> Path:
        return self.mizheng.cwd

    @property
    def seal(self) -> Path:
        return self.folder / "drawings.seal"

    @property
    def session(self) -> Session:
        return Session(self.mizheng.home, load_config(self.mizheng.home))

    def store(self, name: str) -> str:
        return str(self.folder / name)

    def keep(self, *stores: str, **more: Any) -> Done:
        addresses = [name if "://" in name else self.store(name) for name in stores]
        return keep_seal(self.session, self.seal, stores=addresses, folders=[self.folder], **more)

    def check(self, *, repair: bool = True) -> Checked:
        return check_seal(self.session, self.seal, repair=repair)

    def retrieve(self, output: str = "back", **more: Any) -> Retrieved:
        return retrieve_seal(self.session, self.seal, self.folder / output, **more)

    def record(self) -> KeepingRecord:
        with Seal(self.seal) as seal:
            key = open_seal(seal, self.mizheng.home).manifest_key
        with KeepingRecord(self.seal, key, write=False) as record:
            return record

    def ciphertexts(self, store: str) -> list[Path]:
        """In the order of the records."""
        return [
            Path(self.store(store)) / original.copies[self.store(store)]
            for original in self.record().in_order()
        ]


def make(mizheng: Mizheng, files: dict[str, bytes] = FILES) -> Kept:
    for name, data in files.items():
        path = mizheng.cwd / "drawings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    mizheng("seal", "drawings").ok()
    return Kept(mizheng)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
