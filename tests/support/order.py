"""In which order workers take the files of tests.

What takes long begins first: left to the end, it would keep one worker while the others have nothing to do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

# Files that take half a minute or more, the longest first; most hold few tests.
FIRST = (
    "tests/docs/test_two_notaries.py",
    "tests/docs/test_tutorial.py",
    "tests/docs/test_chain_walks.py",
    "tests/verifier/web/test_mutations.py",
    "tests/notary/test_paying.py",
    "tests/browser/pages/test_pages.py",
    "tests/cli/test_log_rotation.py",
    "tests/notary/test_server.py",
    "tests/notary/test_several_processes.py",
    "tests/packaging/test_wheel.py",
    "tests/system/test_demo.py",
    "tests/system/test_renewal.py",
    "tests/system/test_time_stamps.py",
    "tests/system/test_consortium.py",
)


class Item(Protocol):
    """A test, as pytest has collected it."""

    location: tuple[str, int | None, str]
    """Its file, from the root of the tree; line; name."""


def by_length(items: Sequence[Item]) -> Callable[[Item], tuple[int, int]]:
    """A key to sort them by: FIRST, then the files with the most tests."""
    tests = Counter(item.location[0] for item in items)
    ranks = {name: rank for rank, name in enumerate(FIRST)}
    return lambda item: (ranks.get(item.location[0], len(ranks)), -tests[item.location[0]])
