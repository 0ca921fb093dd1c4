"""Making one bundle with the settings of this person, for the command and for the Python interface alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.bundling.certificate import certificate_member
from mizheng.cli.bundling.exhibits import Frame, exhibit_members
from mizheng.cli.bundling.make import Opening, find_originals, make_bundle, open_records
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.bundling.supplemented import supplemented_members
from mizheng.cli.bundling.x509 import x509_members
from mizheng.cli.custody.store import CustodyRegister
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.depositing.evidence import fetch_believed, read_evidence
from mizheng.cli.disclosing.one import Disclosing
from mizheng.cli.disclosing.recipient import check_recipient
from mizheng.cli.errors import ConfigurationFault, UnavailableFault, WaitingFault
from mizheng.cli.files import refuse_existing
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.keys.signing import load_entry, unlock
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import _
from mizheng.cli.terminal.text import printable
from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.signature import keyid_of
from mizheng.verifier.statement import parse_envelope

if TYPE_CHECKING:
    from mizheng.cli.access.looking import Looking

Tell = Callable[[str], None]
"""Takes a word on the way, in the language of the process."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a bundle is to be."""

    patterns: tuple[str, ...]
    """What to open, as `--open` takes it."""
    with_originals: bool = False
    folder: Path | None = None
    """Where names start; None: here, or beside the seal."""
    with_environment: bool = True
    with_matter: bool = True
    """Open also what says which deposit this supplements, where the seal is a supplement."""
    recipient: str | None = None
    purpose: str | None = None
    x509: tuple[str, ...] = ()
    """Files with a CA's certificate of the signing key, its chain, and what says that none was revoked."""
    words: str | None = None
    """File of the depositor's words for the exhibit list."""
    with_exhibits: bool = True
    output: Path | None = None
    force: bool = False
    offline: bool = False
    """Ask nobody: use what the seal keeps."""
    access: str | None = None
    """The request on which it is made: only what was approved is opened, and `patterns` may be empty. The
    recipient and the purpose are the request's."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundle that was made."""

    path: Path
    state: str
    """How far the deposit had come: deposited, anchored or final."""
    names: tuple[str, ...]
    """Of the opened records, printable."""
    originals: int
    has_certificate: bool
    is_observed: bool
    """Whether observers vouch for the anchor's block, or the chain is a trial one, which needs none."""
    disclosure: dict[str, Any] | None
    """What `describe` says of it; None for a bundle that is for nobody in particular."""
    others_waiting: int = 0
    """Disclosures of the same seal that are not on record."""


def bundle_seal(session: Session, path: Path, wanted: Wanted, tell: Tell = lambda _text: None) -> Bundled:
    """Open the chosen records of a seal, for a recipient if one is named, and write the ZIP.

    WaitingFault unless the seal is deposited and its evidence is there; InputFault for a name that finds
    nothing or an original that is not there; UnavailableFault where a disclosure cannot be put on record,
    PermissionFault where a request does not allow it: then no bundle is made.
    """
    check_recipient(wanted.recipient, wanted.purpose)
    with Seal(path, lock=wanted.recipient is not None or wanted.access is not None) as seal:
        return _bundle(session, path, seal, wanted, tell)


def _bundle(session: Session, path: Path, seal: Seal, wanted: Wanted, tell: Tell) -> Bundled:
    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(path))
    content = open_seal(seal, session.home)
    unasked = {"environment": wanted.with_environment, "supplement": wanted.with_matter}
    looking = _begin_look(session, seal, content, wanted.access) if wanted.access else None
    if looking is None:
        opening = open_records(content, Selection(wanted.patterns), unasked=unasked)
    else:
        asked = looking.permit.request
        wanted = replace(wanted, recipient=asked.recipient, purpose=asked.purpose)
        opening = looking.open(wanted.patterns, unasked)
    folders = [wanted.folder] if wanted.folder else [Path(), path.parent]
    allowed = looking.allowed_originals(opening) if looking and wanted.with_originals else None
    originals = find_originals(opening, folders, allowed) if wanted.with_originals else {}
    evidence, state = _evidence(session, seal, tell, offline=wanted.offline)
    evidence = _with_renewals(path, seal, content, opening, evidence)
    target = wanted.output or Path(path.name.removesuffix(".seal") + ".zip")
    refuse_existing(target, force=wanted.force)
    more = supplemented_members(opening, path, tell)
    more |= CustodyRegister(path, content.manifest_key).members()
    keyid = keyid_of(seal.state.sealed.public_key)
    if wanted.x509:
        more |= x509_members(wanted.x509, parse_envelope(decode_base64(deposit.envelope))[1])
    key = unlock(session.home, load_entry(session.home, keyid))
    created_at = format_instant(int(time.time()))
    names = tuple(printable(record.name) for record in opening.records)
    disclosed = None
    if wanted.recipient is not None:
        disclosed = Disclosing(session, seal, content.manifest_key, key)
        request = looking.request.sha256 if looking else None
        document = disclosed.prepare(
            opening, originals, wanted.recipient, wanted.purpose, created_at, names, request
        )
        created_at = disclosed.created_at
    certificate = {} if wanted.offline else certificate_member(session, seal, state)
    is_trial = _is_trial(evidence)
    # Before anything is on record: words about what is not opened end it here.
    if wanted.with_exhibits:
        frame = Frame(wanted.recipient, wanted.purpose, created_at, is_trial)
        more |= exhibit_members(seal, opening, frozenset(originals), frame, wanted.words, tell)
    if disclosed:
        if looking:
            looking.record(document, opening, originals, key)
        if looking and not wanted.offline:
            looking.put_on_record()
        if not wanted.offline:
            disclosed.record()
        more |= disclosed.members()
    make_bundle(
        target,
        seal,
        opening,
        key,
        evidence,
        originals=originals,
        more=more | certificate,
        recipient=wanted.recipient,
        purpose=wanted.purpose,
        created_at=created_at,
        force=wanted.force,
    )
    if disclosed:
        disclosed.finish(target)
    return Bundled(
        target,
        state,
        names,
        len(originals),
        bool(certificate),
        bool(evidence.observations) or is_trial,
        disclosed.describe() if disclosed else None,
        disclosed.others_waiting() if disclosed else 0,
    )


def _begin_look(session: Session, seal: Seal, content: Content, request: str) -> Looking:
    from mizheng.cli.access.desk import desk_of
    from mizheng.cli.access.looking import Looking

    desk = desk_of(session, seal, content)
    desk.check_looks()
    return Looking(desk, desk.find_request(request))


def _with_renewals(
    path: Path, seal: Seal, content: Content, opening: Opening, evidence: Evidence
) -> Evidence:
    """Also what the company hashed anew: of the deposit, and of the records that are opened."""
    from mizheng.cli.renewal.store import FILE, load

    beside = FILE.path_of(path)
    if not beside.exists():
        return evidence
    from mizheng.cli.renewal.renewing import add_to_evidence
    from mizheng.cli.renewal.sources import seal_envelope

    wanted = {item.record for item in opening.opened}
    places = [place for place, record in enumerate(content.records(), 1) if record in wanted]
    renewals = load(beside, content.manifest_key, seal_envelope(seal))
    return add_to_evidence(evidence, renewals, places)


def _is_trial(evidence: Evidence) -> bool:
    """A trial chain's blocks are pinned by its notary's trust file; nobody observes it."""
    return any(parse_anchor(anchor).chain.kind == "trial" for anchor in evidence.anchors)


def _evidence(session: Session, seal: Seal, tell: Tell, *, offline: bool) -> tuple[Evidence, str]:
    """The notary's evidence of now, else what the seal keeps; and how far the deposit had come then."""
    deposit, kept = seal.state.deposit, seal.state.evidence
    assert deposit is not None  # noqa: S101 - checked before
    if not offline:
        try:
            with session.notary() as client:
                kept = fetch_believed(session, client, deposit, str(client.status(deposit.id)["state"]))
        except (UnavailableFault, ConfigurationFault):
            if kept is None:
                raise
            tell(_("the notary does not answer; using the evidence kept at {at}", at=kept["fetched_at"]))
    if kept is None:
        raise WaitingFault("the seal keeps no evidence yet", "run mizheng status once it is anchored")
    return read_evidence(kept["answer"]), str(kept["state"])
