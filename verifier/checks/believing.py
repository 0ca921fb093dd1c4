"""Whether a checkpoint is to be believed, and whether two proofs speak of one tree."""

from __future__ import annotations

from typing import Any

from ..checkpoint import TlogProof
from ..errors import ProofError
from ..logkeys import open_believed
from ..words import N_
from .context import Context, Head


def believe(context: Context, code: str, subject: str, proof: TlogProof, **values: Any) -> str | None:
    """The vkey of a trusted key of the proof's log that signed its checkpoint; None, and a finding, without.

    `values` go with what was not checked.
    """
    findings, origin = context.findings, proof.checkpoint.origin
    if context.trust is None:
        findings.not_checked(code, subject, N_("no trust file was given"), **values)
        return None
    logs = [log for log in context.trust.logs if log.origin == origin]
    if not logs:
        message = N_("the trust file does not know the log {origin}")
        findings.not_checked(code, subject, message, origin=origin, **values)
        return None

    def run() -> str:
        _, log = open_believed(proof.note, logs)
        return log.verifier.vkey

    return findings.attempt(code, subject, lambda: context.memory.once("checkpoint", proof.note, run))


def require_order(earlier: Head | TlogProof, later: Head | TlogProof) -> None:
    """ProofError unless these entries of one log can be of one tree, and stand in it in this order."""
    first, second = earlier.checkpoint, later.checkpoint
    if first.size == second.size and first.root != second.root:
        raise ProofError("the two entries are not of one tree")
    if earlier.index >= later.index:
        raise ProofError("it names a deposit that does not stand before it in the log")
