"""Whether certificates of a chain were revoked, by the lists given (RFC 5280 §6.3, RFC 3161 §4.1).

No list is fetched here. A list that says nothing about an instant leaves the question open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cryptography import x509

from ..canonical import format_instant
from ..errors import ProofError
from .x509 import Certificate, RevocationList

# RFC 3161 §4.1: with one of these, what was stamped before the revocation stays good. With any other, or
# none, everything this key ever signed is void.
_HARMLESS = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """What the lists say of a whole chain."""

    is_known: bool
    """A list spoke of every certificate below the root."""
    as_of: int | None
    """The oldest of those lists, seconds since 1970."""


def check_revocation(
    path: Sequence[Certificate], lists: Sequence[RevocationList], at: int
) -> RevocationStatus:
    """ProofError when a certificate below the root was revoked so that its signature of `at` is void."""
    as_of: int | None = None
    is_known = True
    for place, (certificate, issuer) in enumerate(pairwise(path)):
        usable = [found for found in lists if _speaks(found, certificate, issuer, at, is_authority=place > 0)]
        for found in usable:
            _require_good(found, certificate, at)
        # Of a later list more is known than of an earlier one.
        newest = max((found.this_update for found in usable), default=None)
        if newest is None:
            is_known = False
        else:
            as_of = newest if as_of is None else min(as_of, newest)
    return RevocationStatus(is_known, as_of if is_known else None)


def _speaks(
    found: RevocationList, certificate: Certificate, issuer: Certificate, at: int, *, is_authority: bool
) -> bool:
    # After a certificate has ended, a list need not name it any more (RFC 5280 §3.3).
    is_in_time = found.this_update <= certificate.not_after and (
        found.next_update is None or at <= found.next_update
    )
    return is_in_time and found.covers(is_authority=is_authority) and found.is_signed_by(issuer)


def _require_good(found: RevocationList, certificate: Certificate, at: int) -> None:
    revoked = found.find(certificate.serial)
    if revoked is None:
        return
    since, reason = revoked
    if since <= at or reason not in _HARMLESS:
        raise ProofError(
            "the certificate {name} was revoked on {since} ({reason})",
            name=certificate.name,
            since=format_instant(since),
            reason="-" if reason is None else reason.value,
        )
