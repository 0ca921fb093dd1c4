"""What a trust file says (formats §9): whom the reader of a report believes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .consensus.validators import ValidatorSet
from .note import NoteVerifier
from .policy import Policy
from .signature import PublicKey
from .timestamp.authority import Authority

TRUST_FORMAT = "mizheng/trust/v1"


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A log key and the tree sizes it may sign (a stolen key ends where the last anchor before was)."""

    verifier: NoteVerifier
    first_size: int
    last_size: int | None

    @property
    def origin(self) -> str:
        return self.verifier.name

    def covers(self, size: int) -> bool:
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)


@dataclass(frozen=True, slots=True)
class TrustedLogId:
    """Where one log is anchored on a contract, and for which sizes."""

    origin: str
    log_id: bytes
    first_size: int
    last_size: int | None

    def covers(self, size: int) -> bool:
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)


@dataclass(frozen=True, slots=True)
class TrustedChain:
    """A chain by its genesis, the contract on it, and blocks known to be canonical."""

    name: str
    kind: str
    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    log_ids: tuple[TrustedLogId, ...]
    pins: Mapping[int, bytes] = field(default_factory=dict)
    validators: tuple[ValidatorSet, ...] = ()
    """Who seals its blocks, where they are believed; by their first block."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key and what its holder is called."""

    name: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Release:
    """A program or page that was published, by the digest of its bytes."""

    name: str
    """Such as `verify.html 0.1.0`."""
    sha256: str
    """Lower-case hex."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything a verifier believes beforehand."""

    name: str
    issued_at: str
    expires_at: str
    logs: tuple[TrustedLog, ...]
    issuers: tuple[NamedKey, ...]
    observers: tuple[NamedKey, ...]
    observer_quorum: int
    chains: tuple[TrustedChain, ...]
    require: tuple[str, ...] = ()
    revoked_keys: frozenset[str] = frozenset()
    witness_policy: Policy | None = None
    tsas: tuple[Authority, ...] = ()
    """Time-stamp authorities."""
    retired_hashes: Mapping[str, int] = field(default_factory=dict)
    """Hash name to when it stops counting, seconds since 1970."""
    releases: tuple[Release, ...] = ()
    certifiers: tuple[Authority, ...] = ()
    """Who signs certificates of deposits, by X.509; without policies."""
    cas: tuple[Authority, ...] = ()
    """Certification authorities whose X.509 certificates name depositors; without policies."""
    custodians: tuple[NamedKey, ...] = ()
    """Who may have the evidence of a deposit, beside its depositor."""
    sha256: str = ""
    """Hex SHA-256 of the file's bytes, printed on every report."""

    def issuer(self, key: PublicKey) -> NamedKey | None:
        return next((issuer for issuer in self.issuers if issuer.key == key), None)

    def observer(self, key: PublicKey) -> NamedKey | None:
        return next((observer for observer in self.observers if observer.key == key), None)

    def custodian(self, key: PublicKey) -> NamedKey | None:
        return next((custodian for custodian in self.custodians if custodian.key == key), None)

    def chain(self, chain_id: int, genesis_hash: bytes) -> TrustedChain | None:
        return next(
            (c for c in self.chains if (c.chain_id, c.genesis_hash) == (chain_id, genesis_hash)), None
        )
