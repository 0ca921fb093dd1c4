"""EvidenceRecord in DER (RFC 4998 §3, §4, §5; implicit tags): read and written, nothing judged.

    EvidenceRecord  version, digestAlgorithms, archiveTimeStampSequence
    sequence        chains, one for each hash, oldest first
    chain           archive time stamps under one hash, oldest first
    ArchiveTimeStamp  digestAlgorithm [0], attributes [1], reducedHashtree [2], timeStamp

Encrypted objects and attributes are not made here, and not read: nothing of ours has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import FormatError, LimitError, VersionError
from ..timestamp import der
from ..timestamp.algorithms import Hash, parse_hash
from .tree import Reduced

# A renewal every other year for a century, each with its certificates.
MAX_BYTES = 4 * 1024 * 1024
MAX_TIME_STAMPS = 64
# A tree of 2^40 groups; more than anybody's archive.
_MAX_LEVELS = 64
# Documents in one group: a record, its original, what is put beside them.
_MAX_GROUP = 16


@dataclass(frozen=True, slots=True)
class ArchiveTimeStamp:
    """A token, and the part of a hash tree that leads to its imprint."""

    token: bytes
    """ContentInfo, as it stands."""
    reduced: Reduced = ()
    algorithm: Hash | None = None
    """Of the tree; None: the token's own."""
    encoded: bytes = field(default=b"", compare=False)
    """As it was read; empty for one that is made here."""

    def dump(self) -> bytes:
        # Others may write NULL parameters of the algorithm: renewals hash what stood there (RFC 4998 §5.2).
        if self.encoded:
            return self.encoded
        parts = []
        if self.algorithm is not None:
            parts.append(der.encode(der.context(0), self.algorithm.encode()[2:]))
        if self.reduced:
            lists = (
                der.encode(der.SEQUENCE, *(der.encode(der.OCTET_STRING, value) for value in part))
                for part in self.reduced
            )
            parts.append(der.encode(der.context(2), *lists))
        return der.encode(der.SEQUENCE, *parts, self.token)


Chain = tuple[ArchiveTimeStamp, ...]
Sequence = tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """Every chain of archive time stamps of one object or group."""

    chains: Sequence
    algorithms: tuple[Hash, ...]
    """Of the chains, each once."""

    def dump(self) -> bytes:
        return der.encode(
            der.SEQUENCE,
            der.encode_integer(1),
            der.encode(der.SEQUENCE, *(algorithm.encode() for algorithm in self.algorithms)),
            dump_sequence(self.chains),
        )


def dump_sequence(chains: Sequence) -> bytes:
    """ArchiveTimeStampSequence: what a hash-tree renewal hashes of all that was before (RFC 4998 §5.2)."""
    return der.encode(
        der.SEQUENCE, *(der.encode(der.SEQUENCE, *(stamp.dump() for stamp in chain)) for chain in chains)
    )


def parse_record(data: bytes) -> EvidenceRecord:
    """Read an EvidenceRecord; FormatError, or VersionError for what is not known here."""
    if len(data) > MAX_BYTES:
        raise LimitError("an evidence record of {size} bytes", size=len(data))
    reader = der.parse(data).reader(der.SEQUENCE)
    if reader.next().integer() != 1:
        raise VersionError("an evidence record of a later version")
    algorithms = tuple(parse_hash(node) for node in reader.next().reader(der.SEQUENCE).rest())
    if reader.optional(der.context(0)) or reader.optional(der.context(1)):
        raise VersionError("an evidence record over encrypted objects")
    chains = parse_sequence(reader.next(der.SEQUENCE))
    reader.end()
    return EvidenceRecord(chains, algorithms)


def parse_sequence(node: der.Node) -> Sequence:
    """Read an ArchiveTimeStampSequence; FormatError without a time stamp in each chain."""
    chains = tuple(
        tuple(_stamp(item) for item in chain.reader(der.SEQUENCE).rest())
        for chain in node.reader(der.SEQUENCE).rest()
    )
    if not chains or not all(chains):
        raise FormatError("an evidence record without time stamps")
    if sum(len(chain) for chain in chains) > MAX_TIME_STAMPS:
        raise LimitError("an evidence record with more than {limit} time stamps", limit=MAX_TIME_STAMPS)
    return chains


def _stamp(node: der.Node) -> ArchiveTimeStamp:
    reader = node.reader(der.SEQUENCE)
    algorithm = reader.optional(der.context(0))
    if reader.optional(der.context(1)):
        raise VersionError("an archive time stamp with attributes, not known here")
    tree = reader.optional(der.context(2))
    token = reader.next(der.SEQUENCE).encoded
    reader.end()
    return ArchiveTimeStamp(
        token,
        () if tree is None else _reduced(tree),
        # Implicit: the tag [0] stands in the place of SEQUENCE.
        None if algorithm is None else parse_hash(der.parse(der.encode(der.SEQUENCE, algorithm.content))),
        node.encoded,
    )


def _reduced(node: der.Node) -> Reduced:
    lists = tuple(
        tuple(value.octets() for value in part.reader(der.SEQUENCE).rest()) for part in node.reader().rest()
    )
    if not lists:
        raise FormatError("a hash tree with a list that joins nothing")
    if len(lists) > _MAX_LEVELS or any(len(part) > _MAX_GROUP for part in lists):
        raise LimitError("a hash tree deeper or wider than any archive")
    return lists
