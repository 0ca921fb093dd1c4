"""What a company seals and deposits, and adds to a deposit later."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.depositing.one import deposit_seal
from mizheng.cli.depositing.progress import keep_evidence
from mizheng.cli.jobs import sealing_task
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.sealing.run import seal_paths
from mizheng.cli.session import Session
from mizheng.cli.supplementing.one import Told, deposit_supplement, seal_supplement


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was made."""

    path: Path
    commitment: str
    """Hex; what a deposit sends."""
    files: int
    size: int
    """Bytes of all files."""
    reused: int
    """Files that `since` has unchanged, and that were not read again."""
    unreadable: tuple[tuple[bytes, str], ...]
    """(name, reason) of what could not be read; sealed as unreadable."""


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit whose answer was checked."""

    id: str
    """SHA-256 of the envelope, hex."""
    origin: str
    """The log's name."""
    leaf_index: int
    received_at: str
    """RFC 3339, by the notary's clock."""


@dataclass(frozen=True, slots=True)
class Supplemented:
    """Evidence added to a deposit, sealed and deposited."""

    number: int
    seal: Path
    deposit: Deposited


def seal(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    since: str | os.PathLike[str] | None = None,
    points: str | os.PathLike[str] | None = None,
    read_all: bool = False,
    with_ignored: bool = False,
) -> Sealed:
    """Seal files and folders into the new file `output`; nothing is sent.

    `since`: the seal of the version before, of which only what changed is read again; `read_all` reads
    everything all the same. `points`: a points.toml; else the one at the top of a folder. OutputFault when
    `output` exists.
    """
    arguments = tuple(os.fsencode(path) for path in paths)
    before = None if since is None else Path(since)
    with sealing_task(
        arguments,
        Path(output),
        points=None if points is None else os.fspath(points),
        since=before,
        read_all=read_all,
        with_ignored=with_ignored,
    ) as task:
        done = seal_paths(task)
    return Sealed(done.path, done.commitment, done.files, done.size, done.reused, tuple(done.unreadable))


def deposit(path: str | os.PathLike[str], *, notary: str | None = None) -> Deposited:
    """Deposit a seal with the notary and keep the checked answer in it.

    Called again, it is the same deposit. UnavailableFault when the notary cannot be reached: the seal keeps
    what was signed, and a later call sends just that.
    """
    session = Session.load()
    with Seal(Path(path), lock=True) as opened, session.notary(notary) as client:
        done = deposit_seal(session, client, opened)
    return _deposited(done)


def state(path: str | os.PathLike[str], *, notary: str | None = None) -> str:
    """How far the seal has come: `sealed`, `deposited`, `anchored` or `final`.

    Asks the notary unless it is `sealed` or known to be `final`, and keeps the evidence in the seal.
    """
    with Seal(Path(path)) as opened:
        made = opened.state.deposit
        evidence = opened.state.evidence
    if made is None or made.answer is None:
        return "sealed"
    if evidence is not None and evidence["state"] == "final":
        return "final"
    session = Session.load()
    with session.notary(notary) as client:
        found = client.status(made.id)
        if found["state"] in ("anchored", "final"):
            with Seal(Path(path), lock=True) as opened:
                keep_evidence(session, client, opened, found)
    return str(found["state"])


def supplement(
    path: str | os.PathLike[str],
    paths: Sequence[str | os.PathLike[str]],
    *,
    type: str,
    title: str,
    matter: str | None = None,
    number: int | None = None,
) -> Supplemented:
    """Add files to the deposit of the seal `path` as a deposit of their own that names it.

    `type` is project, notarization, witness or other. UnavailableFault when the notary is away: then the seal
    waits, and `mizheng supplement NAME.seal --send` deposits it.
    """
    session = Session.load()
    arguments = tuple(os.fsencode(item) for item in paths)
    told = Told(type, title, matter, number)
    item = seal_supplement(session, Path(path), arguments, told, lambda _things, _size: None)
    return Supplemented(item.number, Path(item.seal), _deposited(deposit_supplement(session, item, None)))


def _deposited(done: Deposit) -> Deposited:
    assert done.answer is not None  # noqa: S101 - only checked deposits come here
    return Deposited(done.id, done.notary, done.answer["leaf_index"], done.answer["received_at"])
