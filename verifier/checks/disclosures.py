"""To whom and for what this opening was made, and whether that is on record."""

from __future__ import annotations

from ..archive import MAX_MEMORY_BYTES
from ..bundle import BundleDocument
from ..checkpoint import MAX_PROOF_BYTES, TlogProof
from ..disclosure import Disclosure, parse_disclosure
from ..dsse import MAX_ENVELOPE_BYTES
from ..errors import FormatError, ProofError
from ..event import verify_recorded
from ..manifest import parse_opened_record
from ..members import DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF, number_of
from ..merkle import leaf_hash
from ..record import MAX_RECORD_BYTES
from ..words import N_
from .believing import believe, require_order
from .context import Context

_CODE = "disclosure.entry"


def check_disclosure(context: Context, document: BundleDocument | None) -> None:
    """The depositor said so for this very opening, and the log has it, later than the deposit."""
    findings, bundle = context.findings, context.bundle
    if not bundle.group("disclosure"):
        if document is not None and document.recipient is not None:
            message = N_("the bundle names a recipient, but carries no disclosure")
            findings.not_provided(_CODE, message=message)
        else:
            findings.not_provided(_CODE)
        return
    if document is None:
        message = N_("the list of members, which the disclosure has to agree with, was not verified")
        findings.not_checked(_CODE, DISCLOSURE, message)
        return
    disclosure = findings.attempt(_CODE, DISCLOSURE, lambda: _disclosed(context, document))
    if disclosure is None:
        return
    told = {"recipient": disclosure.recipient, "purpose": disclosure.purpose or "-"}
    if not (bundle.has(DISCLOSURE_EVENT) or bundle.has(DISCLOSURE_PROOF)):
        message = N_("signed by the depositor, but not on record in the log. For: {recipient} ({purpose})")
        findings.not_provided(_CODE, DISCLOSURE, message, **told)
        return
    proof = findings.attempt(_CODE, DISCLOSURE_PROOF, lambda: _recorded(context))
    if proof is None:
        return
    if believe(context, _CODE, DISCLOSURE_PROOF, proof):
        findings.passed(
            _CODE,
            DISCLOSURE,
            N_("leaf index {index} in a tree of {size}. For: {recipient} ({purpose})"),
            index=proof.index,
            size=proof.checkpoint.size,
            records=len(disclosure.records),
            originals=len(disclosure.originals),
            created_at=disclosure.created_at,
            **told,
        )


def _disclosed(context: Context, document: BundleDocument) -> Disclosure:
    if not context.bundle.has(DISCLOSURE):
        raise FormatError("the proof of a disclosure without the disclosure")
    disclosure = parse_disclosure(context.bundle.read(DISCLOSURE, MAX_MEMORY_BYTES))
    if disclosure.public_key != context.statement.public_key:
        raise ProofError("the disclosure is signed by another key than the statement's")
    if disclosure.envelope_sha256 != context.envelope_sha256:
        raise ProofError("the disclosure is of another deposit")
    if (disclosure.recipient, disclosure.purpose) != (document.recipient, document.purpose):
        raise ProofError("the disclosure was made for another recipient or purpose than the bundle")
    leaves = {
        number_of(name): leaf_hash(
            parse_opened_record(context.bundle.read(name, 2 * MAX_RECORD_BYTES)).record
        )
        for name in context.bundle.group("records")
    }
    opened = sorted({leaf.hex() for leaf in leaves.values()})
    if list(disclosure.records) != opened:
        raise ProofError("the disclosure is of other records than those that are opened")
    # An original without a record is a finding of its own.
    numbers = {number_of(name) for name in context.bundle.group("originals")} & leaves.keys()
    if list(disclosure.originals) != sorted({leaves[number].hex() for number in numbers}):
        raise ProofError("the disclosure is of other files than those that are handed over")
    return disclosure


def _recorded(context: Context) -> TlogProof:
    bundle = context.bundle
    for name in (DISCLOSURE_EVENT, DISCLOSURE_PROOF):
        if not bundle.has(name):
            raise FormatError(
                "half of the proof that the disclosure is on record: {name} is missing", name=name
            )
    proof = verify_recorded(
        bundle.read(DISCLOSURE, MAX_MEMORY_BYTES),
        bundle.read(DISCLOSURE_EVENT, MAX_ENVELOPE_BYTES),
        bundle.read(DISCLOSURE_PROOF, MAX_PROOF_BYTES),
    )
    for head in context.heads:
        if head.checkpoint.origin != proof.checkpoint.origin:
            raise ProofError("the disclosure is on record in another log than the deposit")
        # It names the deposit, so it was made after it.
        require_order(head, proof)
    return proof
