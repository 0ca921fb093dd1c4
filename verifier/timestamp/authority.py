"""Whose tokens and whose certificates count: authorities, certifiers and CAs of a trust file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.x509.oid import ExtendedKeyUsageOID

from ..canonical import format_instant, from_base64, from_hex, parse_instant, require_fields, to_base64
from ..errors import FormatError, MizhengError, NotBelievedError
from .algorithms import find_hash
from .der import is_oid
from .path import ends_at, find_path
from .token import Token
from .x509 import Certificate, load_certificate


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
    """From the signer's certificate up to the root."""
    holds_until: int
    """From then on nobody can tell it from a forgery, unless it was renewed before. Seconds since 1970."""
    why: str
    """What ends then: the name of a hash, or `certificate`."""


def judge(
    token: Token,
    authorities: Sequence[Authority],
    retired: Mapping[str, int],
) -> Judgement:
    """Who made the token, by its own time. NotBelievedError where the trust file has nobody for it.

    ProofError when an authority that is known could not have made it so: a chain that did not hold at that
    time. Whether it was revoked is for `check_revocation`. `retired`: hash name to when it stops counting,
    seconds since 1970.
    """
    reasons: list[NotBelievedError] = []
    for authority in authorities:
        path = find_path(
            token.signer,
            token.signed.certificates,
            authority.roots,
            token.at,
            ExtendedKeyUsageOID.TIME_STAMPING,
        )
        if path is None:
            continue
        reason = _refusal(token, authority)
        if reason is not None:
            reasons.append(reason)
            continue
        ends = [(retired[name], name) for name in sorted(token.hashes) if name in retired]
        until, why = min([(ends_at(path), "certificate"), *ends])
        if until < token.at:
            raise NotBelievedError(
                "the token rests on {hash}, which was retired before it was made", hash=why
            )
        return Judgement(authority, token, path, until, why)
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


def find_authority(
    authorities: Sequence[Authority], leaf: Certificate, others: Sequence[Certificate], at: int
) -> tuple[Authority, tuple[Certificate, ...]] | None:
    """Under whose root of these a signature of `at` by the leaf counts, and the chain to it; None: nobody's.

    ProofError or VersionError when there is a chain to one of them, but it did not hold then.
    """
    failure: MizhengError | None = None
    for authority in authorities:
        if authority.certificates and leaf.sha256 not in authority.certificates:
            continue
        if authority.last_time is not None and at > authority.last_time:
            continue
        try:
            path = find_path(leaf, others, authority.roots, at)
        except MizhengError as error:
            # Another may hold: a CA has an old root and a new one.
            failure = failure or error
            continue
        if path is not None:
            return authority, path
    if failure is not None:
        raise failure
    return None


def parse_authorities(items: Sequence[object]) -> tuple[Authority, ...]:
    """Read the tables `[[tsas]]` of a trust file; FormatError says what is wrong with one."""
    found = tuple(_authority(item) for item in items)
    if len({authority.name for authority in found}) != len(found):
        raise FormatError("a time-stamp authority that is listed twice")
    return found


def parse_certifiers(items: Sequence[object]) -> tuple[Authority, ...]:
    """Read the tables `[[certifiers]]` or `[[cas]]`: under whom papers are signed, depositors named.

    They have no policies.
    """
    found = parse_authorities(items)
    if any(certifier.policies for certifier in found):
        raise FormatError("policies are for time-stamp authorities")
    return found


def parse_retired_hashes(table: Mapping[str, object]) -> dict[str, int]:
    """Hash name to when it stops counting, seconds since 1970; FormatError for a name that is not known."""
    return {find_hash(name).name: parse_instant(at) for name, at in table.items()}


def authority_fields(authority: Authority) -> dict[str, str | list[str]]:
    """What `parse_authorities` reads back: strings and lists of strings by key."""
    fields: dict[str, str | list[str]] = {"name": authority.name}
    if authority.policies:
        fields["policies"] = list(authority.policies)
    if authority.certificates:
        fields["certificates"] = sorted(authority.certificates)
    if authority.last_time is not None:
        fields["last_time"] = format_instant(authority.last_time)
    return fields | {"roots": [to_base64(root.encoded) for root in authority.roots]}


def _authority(value: object) -> Authority:
    fields = require_fields(
        value, {"name": str, "roots": list}, {"policies": list, "certificates": list, "last_time": str}
    )
    for name in ("roots", "policies", "certificates"):
        # An empty list of what is believed could be taken for a prohibition; it would be none.
        if not fields.get(name, [name]):
            raise FormatError("a time-stamp authority with an empty list: {field}", field=name)
    policies = fields.get("policies", [])
    if not all(isinstance(policy, str) and is_oid(policy) for policy in policies):
        raise FormatError("a policy is an object identifier in dots, such as 1.2.3.4")
    return Authority(
        fields["name"],
        tuple(load_certificate(from_base64(root)) for root in fields["roots"]),
        tuple(policies),
        frozenset(from_hex(digest, 32).hex() for digest in fields.get("certificates", [])),
        parse_instant(fields["last_time"]) if "last_time" in fields else None,
    )
