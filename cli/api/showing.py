"""What is opened for whom: bundles, disclosures, requests to see records."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.access.describing import describe_requests
from mizheng.cli.access.desk import open_desk
from mizheng.cli.bundling.job import Bundled, Wanted, bundle_seal
from mizheng.cli.disclosing.store import Kept, Register
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session


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


def requests(path: str | os.PathLike[str]) -> list[Requested]:
    """Every request to see records of the seal's deposit, the oldest first. Asks nobody.

    DataFault when the access log is not whole.
    """
    with open_desk(Session.load(), Path(path), lock=False) as desk:
        desk.check_looks()
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
