"""Hash trees of RFC 4998 §4.2: groups of objects under one time stamp, and what one of them needs of it.

A node is the hash of its children's values, sorted and put together. So the tree says nothing of order, and a
part shows only as many hashes as it has levels.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import FormatError, InclusionError
from ..timestamp.algorithms import Hash

Reduced = tuple[tuple[bytes, ...], ...]
"""Lists of hashes (PartialHashtree), lowest first; empty where the stamp is over the one object itself."""


def join(algorithm: Hash, values: Sequence[bytes]) -> bytes:
    """The value of the node over these."""
    return algorithm.digest(*sorted(values))


class HashTree:
    """The tree over groups of objects, each object by its hash."""

    def __init__(self, algorithm: Hash, groups: Sequence[Sequence[bytes]]) -> None:
        """ValueError without a group, or with an empty one."""
        if not groups or not all(groups):
            raise ValueError("a hash tree over nothing")
        self._groups = groups
        level = [group[0] if len(group) == 1 else join(algorithm, group) for group in groups]
        self._levels = [level]
        while len(level) > 1:
            # A node without a sibling goes up as it is.
            level = [
                join(algorithm, level[n : n + 2]) if n + 1 < len(level) else level[n]
                for n in range(0, len(level), 2)
            ]
            self._levels.append(level)

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def reduced(self, place: int) -> Reduced:
        """What leads from the group at `place` to the root."""
        group = self._groups[place]
        siblings = []
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                siblings.append(level[place ^ 1])
            place >>= 1
        if len(group) > 1:
            return (tuple(sorted(group)), *((sibling,) for sibling in siblings))
        if not siblings:
            return ()
        return (tuple(sorted((group[0], siblings[0]))), *((sibling,) for sibling in siblings[1:]))


def compute_root(algorithm: Hash, reduced: Reduced, values: Sequence[bytes]) -> bytes:
    """The root to which the objects with these hashes lead (RFC 4998 §4.3); InclusionError if they do not.

    Several objects are a group: the first list then holds them and nothing else. FormatError for hashes of
    another length, or a first list of one: two readings of it are about.
    """
    if any(len(value) != algorithm.size for part in reduced for value in part):
        raise FormatError("a hash tree with hashes of another length than its algorithm's")
    if not reduced:
        if len(values) != 1:
            raise InclusionError("a time stamp over one object, for a group of several")
        return values[0]
    if len(reduced[0]) < 2 or not all(reduced):
        raise FormatError("a hash tree with a list that joins nothing")
    first = set(reduced[0])
    if not first.issuperset(values) or (len(values) > 1 and first != set(values)):
        raise InclusionError("the hash tree is not over these objects")
    node = join(algorithm, reduced[0])
    for part in reduced[1:]:
        node = join(algorithm, (node, *part))
    return node
