"""The X.509 certificate of a licensed CA that names the depositor, its chain, and whether it was revoked.

The first of the members x509/NNNN.der is the depositor's certificate, of the key that signed the statement;
the others lead from it to a root of the trust file and say that nothing was revoked. They prove themselves:
whoever adds them adds nothing of his own (docs/spec/3-statement.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ..canonical import format_instant
from ..errors import FormatError, LimitError, MizhengError, NotBelievedError, ProofError
from ..timestamp.authority import Authority, find_authority
from ..timestamp.enclosed import MAX_ENCLOSED, Enclosed, is_certificate, read_enclosed
from ..timestamp.revocation import check_revocation
from ..timestamp.x509 import MAX_CRL_BYTES, Certificate, load_certificate, read_key_info
from ..words import N_
from .context import Context

_CODE = "depositor.x509"


@dataclass(frozen=True, slots=True)
class _Named:
    """A certificate that held when the statement was signed at the latest."""

    leaf: Certificate
    ca: Authority
    at: int
    """When that was, seconds since 1970."""
    as_of: int
    """Of what moment the oldest word on revocation is, seconds since 1970."""


def check_x509(context: Context) -> None:
    findings, names = context.findings, context.bundle.group("x509")
    if not names:
        findings.not_provided(_CODE)
        return
    found = findings.attempt(_CODE, names[0], lambda: _judge(context, names))
    if found is None:
        return
    findings.passed(
        _CODE,
        names[0],
        N_("{ca} names {name}, at {at}; not revoked as of {as_of}"),
        ca=found.ca.name,
        name=found.leaf.name,
        at=format_instant(found.at),
        as_of=format_instant(found.as_of),
        certificate=found.leaf.sha256,
    )


def _judge(context: Context, names: Sequence[str]) -> _Named:
    if len(names) > MAX_ENCLOSED:
        raise LimitError("more than {limit} X.509 members", limit=MAX_ENCLOSED)
    first, *others = (context.bundle.read(name, MAX_CRL_BYTES) for name in names)
    if not is_certificate(first):
        raise FormatError("the first X.509 member is not a certificate")
    if sha256(read_key_info(first).encoded).hexdigest() != context.statement.public_key.keyid:
        raise ProofError("the X.509 certificate is for another key than the one that signed")
    # By its own claim a statement could be signed whenever the certificate was valid.
    at = min((time.at for time in context.latest), default=None)
    if at is None:
        raise NotBelievedError("nothing proves a time at which the X.509 certificate could be judged")
    return _judge_at(context, at, first, read_enclosed(others))


def _judge_at(context: Context, at: int, first: bytes, enclosed: Enclosed) -> _Named:
    """Nothing in a certificate is anybody's word before a CA is found that signed it."""
    try:
        leaf = load_certificate(first)
    except MizhengError as error:
        raise NotBelievedError("the X.509 certificate cannot be read") from error
    found = find_authority(context.trust.cas if context.trust else (), leaf, enclosed.certificates, at)
    if found is None:
        raise NotBelievedError("the trust file does not know the authority that names {name}", name=leaf.name)
    ca, path = found
    leaf.require_signing()
    if not leaf.is_named(context.statement.depositor.name):
        raise ProofError("the X.509 certificate names {name}, and not the depositor", name=leaf.name)
    as_of = check_revocation(path, enclosed.given, at).as_of
    if as_of is None:
        raise NotBelievedError("nothing in the bundle says whether the X.509 certificates were revoked")
    return _Named(leaf, ca, at, as_of)
