"""Supplements: what is deposited later names an earlier deposit, or says that it does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from mizheng.verifier.members import SUPPLEMENTED, SUPPLEMENTED_PROOF
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.record import build_record
from mizheng.verifier.trust import Trust, TrustedLog

from tests.support.world import Deposit

from .case import Case, Cases
from .setting import Log, Members, Setting, ordered
from .sound import own_manifest

Enclose = Callable[[Setting, Log], Members]
_LINK = "supplement.link"


def cases() -> list[Case]:
    found = Cases("supplement")
    found.passes("sound", "a notarization deed that names an earlier deposit of its company", supplement)
    found.passes(
        "two", "two supplements of one deposit in one seal", lambda s: supplement(s, names=(first, first))
    )
    found.passes(
        "alone",
        "the deposit that it names is not enclosed: that it stands in the log is not shown",
        lambda s: supplement(s, enclose=lambda _s, _log: {}),
        open=(_LINK,),
    )
    found.passes(
        "unknown-log-key",
        "the place of the deposit that it names is signed by a key that nobody knows",
        lambda s: supplement(s, enclose=signed_by_stranger),
        open=(_LINK,),
    )
    found.passes(
        "other-log",
        "the deposit that it names is in another log: no order is shown",
        lambda s: supplement(s, enclose=in_other_log),
        trust=lambda s: trusting(s, other_signer(s)),
        open=(_LINK,),
    )

    def fails(name: str, why: str, build: Callable[[Setting], Members], **more: object) -> None:
        found.fails(name, why, _LINK, build, **more)

    fails(
        "other-deposit",
        "the deposit that is enclosed is not the one it names",
        lambda s: supplement(s, enclose=enclosing(second)),
    )
    fails(
        "one-of-two",
        "two supplements name two deposits, and one of them is enclosed",
        lambda s: supplement(s, names=(first, second)),
    )
    fails(
        "of-another-company",
        "it names another company's deposit",
        lambda s: supplement(s, names=(other,), enclose=enclosing(other)),
    )
    fails("not-earlier", "the deposit that it names was put into the log after it", named_before_deposited)
    fails(
        "other-tree",
        "the deposit that it names is in another tree of the same size",
        lambda s: supplement(s, enclose=in_other_tree),
    )
    fails(
        "place-of-another",
        "the proof is of another entry than the deposit that it names",
        lambda s: supplement(s, enclose=enclosing(first, place=second)),
    )
    fails(
        "no-proof",
        "the deposit that it names, without its place in the log",
        lambda s: half(s, SUPPLEMENTED),
    )
    fails("proof-alone", "a place in the log without the deposit", lambda s: half(s, SUPPLEMENTED_PROOF))
    fails(
        "broken-signature",
        "the deposit that is enclosed has a signature that does not hold",
        lambda s: supplement(s, enclose=with_broken_signature),
    )
    fails("unnamed", "a deposit is enclosed that no opened record names", unnamed)
    return found.all


def first(s: Setting) -> bytes:
    return s.scene.first.envelope


def second(s: Setting) -> bytes:
    return s.scene.second.envelope


def other(s: Setting) -> bytes:
    return s.scene.other.envelope


def enclosing(what: Callable[[Setting], bytes], place: Callable[[Setting], bytes] | None = None) -> Enclose:
    """Encloses this envelope with its place in the log, or another one's."""
    return lambda s, log: enclosed(what(s), log.proof(index_of(s, (place or what)(s))))


def enclosed(envelope: bytes, proof: bytes) -> Members:
    return {SUPPLEMENTED: envelope, SUPPLEMENTED_PROOF: proof}


def index_of(s: Setting, envelope: bytes) -> int:
    deposits: Sequence[Deposit] = (s.scene.first, s.scene.second, s.scene.other)
    return next(deposit.index for deposit in deposits if deposit.envelope == envelope)


def supplement(
    s: Setting,
    names: Sequence[Callable[[Setting], bytes]] = (first,),
    enclose: Enclose | None = None,
) -> Members:
    """A bundle that opens one supplement for each of the envelopes that it names; encloses the first."""
    key = s.stream.take(32)
    records = {str(number): record(key, number, what(s)) for number, what in enumerate(names, 1)}
    log, deposit = own_manifest(s, key, records)
    members = s.stamped(log, deposit, opened=tuple(records))
    return ordered({**members, **(enclose or enclosing(first))(s, log)})


def record(key: bytes, number: int, envelope: bytes) -> bytes:
    fields = {
        "matter": "泵体图纸",
        "type": "notarization",
        "title": "公证书",
        "envelope_sha256": hashlib.sha256(envelope).hexdigest(),
    }
    return build_record(key, "supplement", str(number).encode(), fields)


def signed_by_stranger(s: Setting, log: Log) -> Members:
    stranger = NoteSigner(log.signer.verifier.name, s.stream.key())
    return enclosed(first(s), log.proof(s.scene.first.index, signer=stranger))


def other_signer(s: Setting) -> NoteSigner:
    """Of another log: the key that the other notary has."""
    return NoteSigner("other.example/log", s.scene.foreign.log_key)


def trusting(s: Setting, signer: NoteSigner) -> Trust:
    known = s.trust().logs
    return s.trust(logs=(*known, TrustedLog(signer.verifier, 0, None)))


def in_other_log(s: Setting, log: Log) -> Members:
    elsewhere = Log(other_signer(s), list(log.leaves))
    return enclosed(first(s), elsewhere.proof(s.scene.first.index))


def in_other_tree(s: Setting, log: Log) -> Members:
    forked = log.copy()
    forked.leaves[-1] = s.stream.take(32)
    return enclosed(first(s), forked.proof(s.scene.first.index))


def named_before_deposited(s: Setting) -> Members:
    """An envelope that was signed, named, and put into the log when what names it was there already."""
    key, waiting = s.stream.take(32), s.deposit(s.log(), s.acme, beacon=False)
    records = {"1": record(key, 1, waiting.envelope)}
    log, deposit = own_manifest(s, key, records)
    index = log.append(waiting.envelope)
    members = s.stamped(log, deposit, opened=("1",))
    return ordered({**members, **enclosed(waiting.envelope, log.proof(index))})


def half(s: Setting, kept: str) -> Members:
    return supplement(s, enclose=lambda s, log: {kept: enclosing(first)(s, log)[kept]})


def with_broken_signature(s: Setting, log: Log) -> Members:
    found = enclosing(first)(s, log)
    envelope = found[SUPPLEMENTED]
    place = envelope.index(b'"sig":"') + 8
    other_char = b"A" if envelope[place : place + 1] != b"A" else b"B"
    return {**found, SUPPLEMENTED: envelope[:place] + other_char + envelope[place + 1 :]}


def unnamed(s: Setting) -> Members:
    return ordered({**s.base, **enclosed(second(s), s.world.proof(s.scene.second.index, s.scene.anchor[0]))})
