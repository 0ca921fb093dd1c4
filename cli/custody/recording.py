"""Keeping custody events beside the seal and putting them on record, in the order of the chain."""

from __future__ import annotations

from pathlib import Path

from mizheng.cli.custody.chain import read_seal_chain
from mizheng.cli.custody.store import CustodyRegister, KeptEvent
from mizheng.cli.depositing.one import require_same_notary
from mizheng.cli.depositing.recording import Recorder
from mizheng.cli.errors import DataFault, UnavailableFault
from mizheng.cli.files import new_file
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.archive import write_archive
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.members import STATEMENT, custody_members, member_order, number_of
from mizheng.verifier.statement import parse_envelope


def record_events(session: Session, path: Path, documents: list[bytes]) -> tuple[KeptEvent, ...]:
    """Keep finished documents, in their order, and put on record all that waits; the register afterwards.

    DataFault for one that cannot be the next of the chain: those before it are kept. UnavailableFault when
    the notary is away: what was kept waits. One that is kept already is not taken twice.
    """
    with Seal(path, lock=True) as seal:
        chain, register = read_seal_chain(seal, open_seal(seal, session.home))
        known = {kept.document for kept in register.kept}
        for data in documents:
            if data in known:
                continue
            try:
                chain.add(data)
            except MizhengError as error:
                raise DataFault(
                    "this is not the next event of the chain: {reason}",
                    "what was recorded so far: mizheng custody show {name}",
                    name=str(path),
                    reason=str(error),
                ) from error
            register.add(KeptEvent(data))
        _send(session, seal, register)
        return tuple(register.kept)


def _send(session: Session, seal: Seal, register: CustodyRegister) -> None:
    waiting = [place for place, kept in enumerate(register.kept) if kept.answer is None]
    if not waiting:
        return
    assert seal.state.deposit is not None  # noqa: S101 - its chain was read
    require_same_notary(seal.state.deposit, session.organisation)
    try:
        with session.notary() as client:
            recorder = Recorder(session, client)
            for place in waiting:
                recorder.send(register, place)
    except UnavailableFault as error:
        raise UnavailableFault(
            "the event is kept, and not on record yet: {reason}",
            "later: mizheng custody record {name}",
            name=str(seal.path),
            reason=str(error),
        ) from error


def _is_other(bundle: Bundle, name: str, members: dict[str, bytes]) -> bool:
    """Whether a custody member of a bundle is not what the list beside the seal has at its place.

    Of an event and its proof there may be others, as long as the document is the same.
    """
    if name not in members:
        return True
    is_document = name == custody_members(number_of(name))[0]
    return is_document and bundle.read(name) != members[name]


def update_bundle(session: Session, path: Path, source: Path, target: Path, *, force: bool) -> int:
    """Write the bundle `source` again with all events of the seal at `path`; how many there are.

    DataFault unless it is a bundle of the same deposit, with no event that is not here. Nothing else changes,
    and no key is needed.
    """
    with Seal(path) as seal:
        chain, register = read_seal_chain(seal, open_seal(seal, session.home))
    members = register.members()
    try:
        with Bundle(source) as bundle:
            envelope, _statement = parse_envelope(bundle.read(STATEMENT))
            if envelope.sha256 != chain.envelope_sha256:
                raise DataFault("{name} is a bundle of another deposit", name=str(source))
            if any(_is_other(bundle, name, members) for name in bundle.group("custody")):
                raise DataFault(
                    "{name} holds custody events that the list beside the seal does not have",
                    "bring NAME.custody back from a copy: nothing that was recorded is to be left out",
                    name=str(source),
                )
            kept = [name for name in bundle.names if not name.startswith("custody/")]
            with new_file(target, force=force) as (file, _temporary):
                write_archive(
                    file,
                    (
                        (name, len(members[name]), [members[name]])
                        if name in members
                        else (name, bundle.size(name), bundle.chunks(name))
                        for name in sorted([*kept, *members], key=member_order)
                    ),
                )
    except MizhengError as error:
        raise DataFault("{name}: {reason}", name=str(source), reason=str(error)) from error
    return len(register.kept)
