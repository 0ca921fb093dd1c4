"""What workers would answer that see other disks than this machine; sent to a real cluster by tests."""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.cli.sealing.cluster import digest_paths
from mizheng.cli.sealing.hashing import Digests


def sees_nothing(paths: Sequence[bytes]) -> list[Digests | str]:
    """The storage is not there."""
    return digest_paths([path + b".not-here" for path in paths])


def sees_another(paths: Sequence[bytes]) -> list[Digests | str]:
    """Under the same path lies another disk, with another file of that name."""
    return digest_paths([path + b".other" for path in paths])
