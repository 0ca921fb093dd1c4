"""Whether and how pages are served: the table `[pages]` of notary.toml.

[pages]
enabled = true
name = "示例公证处"                  # in the head of every page; else the log's origin
per_minute = 60                     # requests of one address to pages and public routes; 0: no limit
address_header = "x-forwarded-for"  # where the reverse proxy says who asks; else the connection's address
trust = "/etc/mizheng/trust.toml"   # pinned for the check in the page; else visitors bring their own
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.trust import parse_trust

# A page and what belongs to it are three requests; a clerk with a pile of papers stays below it.
PER_MINUTE = 60
_KEYS = {"enabled": bool, "name": str, "per_minute": int, "address_header": str, "trust": str}
_HEADER = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class PageSetup:
    """How pages are served."""

    is_enabled: bool = True
    name: str | None = None
    """None: the log's origin."""
    per_minute: int = PER_MINUTE
    address_header: str | None = None
    trust: bytes | None = None
    """The pinned trust file's bytes."""


def parse_pages(table: Mapping[str, Any]) -> PageSetup:
    """Read the table and the trust file that it names; ConfigurationError says what is wrong."""
    for name, value in table.items():
        if name not in _KEYS or type(value) is not _KEYS[name]:
            raise ConfigurationError(
                "notary.toml: [pages] has a setting {name!r} that does not exist or is of another kind",
                hint="enabled, name, per_minute, address_header, trust",
                name=name,
            )
    per_minute = table.get("per_minute", PER_MINUTE)
    if not 0 <= per_minute <= 1_000_000:
        raise ConfigurationError("notary.toml: [pages]: per_minute is a whole number from 0")
    header = table.get("address_header")
    if header is not None and not _HEADER.fullmatch(header.lower()):
        raise ConfigurationError("notary.toml: [pages]: address_header is the name of a header")
    return PageSetup(
        table.get("enabled", True),
        table.get("name"),
        per_minute,
        header.lower() if header else None,
        _read_trust(table["trust"]) if "trust" in table else None,
    )


def _read_trust(path: str) -> bytes:
    try:
        data = Path(path).read_bytes()
        parse_trust(data)
    except (OSError, MizhengError):
        raise ConfigurationError(
            "notary.toml: [pages]: the trust file {path} cannot be read",
            hint="mizheng-notary trust export -o FILE, and compare it with what courts were given",
            path=path,
        ) from None
    return data
