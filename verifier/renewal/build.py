"""Making and renewing evidence records. Whoever makes one checks it with `verify_record` before it is kept.

A renewal is prepared first (what is to be stamped), then put together with the token that an authority gave.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..timestamp.algorithms import Hash
from ..timestamp.token import parse_token
from .chain import joined
from .record import ArchiveTimeStamp, EvidenceRecord, dump_sequence
from .tree import Reduced


def start_record(token: bytes) -> EvidenceRecord:
    """A record of one token over one object: the initial archive time stamp without a tree (§4.2)."""
    return EvidenceRecord(((ArchiveTimeStamp(token),),), (parse_token(token).hash,))


def last_hash(record: EvidenceRecord) -> Hash:
    """Under which the last chain goes on."""
    return parse_token(record.chains[-1][0].token).hash


def renewal_value(record: EvidenceRecord) -> bytes:
    """What a time-stamp renewal stamps of a record: the hash of its last token (§5.2)."""
    return last_hash(record).digest(record.chains[-1][-1].token)


def renew_time_stamp(record: EvidenceRecord, token: bytes, reduced: Reduced = ()) -> EvidenceRecord:
    """The record with a further token in its last chain; `reduced` leads from its value to the imprint."""
    *before, chain = record.chains
    return EvidenceRecord((*before, (*chain, _stamp(token, reduced))), record.algorithms)


def rehashed(algorithm: Hash, record: EvidenceRecord, digests: Sequence[bytes]) -> list[bytes]:
    """What a hash-tree renewal stamps of the objects of a record, given their new hashes (§5.2)."""
    before = algorithm.digest(dump_sequence(record.chains))
    return [joined(algorithm, digest, before) for digest in digests]


def renew_hash_tree(record: EvidenceRecord, token: bytes, reduced: Reduced = ()) -> EvidenceRecord:
    """The record with a further chain, which begins with this token."""
    algorithm = parse_token(token).hash
    algorithms = record.algorithms if algorithm in record.algorithms else (*record.algorithms, algorithm)
    return EvidenceRecord((*record.chains, (_stamp(token, reduced),)), algorithms)


def _stamp(token: bytes, reduced: Reduced) -> ArchiveTimeStamp:
    # RFC 4998 §4.1: the algorithm is named where there is a tree.
    return ArchiveTimeStamp(token, reduced, parse_token(token).hash if reduced else None)
