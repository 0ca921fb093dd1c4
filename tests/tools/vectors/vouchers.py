"""Who vouches for a block: observers, pins; and the not-before block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.beacon import Beacon, dump_beacon, parse_beacon
from mizheng.verifier.dsse import parse as parse_envelope
from mizheng.verifier.dsse import sign
from mizheng.verifier.evm.block import Block
from mizheng.verifier.observation import PAYLOAD_TYPE, Observation
from mizheng.verifier.signature import PrivateKey

from tests.support.world import AT
from tests.verifier.attacks.forging import FREE_NUMBER, IN_2020, home_made

from .case import Bundle, Case, Cases
from .chains import chain_of, observe, untimed, with_observations
from .setting import BEACON, Members, Setting


def cases() -> list[Case]:
    return [*_observers(), *_beacons()]


def _observers() -> list[Case]:
    found = Cases("observer")
    code = "anchor.canonical"

    def opens(name: str, why: str, seen: Callable[[Setting, Block, list[PrivateKey]], list[bytes]]) -> None:
        found.stays_open(name, why, code, lambda s: seen_by(s, seen))

    opens("nobody", "no observer at all", lambda *_: [])
    opens("one-of-two", "one observer where two are asked for", lambda s, b, k: [observe(s, b, k[0])])
    opens("one-twice", "one observer's word twice", lambda s, b, k: [observe(s, b, k[0])] * 2)
    opens(
        "one-and-a-stranger",
        "one observer and somebody whom the trust file does not know",
        lambda s, b, k: [observe(s, b, k[0]), observe(s, b, k[2])],
    )
    opens(
        "other-number",
        "the second observer saw a block of another number",
        lambda s, b, k: [observe(s, b, k[0]), observe(s, b, k[1], number=b.number + 1)],
    )
    opens(
        "other-chain",
        "the second observer saw a block of another chain",
        lambda s, b, k: [observe(s, b, k[0]), observe(s, b, k[1], chain_id=1)],
    )
    opens(
        "other-genesis",
        "the second observer saw a block of another genesis",
        lambda s, b, k: [observe(s, b, k[0]), observe(s, b, k[1], genesis_hash=bytes(32))],
    )
    opens(
        "issuer-and-log",
        "the notary's own keys are no observers",
        lambda s, b, _: [observe(s, b, s.world.issuer), observe(s, b, s.world.log_key)],
    )
    found.fails(
        "contradicts",
        "a trusted observer saw another block at that height",
        code,
        lambda s: seen_by(s, lambda s, b, k: [observe(s, b, k[0], hash=bytes(32)), observe(s, b, k[1])]),
    )
    found.fails(
        "signed-by-another",
        "an observation in an observer's name that another key signed",
        "observation.signature",
        lambda s: seen_by(
            s, lambda s, b, k: [observe(s, b, k[0]), signed_by_another(s, observe(s, b, k[1]))]
        ),
    )
    found.fails(
        "bad-rule",
        "an observation under a rule that is no word",
        "observation.signature",
        lambda s: seen_by(s, lambda s, b, k: [Observation(s.world.reference(b), "trust me", AT).sign(k[0])]),
    )
    found.fails(
        "pin-contradicts",
        "the trust file pins another block at that height",
        code,
        untimed,
        trust=lambda s: chain_of(s, pins={s.scene.anchor_block: bytes(32)}),
    )
    return found.all


def seen_by(s: Setting, seen: Callable[[Setting, Block, list[PrivateKey]], list[bytes]]) -> Members:
    return with_observations(s, untimed(s), *seen(s, s.evidence.block, s.world.observers))


def signed_by_another(s: Setting, honest: bytes) -> bytes:
    return sign(parse_envelope(honest, PAYLOAD_TYPE).payload, PAYLOAD_TYPE, s.stream.key())


def _beacons() -> list[Case]:
    found = Cases("beacon")

    def fails(name: str, why: str, code: str, build: Callable[[Setting], Bundle], **more: object) -> None:
        found.fails(name, why, code, build, **more)

    block = "beacon.block"
    fails(
        "another",
        "another block than the statement names",
        block,
        lambda s: {**s.small, BEACON: dump_beacon(Beacon(s.world.chain.profile.identity, s.evidence.block))},
    )
    fails(
        "header",
        "a header that is not of its hash",
        block,
        lambda s: rebuilt(s, header=home_made(1, IN_2020).header),
    )
    fails("hash", "a hash that is not its header's", block, lambda s: rebuilt(s, hash=bytes(32)))
    fails("number", "a number that is not its header's", block, lambda s: rebuilt(s, number=7))
    found.add(
        "called-a-real-chain",
        "a beacon of a trial chain that calls itself a real one",
        "valid",
        lambda s: {**s.small, BEACON: dump_beacon(of_kind(s, "ethereum"))},
        open=("beacon.canonical",),
    )
    found.add(
        "of-no-chain",
        "a home-made block of 2020 as the not-before block: no earliest time",
        "valid",
        lambda s: after_block(s, home_made(FREE_NUMBER, IN_2020)),
        open=("beacon.canonical",),
    )
    fails(
        "at-a-known-height",
        "a home-made not-before block at a height that the trust file knows",
        "beacon.canonical",
        lambda s: after_block(s, home_made(1, IN_2020)),
        trust="pins",
    )
    fails(
        "later-than-the-token",
        "a not-before block later than the token: one of the two lies",
        "time.order",
        lambda s: after_block(s, _late()),
        trust=lambda s: chain_of(s, pins={FREE_NUMBER: _late().hash}),
    )
    return found.all


def _late() -> Block:
    return home_made(FREE_NUMBER, IN_2020 + 86_400 * 365 * 20)


def rebuilt(s: Setting, **changes: Any) -> Members:
    beacon = parse_beacon(s.small[BEACON])
    return {**s.small, BEACON: dump_beacon(replace(beacon, block=replace(beacon.block, **changes)))}


def of_kind(s: Setting, kind: str) -> Beacon:
    beacon = parse_beacon(s.small[BEACON])
    return replace(beacon, chain=replace(beacon.chain, kind=kind))


def after_block(s: Setting, block: Block) -> Members:
    """A deposit whose statement names this block, dated by a token."""
    log, reference = s.log(), s.world.reference(block)
    deposit = s.deposit(log, s.acme, change=lambda it: replace(it, not_before=reference))
    return s.stamped(log, deposit, beacon=dump_beacon(Beacon(s.world.chain.profile.identity, block)))
