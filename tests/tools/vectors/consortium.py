"""Chains that their own validators vouch for, and chains whose headers are foreign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.anchor import AnchorEvidence, dump_anchor
from mizheng.verifier.consensus.validators import parse_validators
from mizheng.verifier.evm.block import Chain
from mizheng.verifier.foreign import ForeignAnchor, dump_foreign
from mizheng.verifier.observation import Observation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLogId

from tests.support.sealedblocks import FOUR, Sealed, on, seal
from tests.support.sealing import Sealer, make_sealers
from tests.support.world import AT, ORIGIN
from tests.verifier.evm import world as evm

from .case import Bundle, Case, Cases
from .setting import ANCHOR, ISSUED_AT, Members, Setting, ordered

_STRANGERS = make_sealers(4, first=400)
_SEALS = "seals/0001.json"
_FOREIGN = Chain("fisco-bcos", 20200, b"\x0f" * 32)
_CONTRACT, _CODE, _LOG_ID = b"\x0a" * 20, b"\x0b" * 32, b"\x0c" * 32


def cases() -> list[Case]:
    return [*_sealed(), *_foreign(), *_real()]


def sealed(s: Setting, kind: str, **more: Any) -> Sealed:
    return seal(kind, s.evidence.chain, s.evidence.block.header, **more)


def on_sealed(s: Setting, block: Sealed, *seals: bytes) -> Members:
    """Nothing but the anchor on this block, and seals, dates it; no beacon."""
    gone = ("timestamps/", "observations/", "beacon")
    members = {name: data for name, data in s.base.items() if not name.startswith(gone)}
    more = {f"seals/{place:04}.json": data for place, data in enumerate(seals, 1)}
    return ordered({**members, ANCHOR: on(s.evidence, block), **more})


def validators(kind: str, sealers: list[Sealer] = FOUR, **more: Any) -> Callable[[Setting], Trust]:
    """Names validators, and nobody else who could vouch for a block."""
    rows = [{"name": each.name, "address": each.address.hex()} for each in sealers]

    def trust(s: Setting) -> Trust:
        (chain,) = s.trust().chains
        named = parse_validators([{"kind": kind, "from_block": 0, "members": rows, **more}])
        renamed = replace(chain, name="consortium", kind=kind, validators=named)
        return s.trust(observers=(), observer_quorum=1, chains=(renamed,))

    return trust


def _sealed() -> list[Case]:
    found = Cases("seals")

    def build(kind: str, **more: Any) -> Callable[[Setting], Bundle]:
        def made(s: Setting) -> Members:
            block = sealed(s, kind, **more)
            return on_sealed(s, block, block.seals)

        return made

    canonical, seals = "anchor.canonical", "anchor.seals"
    for kind in ("clique", "ibft2", "qbft"):
        trust = validators(kind)
        found.passes(
            f"{kind}-quorum",
            f"three of four validators sealed the block ({kind})",
            build(kind, count=3),
            trust=trust,
        )
        found.add(
            f"{kind}-one-too-few",
            f"a seal too few for a quorum ({kind})",
            "undetermined" if kind == "clique" else "invalid",
            build(kind, count=2),
            trust=trust,
            failing=() if kind == "clique" else (seals,),
            open=(canonical,),
        )
        found.stays_open(
            f"{kind}-strangers",
            f"a chain of somebody's own, sound in itself ({kind})",
            (seals, canonical),
            build(kind, sealers=_STRANGERS),
            trust=trust,
        )
    trust = validators("qbft")
    found.stays_open(
        "none",
        "a sealed block whose seals are not shown",
        canonical,
        lambda s: on_sealed(s, sealed(s, "qbft")),
        trust=trust,
    )
    found.stays_open(
        "of-another-block",
        "seals of a later block",
        canonical,
        lambda s: on_sealed(s, sealed(s, "qbft"), sealed(s, "qbft", above=1).seals),
        trust=trust,
    )
    found.fails(
        "of-another-block-of-this-height",
        "seals of another block at this height: a fork",
        canonical,
        lambda s: on_sealed(s, sealed(s, "qbft"), sealed(s, "qbft", timestamp=1_800_000_000).seals),
        trust=trust,
    )
    found.stays_open(
        "kind-not-trusted",
        "validators of another kind of consensus",
        (seals, canonical),
        build("ibft2"),
        trust=trust,
    )
    found.fails("not-canonical", "seals with white space in their JSON", seals, spaced, trust=trust)
    found.stays_open("no-trust-file", "seals, and nobody who is believed", seals, build("qbft"), trust=None)
    return found.all


def spaced(s: Setting) -> Members:
    block = sealed(s, "qbft")
    return on_sealed(s, block, block.seals.replace(b",", b", "))


def _foreign() -> list[Case]:
    found = Cases("foreign", trust=trust_of_foreign())
    code = "foreign.observed"

    def opens(name: str, why: str, build: Callable[[Setting], Bundle], **more: object) -> None:
        found.stays_open(name, why, code, build, **more)

    found.passes(
        "beside-a-token",
        "two observers stand for it, and a token dates it",
        lambda s: with_foreign(s, signed(s)),
    )
    found.stays_open(
        "alone",
        "two observers stand for it: no canonical anchor all the same, and no time",
        (),
        lambda s: without_token(with_foreign(s, signed(s))),
    )
    opens(
        "one-observer",
        "one observer of two, on a foreign chain",
        lambda s: only(s, signed(s, 1)),
    )
    opens("nobody", "nobody who stands for it", lambda s: only(s, signed(s, 0)))
    opens(
        "unknown-chain",
        "a chain that the trust file does not know",
        lambda s: only(s, signed(s)),
        trust="observers",
    )
    opens(
        "other-contract-trusted",
        "the trust file knows another contract, on a foreign chain",
        lambda s: only(s, signed(s)),
        trust=trust_of_foreign(contract=bytes(20)),
    )
    opens(
        "later-kind",
        "a kind of chain to come, on a foreign chain",
        lambda s: only(s, signed(s).replace(b"fisco-bcos", b"fisco-next")),
    )
    found.fails(
        "other-root",
        "another root than the head's",
        code,
        lambda s: with_foreign(s, signed(s, root_hash=bytes(32))),
    )
    found.fails(
        "other-size",
        "a tree size for which the bundle proves nothing",
        code,
        lambda s: with_foreign(s, signed(s, tree_size=4)),
    )
    found.fails(
        "claim-changed",
        "the observers said something else",
        code,
        lambda s: with_foreign(s, claim_changed(s)),
    )
    found.fails(
        "signed-by-another",
        "an observation in an observer's name that another key signed, on a foreign chain",
        code,
        lambda s: with_foreign(s, other_signer(s)),
    )
    return found.all


def foreign_anchor(s: Setting, **changes: Any) -> ForeignAnchor:
    made = ForeignAnchor(_FOREIGN, _CONTRACT, _CODE, _LOG_ID, 5, s.evidence.root_hash, 77, b"\x0d" * 32, AT)
    return replace(made, **changes)


def signed(s: Setting, observers: int = 2, **changes: Any) -> bytes:
    anchor = foreign_anchor(s, **changes)
    seen = tuple(anchor.observe("instant", AT, key) for key in s.world.observers[:observers])
    return dump_foreign(anchor.with_observations(seen))


def claim_changed(s: Setting) -> bytes:
    anchor = foreign_anchor(s)
    seen = tuple(anchor.observe("instant", AT, key) for key in s.world.observers[:2])
    return dump_foreign(replace(anchor, number=78).with_observations(seen))


def other_signer(s: Setting) -> bytes:
    anchor, (one, two, _) = foreign_anchor(s), s.world.observers
    forged = PrivateKey.from_pem(s.stream.key().to_pem())
    # The payload names the second observer, the signature is another's.
    forged.public = two.public
    seen = (anchor.observe("instant", AT, one), anchor.observe("instant", AT, forged))
    return dump_foreign(anchor.with_observations(seen))


def with_foreign(s: Setting, data: bytes) -> Members:
    return ordered({**s.small, "foreign/0001.json": data})


def without_token(members: Members) -> Members:
    return {name: data for name, data in members.items() if not name.startswith("timestamps/")}


def only(s: Setting, data: bytes) -> Members:
    return without_token(with_foreign(s, data))


def trust_of_foreign(**changes: Any) -> Callable[[Setting], Trust]:
    def trust(s: Setting) -> Trust:
        log_ids = (TrustedLogId(ORIGIN, _LOG_ID, 0, None),)
        chain = TrustedChain(
            "court chain",
            _FOREIGN.kind,
            _FOREIGN.chain_id,
            _FOREIGN.genesis_hash,
            _CONTRACT,
            _CODE,
            log_ids,
            {},
        )
        return s.trust(chains=(*s.trust().chains, replace(chain, **changes)))

    return trust


def _real() -> list[Case]:
    """A chain that is none for trying: made at home as well, and vouched for by observers."""
    found = Cases("sound", trust=lambda s: real_trust(s))
    found.passes("real-chain", "a chain that is not for trying: no word of TRIAL", real_chain)
    return found.all


def _real_block(s: Setting) -> tuple[evm.World, int]:
    event = evm.anchored_log(5, s.evidence.root_hash, contract=evm.CONTRACT, log_id=evm.LOG_ID)
    receipts = [evm.build_receipt(2, [evm.transfer_log(n)]) for n in range(3)]
    return evm.World(23_000_000, [*receipts, evm.build_receipt(2, [event])], timestamp=1_795_400_000), 3


def real_chain(s: Setting) -> Members:
    block, index = _real_block(s)
    anchor = AnchorEvidence(
        evm.CHAIN,
        evm.CONTRACT,
        evm.LOG_ID,
        5,
        s.evidence.root_hash,
        block.block,
        block.receipt_proof(index, 0),
        None,
    )
    reference = BlockReference(evm.CHAIN.chain_id, evm.CHAIN.genesis_hash, block.number, block.block.hash)
    seen = [Observation(reference, "finalized", ISSUED_AT).sign(key) for key in s.world.observers[:2]]
    return s.write(
        s.scene.first,
        s.base_evidence(anchors=[dump_anchor(anchor)], observations=seen, beacon=None, timestamps=()),
    )


def real_trust(s: Setting) -> Trust:
    log_ids = (TrustedLogId(ORIGIN, evm.LOG_ID, 0, None),)
    chain = TrustedChain(
        "Ethereum",
        "ethereum",
        evm.CHAIN.chain_id,
        evm.CHAIN.genesis_hash,
        evm.CONTRACT,
        evm.CODE_HASH,
        log_ids,
        {},
    )
    return s.trust(chains=(chain,))
