"""Block headers that carry their validators' seals, taken apart.

Three hashes of one header must not be confused: that of its bytes as a node shows them, that which is the
block's, and that which the validators signed.

| kind | extraData | block hash over | seals sign |
| --- | --- | --- | --- |
| clique | 32 bytes, signers in epoch blocks, 65 bytes of seal | the header as it is | it without the seal |
| ibft2 | RLP [vanity, validators, vote, round, seals] | extraData of three items | of four |
| qbft | RLP [vanity, validators, vote, round, seals] | round 0, no seals | its round, no seals |

Sources: EIP-225 (clique); Besu, IbftExtraDataCodec, QbftExtraDataCodec and BftBlockHashing; GoQuorum,
core/types/istanbul.go. The forms agree with published headers of real chains (tests/vectors/consensus).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..errors import ChainProofError, FormatError, LimitError
from ..evm import rlp
from ..evm.header import Header, parse_header
from ..evm.keccak import keccak256
from .secp256k1 import SEAL_BYTES, recover_address
from .validators import CLIQUE, IBFT2, MAX_VALIDATORS

# A seal takes 67 bytes in RLP and an address 21: 128 validators that all seal, and the header around them.
MAX_SEALED_HEADER_BYTES = 12 * 1024
# What Besu and GoQuorum put into mixHash: the end of "practical byzantine fault tolerance".
BFT_DIGEST = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")

_VANITY_BYTES = 32
_DIFFICULTY, _EXTRA_DATA, _MIX_HASH = 7, 12, 13
_LEAST_FIELDS = 15


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """What of a sealed header the rules need."""

    header: Header
    """Its hash is the block's."""
    hashed: bytes
    """The RLP that has this hash: for clique the header itself, else without round and seals."""
    listed: tuple[bytes, ...]
    """The validators' addresses as the header itself lists them; none in most clique headers."""
    signers: tuple[bytes, ...]
    """Whose seals it carries, in their order; one for clique."""
    difficulty: int


def parse_sealed(kind: str, data: bytes) -> SealedHeader:
    """Read a header as a node shows it and recover who sealed it.

    FormatError for bytes that are no such header; ChainProofError for a seal that is no signature.
    """
    items = rlp.as_list(rlp.decode(data, max_bytes=MAX_SEALED_HEADER_BYTES))
    if len(items) < _LEAST_FIELDS:
        raise FormatError("a header with {count} fields", count=len(items))
    extra = rlp.as_bytes(items[_EXTRA_DATA])
    if kind == CLIQUE:
        return _parse_clique(data, items, extra)
    return _parse_bft(kind, items, extra)


def strip_seals(kind: str, data: bytes) -> bytes:
    """The bytes of the header whose Keccak-256 is the block's hash, nothing recovered or checked."""
    if kind == CLIQUE:
        return data
    items = rlp.as_list(rlp.decode(data, max_bytes=MAX_SEALED_HEADER_BYTES))
    if len(items) < _LEAST_FIELDS:
        raise FormatError("a header with {count} fields", count=len(items))
    return _split_bft(kind, items, rlp.as_bytes(items[_EXTRA_DATA])).hashed


def _parse_clique(data: bytes, items: tuple[rlp.Item, ...], extra: bytes) -> SealedHeader:
    signed, seal = extra[:-SEAL_BYTES], extra[-SEAL_BYTES:]
    listed = signed[_VANITY_BYTES:]
    if len(extra) < _VANITY_BYTES + SEAL_BYTES or len(listed) % 20:
        raise FormatError("extraData that is not clique's")
    addresses = tuple(listed[start : start + 20] for start in range(0, len(listed), 20))
    if len(addresses) > MAX_VALIDATORS:
        raise _too_many(len(addresses))
    # EIP-225: in an epoch block in ascending order, so each of them once.
    if any(left >= right for left, right in pairwise(addresses)):
        raise ChainProofError("a clique header whose list of signers is not in order")
    digest = keccak256(rlp.encode(_with_extra(items, signed)))
    return SealedHeader(
        header=parse_header(data),
        hashed=data,
        listed=addresses,
        signers=(recover_address(digest, seal),),
        difficulty=rlp.as_int(items[_DIFFICULTY], 32),
    )


@dataclass(frozen=True, slots=True)
class _Split:
    """The two forms of a BFT header, its list of validators and its seals."""

    hashed: bytes
    signed: bytes
    listed: tuple[bytes, ...]
    seals: tuple[bytes, ...]


def _parse_bft(kind: str, items: tuple[rlp.Item, ...], extra: bytes) -> SealedHeader:
    split = _split_bft(kind, items, extra)
    digest = keccak256(split.signed)
    return SealedHeader(
        header=parse_header(split.hashed),
        hashed=split.hashed,
        listed=split.listed,
        signers=tuple(recover_address(digest, seal) for seal in split.seals),
        difficulty=rlp.as_int(items[_DIFFICULTY], 32),
    )


def _split_bft(kind: str, items: tuple[rlp.Item, ...], extra: bytes) -> _Split:
    if items[_MIX_HASH] != BFT_DIGEST:
        raise FormatError("a header whose mixHash is not that of BFT consensus")
    vanity, validators, vote, consensus_round, seals = rlp.as_list(
        rlp.decode(extra, max_bytes=MAX_SEALED_HEADER_BYTES), 5
    )
    # Fixed: GoQuorum tells its older extraData apart by what stands after 32 bytes.
    rlp.as_bytes(vanity, _VANITY_BYTES)
    listed = tuple(rlp.as_bytes(address, 20) for address in rlp.as_list(validators))
    signatures = tuple(rlp.as_bytes(seal, SEAL_BYTES) for seal in rlp.as_list(seals))
    for count in (len(listed), len(signatures)):
        if count > MAX_VALIDATORS:
            raise _too_many(count)
    kept: list[rlp.Encodable] = [vanity, validators, vote]
    if kind == IBFT2:
        rlp.as_bytes(consensus_round, 4)
        hashed, signed = kept, [*kept, consensus_round]
    else:
        rlp.as_int(consensus_round, 4)
        hashed, signed = [*kept, 0, []], [*kept, consensus_round, []]
    return _Split(
        rlp.encode(_with_extra(items, rlp.encode(hashed))),
        rlp.encode(_with_extra(items, rlp.encode(signed))),
        listed,
        signatures,
    )


def _with_extra(items: tuple[rlp.Item, ...], extra: bytes) -> list[rlp.Encodable]:
    return [*items[:_EXTRA_DATA], extra, *items[_EXTRA_DATA + 1 :]]


def _too_many(count: int) -> LimitError:
    return LimitError("{count} validators, more than the {limit} allowed", count=count, limit=MAX_VALIDATORS)
