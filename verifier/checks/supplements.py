"""Whether what an opened supplement names is a deposit of the same depositor, earlier in the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checkpoint import MAX_PROOF_BYTES, TlogProof, parse_tlog_proof
from ..dsse import MAX_ENVELOPE_BYTES
from ..entry import entry_leaf
from ..errors import FormatError, ProofError
from ..members import SUPPLEMENTED, SUPPLEMENTED_PROOF
from ..statement import parse_envelope
from ..words import N_
from .believing import believe, require_order
from .context import Context

_CODE = "supplement.link"
# Fields of the record, as a reader needs them beside the check.
_TOLD = ("number", "matter", "type", "title", "envelope_sha256")


def check_supplements(context: Context) -> None:
    """A check for each supplement that is opened; none where there is nothing of the sort."""
    found = [(name, record.fields) for name, record in context.records if record.kind == "supplement"]
    for name, fields in found:
        _check_link(context, name, fields)
    if not found and context.bundle.group("supplemented"):
        error = FormatError("a deposit that no opened supplement names")
        context.findings.failed(_CODE, context.bundle.group("supplemented")[0], error)


def _check_link(context: Context, name: str, fields: Mapping[str, Any]) -> None:
    findings = context.findings
    told = {key: fields[key] for key in _TOLD}
    if not context.bundle.group("supplemented"):
        message = N_("the deposit that it names is not in the bundle: {envelope_sha256}")
        findings.not_checked(_CODE, name, message, **told)
        return
    earlier = findings.attempt(_CODE, name, lambda: _named(context, fields["envelope_sha256"]))
    if earlier is None or not believe(context, _CODE, name, earlier, **told):
        return
    if not any(head.is_trusted for head in context.heads):
        findings.not_checked(_CODE, name, N_("the checkpoint's signature was not verified"), **told)
    elif earlier.checkpoint.origin != context.heads[0].checkpoint.origin:
        message = N_("the deposit that it names is in another log: which of the two came first is not shown")
        findings.not_checked(_CODE, name, message, **told)
    else:
        message = N_("names the deposit {envelope_sha256}, which precedes it in the log: leaf index {index}")
        findings.passed(_CODE, name, message, index=earlier.index, **told)


def _named(context: Context, envelope_sha256: str) -> TlogProof:
    """The place in the log of the deposit that is enclosed, which is the one named."""
    bundle, own = context.bundle, context.statement.depositor
    for name in (SUPPLEMENTED, SUPPLEMENTED_PROOF):
        if not bundle.has(name):
            raise FormatError("half of the deposit that a supplement names: {name} is missing", name=name)
    data = bundle.read(SUPPLEMENTED, MAX_ENVELOPE_BYTES)
    envelope, statement = parse_envelope(data)
    if envelope.sha256 != envelope_sha256:
        raise ProofError("the supplement names another deposit than the one that is enclosed")
    if (statement.depositor.id_scheme, statement.depositor.id) != (own.id_scheme, own.id):
        raise ProofError("the supplement names a deposit of another depositor")
    proof = parse_tlog_proof(bundle.read(SUPPLEMENTED_PROOF, MAX_PROOF_BYTES))
    proof.verify(entry_leaf(data))
    for head in context.heads:
        if head.checkpoint.origin == proof.checkpoint.origin:
            require_order(proof, head)
    return proof
