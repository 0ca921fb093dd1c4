"""From a certificate up to a root that is trusted, at one instant (RFC 5280 §6.1, without policies)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.x509 import ObjectIdentifier

from ..canonical import format_instant
from ..errors import MizhengError, ProofError
from .x509 import Certificate

# An authority, one or two that issue, a root; cross-signed ones add as many again.
_MAX_LENGTH = 8
# Checking a signature takes 0.1 ms; certificates made to look alike must not make it take minutes.
_MAX_SIGNATURES = 200


def find_path(
    leaf: Certificate,
    others: Sequence[Certificate],
    roots: Sequence[Certificate],
    at: int,
    purpose: ObjectIdentifier | None = None,
) -> tuple[Certificate, ...] | None:
    """The chain from `leaf` to one of `roots`, all valid at `at`; None if there is none to these roots.

    `purpose`: what authorities whose certificates are for some purposes only have to be for.

    ProofError or VersionError when there is a chain, but it does not hold at that instant.
    """
    failure: MizhengError | None = None
    for path in _paths(leaf, others, roots):
        try:
            _verify(path, at, purpose)
        except MizhengError as error:
            failure = failure or error
            continue
        return path
    if failure is not None:
        raise failure
    return None


def _paths(
    leaf: Certificate, others: Sequence[Certificate], roots: Sequence[Certificate]
) -> Iterator[tuple[Certificate, ...]]:
    """Every chain whose signatures lead to a root, short ones first."""
    trusted = {root.encoded for root in roots}
    if leaf.encoded in trusted:
        yield (leaf,)
    left = _MAX_SIGNATURES
    begun: list[tuple[Certificate, ...]] = [(leaf,)]
    while begun:
        path = begun.pop(0)
        for candidate in (*roots, *others):
            if left <= 0:
                return
            if candidate.subject != path[-1].issuer or any(
                candidate.encoded == item.encoded for item in path
            ):
                continue
            left -= 1
            if not path[-1].is_issued_by(candidate):
                continue
            if candidate.encoded in trusted:
                yield (*path, candidate)
            elif len(path) < _MAX_LENGTH - 1:
                begun.append((*path, candidate))


def _verify(path: tuple[Certificate, ...], at: int, purpose: ObjectIdentifier | None) -> None:
    for place, certificate in enumerate(path):
        if not certificate.not_before <= at <= certificate.not_after:
            raise ProofError(
                "at {at} the certificate {name} was not valid: it is from {start} to {end}",
                at=format_instant(at),
                name=certificate.name,
                start=format_instant(certificate.not_before),
                end=format_instant(certificate.not_after),
            )
        certificate.require_understood()
        if place:
            certificate.require_authority(place - 1, purpose)


def ends_at(path: tuple[Certificate, ...]) -> int:
    """When the first certificate of the chain ends, in seconds since 1970."""
    return min(certificate.not_after for certificate in path)
