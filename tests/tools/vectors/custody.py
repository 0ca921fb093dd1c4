"""Who had the evidence: chains of custody events, sound ones and such with one defect each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.custody import CUSTODY_PAYLOAD_TYPE, Custody, Party, read_custody
from mizheng.verifier.dsse import sign
from mizheng.verifier.event import Event
from mizheng.verifier.members import custody_members
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import NamedKey, Trust

from tests.support.custody import Chain, party

from .case import Bundle, Case, Cases
from .setting import Log, Members, Setting

CHAIN, SIGNATURES, LOG, KEYS = "custody.chain", "custody.signatures", "custody.log", "custody.custodians"
A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()
_NAMES = {"court": "示例市中级人民法院", "appraiser": "示例司法鉴定中心"}


@dataclass
class Play:
    """A chain of the first deposit's custody, its events put on record one after the other."""

    setting: Setting
    keys: dict[str, PrivateKey]
    chain: Chain
    log: Log
    places: list[int] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)

    def who(self, name: str) -> Party:
        if name == "company":
            return party(
                self.keys[name], "经办人甲", self.setting.scene.first.statement.depositor.name, "保管员"
            )
        return party(self.keys[name], f"{name}-1", _NAMES[name])

    def draft(self, what: str, by: str = "company", to: str | None = None, **changes: Any) -> Custody:
        return self.chain.event(what, self.who(by), None if to is None else self.who(to), **changes)

    def add(self, what: str, by: str = "company", to: str | None = None, **changes: Any) -> None:
        self.take(self.chain.add(self.draft(what, by, to, **changes), self.keys[by], to and self.keys[to]))

    def take(self, document: bytes, *, named: bytes | None = None) -> None:
        """Put it on record. `named`: what the event names instead."""
        if document not in self.chain.documents:
            self.chain.documents.append(document)
        event = Event(self.setting.acme.key.public, hashlib.sha256(named or document).digest())
        self.events.append(event.sign(self.setting.acme.key))
        self.places.append(self.log.append(self.events[-1]))

    def members(self) -> Members:
        found = {}
        for place, document in enumerate(self.chain.documents):
            proof = self.log.proof(self.places[place], self.places[place] + 1)
            names = custody_members(place + 1)
            found |= dict(zip(names, (document, self.events[place], proof), strict=True))
        return found


def keys(s: Setting) -> dict[str, PrivateKey]:
    """Of all who take part. The first that a vector draws, so that its trust file has the same."""
    return {name: s.stream.key() for name in _NAMES} | {"company": s.acme.key}


def journey(play: Play) -> None:
    """There and back, with everything that can happen on the way."""
    play.add("seal-number", before=A, after=A, seal_number="FT-0001")
    play.add("handover", to="court", before=A, after=A, seal_number="FT-0001")
    play.add("opening", "court", note="当庭启封", before=A, after=A)
    play.add("copy-handover", "court", "appraiser", before=A, after=A)
    play.add("medium-change", "appraiser", before=A, after=B, note="光盘转硬盘")
    play.add("handover", "appraiser", "court")
    play.add("handover", "court", "company", before=A, after=A)


def short(play: Play) -> None:
    """Sealed, then handed to the court."""
    play.add("storage")
    play.add("handover", to="court", before=A, after=A)


def custody(
    act: Callable[[Play], None] = short,
    change: Callable[[Play, Members], Members] = lambda _play, members: members,
    *,
    before: bool = False,
) -> Callable[[Setting], Bundle]:
    """The sound bundle with a chain of custody. `before`: put on record before the deposit."""

    def build(s: Setting) -> Bundle:
        deposit, log = s.scene.first, s.log()
        if before:
            del log.leaves[1:]
        play = Play(s, keys(s), Chain(hashlib.sha256(deposit.envelope).hexdigest()), log)
        act(play)
        members = change(play, play.members())
        evidence = s.base_evidence(anchors=[], observations=())
        return s.write(deposit, evidence, extra_members=members)

    return build


def acts(*steps: Callable[[Play], None]) -> Callable[[Play], None]:
    def act(play: Play) -> None:
        for step in steps:
            step(play)

    return act


def trusting(*names: str, revoked: tuple[str, ...] = ()) -> Callable[[Setting], Trust]:
    """A trust file that names these as custodians."""

    def make(s: Setting) -> Trust:
        found = keys(s)
        return s.trust(
            custodians=tuple(NamedKey(_NAMES[name], found[name].public) for name in names),
            revoked_keys=frozenset(found[name].public.keyid for name in revoked),
        )

    return make


def without(*names: str) -> Callable[[Play, Members], Members]:
    return lambda _, members: {name: data for name, data in members.items() if name not in names}


def otherwise(
    play: Play,
    change: Callable[[dict[str, Any]], object],
    what: str = "storage",
    signers: tuple[str, ...] | None = None,
) -> None:
    """An event that this software would not make, signed by these, else by all who have to."""
    to = "court" if what == "handover" else None
    offer = play.draft(what, to=to).sign(play.keys["company"])
    value = parse(read_custody(offer).envelope.payload)
    assert isinstance(value, dict)
    change(value)
    signers = signers or ("company", *([to] if to else []))
    play.take(sign(dump(value), CUSTODY_PAYLOAD_TYPE, *(play.keys[name] for name in signers)))


def _by_a_new_key(play: Play, members: Members) -> Members:
    signer = NoteSigner(play.log.signer.verifier.name, play.setting.stream.key())
    proof = play.log.proof(play.places[1], play.places[1] + 1, signer)
    return {**members, custody_members(2)[2]: proof}


def cases() -> list[Case]:
    found = Cases("custody")
    everybody = trusting("court", "appraiser")
    found.passes(
        "there-and-back",
        "sealed, given to a court, opened, copied, returned",
        custody(journey),
        trust=everybody,
    )
    found.passes("of-strangers", "the trust file knows none who had it", custody(journey), open=(KEYS,))
    found.passes(
        "one-stranger",
        "the trust file does not know the appraiser",
        custody(journey),
        trust=trusting("court"),
        open=(KEYS,),
    )
    found.passes("kept", "the depositor kept it, and says so", custody(lambda play: play.add("storage")))
    found.passes(
        "destroyed",
        "a copy that is destroyed",
        custody(
            acts(
                lambda play: play.add("copy-handover", to="court", before=A, after=A),
                lambda play: play.add("destruction", "court", before=A),
            )
        ),
        open=(KEYS,),
    )
    found.passes(
        "never-recorded",
        "the last event is signed and not on record",
        custody(short, without(*custody_members(2)[1:])),
        absent=(LOG,),
        open=(KEYS,),
    )
    found.passes(
        "log-key-unknown",
        "on record by a key that nobody knows",
        custody(short, _by_a_new_key),
        open=(LOG, KEYS),
    )
    found.fails(
        "of-a-revoked-key",
        "the trust file lists the court's key as revoked",
        KEYS,
        custody(),
        trust=trusting("court", revoked=("court",)),
    )
    found.stays_open(
        "of-a-later-version",
        "an event of a version that is not known",
        (CHAIN, SIGNATURES, LOG, KEYS),
        custody(lambda play: otherwise(play, lambda value: value.update(type="mizheng/custody/v2"))),
    )
    return found.all
