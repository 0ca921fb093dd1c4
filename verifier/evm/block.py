"""A chain's name and one of its blocks, as anchors, beacons and observations carry them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..canonical import MAX_INTEGER, from_hex, require_fields
from ..errors import ChainProofError, FormatError, LimitError, VersionError
from .header import MAX_HEADER_BYTES, Header, parse_header

# All have Ethereum's headers and tries. Those of clique, ibft2 and qbft carry their validators' seals; a
# trial chain lives inside a notary and is no evidence.
KINDS = ("ethereum", "clique", "ibft2", "qbft", "trial")


@dataclass(frozen=True, slots=True)
class Chain:
    """Which chain. Nothing in a block proves this: it is compared with the trust file."""

    kind: str
    chain_id: int
    genesis_hash: bytes

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "chain_id": self.chain_id, "genesis_hash": self.genesis_hash.hex()}


@dataclass(frozen=True, slots=True)
class Block:
    """What the evidence says of a block."""

    number: int
    hash: bytes
    header: bytes
    """The RLP whose Keccak-256 is the hash: that of ibft2 and qbft leaves round and seals out."""

    def to_json(self) -> dict[str, Any]:
        return {"number": self.number, "hash": self.hash.hex(), "header": self.header.hex()}


def parse_chain(value: object) -> Chain:
    """Read `{kind, chain_id, genesis_hash}`; VersionError for a kind with other headers than Ethereum's."""
    fields = require_fields(value, {"kind": str, "chain_id": int, "genesis_hash": str})
    if fields["kind"] not in KINDS:
        raise VersionError("unsupported kind of chain {kind!r}", kind=fields["kind"][:32])
    return Chain(fields["kind"], natural(fields["chain_id"], least=1), from_hex(fields["genesis_hash"], 32))


def parse_block(value: object) -> Block:
    """Read `{number, hash, header}`."""
    fields = require_fields(value, {"number": int, "hash": str, "header": str})
    header = limited_hex(fields["header"], MAX_HEADER_BYTES)
    return Block(natural(fields["number"]), from_hex(fields["hash"], 32), header)


def verify_block(block: Block) -> Header:
    """Return the header if hash and number are its own. It says nothing of whether the chain has it."""
    header = parse_header(block.header)
    if header.hash != block.hash:
        raise ChainProofError(
            "the header has the hash {found}, not {named}", found=header.hash.hex(), named=block.hash.hex()
        )
    if header.number != block.number:
        raise ChainProofError(
            "the header is that of block {found}, not {named}", found=header.number, named=block.number
        )
    return header


@contextmanager
def as_proof_error() -> Iterator[None]:
    """Bytes inside a proof that cannot be decoded: a ChainProofError, as all its faults. Also a decorator.

    A kind that is not known here stays a VersionError: it was not looked at, so it is no fault.
    """
    try:
        yield
    except VersionError:
        raise
    except FormatError as error:
        raise ChainProofError(error.message, error.hint, **error.values) from error


def natural(value: int, *, least: int = 0) -> int:
    """A whole number from `least` up to what JSON holds."""
    if not least <= value <= MAX_INTEGER:
        raise FormatError("a number below {least} or too large", least=least)
    return value


def limited_hex(value: object, limit: int) -> bytes:
    """Bytes of lower-case hex, at most `limit` of them."""
    data = from_hex(value)
    if len(data) > limit:
        raise LimitError("{size} bytes, more than the {limit} allowed", size=len(data), limit=limit)
    return data
