"""The validators of a chain, as a trust file names them: who they are, for which blocks, how many must seal.

[[chains.validators]]
kind = "qbft"               # clique, ibft2 or qbft: how their headers carry the seals
from_block = 0              # the first block these validators seal
to_block = 250000           # optional: the last one
quorum = 3                  # optional, when more are wanted than the chain itself asks for
members = [
  {name = "court", address = "…40 hex digits…"},
]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..canonical import from_hex, require_fields
from ..errors import FormatError, LimitError, NotBelievedError, VersionError
from ..evm.block import natural

CLIQUE = "clique"
IBFT2 = "ibft2"
QBFT = "qbft"
KINDS = (CLIQUE, IBFT2, QBFT)
# BFT consensus exchanges messages that grow with the square of this: consortia have tens of validators. Every
# seal costs whoever verifies two milliseconds.
MAX_VALIDATORS = 128


@dataclass(frozen=True, slots=True)
class Validator:
    """One validator and what its holder is called."""

    name: str
    address: bytes
    """20 bytes."""


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """All validators of a range of blocks."""

    kind: str
    from_block: int
    to_block: int | None
    """The last block of the range; None: until further notice."""
    quorum: int | None
    """None: as many as the consensus itself asks for."""
    members: tuple[Validator, ...]

    @property
    def needed(self) -> int:
        """How many of them must have sealed."""
        return self.quorum or compute_quorum(self.kind, len(self.members))

    @property
    def addresses(self) -> frozenset[bytes]:
        return frozenset(member.address for member in self.members)

    def covers(self, number: int) -> bool:
        return self.from_block <= number and (self.to_block is None or number <= self.to_block)

    def names(self, addresses: Sequence[bytes]) -> list[str]:
        """What the holders of these addresses are called, in the order of the set."""
        return [member.name for member in self.members if member.address in addresses]


def compute_quorum(kind: str, count: int) -> int:
    """How many of `count` validators the consensus asks for.

    Clique (EIP-225): more than half, the number of consecutive blocks that must have different signers.
    IBFT 2.0 and QBFT: two thirds, rounded up, as Besu and GoQuorum since its ceil2Nby3Block count.
    """
    return count // 2 + 1 if kind == CLIQUE else -(-2 * count // 3)


def find_set(sets: Sequence[ValidatorSet], kind: str, number: int) -> ValidatorSet:
    """The set whose range holds this block; NotBelievedError if there is none of this kind."""
    for each in sets:
        if each.covers(number) and each.kind == kind:
            return each
    raise NotBelievedError(
        "the trust file names no validators of kind {kind} for block {number}", kind=kind, number=number
    )


def require_list(trusted: ValidatorSet, listed: Sequence[bytes]) -> None:
    """Return if a header that lists these addresses lists none or just the trusted ones."""
    if listed and trusted.addresses != frozenset(listed):
        raise NotBelievedError("the header lists other validators than the trust file names for this block")


def parse_validators(items: Sequence[Any]) -> tuple[ValidatorSet, ...]:
    """Read the sets of one chain; FormatError when one is wrong or two cover one block."""
    sets = tuple(sorted((_parse_set(item) for item in items), key=lambda each: each.from_block))
    for earlier, later in pairwise(sets):
        if earlier.covers(later.from_block):
            raise FormatError("two sets of validators for block {number}", number=later.from_block)
    return sets


def _parse_set(item: object) -> ValidatorSet:
    fields = require_fields(
        item, {"kind": str, "from_block": int, "members": list}, {"to_block": int, "quorum": int}
    )
    if fields["kind"] not in KINDS:
        raise VersionError("unsupported kind of validators {kind!r}", kind=fields["kind"][:32])
    members = tuple(_parse_member(member) for member in fields["members"])
    if not members:
        raise FormatError("a set of validators without members")
    if len(members) > MAX_VALIDATORS:
        raise LimitError(
            "{count} validators, more than the {limit} allowed", count=len(members), limit=MAX_VALIDATORS
        )
    if len({member.address for member in members}) != len(members):
        raise FormatError("a validator that is listed twice would count twice")
    first, last, quorum = natural(fields["from_block"]), fields.get("to_block"), fields.get("quorum")
    if last is not None and natural(last) < first:
        raise FormatError("a range of blocks that ends before it begins")
    least = compute_quorum(fields["kind"], len(members))
    if quorum is not None and not least <= quorum <= len(members):
        raise FormatError(
            "a quorum of {quorum} of {count} validators, which must be at least {least}",
            quorum=quorum,
            count=len(members),
            least=least,
        )
    return ValidatorSet(fields["kind"], first, last, quorum, members)


def _parse_member(item: object) -> Validator:
    fields = require_fields(item, {"name": str, "address": str})
    address = from_hex(fields["address"], 20)
    if address == bytes(20):
        raise FormatError("a validator with the address zero")
    return Validator(fields["name"], address)
