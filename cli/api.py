"""The Python interface, for programs of a company: a PLM's export, a Git hook, a nightly job.

    from mizheng.cli.api import bundle, deposit, seal, state

It does what the commands of the same names do, with the settings of the same folder (MIZHENG_HOME), prints
nothing, asks nothing and raises `MizhengError` with a message and a hint. `verify` is the verifier's own
`mizheng.verifier.verify.verify_bundle`, which needs no settings at all. Names of this module stay; what else
lies in `mizheng.cli` may change with every release.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.access.describing import describe_requests
from mizheng.cli.access.desk import check_looks, open_desk
from mizheng.cli.bundling.job import Bundled, Wanted, bundle_seal
from mizheng.cli.commands.status import keep_evidence
from mizheng.cli.depositing.one import deposit_seal
from mizheng.cli.disclosing.store import Kept, Register
from mizheng.cli.jobs import sealing_task
from mizheng.cli.keeping.keep import Done, keep_seal
from mizheng.cli.keeping.retrieve import Retrieved, retrieve_seal
from mizheng.cli.keeping.stores.address import chosen_stores
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.sealing.run import seal_paths
from mizheng.cli.session import Session
from mizheng.cli.supplementing.one import Told, deposit_supplement, seal_supplement
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.verify import verify_bundle as verify

__all__ = [
    "Bundled",
    "Deposited",
    "Disclosed",
    "Done",
    "MizhengError",
    "Requested",
    "Retrieved",
    "Sealed",
    "Supplemented",
    "bundle",
    "deposit",
    "disclosures",
    "keep",
    "requests",
    "retrieve",
    "seal",
    "state",
    "supplement",
    "verify",
]


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
class Disclosed:
    """A bundle that was made for somebody, as the list beside the seal has it."""

    recipient: str
    purpose: str | None
    created_at: str
    """RFC 3339, by this machine's clock."""
    opened: tuple[str, ...]
    """Names of the opened records."""
    leaf_index: int | None
    """Its place in the log; None while it is not on record."""
    bundle: Path | None
    """The file that was made; None if that was never finished."""


@dataclass(frozen=True, slots=True)
class Requested:
    """A request to see records, as it stands now."""

    number: int
    """From 1; what `bundle(access=…)` takes, as a text."""
    sha256: str
    state: str
    """`approved`, `pending`, `refused`, `withdrawn`, `not-yet` or `expired`."""
    name: str
    organisation: str | None
    matter: str
    ends_at: str
    """What was asked for; RFC 3339."""
    until: str | None
    """Until when something may be shown; None where nothing may."""
    looks: int
    """How often something was shown."""


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


def _deposited(done: Deposit) -> Deposited:
    assert done.answer is not None  # noqa: S101 - only checked deposits come here
    return Deposited(done.id, done.notary, done.answer["leaf_index"], done.answer["received_at"])


def bundle(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    patterns: Sequence[str],
    *,
    with_originals: bool = False,
    folder: str | os.PathLike[str] | None = None,
    recipient: str | None = None,
    purpose: str | None = None,
    access: str | None = None,
    offline: bool = False,
) -> Bundled:
    """Write the evidence for a court into the new file `output`, opening the records that `patterns` name.

    `patterns` are those of `mizheng bundle --open`; names of original files start at `folder`, else here or
    beside the seal. With a `recipient` the disclosure is put on record first: UnavailableFault, and no
    bundle, when the notary cannot be reached. With `access`, a request's number or file, what was approved is
    opened (of it what `patterns` name, if there are any): PermissionFault where nothing is allowed.
    WaitingFault while there is no evidence yet; OutputFault when `output` exists.
    """
    wanted = Wanted(
        tuple(patterns),
        with_originals=with_originals,
        folder=None if folder is None else Path(folder),
        recipient=recipient,
        purpose=purpose,
        output=Path(output),
        offline=offline,
        access=access,
    )
    return bundle_seal(Session.load(), Path(path), wanted)


def disclosures(path: str | os.PathLike[str]) -> list[Disclosed]:
    """Every bundle of the seal that was made for somebody, the oldest first. Asks nobody."""
    with Seal(Path(path)) as opened:
        register = Register(Path(path), open_seal(opened, Session.load().home).manifest_key)
    return [_disclosed(kept) for kept in register.kept]


def _disclosed(kept: Kept) -> Disclosed:
    told = kept.disclosure
    return Disclosed(
        told.recipient,
        told.purpose,
        told.created_at,
        kept.opened,
        kept.answer["leaf_index"] if kept.answer else None,
        None if kept.bundle is None else Path(kept.bundle),
    )


def requests(path: str | os.PathLike[str]) -> list[Requested]:
    """Every request to see records of the seal's deposit, the oldest first. Asks nobody.

    DataFault when the access log is not whole.
    """
    with open_desk(Session.load(), Path(path), lock=False) as desk:
        check_looks(Register(desk.path, desk.content.manifest_key), desk.log)
        told = describe_requests(desk, int(time.time()))
    return [
        Requested(
            item["number"],
            item["sha256"],
            item["state"],
            item["name"],
            item["organisation"],
            item["matter"],
            item["ends_at"],
            item["until"],
            len(item["looks"]),
        )
        for item in told
    ]


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


def keep(
    path: str | os.PathLike[str],
    *,
    stores: Sequence[str] = (),
    folder: str | os.PathLike[str] | None = None,
    patterns: Sequence[str] = (),
) -> Done:
    """Encrypt the originals of a seal here and put them into each store; called again, only what is missing.

    `stores`: addresses, else those of the settings. Files that could not be kept stand in `failed`; the fault
    of a store is raised, and the same call goes on later.
    """
    session, seal = Session.load(), Path(path)
    folders = [Path(), seal.parent] if folder is None else [Path(folder)]
    addresses = chosen_stores(stores, session.config, session.home)
    return keep_seal(session, seal, stores=addresses, folders=folders, patterns=patterns)


def retrieve(
    path: str | os.PathLike[str], output: str | os.PathLike[str], *, patterns: Sequence[str] = ()
) -> Retrieved:
    """Bring kept originals back below the folder `output`, each compared with its sealed record.

    What did not come stands in `failed`, with its fault; nothing is ever overwritten.
    """
    return retrieve_seal(Session.load(), Path(path), Path(output), patterns=patterns)


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
