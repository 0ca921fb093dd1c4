"""`beacon.json`: the header of the block that a statement names as `not_before`.

A hash that nobody could know before its block existed dates the signing of the statement, once the
block is known to be the chain's.
"""

from __future__ import annotations

from dataclasses import dataclass

from .canonical import dump, parse_typed
from .errors import ChainProofError
from .evm.block import (
    Block,
    Chain,
    as_proof_error,
    parse_block,
    parse_chain,
    verify_block,
)
from .evm.header import MAX_HEADER_BYTES, Header
from .statement import BlockReference

TYPE = "mizheng/beacon/v1"
# The header in hex and some 300 bytes around it.
MAX_BYTES = 2 * MAX_HEADER_BYTES + 1024


@dataclass(frozen=True, slots=True)
class Beacon:
    """A block and its chain."""

    chain: Chain
    block: Block

    @property
    def reference(self) -> BlockReference:
        """What a statement says to name this block."""
        return BlockReference(
            self.chain.chain_id, self.chain.genesis_hash, self.block.number, self.block.hash
        )


def parse_beacon(data: bytes) -> Beacon:
    """Read canonical bytes; FormatError, or VersionError for a type or kind of chain not known here."""
    fields = parse_typed(
        data, TYPE, {"chain": dict, "number": int, "hash": str, "header": str}, max_bytes=MAX_BYTES
    )
    block = {name: fields[name] for name in ("number", "hash", "header")}
    return Beacon(parse_chain(fields["chain"]), parse_block(block))


def dump_beacon(beacon: Beacon) -> bytes:
    """The canonical bytes of `beacon`."""
    return dump({"type": TYPE, "chain": beacon.chain.to_json(), **beacon.block.to_json()})


@as_proof_error()
def verify_beacon(beacon: Beacon, not_before: BlockReference) -> Header:
    """Return the header if hash and number are its own and it is the block that the statement names."""
    if beacon.reference != not_before:
        raise ChainProofError("the beacon is another block than the statement names")
    return verify_block(beacon.block)
