"""Form, list of members and signatures of the depositor."""

from __future__ import annotations

from .. import dsse
from ..archive import MAX_MEMORY_BYTES
from ..bundle import BUNDLE_PAYLOAD_TYPE, BundleDocument, parse_bundle_document
from ..errors import FormatError, ProofError
from ..members import DOCUMENT
from ..words import N_
from .context import Context


def check_form(context: Context) -> None:
    if context.bundle.is_canonical:
        context.findings.passed("bundle.form")
    else:
        context.findings.not_checked(
            "bundle.form",
            message=N_("somebody packed the ZIP anew; its members are judged one by one"),
        )


def check_document(context: Context) -> BundleDocument | None:
    """bundle.dsse.json is signed by the statement's key and speaks of this statement."""

    def run() -> BundleDocument:
        data = context.bundle.read(DOCUMENT)
        envelope = dsse.parse(data, BUNDLE_PAYLOAD_TYPE, max_bytes=MAX_MEMORY_BYTES)
        document = parse_bundle_document(envelope.verify(context.statement.public_key))
        if document.envelope_sha256 != context.envelope_sha256:
            raise ProofError("the list of members was made for another statement")
        return document

    document = context.findings.attempt("bundle.signature", DOCUMENT, run)
    if document:
        context.findings.passed("bundle.signature", DOCUMENT, keyid=context.statement.public_key.keyid)
    return document


def check_members(context: Context, document: BundleDocument) -> None:
    """Every member of the depositor is listed with its digest, and every listed one is there."""
    found = context.bundle.depositor_members
    is_whole = True
    for name in sorted({*found, *document.members}):
        try:
            if name not in document.members:
                raise ProofError("a member that the depositor's list does not name")
            if not context.bundle.has(name):
                raise ProofError("a member of the depositor's list is missing")
            digest = context.bundle.sha256(name)
            if digest != document.members[name]:
                raise ProofError(
                    "the member is not the one the depositor listed: {found}, listed {listed}",
                    found=digest,
                    listed=document.members[name],
                )
        except (ProofError, FormatError) as error:
            is_whole = False
            context.findings.failed("bundle.members", name, error)
    if is_whole:
        message = N_("{count} members agree with the depositor's signed list")
        context.findings.passed("bundle.members", message=message, count=len(found))
