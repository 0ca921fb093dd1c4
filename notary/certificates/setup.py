"""What certificates are issued and in whose name: the table `[certificates]` of notary.toml.

[certificates]
issue = "asked"                  # or "all": one for each deposit, whether anybody asks or not
issuer = "示例公证处"             # who issues them, as printed; else the log's origin
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizheng.notary.errors import ConfigurationError

# A legal name, as in a statement.
_MAX_NAME = 400
ASKED, ALL = "asked", "all"


@dataclass(frozen=True, slots=True)
class CertificateSetup:
    """How certificates are issued."""

    is_for_all: bool = False
    """Not only when a depositor asks for one."""
    issuer: str | None = None
    """None: the log's origin."""
    signer: Mapping[str, Any] | None = None
    """The table [certificates.signer] as it stands; None: a signer for trying."""


def parse_certificates(table: Mapping[str, Any]) -> CertificateSetup:
    """Read the table; ConfigurationError names what is wrong."""
    if unknown := sorted(set(table) - {"issue", "issuer", "signer"}):
        raise ConfigurationError(
            "notary.toml: [certificates] has no {name}",
            hint="it has issue, issuer and the table signer",
            name=unknown[0],
        )
    issue = table.get("issue", ASKED)
    if issue not in (ASKED, ALL):
        raise ConfigurationError("notary.toml: [certificates]: issue is asked or all")
    issuer = table.get("issuer")
    if issuer is not None and not (isinstance(issuer, str) and 0 < len(issuer.strip()) <= _MAX_NAME):
        raise ConfigurationError("notary.toml: [certificates]: issuer is a name of at most 400 characters")
    signer = table.get("signer")
    if signer is not None and not isinstance(signer, dict):
        raise ConfigurationError("notary.toml: [certificates.signer] is a table")
    return CertificateSetup(issue == ALL, issuer, signer)
