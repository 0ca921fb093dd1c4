"""The certificate and the exhibit list of a bundle, as far as somebody reads PDF for us.

Reading PDF is not for the core: a reader is handed in, or these checks are not done and say so. The reader
tells what a file's signature holds together; whether the signer is believed is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..errors import MizhengError, NotBelievedError, ProofError
from ..timestamp.authority import find_authority, judge
from ..timestamp.given import Given
from ..timestamp.revocation import check_revocation
from ..timestamp.token import parse_token
from ..timestamp.x509 import Certificate, load_certificate, load_revocation_list
from ..trust import Trust
from ..words import N_
from .context import Context

# A certificate with the proofs of a full block attached is a tenth of this.
_MAX_PDF_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """The one signature of a PDF that checks, over all of it but stamps added since."""

    certificates: tuple[bytes, ...]
    """DER; the signer's first, the rest in any order."""
    value: bytes
    """The signature itself, which a token is over."""
    token: bytes | None
    """DER TimeStampToken beside the signature."""
    crls: tuple[bytes, ...]
    """DER revocation lists in the file."""
    keywords: tuple[str, ...]
    """The document's own, part of what is signed; one is the SHA-256 of the envelope that it is about."""


class PdfReader(Protocol):
    """Reads PDF signatures; `mizheng.verifier.paper.reading` is one."""

    def read_signature(self, pdf: bytes) -> PdfSignature:
        """FormatError for what is no PDF; ProofError when it is not signed or its signature is wrong."""


def check_papers(context: Context, reader: PdfReader | None) -> None:
    """Both checks, each with a finding."""
    _check_certificate(context, reader)
    _check_exhibits(context)


def _check_certificate(context: Context, reader: PdfReader | None) -> None:
    findings, code = context.findings, "certificate.signature"
    names = context.bundle.group("certificate")
    if not names:
        findings.not_provided(code)
        return
    if reader is None:
        message = N_("signatures of PDF files are read by the extra pdf only, which is not installed")
        findings.not_checked(code, names[0], message)
        return
    try:
        pdf = context.bundle.read(names[0], _MAX_PDF_BYTES)
        signature = reader.read_signature(pdf)
        # Before it is asked who signed: a certificate of another deposit says nothing, whoever signed it.
        if context.envelope_sha256 not in signature.keywords:
            raise ProofError("the certificate is about another deposit")
        signer, at = _find_signer(context.trust, signature, context.now)
        is_looked_up = _is_revocation_known(signer, signature, at)
    except MizhengError as error:
        findings.failed(code, names[0], error)
        return
    message = N_("signed by {name}; no list says that its certificate was revoked")
    if not is_looked_up:
        message = N_("signed by {name}; whether its certificate was revoked was not looked at")
    findings.passed(code, names[0], message, name=signer[0].name, certificate=signer[0].sha256)


def _find_signer(
    trust: Trust | None, signature: PdfSignature, now: int | None
) -> tuple[tuple[Certificate, ...], int]:
    """The path from the signer to a root that the trust file names for this, and the instant it held."""
    signer, *others = (load_certificate(data) for data in signature.certificates)
    at = _signed_at(trust, signature)
    if at is None:
        at = now
    if at is None:
        raise NotBelievedError("nothing dates the signature, and no present time was given")
    found = find_authority(trust.certifiers if trust else (), signer, others, at)
    if found is None:
        raise NotBelievedError(
            "the trust file names nobody who signs certificates as {name}", name=signer.name
        )
    return found[1], at


def _signed_at(trust: Trust | None, signature: PdfSignature) -> int | None:
    """When a believed authority dated the signature, seconds since 1970; None if none did."""
    if trust is None or signature.token is None:
        return None
    token = parse_token(signature.token)
    token.require_over(signature.value)
    try:
        return judge(token, trust.tsas, trust.retired_hashes).token.latest
    except NotBelievedError:
        # Dated by nobody we know is not dated.
        return None


def _is_revocation_known(path: tuple[Certificate, ...], signature: PdfSignature, at: int) -> bool:
    """Whether the lists in the file speak for the whole path; ProofError when one says revoked."""
    lists = tuple(load_revocation_list(data) for data in signature.crls)
    status = check_revocation(path, Given(lists), at)
    # Nobody could revoke a certificate that stands for itself.
    return status.is_known and len(path) > 1


def _check_exhibits(context: Context) -> None:
    """Its digest is the depositor's (`bundle.members`); what its pages say is for people to read."""
    findings, code = context.findings, "exhibits.list"
    names = context.bundle.group("exhibits")
    if not names:
        findings.not_provided(code)
        return
    message = N_("its digest is in the depositor's signed list; what its pages name was not compared")
    findings.not_checked(code, names[0], message)
