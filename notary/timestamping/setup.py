"""Which time-stamp authorities are asked, and how: the tables `[timestamps.NAME]` of notary.toml.

    [timestamps.nfsq]
    url = "https://tsa.example/rfc3161"
    roots = "/etc/mizheng/nfsq-roots.pem"     # what its certificate leads up to
    policy = "1.2.156.112604.1"               # asked for, and the only one that is accepted
    hash = "sha256"                           # of the imprint
    credentials = "/etc/mizheng/nfsq.auth"    # NAME:PASSWORD, or a line that begins with Bearer
    interval = 3600                           # seconds between two tokens; 0: at each anchor
    crls = ["http://ca.example/tsa.crl"]      # revocation lists, put beside the token's signature
    ocsp = ["http://ocsp.ca.example"]         # responders, whose answers are put there, too

Only roots is needed. Without url the authority is asked no more, but its tokens are still believed: the trust
export names it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.timestamp.algorithms import SHA256, Hash, find_hash
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.timestamp.der import is_oid
from mizheng.verifier.timestamp.x509 import load_certificate
from mizheng.verifier.words import N_

_KEYS = {"url", "roots", "policy", "hash", "credentials", "interval", "crls", "ocsp"}
# It names a lease and a row, and stands in figures.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# Authorities that count their tokens count by the day at the least.
_LONGEST_INTERVAL = 86_400.0
_MAX_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AuthoritySetup:
    """One authority, as the operator describes it."""

    trusted: Authority
    url: str | None
    policy: str | None
    hash: Hash
    interval: float
    crls: tuple[str, ...]
    ocsp: tuple[str, ...]
    authorization: str | None = field(repr=False)
    """The HTTP header's value; a secret."""

    @property
    def name(self) -> str:
        return self.trusted.name


def parse_timestamps(table: Mapping[str, Any]) -> tuple[AuthoritySetup, ...]:
    """Read the tables; ConfigurationError names the one that is wrong."""
    return tuple(_authority(name, row) for name, row in table.items())


def _authority(name: str, row: Any) -> AuthoritySetup:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "notary.toml: {name} cannot name a time-stamp authority",
            hint="letters, digits, dots and dashes, at most 40",
            name=name,
        )
    if not isinstance(row, dict) or "roots" not in row or set(row) - _KEYS:
        raise _wrong(
            N_(
                "notary.toml: [timestamps.{name}]: roots; url, policy, hash, credentials, interval, "
                "crls, ocsp"
            ),
            name,
        )
    url, policy = row.get("url"), row.get("policy")
    if url is not None and not _is_url(url):
        raise _wrong(
            N_("notary.toml: [timestamps.{name}]: url begins with http:// or https://, and has no password"),
            name,
        )
    if policy is not None and not (isinstance(policy, str) and is_oid(policy)):
        raise _wrong(
            N_("notary.toml: [timestamps.{name}]: policy is an object identifier in dots, such as 1.2.3.4"),
            name,
        )
    addresses = {key: row.get(key, []) for key in ("crls", "ocsp")}
    for listed in addresses.values():
        if not isinstance(listed, list) or not all(_is_url(item) for item in listed):
            raise _wrong(
                N_(
                    "notary.toml: [timestamps.{name}]: crls and ocsp are lists of addresses, each of "
                    "which begins with http:// or https://"
                ),
                name,
            )
    interval = row.get("interval", 0)
    is_number = isinstance(interval, int | float) and not isinstance(interval, bool)
    if not is_number or not 0 <= interval <= _LONGEST_INTERVAL:
        raise _wrong(
            N_("notary.toml: [timestamps.{name}]: interval is a number of seconds, from 0 to 86400"), name
        )
    try:
        algorithm = find_hash(str(row.get("hash", SHA256.name)))
    except MizhengError:
        raise _wrong(N_("notary.toml: [timestamps.{name}]: hash is sha256, sha384 or sha512"), name) from None
    roots = _roots(name, row["roots"])
    policies = () if policy is None else (policy,)
    return AuthoritySetup(
        Authority(name, roots, policies),
        url,
        policy,
        algorithm,
        float(interval),
        tuple(addresses["crls"]),
        tuple(addresses["ocsp"]),
        _authorization(name, row.get("credentials")),
    )


def _roots(name: str, path: object) -> tuple[Any, ...]:
    try:
        found = x509.load_pem_x509_certificates(_read(name, path).encode())
        return tuple(load_certificate(item.public_bytes(Encoding.DER)) for item in found)
    except (ValueError, MizhengError):
        raise _wrong(
            N_("notary.toml: [timestamps.{name}]: roots is the path of a file with certificates in PEM"), name
        ) from None


def _authorization(name: str, path: object) -> str | None:
    if path is None:
        return None
    line = _read(name, path).strip()
    if line.startswith("Bearer ") and line.isprintable():
        return line
    if ":" not in line or not line.isprintable():
        raise _wrong(
            N_("notary.toml: [timestamps.{name}]: credentials is a file with NAME:PASSWORD, or Bearer …"),
            name,
        )
    return "Basic " + base64.b64encode(line.encode()).decode()


def _read(name: str, path: object) -> str:
    if not isinstance(path, str):
        raise _wrong(N_("notary.toml: [timestamps.{name}]: roots and credentials are paths of files"), name)
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            "notary.toml: [timestamps.{name}] names the file {path}, which cannot be read",
            name=name,
            path=path,
        ) from None


def _is_url(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.password is None
    except ValueError:
        return False


def _wrong(message: str, name: str) -> ConfigurationError:
    return ConfigurationError(message, hint="see docs/operating.md", name=name)
