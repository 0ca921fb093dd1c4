"""Evidence `mizheng/validator-seals/v1`: one block, and the headers whose seals show that its chain has it.

In order of checking:

1. form       canonical JSON, headers of the kind it names
2. block      the first header has the evidence's number and hash; each further one follows on the one before
3. seals      every seal is a signature; none counts twice; a header that lists its validators is sealed by
              enough of those and by nobody else
4. validators the trust file names validators of this kind for this block, the same that the header lists
5. quorum     enough of them sealed

Up to 3 the evidence is held against itself, and whatever is wrong is a ChainProofError or FormatError. From 4
on it is held against the trust file: another set of validators may be a later one, so what does not fit is an
NotBelievedError, and the block is not proven. It proves no chain id: the seals sign none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..canonical import dump, from_hex, parse_typed
from ..errors import LimitError, NotBelievedError, VersionError
from ..evm.block import Block, Chain, limited_hex, natural, parse_chain, verify_block
from . import bft, clique
from .sealed import MAX_SEALED_HEADER_BYTES, SealedHeader, parse_sealed
from .validators import CLIQUE, KINDS, MAX_VALIDATORS, ValidatorSet, find_set

TYPE = "mizheng/validator-seals/v1"
# Clique never needs more than its signers; a set that asks for more than the protocol may see some twice.
MAX_HEADERS = 2 * MAX_VALIDATORS
# 256 clique headers of 700 bytes in hex, some with a list of signers, or one BFT header of 128 seals.
MAX_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class SealEvidence:
    """Everything in one `seals/NNNN.json`; nothing of it is true until `verify_seals` says so."""

    chain: Chain
    kind: str
    """clique, ibft2 or qbft."""
    number: int
    hash: bytes
    headers: tuple[bytes, ...]
    """RLP as a node shows it, seals included: the block's own; for clique those that follow, in order."""


@dataclass(frozen=True, slots=True)
class SealFinding:
    """What the seals prove: this block belongs to the chain whose validators these are."""

    number: int
    hash: bytes
    by: tuple[str, ...]
    """What the holders of the validators that sealed are called."""
    count: int
    """How many of the set's validators sealed."""
    needed: int
    of: int
    """How many the set has."""

    @property
    def who(self) -> str:
        """For people: names, and how many of how many."""
        return f"{', '.join(self.by)} ({self.count}/{self.of})"


def parse_seals(data: bytes) -> SealEvidence:
    """Read canonical evidence; FormatError, or VersionError for a type or kind not known here."""
    fields = parse_typed(
        data,
        TYPE,
        {"chain": dict, "kind": str, "number": int, "hash": str, "headers": list},
        max_bytes=MAX_BYTES,
    )
    if fields["kind"] not in KINDS:
        raise VersionError("unsupported kind of validators {kind!r}", kind=fields["kind"][:32])
    limit = MAX_HEADERS if fields["kind"] == CLIQUE else 1
    if not 1 <= len(fields["headers"]) <= limit:
        raise LimitError(
            "{count} headers, where 1 to {limit} belong", count=len(fields["headers"]), limit=limit
        )
    return SealEvidence(
        parse_chain(fields["chain"]),
        fields["kind"],
        natural(fields["number"]),
        from_hex(fields["hash"], 32),
        tuple(limited_hex(header, MAX_SEALED_HEADER_BYTES) for header in fields["headers"]),
    )


def dump_seals(evidence: SealEvidence) -> bytes:
    """The canonical bytes of `evidence`."""
    return dump(
        {
            "type": TYPE,
            "chain": evidence.chain.to_json(),
            "kind": evidence.kind,
            "number": evidence.number,
            "hash": evidence.hash.hex(),
            "headers": [header.hex() for header in evidence.headers],
        }
    )


def read_seals(evidence: SealEvidence) -> tuple[SealedHeader, ...]:
    """Steps 2 and 3: the headers, sound in themselves; ChainProofError or FormatError otherwise."""
    headers = tuple(parse_sealed(evidence.kind, header) for header in evidence.headers)
    verify_block(Block(evidence.number, evidence.hash, headers[0].hashed))
    if evidence.kind == CLIQUE:
        clique.check_headers(headers)
    else:
        bft.check_header(headers[0])
    return headers


def judge_seals(
    evidence: SealEvidence, headers: Sequence[SealedHeader], sets: Sequence[ValidatorSet]
) -> SealFinding:
    """Steps 4 and 5: who of the named validators sealed; NotBelievedError if that proves nothing."""
    trusted = find_set(sets, evidence.kind, evidence.number)
    if evidence.kind == CLIQUE:
        sealed = clique.judge_headers(headers, trusted, sets)
    else:
        sealed = bft.judge_header(headers[0], trusted)
    if len(sealed) < trusted.needed:
        raise NotBelievedError(
            "{count} of {of} validators of the trust file sealed, {needed} are needed",
            count=len(sealed),
            of=len(trusted.members),
            needed=trusted.needed,
        )
    return SealFinding(
        evidence.number,
        evidence.hash,
        tuple(trusted.names(sorted(sealed))),
        len(sealed),
        trusted.needed,
        len(trusted.members),
    )


def verify_seals(evidence: SealEvidence, sets: Sequence[ValidatorSet]) -> SealFinding:
    """All steps; what of the chain's validators the trust file names vouches for the block."""
    return judge_seals(evidence, read_seals(evidence), sets)
