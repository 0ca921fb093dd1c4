"""Sealing headers as the validators of clique, IBFT 2.0 and QBFT do: for vectors, attacks, the sealing chain.

The keys are made from their number, so anybody has them: they may never seal anything but tests. Signatures
are eth_keys', by another author than the recovery that they are checked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_keys.datatypes import PrivateKey
from mizheng.verifier.consensus.sealed import BFT_DIGEST
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256

EXTRA_DATA, MIX_HASH = 12, 13
VANITY = b"mizheng test".ljust(32, b"\0")
EMPTY_UNCLES = keccak256(rlp.encode([]))
EMPTY_TRIE = keccak256(rlp.encode(b""))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Fields = list[rlp.Encodable]


@dataclass(frozen=True)
class Sealer:
    """A validator with its key."""

    name: str
    key: PrivateKey

    @property
    def address(self) -> bytes:
        return bytes(self.key.public_key.to_canonical_address())

    def seal(self, digest: bytes) -> bytes:
        """r || s || v over a digest."""
        return bytes(self.key.sign_msg_hash(digest).to_bytes())


def make_sealers(count: int, first: int = 1) -> list[Sealer]:
    """Validators in the order of their addresses, the same each time."""
    sealers = [
        Sealer(f"validator {number}", PrivateKey(keccak256(b"mizheng validator %d" % number)))
        for number in range(first, first + count)
    ]
    return sorted(sealers, key=lambda sealer: sealer.address)


def malleate(seal: bytes) -> bytes:
    """The other form of the same signature: n − s, and the other recovery id."""
    s = ORDER - int.from_bytes(seal[32:64], "big")
    return seal[:32] + s.to_bytes(32, "big") + bytes([seal[64] ^ 1])


def plain_fields(number: int, *, parent: bytes = b"\x11" * 32, timestamp: int = 1_800_000_000) -> Fields:
    """A header of London's sixteen fields, with nothing in its block."""
    return [
        parent,
        EMPTY_UNCLES,
        bytes(20),
        b"\x22" * 32,
        EMPTY_TRIE,
        EMPTY_TRIE,
        bytes(256),
        1,
        number,
        30_000_000,
        0,
        timestamp,
        b"",
        bytes(32),
        bytes(8),
        7,
    ]


def with_extra(fields: Sequence[rlp.Encodable], extra: bytes) -> bytes:
    """The RLP of a header with this extraData."""
    changed = list(fields)
    changed[EXTRA_DATA] = extra
    return rlp.encode(changed)


@dataclass
class BftHeader:
    """A header on its way to being sealed; every part can be made wrong before `dump`."""

    kind: str
    fields: Fields
    validators: list[bytes]
    round: int = 0
    vote: rlp.Encodable | None = None
    vanity: bytes = VANITY
    mix_hash: bytes = BFT_DIGEST

    def _round(self) -> rlp.Encodable:
        return self.round.to_bytes(4, "big") if self.kind == "ibft2" else self.round

    def _rlp(self, tail: list[rlp.Encodable]) -> bytes:
        none: rlp.Encodable = b"" if self.kind == "ibft2" else []
        vote = none if self.vote is None else self.vote
        fields = list(self.fields)
        fields[MIX_HASH] = self.mix_hash
        return with_extra(fields, rlp.encode([self.vanity, self.validators, vote, *tail]))

    def hashed(self) -> bytes:
        """Whose Keccak-256 is the block's hash."""
        return self._rlp([] if self.kind == "ibft2" else [0, []])

    def digest(self) -> bytes:
        """What the validators sign."""
        return keccak256(self._rlp([self._round()] if self.kind == "ibft2" else [self._round(), []]))

    def dump(self, seals: Sequence[bytes]) -> bytes:
        """As a node shows it."""
        return self._rlp([self._round(), list(seals)])

    def sealed_by(self, sealers: Sequence[Sealer]) -> bytes:
        return self.dump([sealer.seal(self.digest()) for sealer in sealers])


def clique_header(fields: Fields, sealer: Sealer, listed: Sequence[bytes] = ()) -> bytes:
    """A clique header; `listed` makes it an epoch block's."""
    extra = VANITY + b"".join(listed)
    return with_extra(fields, extra + sealer.seal(keccak256(with_extra(fields, extra))))


def clique_chain(
    sealers: Sequence[Sealer], order: Sequence[int], first: int = 100, *, listed_at: Sequence[int] = ()
) -> list[bytes]:
    """Headers from block `first` on, sealed by the sealers of these places, each with its difficulty."""
    headers: list[bytes] = []
    parent = b"\x11" * 32
    addresses = [sealer.address for sealer in sealers]
    for offset, place in enumerate(order):
        number = first + offset
        fields = plain_fields(number, parent=parent, timestamp=1_800_000_000 + 15 * offset)
        fields[7] = 2 if number % len(sealers) == place else 1
        headers.append(clique_header(fields, sealers[place], addresses if number in listed_at else ()))
        parent = keccak256(headers[-1])
    return headers
