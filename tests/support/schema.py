"""A database as the migrations leave it, made by them once: to run them takes longer than most tests."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from mizheng.notary.database import create_engine
from mizheng.notary.migrations import upgrade

_NAME = "mizheng.db"


def lay_database(data_dir: Path) -> Path:
    """Make a data directory that holds one of the newest schema, with nothing in it; the database's path."""
    data_dir.mkdir(mode=0o700)
    path = data_dir / _NAME
    path.write_bytes(_empty())
    return path


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/{_NAME}")
        upgrade(engine)
        # The last connection that is closed takes its write-ahead log into the file.
        engine.dispose()
        return Path(folder, _NAME).read_bytes()
