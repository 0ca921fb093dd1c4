"""The access log of a seal, opened for work, and what goes in and out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mizheng.cli.access.people import load_approvers
from mizheng.cli.access.store import FILE, AccessLog
from mizheng.cli.depositing.one import require_same_notary
from mizheng.cli.depositing.recording import Recorder
from mizheng.cli.disclosing.store import Register
from mizheng.cli.errors import (
    ConfigurationFault,
    DataFault,
    InputFault,
    PermissionFault,
    UnavailableFault,
    UsageFault,
    WaitingFault,
)
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.keys.signing import list_entries, short_keyid
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.access import (
    Access,
    Approval,
    Document,
    Refusal,
    Request,
    Signed,
    Withdrawal,
    parse_access,
)
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.permit import same_person

# An approval of a million records has about as much.
MAX_BYTES = 128 << 20

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Desk:
    """One seal with its access log."""

    session: Session
    path: Path
    seal: Seal
    content: Content
    log: AccessLog

    def requests(self) -> list[Signed]:
        """Every request, the oldest first: their numbers are their places here, from 1."""
        return [signed for _line, signed in self.log.documents() if isinstance(signed.document, Request)]

    def find_request(self, named: str) -> Signed:
        """A request by number, by the beginning of its SHA-256, or by its file; else UsageFault."""
        found = self.requests()
        if named.isascii() and named.isdigit() and 1 <= int(named) <= len(found):
            return found[int(named) - 1]
        sha256 = read_document(Path(named)).sha256 if Path(named).is_file() else named
        matching = [item for item in found if len(sha256) >= 8 and item.sha256.startswith(sha256)]
        if len(matching) != 1:
            raise UsageFault(
                "the access log of {name} has no request {request}",
                "mizheng access add NAME.seal FILE takes one in; mizheng access list NAME.seal shows all",
                name=str(self.path),
                request=named,
            )
        return matching[0]

    def take(self, data: bytes, names: tuple[str, ...] = ()) -> Signed:
        """Check a document, whoever made it, and keep it; DataFault when it does not belong here."""
        signed = read_bytes(data)
        document = signed.document
        if isinstance(document, Request):
            if document.envelope_sha256 != self.log.envelope_sha256:
                raise DataFault("the request is for another deposit")
        elif isinstance(document, (Approval, Refusal)):
            self._require_approver(document)
            self._require(document.request_sha256, Request, "the decision is on a request that is not here")
        elif isinstance(document, Withdrawal):
            self._require_approver(document)
            self._require(document.approval_sha256, Approval, "the approval that is withdrawn is not here")
        else:
            raise DataFault("only this company's own looks stand in its log")
        self.log.append(data, names)
        return signed

    def record(self, *, must: bool) -> int:
        """Put on record what waits, in its order; how many still wait. `must`: no fault is silent."""
        waiting = self.log.waiting()
        if not waiting:
            return 0
        deposit = self.seal.state.deposit
        assert deposit is not None  # noqa: S101 - a desk is of a deposited seal
        try:
            require_same_notary(deposit, self.session.organisation)
            with self.session.notary() as client:
                recorder = Recorder(self.session, client)
                for place in waiting:
                    recorder.send(self.log, place)
        except (UnavailableFault, ConfigurationFault, PermissionFault):
            if must:
                raise
        return len(self.log.waiting())

    def check_looks(self) -> None:
        """DataFault where the list of disclosures knows of a look that the access log lacks."""
        check_looks(Register(self.path, self.content.manifest_key), self.log)

    def approvers(self) -> dict[str, str]:
        """keyid to person of all who may approve: those appointed, else the company's own keys."""
        return company_approvers(self.session)

    def _require_approver(self, document: Approval | Refusal | Withdrawal) -> None:
        known = self.approvers().get(document.public_key.keyid)
        if known is None or not same_person(known, document.person):
            raise PermissionFault(
                "{person} with the key {keyid} may not approve here",
                "the company adds people: mizheng access approvers add NAME KEY",
                person=document.person,
                keyid=short_keyid(document.public_key.keyid),
            )

    def _require(self, sha256: str, kind: type[D], fault: str) -> None:
        found = self.log.find(sha256)
        if found is None or not isinstance(found[1], kind):
            raise DataFault(fault, "take that in first: mizheng access add NAME.seal FILE")


def check_looks(disclosures: Register, log: AccessLog | None) -> None:
    """DataFault where a bundle was made on a request and its look is not in the access log."""
    looks = set()
    for _line, signed in log.documents() if log else ():
        if isinstance(signed.document, Access):
            looks.add(signed.document.disclosure_sha256)
    for number, kept in enumerate(disclosures.kept, 1):
        # Without a bundle, it was never shown to anybody.
        if kept.request and kept.bundle and hashlib.sha256(kept.document).hexdigest() not in looks:
            raise DataFault(
                "the access log lacks the look of disclosure {number}",
                "rows were taken out of it: bring it back from a copy",
                number=number,
            )


@contextmanager
def open_desk(session: Session, path: Path, *, lock: bool) -> Iterator[Desk]:
    """The seal with its access log; WaitingFault before its deposit, DataFault when the log is not whole."""
    with Seal(path, lock=lock) as seal:
        yield desk_of(session, seal, open_seal(seal, session.home))


def desk_of(session: Session, seal: Seal, content: Content) -> Desk:
    """The same for a seal that is open."""
    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(seal.path))
    log = AccessLog(seal.path, content.manifest_key, deposit.id, session.home)
    return Desk(session, seal.path, seal, content, log)


def has_log(path: Path) -> bool:
    """Whether anything was ever asked for of this seal."""
    return FILE.path_of(path).exists()


def company_approvers(session: Session) -> dict[str, str]:
    """keyid to person of all who may approve: those appointed, else the company's own keys."""
    appointed = load_approvers(session.home)
    if appointed:
        return {item.keyid: item.person for item in appointed}
    person = company_person(session)
    return {entry.public.keyid: person for entry in list_entries(session.home)}


def company_person(session: Session) -> str:
    """Who approves with the company's own key: the operator, else the company itself."""
    organisation = session.config.organisation
    return session.config.operator or (organisation.name if organisation else "")


def read_document(path: Path) -> Signed:
    """A request or decision from its file."""
    return read_bytes(read_file(path))


def read_file(path: Path) -> bytes:
    """The bytes of such a file; DataFault for one that is too large to be any."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    if len(data) > MAX_BYTES:
        raise DataFault("{name} is larger than {size} bytes", name=str(path), size=MAX_BYTES)
    return data


def read_bytes(data: bytes) -> Signed:
    """What its signer signed; DataFault otherwise."""
    try:
        return parse_access(data)
    except MizhengError as error:
        raise DataFault("not a signed request or decision: {reason}", reason=str(error)) from error
