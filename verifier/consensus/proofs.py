"""The registry: every kind of consensus proof, by the group of its members in a bundle.

A further kind (Ethereum's sync committee, the native proof of a foreign chain) is a further row: its own
type, its own member and check code, a function that reads it, and what it is rooted in as a field of `Roots`.
Nothing else in the verifier knows how many kinds there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..evm.block import Chain
from . import seals
from .validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Roots:
    """What a trust file says of one chain's consensus."""

    validators: tuple[ValidatorSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A proof that holds up by itself: which block it is about. Whether to believe it says `judge`."""

    chain: Chain
    number: int
    hash: bytes
    judge: Callable[[Roots], seals.SealFinding]
    """What it proves to whoever trusts these roots; NotBelievedError if nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One kind of proof."""

    group: str
    """Of the bundle's members."""
    code: str
    """Of the check."""
    max_bytes: int
    read: Callable[[bytes], Claim]
    """FormatError, VersionError or ChainProofError for what is no such proof."""


def _read_seals(data: bytes) -> Claim:
    evidence = seals.parse_seals(data)
    headers = seals.read_seals(evidence)
    return Claim(
        evidence.chain,
        evidence.number,
        evidence.hash,
        lambda roots: seals.judge_seals(evidence, headers, roots.validators),
    )


PROOFS = (Proof("seals", "anchor.seals", seals.MAX_BYTES, _read_seals),)
