"""The Python interface, for programs of a company: a PLM's export, a Git hook, a nightly job.

    from mizheng.cli.api import deposit, seal, state

It does what the commands of the same names do, with the settings of the same folder (MIZHENG_HOME), prints
nothing, asks nothing and raises `MizhengError` with a message and a hint. `verify` is the verifier's own
`mizheng.verifier.verify.verify_bundle`, which needs no settings at all. Names of this module stay; what else
lies in `mizheng.cli` may change with every release.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.commands.status import keep_evidence
from mizheng.cli.depositing.one import deposit_seal
from mizheng.cli.jobs import sealing_task
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealing.run import seal_paths
from mizheng.cli.session import Session
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.verify import verify_bundle as verify

__all__ = ["Deposited", "MizhengError", "Sealed", "deposit", "seal", "state", "verify"]


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
    assert done.answer is not None  # noqa: S101 - deposit_seal returns checked deposits only
    return Deposited(done.id, done.notary, done.answer["leaf_index"], done.answer["received_at"])


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
