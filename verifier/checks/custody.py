"""Who had the evidence since it was deposited: whether its custody events are one chain, signed, on record.

They are judged one after the other, up to the first that does not hold: what comes after it rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial

from ..ahead import Signed, in_order, outcome
from ..bundle import Bundle
from ..checkpoint import MAX_PROOF_BYTES, TlogProof
from ..custody import CustodyDocument, Party, read_custody
from ..dsse import MAX_ENVELOPE_BYTES
from ..errors import FormatError, MizhengError, ProofError
from ..event import SignedEvent, read_event
from ..holdings import Holdings
from ..members import custody_members, number_of
from ..note import NoteVerifier, signed
from ..report import CustodyLine, Status
from ..signature import PublicKey
from ..timeline import make_line
from ..words import N_
from .believing import believe
from .context import Context

_CHAIN, _SIGNATURES, _LOG, _KEYS = _CODES = (
    "custody.chain",
    "custody.signatures",
    "custody.log",
    "custody.custodians",
)


def check_custody(context: Context) -> None:
    """Chain, signatures, places in the log, whose keys they are; only the first where there is no event."""
    findings = context.findings
    members = context.bundle.group("custody")
    if not members:
        findings.not_provided(_CHAIN)
        return
    run = _Run(context, Holdings(context.envelope_sha256, context.statement.public_key))
    first, last = number_of(members[0]), number_of(members[-1])
    numbers = range(min(first, 1), last + 1)
    logs = [log.verifier for log in context.trust.logs] if context.trust else []
    examine, signatures = partial(_examine, context.bundle), partial(_signed, logs)
    with closing(in_order(examine, signatures, numbers)) as examined:
        stopped = next((found.number for found in examined if not run.take(found)), None)
    if stopped is None:
        run.conclude()
        return
    found = {check.code for check in findings.checks}
    for code in _CODES:
        if code not in found:
            message = N_("the events were judged up to event {number} only, which does not hold")
            findings.not_checked(code, message=message, number=stopped)


@dataclass(frozen=True, slots=True)
class _Examined:
    """What is true of one event whatever came before it; each part raises where it does not hold."""

    number: int
    document: Callable[[], CustodyDocument]
    event: Callable[[], SignedEvent]
    placed: Callable[[], TlogProof]

    def recorded(self) -> TlogProof:
        self.event().verify_signature()
        return self.placed()


def _examine(bundle: Bundle, number: int) -> _Examined:
    document = outcome(lambda: _read(bundle, number))
    event = outcome(lambda: _read_event(bundle, number))
    placed = outcome(lambda: event()[0].verify_place(document().sha256, event()[1]))
    return _Examined(number, document, lambda: event()[0], placed)


def _signed(logs: Sequence[NoteVerifier], found: _Examined) -> Iterator[Signed]:
    """The signatures of it that will be checked: those of what can be read."""
    with suppress(MizhengError):
        yield from found.document().signed()
        yield from found.event().signed()
        yield from signed(found.placed().note, logs)


def _read(bundle: Bundle, number: int) -> CustodyDocument:
    if not number:
        raise FormatError("custody events are numbered from 1")
    name = custody_members(number)[0]
    if not bundle.has(name):
        raise FormatError("the event of this number is missing")
    return read_custody(bundle.read(name, MAX_ENVELOPE_BYTES))


def _read_event(bundle: Bundle, number: int) -> tuple[SignedEvent, bytes]:
    """What put it on record, and the proof that it is."""
    _, event, proof = custody_members(number)
    for name in (event, proof):
        if not bundle.has(name):
            raise FormatError("half of the proof that the event is on record: {name} is missing", name=name)
    data, found = bundle.read(event, MAX_ENVELOPE_BYTES), bundle.read(proof, MAX_PROOF_BYTES)
    return read_event(data), found


@dataclass(slots=True)
class _Run:
    """The events as far as they were judged."""

    context: Context
    holdings: Holdings
    parties: dict[str, tuple[Party, str]] = field(default_factory=dict)
    """keyid to who it is and the member that names him, the first of each."""
    at: str = ""
    is_log_open: bool = False
    """Something that is not on record, or by a log's key that nobody knows: said once, of the first."""
    notes: set[bytes] = field(default_factory=set)
    """Signed checkpoints that are believed: many events may share one."""
    roots: dict[int, bytes] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    """Leaf indices of the events on record."""

    def take(self, found: _Examined) -> bool:
        """Judge one event; False when it does not hold."""
        findings = self.context.findings
        name = custody_members(found.number)[0]
        document = findings.attempt(_CHAIN, name, found.document)
        if document is None:
            return False
        line = make_line(found.number, document, self._name_of)
        self.context.custody.append(line)
        line.holds = (
            findings.attempt(_SIGNATURES, name, document.verify) is not None
            and findings.attempt(_CHAIN, name, lambda: self._add(document)) is not None
            and self._check_log(found, line)
        )
        for party in document.event.parties:
            self.parties.setdefault(party.public_key.keyid, (party, name))
        self.at = document.event.at
        return line.holds

    def conclude(self) -> None:
        """Say what holds of all of them."""
        findings, count = self.context.findings, self.holdings.count
        findings.passed(_SIGNATURES, message=N_("events: {count}"), count=count)
        names = ", ".join(self.parties[keyid][0].name for keyid in self.holdings.held) or "-"
        message = N_(
            "events: {count}, the last of {at}; then with {holders}. They do not show what came later"
        )
        findings.passed(_CHAIN, message=message, count=count, at=self.at, holders=names)
        if not self.is_log_open:
            message = N_("events: {count}, in this order in the log, leaf index {first} to {last}")
            findings.passed(_LOG, message=message, count=count, first=self.places[0], last=self.places[-1])
        self._check_keys()

    def _add(self, document: CustodyDocument) -> bool:
        self.holdings.add(document)
        return True

    def _check_log(self, found: _Examined, line: CustodyLine) -> bool:
        """False only where it is shown to be wrong."""
        findings, bundle = self.context.findings, self.context.bundle
        name, *recorded = custody_members(found.number)
        if not any(bundle.has(member) for member in recorded):
            if not self.is_log_open:
                findings.not_provided(_LOG, name, N_("signed, but not on record in the log"))
            self.is_log_open = True
            return True
        proof = findings.attempt(_LOG, name, lambda: self._place(found.recorded()))
        if proof is None:
            return False
        line.leaf_index = proof.index
        if proof.note in self.notes or self.is_log_open:
            return True
        if believe(self.context, _LOG, name, proof):
            self.notes.add(proof.note)
            return True
        self.is_log_open = True
        return findings.checks[-1].status is not Status.FAIL

    def _place(self, proof: TlogProof) -> TlogProof:
        heads = self.context.heads
        checkpoint = proof.checkpoint
        if heads and checkpoint.origin != heads[0].checkpoint.origin:
            raise ProofError("the event is on record in another log than the deposit")
        if not self.roots:
            self.roots = {head.checkpoint.size: head.checkpoint.root for head in heads}
        if self.roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise ProofError("the two entries are not of one tree")
        # Each names what came before it, so it was put on record later.
        before = self.places[-1] if self.places else heads[0].index if heads else -1
        if proof.index <= before:
            raise ProofError("the event does not stand in the log after what it follows")
        self.places.append(proof.index)
        return proof

    def _name_of(self, key: PublicKey) -> str | None:
        """Whose key it is by the reader's own trust file, or by an issuer's word that it believes."""
        context = self.context
        if context.is_enrolled and key == context.statement.public_key:
            return context.statement.depositor.name
        found = context.trust.custodian(key) if context.trust else None
        return found.name if found else None

    def _check_keys(self) -> None:
        findings, trust = self.context.findings, self.context.trust
        if trust is None:
            findings.not_checked(_KEYS, message=N_("no trust file was given"))
            return
        for keyid, (party, name) in self.parties.items():
            if keyid in trust.revoked_keys:
                error = ProofError("the trust file lists the key of {name} as revoked", name=party.name)
                findings.failed(_KEYS, name, error)
                return
        known = {keyid: self._name_of(party.public_key) for keyid, (party, _) in self.parties.items()}
        strangers = [party.name for keyid, (party, _) in self.parties.items() if known[keyid] is None]
        if strangers:
            message = N_("nobody whom the trust file names says whose keys these are: {names}")
            findings.not_checked(_KEYS, message=message, names=", ".join(strangers))
        else:
            names = ", ".join(dict.fromkeys(str(name) for name in known.values()))
            findings.passed(_KEYS, message=N_("known by their keys: {names}"), names=names)
