"""Blocks of anchors sealed anew: the evidence proves what it did, on a header that our validators sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mizheng.verifier.anchor import AnchorEvidence, dump_anchor
from mizheng.verifier.consensus.seals import SealEvidence, dump_seals
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import Block, Chain
from mizheng.verifier.evm.header import parse_header
from mizheng.verifier.evm.keccak import keccak256

from tests.support.sealing import BftHeader, Sealer, clique_header, make_sealers, plain_fields

FOUR = make_sealers(4)


@dataclass
class Sealed:
    """One block, sealed: the evidence's block and the seals over it."""

    chain: Chain
    block: Block
    seals: bytes


def seal(
    kind: str,
    chain: Chain,
    header: bytes,
    sealers: list[Sealer] = FOUR,
    count: int = 4,
    *,
    above: int = 0,
    timestamp: int | None = None,
) -> Sealed:
    """The header with its extraData and `count` seals, which in clique stand in headers on top of it.

    `above` makes it a block of a later height, `timestamp` of another time.
    """
    fields: list[rlp.Encodable] = list(rlp.as_list(rlp.decode(header, max_bytes=8192)))
    number = parse_header(header).number + above
    fields[8] = number
    if timestamp is not None:
        fields[11] = timestamp
    if kind == "clique":
        shown = _clique(fields, number, sealers, count)
        hashed = shown[0]
    else:
        draft = BftHeader(kind, fields, [sealer.address for sealer in sealers])
        shown, hashed = [draft.sealed_by(sealers[:count])], draft.hashed()
    block = Block(number, keccak256(hashed), hashed)
    named = replace(chain, kind=kind)
    return Sealed(named, block, dump_seals(SealEvidence(named, kind, number, block.hash, tuple(shown))))


def _clique(fields: list[rlp.Encodable], number: int, sealers: list[Sealer], count: int) -> list[bytes]:
    fields[7] = 2
    headers = [clique_header(fields, sealers[number % len(sealers)])]
    for later in range(number + 1, number + count):
        following = plain_fields(later, parent=keccak256(headers[-1]))
        following[7] = 2
        headers.append(clique_header(following, sealers[later % len(sealers)]))
    return headers


def on(evidence: AnchorEvidence, sealed: Sealed) -> bytes:
    """The anchor, on the sealed form of its block."""
    storage = evidence.storage and replace(evidence.storage, block=sealed.block)
    return dump_anchor(replace(evidence, chain=sealed.chain, block=sealed.block, storage=storage))
