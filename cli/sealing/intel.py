"""Intel's cryptography libraries: brought by the extra `fast`, or by the system (decision 29).

Whoever calls one holds what it answers against OpenSSL first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# As the maker numbers them, the newest first; what such a version promises is in its number.
_VERSIONS = (13, 12, 11)


def installed(stem: str, load: Callable[[str], Any], needed: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """(name, library) of each version of `stem` that `load` finds: in this environment, then in the system.

    `needed`: other libraries beside the environment's own, which it asks for and the system would not find.
    """
    import sysconfig

    own = Path(sysconfig.get_path("data")) / "lib"
    for name in (f"{stem}.so.{version}" for version in _VERSIONS):
        for path in (str(own / name), name):
            try:
                if path != name and Path(path).exists():
                    # Held by the process from here on, so that they are found.
                    for other in needed:
                        load(str(own / other))
                library = load(path)
            except OSError:
                continue
            yield name, library
