"""Whose tokens count: the time-stamp authorities of a trust file, and what one of them makes of a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..canonical import format_instant
from ..errors import NotBelievedError
from .path import ends_at, find_path
from .revocation import RevocationStatus, check_revocation
from .token import Token
from .x509 import Certificate, RevocationList


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamp authority as a trust file describes it."""

    name: str
    roots: tuple[Certificate, ...]
    policies: tuple[str, ...] = ()
    """Object identifiers in dots; none: any policy of this authority."""
    certificates: frozenset[str] = frozenset()
    """Hex SHA-256 of the signing certificates that are believed; none: any under the roots."""
    last_time: int | None = None
    """Tokens of a later time count for nothing, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A token that an authority of the trust file made, valid at its own time."""

    authority: Authority
    token: Token
    path: tuple[Certificate, ...]
    revocation: RevocationStatus
    holds_until: int
    """From then on nobody can tell it from a forgery, unless it was renewed before. Seconds since 1970."""
    why: str
    """What ends then: the name of a hash, or `certificate`."""


def judge(
    token: Token,
    authorities: Sequence[Authority],
    retired: Mapping[str, int],
    more_lists: Iterable[RevocationList] = (),
) -> Judgement:
    """Who made the token, by its own time. NotBelievedError where the trust file has nobody for it.

    ProofError when an authority that is known could not have made it so: a chain that did not hold, or that
    was revoked. `retired`: hash name to when it stops counting, seconds since 1970.
    """
    reasons: list[NotBelievedError] = []
    for authority in authorities:
        path = find_path(token.signer, token.signed.certificates, authority.roots, token.at)
        if path is None:
            continue
        reason = _refusal(token, authority)
        if reason is not None:
            reasons.append(reason)
            continue
        revocation = check_revocation(path, [*token.signed.crls, *more_lists], token.at)
        ends = [(retired[name], name) for name in sorted(token.hashes) if name in retired]
        until, why = min([(ends_at(path), "certificate"), *ends])
        if until < token.at:
            raise NotBelievedError(
                "the token rests on {hash}, which was retired before it was made", hash=why
            )
        return Judgement(authority, token, path, revocation, until, why)
    if reasons:
        raise reasons[0]
    raise NotBelievedError("the trust file does not know the authority {name}", name=token.signer.name)


def _refusal(token: Token, authority: Authority) -> NotBelievedError | None:
    if authority.policies and token.policy not in authority.policies:
        return NotBelievedError(
            "the trust file believes {name}, but not under the policy {policy}",
            name=authority.name,
            policy=token.policy,
        )
    if authority.certificates and token.signer.sha256 not in authority.certificates:
        return NotBelievedError(
            "the trust file believes {name}, but not with the certificate {digest}",
            name=authority.name,
            digest=token.signer.sha256,
        )
    if authority.last_time is not None and token.latest > authority.last_time:
        return NotBelievedError(
            "the trust file believes {name} up to {last} only",
            name=authority.name,
            last=format_instant(authority.last_time),
        )
    return None
