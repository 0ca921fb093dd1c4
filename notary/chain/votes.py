"""What several nodes' answers come to: pure rules, no network.

A value counts when at least a quorum of nodes give it and more of them than give any other: so one that lies
moves nothing, and where the quorum is set to less than half, two answers that contradict each other move
nothing either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

V = TypeVar("V", bound=Hashable)


def agreed(values: Sequence[V], quorum: int) -> V | None:
    """The value that a quorum gives; None if there is no such value."""
    ranked = Counter(values).most_common(2)
    if not ranked or ranked[0][1] < quorum or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    return ranked[0][0]


def reached(numbers: Sequence[int], quorum: int) -> int | None:
    """The largest number that a quorum reach: what the others say above it, or leave out, moves nothing."""
    ordered = sorted(numbers, reverse=True)
    return ordered[quorum - 1] if len(ordered) >= quorum else None


def majority(count: int) -> int:
    """More than half."""
    return count // 2 + 1
