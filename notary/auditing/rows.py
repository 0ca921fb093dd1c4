"""Rows of the audit log: what each says, and how it is linked to the one before it (docs/spec/audit-log.md).

A row's digest is the SHA-256 of its canonical bytes, which hold the digest of the row before: nobody can
change, add or drop one without changing every one behind it. Who acted is a pseudonym, never a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizheng.verifier.canonical import dump, format_instant, parse_typed

ROW_TYPE = "mizheng/audit-row/v1"
# What the first row follows.
NOTHING = bytes(32)
# Who sits at the notary's machine and types its commands.
OPERATOR = "operator"

Detail = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act."""

    number: int
    """From 1, without a gap."""
    at: int
    """Unix seconds, by the notary's clock."""
    actor: str
    """`operator`, `member:PSEUDONYM`, `organisation:NUMBER` (by its API key), or `nobody`."""
    action: str
    subject: str
    """What was acted on: kind and number, such as `organisation:3`."""
    detail: Detail
    previous: bytes

    def dump(self) -> bytes:
        """The canonical bytes, which are hashed and exported."""
        return dump(
            {
                "type": ROW_TYPE,
                "number": self.number,
                "at": format_instant(self.at),
                "actor": self.actor,
                "action": self.action,
                "subject": self.subject,
                "detail": dict(self.detail),
                "previous": self.previous.hex(),
            }
        )

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.dump()).digest()


def parse_row(data: bytes) -> dict[str, Any]:
    """The fields of an exported row; FormatError when it is none."""
    return parse_typed(
        data,
        ROW_TYPE,
        {
            "number": int,
            "at": str,
            "actor": str,
            "action": str,
            "subject": str,
            "detail": dict,
            "previous": str,
        },
    )
