"""What earlier runs left for this one: the seal of the version before, and an unfinished seal of this
name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mizheng.cli.errors import DataFault, PermissionFault
from mizheng.cli.keys.sealing import load_identities, open_seal
from mizheng.cli.sealfile.box import Secret
from mizheng.cli.sealfile.content import unfinished_pieces
from mizheng.cli.sealfile.read import Seal, read_header
from mizheng.cli.sealfile.write import Previous, left_path
from mizheng.cli.sealing.chunks import Earlier


@contextmanager
def earlier_runs(
    target: Path, home: Path, since: Path | None, *, read_all: bool
) -> Iterator[tuple[Previous | None, tuple[Earlier, ...]]]:
    """(the version before, where to look for what need not be read again), while the seal is made.

    `read_all`: look nowhere. What was not deposited has no envelope to name: then the version before is the
    one that `since` itself follows, and none if there is none.
    """
    with ExitStack() as stack:
        previous = None
        found: list[Earlier] = [] if read_all else [_unfinished(left_path(target), home)]
        if since is not None:
            seal = stack.enter_context(Seal(since))
            content = open_seal(seal, home)
            deposit = seal.state.deposit
            if deposit is not None and deposit.answer is not None:
                previous = Previous(deposit.id, str(since.absolute()))
            else:
                previous = content.previous
            if not read_all:
                found.append(content.pieces())
        yield previous, tuple(found)


def _unfinished(path: Path, home: Path) -> Iterator[tuple[bytes, bytes]]:
    """What an interrupted run had read; nothing when there was none, or it cannot be opened here."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        try:
            _created_at, keys, start = read_header(file, path)
            secret = Secret.unwrap(keys, load_identities(home))
        except (DataFault, PermissionFault):
            # It only saves time: whatever is wrong with it, the files are there to be read.
            return
        if secret is not None:
            yield from unfinished_pieces(file, start, secret)
