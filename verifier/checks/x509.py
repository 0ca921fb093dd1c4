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
from ..errors import NotBelievedError, ProofError
from ..timestamp.authority import Authority, find_authority
from ..timestamp.enclosed import read_enclosed
from ..timestamp.revocation import check_revocation
from ..timestamp.x509 import MAX_CRL_BYTES, Certificate
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
    enclosed = read_enclosed(context.bundle.read(name, MAX_CRL_BYTES) for name in names)
    leaf, *others = enclosed.certificates
    if sha256(leaf.public_key_info.encoded).hexdigest() != context.statement.public_key.keyid:
        raise ProofError("the X.509 certificate is for another key than the one that signed")
    leaf.require_signing()
    # By its own claim a statement could be signed whenever the certificate was valid.
    at = min((time.at for time in context.latest), default=None)
    if at is None:
        raise NotBelievedError("nothing proves a time at which the X.509 certificate could be judged")
    found = find_authority(context.trust.cas if context.trust else (), leaf, others, at)
    if found is None:
        raise NotBelievedError("the trust file does not know the authority that names {name}", name=leaf.name)
    ca, path = found
    if not leaf.is_named(context.statement.depositor.name):
        raise ProofError("the X.509 certificate names {name}, and not the depositor", name=leaf.name)
    as_of = check_revocation(path, enclosed.given, at).as_of
    if as_of is None:
        raise NotBelievedError("nothing in the bundle says whether the X.509 certificates were revoked")
    return _Named(leaf, ca, at, as_of)
