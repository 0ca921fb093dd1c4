"""Whether an evidence record holds: each time stamp over the one before, none too late (RFC 4998 §5.3).

1. the first token is over the object
2. within a chain: one hash; each time stamp over the one before, made while that one still held
3. each further chain: over the hash of the object and of all chains before, put together, made before
   the last time stamp ended and before the hash of the chain before was retired
4. how long the last one holds
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..canonical import format_instant
from ..errors import FormatError, InclusionError, NotBelievedError, ProofError
from ..timestamp.algorithms import Hash
from ..timestamp.authority import Authority, Judgement, judge
from ..timestamp.revocation import check_revocation
from ..timestamp.token import Token, parse_token
from .record import ArchiveTimeStamp, EvidenceRecord, dump_sequence
from .tree import compute_root

Digest = Callable[[Hash], bytes]
"""The hash of one object under any algorithm."""
Group = Sequence[Digest]

_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class RenewedEvidence:
    """A record that holds together."""

    first: Judgement
    last: Judgement
    group: int | None
    """Which of the groups the chains after the first are over; None where there is only one chain."""
    renewals: int
    """Time stamps after the first."""
    holds_until: int
    """Of the last time stamp, seconds since 1970."""
    hash: str
    """Of the last chain, by name."""


class Objects:
    """What later chains may be over, group by group; found by hash, for a bundle may open thousands."""

    def __init__(self, groups: Sequence[Group]) -> None:
        """Of two groups that fit, the earlier one is taken: whole groups before parts of them."""
        self._groups = groups
        self._places: dict[tuple[str, bytes], dict[bytes, list[int]]] = {}

    def find(
        self, stamp: ArchiveTimeStamp, token: Token, before: bytes, known: int | None
    ) -> Iterator[tuple[int, list[bytes]]]:
        """Groups whose first object is in the first list of the time stamp, with what is stamped of each."""
        algorithm = token.hash
        places = [known] if known is not None else self._find(stamp, token, before)
        for place in places:
            yield place, [joined(algorithm, digest(algorithm), before) for digest in self._groups[place]]

    def _find(self, stamp: ArchiveTimeStamp, token: Token, before: bytes) -> list[int]:
        key = (token.hash.name, before)
        if key not in self._places:
            # Records of one renewal have one past: made once for all of them.
            known: dict[bytes, list[int]] = {}
            for place, group in enumerate(self._groups):
                known.setdefault(joined(token.hash, group[0](token.hash), before), []).append(place)
            self._places[key] = known
        values = stamp.reduced[0] if stamp.reduced else (token.imprint,)
        return sorted(place for value in values for place in self._places[key].get(value, ()))


def verify_record(
    record: EvidenceRecord,
    data: bytes,
    groups: Sequence[Group] | Objects,
    authorities: Sequence[Authority],
    retired: Mapping[str, int],
) -> RenewedEvidence:
    """Follow all of it. `data` is what the first token is over, one of `groups` what later chains are over.

    ProofError (NotBelievedError for an authority that nobody knows) or FormatError where it does not hold.
    """
    objects = groups if isinstance(groups, Objects) else Objects(groups)
    judged: list[Judgement] = []
    group: int | None = None
    for number, chain in enumerate(record.chains):
        algorithm = parse_token(chain[0].token).hash
        if algorithm not in record.algorithms:
            raise FormatError("an evidence record whose hash is not in its list")
        for place, stamp in enumerate(chain):
            token = parse_token(stamp.token)
            _require_algorithm(stamp, token, algorithm)
            if place:
                _require_over(stamp, token, [algorithm.digest(chain[place - 1].token)])
            elif number:
                before = algorithm.digest(dump_sequence(record.chains[:number]))
                group = _find_group(stamp, token, before, objects, group)
            else:
                _require_over(stamp, token, [algorithm.digest(data)])
            found = judge(token, authorities, {})
            check_revocation(found.path, token.signed.revocation, token.at)
            if judged:
                _require_in_time(judged[-1], found, retired)
            judged.append(found)
        following = record.chains[number + 1 : number + 2]
        if following:
            _require_hash_in_time(algorithm, parse_token(following[0][0].token), retired)
    last = judged[-1]
    return RenewedEvidence(
        judged[0],
        last,
        group,
        len(judged) - 1,
        min(signature_ends(last, retired), retired.get(algorithm.name, _NEVER)),
        algorithm.name,
    )


def signature_ends(found: Judgement, retired: Mapping[str, int]) -> int:
    """When the signature of a token stops counting: its certificates end, or the hash in it is retired."""
    return min(found.holds_until, retired.get(found.token.signed.digest.name, _NEVER))


def joined(algorithm: Hash, digest: bytes, before: bytes) -> bytes:
    """What a hash-tree renewal stamps of an object: its new hash and that of all chains before (§5.2)."""
    return algorithm.digest(digest, before)


def _require_algorithm(stamp: ArchiveTimeStamp, token: Token, algorithm: Hash) -> None:
    if token.hash != algorithm or stamp.algorithm not in (None, algorithm):
        raise ProofError("a chain of time stamps under more than one hash")


def _require_over(stamp: ArchiveTimeStamp, token: Token, values: Sequence[bytes]) -> None:
    token.require_imprint(compute_root(token.hash, stamp.reduced, values))


def _find_group(
    stamp: ArchiveTimeStamp, token: Token, before: bytes, objects: Objects, known: int | None
) -> int:
    """Which group the first time stamp of a chain is over; each later chain has to be over the same."""
    for place, values in objects.find(stamp, token, before, known):
        try:
            _require_over(stamp, token, values)
        except InclusionError:
            continue
        return place
    raise InclusionError("the hash tree is not over these objects")


def _require_in_time(before: Judgement, after: Judgement, retired: Mapping[str, int]) -> None:
    if after.token.generated < before.token.generated:
        raise ProofError("a time stamp that is older than the one it renews")
    if after.token.latest > before.holds_until:
        raise ProofError(
            "the time stamp of {at} came too late: the one before held until {until}",
            at=format_instant(after.token.latest),
            until=format_instant(before.holds_until),
        )
    _require_hash_in_time(before.token.signed.digest, after.token, retired)


def _require_hash_in_time(algorithm: Hash, following: Token, retired: Mapping[str, int]) -> None:
    ends = retired.get(algorithm.name, _NEVER)
    if following.latest > ends:
        # The record is not broken: other trust files may let the hash count longer.
        raise NotBelievedError(
            "the time stamp of {at} came too late: {hash} was retired at {until}",
            at=format_instant(following.latest),
            hash=algorithm.name,
            until=format_instant(ends),
        )
