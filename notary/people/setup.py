"""Whether people can log in, and how: the table `[people]` of notary.toml.

    [people]
    url = "https://notary.example"            # as browsers see the notary; passkeys are bound to its host

    [people.oidc.NAME]                        # any number of OpenID providers, beside passkeys
    title = "示例单位统一身份认证"
    issuer = "https://id.example"
    client_id = "mizheng"
    client_secret_file = "/etc/mizheng/oidc"  # 0600
    strong_amr = ["mfa"]                      # which `amr` or `acr` of a login means two factors
    strong_acr = []

Without the table nobody can log in, and there are no such pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mizheng.notary.chain.rpc import LOOPBACK
from mizheng.notary.errors import ConfigurationError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_OIDC_KEYS: Mapping[str, type] = {
    "title": str,
    "issuer": str,
    "client_id": str,
    "client_secret_file": str,
    "strong_amr": list,
    "strong_acr": list,
}
# RFC 8176: multiple-factor authentication.
_STRONG_AMR = ("mfa",)


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID provider."""

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    strong_amr: frozenset[str]
    strong_acr: frozenset[str]

    @property
    def origin(self) -> str:
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class PeopleSetup:
    """How people log in."""

    origin: str
    """Scheme, host and port, as in a browser's `Origin` header."""
    providers: Mapping[str, Provider]

    @property
    def host(self) -> str:
        """WebAuthn's relying party id."""
        return urlsplit(self.origin).hostname or ""


def parse_people(table: Mapping[str, Any]) -> PeopleSetup | None:
    """Read the table and the secrets it names; None without one, ConfigurationError says what is wrong."""
    if not table:
        return None
    if set(table) - {"url", "oidc"} or not isinstance(table.get("oidc", {}), dict):
        raise ConfigurationError("notary.toml: [people] has url, and tables [people.oidc.NAME]")
    origin = _safe_origin(table.get("url"), "[people]: url")
    providers = {name: _provider(name, row) for name, row in table.get("oidc", {}).items()}
    return PeopleSetup(origin, providers)


def _provider(name: str, row: Any) -> Provider:
    where = f"[people.oidc.{name[:40]}]"
    required = {"issuer", "client_id", "client_secret_file"}
    if (
        not _NAME.fullmatch(name)
        or not isinstance(row, dict)
        or not required <= set(row) <= set(_OIDC_KEYS)
        or not all(isinstance(value, _OIDC_KEYS[key]) for key, value in row.items())
    ):
        raise ConfigurationError(
            "notary.toml: {where} is not as it should be",
            hint="needed: issuer, client_id, client_secret_file; if wanted: title, strong_amr, strong_acr",
            where=where,
        )
    _safe_origin(row["issuer"], f"{where}: issuer", may_have_path=True)
    return Provider(
        name,
        row.get("title", name),
        row["issuer"],
        row["client_id"],
        _read_secret(Path(row["client_secret_file"])),
        frozenset(row.get("strong_amr", _STRONG_AMR)),
        frozenset(row.get("strong_acr", ())),
    )


def is_safe_url(url: str) -> bool:
    """Whether what goes there is seen by nobody else: TLS, or this machine itself."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        return False


def _safe_origin(url: object, where: str, *, may_have_path: bool = False) -> str:
    if isinstance(url, str) and is_safe_url(url):
        parts = urlsplit(url)
        plain = not parts.query and not parts.fragment and parts.username is None and parts.hostname
        if plain and (may_have_path or parts.path in ("", "/")):
            return f"{parts.scheme}://{parts.netloc}"
    raise ConfigurationError(
        "notary.toml: {where} is not an address that can be used",
        hint="https://…; http only for this machine itself (localhost)",
        where=where,
    )


def _read_secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("{path} cannot be read", path=path) from None
    if mode & 0o077:
        raise ConfigurationError("others may read the secret in {path}", hint="chmod 600 {path}", path=path)
    return text
