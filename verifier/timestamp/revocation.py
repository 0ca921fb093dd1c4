"""Whether certificates of a chain were revoked, by the lists and answers given (RFC 5280 §6.3, RFC 6960 §3.2,
RFC 3161 §4.1).

Nothing is fetched here. What says nothing about an instant leaves the question open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cryptography import x509

from ..canonical import format_instant
from ..errors import ProofError
from .given import Given
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
    """What lists and answers say of a whole chain."""

    is_known: bool
    """One spoke of every certificate below the root."""
    as_of: int | None
    """The oldest of those, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What one list or answer says of one certificate."""

    this_update: int
    revoked: tuple[int, x509.ReasonFlags | None] | None


def check_revocation(path: Sequence[Certificate], given: Given, at: int) -> RevocationStatus:
    """ProofError when a certificate below the root was revoked so that its signature of `at` is void."""
    as_of: int | None = None
    is_known = True
    for place, (certificate, issuer) in enumerate(pairwise(path)):
        words = [
            *_of_lists(given, certificate, issuer, at, is_authority=place > 0),
            *_of_answers(given, certificate, issuer, at),
        ]
        for word in words:
            _require_good(word, certificate, at)
        # Of a later one more is known than of an earlier one.
        newest = max((word.this_update for word in words), default=None)
        if newest is None:
            is_known = False
        else:
            as_of = newest if as_of is None else min(as_of, newest)
    return RevocationStatus(is_known, as_of if is_known else None)


def _of_lists(
    given: Given, certificate: Certificate, issuer: Certificate, at: int, *, is_authority: bool
) -> Iterator[_Word]:
    for found in given.lists:
        if _speaks(found, certificate, issuer, at, is_authority=is_authority):
            yield _Word(found.this_update, found.find(certificate.serial))


def _speaks(
    found: RevocationList, certificate: Certificate, issuer: Certificate, at: int, *, is_authority: bool
) -> bool:
    # After a certificate has ended, a list need not name it any more (RFC 5280 §3.3).
    is_in_time = found.this_update <= certificate.not_after and (
        found.next_update is None or at <= found.next_update
    )
    return is_in_time and found.is_signed_by(issuer) and found.covers(is_authority=is_authority)


def _of_answers(given: Given, certificate: Certificate, issuer: Certificate, at: int) -> Iterator[_Word]:
    for answer in given.answers:
        single = answer.find(certificate, issuer)
        # One that does not know the certificate says nothing of it; nor does one need to, after its end.
        if single is None or not single.is_known or single.this_update > certificate.not_after:
            continue
        # Without a next one announced it speaks of the past alone: newer word may be had at any time.
        if at <= (single.this_update if single.next_update is None else single.next_update) and (
            answer.is_signed_for(issuer)
        ):
            yield _Word(single.this_update, single.revoked)


def _require_good(word: _Word, certificate: Certificate, at: int) -> None:
    if word.revoked is None:
        return
    since, reason = word.revoked
    if since <= at or reason not in _HARMLESS:
        raise ProofError(
            "the certificate {name} was revoked on {since} ({reason})",
            name=certificate.name,
            since=format_instant(since),
            reason="-" if reason is None else reason.value,
        )
