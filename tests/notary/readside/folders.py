"""What a reader of a published directory finds there."""

from __future__ import annotations

from pathlib import Path

from mizheng.verifier.checkpoint import open_checkpoint

from tests.notary.readside.logs import SIGNER, tile_files


def published_size(folder: Path) -> int | None:
    """The size of the checkpoint that stands, whose signature holds; None before the first one."""
    path = folder / "checkpoint"
    if not path.exists():
        return None
    checkpoint, signed = open_checkpoint(path.read_bytes(), [SIGNER.verifier])
    assert signed
    return checkpoint.size


def read_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".publishing" not in path.parts
    }


def check_readable(folder: Path) -> int:
    """Every file of the head that stands is there, byte for byte, a partial tile perhaps as the full one."""
    size = published_size(folder)
    if size is None:
        return 0
    for path, data in tile_files(size).items():
        place = folder / path
        if not place.exists():
            place = folder / path.partition(".p/")[0]
        assert place.read_bytes()[: len(data)] == data, path
    return size
