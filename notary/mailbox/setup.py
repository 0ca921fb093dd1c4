"""What the mailbox takes: the table `[mailbox]` of notary.toml.

[mailbox]
enabled = true
directory = "/srv/mailbox"       # else mailbox/ in the data directory; several processes share one
item_mib = 4096                  # the largest item
company_mib = 20480              # all that a company may have lying here
company_items = 200
days = 60                        # the longest term
total_mib = 204800               # all items of all companies
reserve_mib = 1024               # left free on the disk, where the database may lie too
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.notary.errors import ConfigurationError

MIB = 1024 * 1024
_DEFAULTS = {
    "item_mib": 4096,
    "company_mib": 20480,
    "company_items": 200,
    "days": 60,
    "total_mib": 204800,
    "reserve_mib": 1024,
}
# An exbibyte; more is a slip of the keyboard.
_MOST = 2**40


@dataclass(frozen=True, slots=True)
class MailboxSetup:
    """Limits, in bytes, items and days."""

    is_enabled: bool
    directory: Path
    item_bytes: int
    company_bytes: int
    company_items: int
    days: int
    total_bytes: int
    reserve_bytes: int


def parse_mailbox(table: Mapping[str, Any], data_dir: Path) -> MailboxSetup:
    """Read the table; ConfigurationError names what is wrong."""
    if unknown := sorted(set(table) - {"enabled", "directory", *_DEFAULTS}):
        raise ConfigurationError(
            "notary.toml: [mailbox] has no {name}",
            hint="it has {known}",
            known=", ".join(("enabled", "directory", *_DEFAULTS)),
            name=unknown[0],
        )
    numbers = {name: table.get(name, default) for name, default in _DEFAULTS.items()}
    for name, value in numbers.items():
        if type(value) is not int or not 0 <= value <= _MOST:
            raise ConfigurationError("notary.toml: [mailbox]: {name} is a whole number", name=name)
    directory = table.get("directory", str(data_dir / "mailbox"))
    enabled = table.get("enabled", True)
    if not isinstance(directory, str) or type(enabled) is not bool:
        raise ConfigurationError("notary.toml: [mailbox]: directory is a path, enabled is true or false")
    return MailboxSetup(
        enabled,
        Path(directory).expanduser(),
        numbers["item_mib"] * MIB,
        numbers["company_mib"] * MIB,
        numbers["company_items"],
        numbers["days"],
        numbers["total_mib"] * MIB,
        numbers["reserve_mib"] * MIB,
    )
