"""Adding one evidence point to a matter: its number is kept, its files are sealed, the seal is deposited.

The seal names the earlier deposit in a record of its own, which stays closed until it is opened: neither the
notary nor the log learns that the two belong together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mizheng.cli.depositing.one import deposit_seal, require_same_notary
from mizheng.cli.errors import (
    CommandError,
    InputFault,
    OutputFault,
    UnavailableFault,
    UsageFault,
    WaitingFault,
)
from mizheng.cli.jobs import sealing_task
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.points.model import Item
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.sealing.records import PATH_KINDS
from mizheng.cli.sealing.run import Summary, seal_paths
from mizheng.cli.session import Session
from mizheng.cli.supplementing.store import Supplement, Supplements

Progress = Callable[[int, int], None]

# A record has 64 KiB, and a title that is longer is none.
_MAX_TEXT = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Told:
    """What the depositor says of the point; None is worked out."""

    type: str
    """Of formats §1."""
    title: str
    matter: str | None = None
    number: int | None = None
    output: Path | None = None
    """Its seal; else beside the seal it supplements, named after it and the number."""


def seal_supplement(
    session: Session, path: Path, arguments: tuple[bytes, ...], told: Told, progress: Progress
) -> Supplement:
    """Seal the files as a supplement to the deposit of the seal at `path`. Nothing is sent.

    WaitingFault unless that is deposited; UsageFault for a number that is taken; InputFault when any of the
    files cannot be read: then no seal is left.
    """
    _check(told.title)
    if told.matter is not None:
        _check(told.matter)
    with Seal(path, lock=True) as main:
        deposit = _deposit_of(main)
        require_same_notary(deposit, session.organisation)
        content = open_seal(main, session.home)
        if _is_supplement(content):
            raise UsageFault(
                "{name} is a supplement itself",
                "name the seal that it supplements: all supplements of a matter stand side by side",
                name=str(path),
            )
        register = Supplements(path, content.manifest_key)
        place, force = _reserve(register, told, path)
        item = register.kept[place]
        output = Path(item.seal)
        _seal(arguments, output, _record(item, deposit), progress, force=force)
        with Seal(output) as made:
            return register.change(place, root_hash=made.state.sealed.root_hash)


def deposit_supplement(session: Session, item: Supplement, notary: str | None) -> Deposit:
    """Deposit its seal. UnavailableFault when the notary is away: the seal waits."""
    path = Path(item.seal)
    try:
        with Seal(path, lock=True) as seal, session.notary(notary) as client:
            return deposit_seal(session, client, seal)
    except UnavailableFault as error:
        raise UnavailableFault(
            "supplement {number} is sealed and not deposited yet: {reason}",
            "later: mizheng supplement NAME.seal --send",
            number=item.number,
            reason=str(error),
        ) from error


def _reserve(register: Supplements, told: Told, main: Path) -> tuple[int, bool]:
    """Keep what is going to be made: its place, and whether its seal replaces what a run that died left."""
    number = told.number or register.next_number()
    place = register.place_of(number)
    before = None if place is None else register.kept[place]
    if before is not None and before.root_hash is not None:
        raise UsageFault(
            "there is a supplement {number} already", "without --number it gets the next one", number=number
        )
    stem = main.name.removesuffix(".seal")
    output = (told.output or main.with_name(f"{stem}.supplement-{number}.seal")).absolute()
    # What was deposited was finished, and its root kept.
    force = before is not None and before.seal == str(output) and not _is_deposited(output)
    if not force and output.exists():
        raise OutputFault("{name} exists", "choose another name with -o", name=str(output))
    item = Supplement(number, told.matter or register.matter or stem, told.type, told.title, str(output))
    if place is None:
        return register.add(item), force
    register.change(place, **asdict(item))
    return place, force


def _deposit_of(seal: Seal) -> Deposit:
    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(seal.path))
    return deposit


def _is_deposited(path: Path) -> bool:
    try:
        with Seal(path) as seal:
            return seal.state.deposit is not None
    except CommandError:
        return False


def _record(item: Supplement, deposit: Deposit) -> Item:
    fields = {
        "matter": item.matter,
        "type": item.type,
        "title": item.title,
        "envelope_sha256": deposit.id,
    }
    return Item("supplement", item.number, fields)


def _seal(
    arguments: tuple[bytes, ...], output: Path, record: Item, progress: Progress, *, force: bool
) -> None:
    with sealing_task(arguments, output, without_points=True, force=force) as task:
        summary = seal_paths(replace(task, supplement=record), progress)
    if summary.unreadable or summary.files == 0:
        output.unlink()
        raise _incomplete(summary)


def _incomplete(summary: Summary) -> InputFault:
    if not summary.unreadable:
        return InputFault("no file was sealed", "name the files that are to be added")
    name, reason = summary.unreadable[0]
    return InputFault(
        "{name}: {reason}", "nothing was sealed: a supplement is whole or is none", name=name, reason=reason
    )


def _is_supplement(content: Content) -> bool:
    """Told records come before everything that was read."""
    for _place, entry in content.entries():
        if entry.kind in PATH_KINDS:
            return False
        if entry.kind == "supplement":
            return True
    return False


def _check(text: str) -> None:
    if not text.strip() or _CONTROL.search(text) or len(text) > _MAX_TEXT:
        raise UsageFault(
            "a title and a matter's name have 1 to {count} characters, none of them a control character",
            count=_MAX_TEXT,
        )
