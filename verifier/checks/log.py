"""The entry in the log, and the checkpoints that hold it."""

from __future__ import annotations

from ..bundle import number_of
from ..checkpoint import MAX_PROOF_BYTES, TlogProof, open_checkpoint, parse_tlog_proof
from ..entry import entry_leaf
from ..errors import ProofError
from ..note import parse_note
from ..words import N_
from .context import Context, Head


def check_log(context: Context) -> None:
    """Entry, inclusion and signature for each head; all heads of one log and at one index."""
    leaf = entry_leaf(context.envelope)
    names = context.bundle.group("heads")
    if not names:
        for code in ("log.entry", "log.inclusion", "checkpoint.signature"):
            context.findings.not_provided(code, message=N_("the bundle carries no proof from the log"))
        return
    for name in names:
        proof = context.findings.attempt("log.inclusion", name, lambda: _included(context, name, leaf))  # noqa: B023
        if proof is None:
            continue
        checkpoint = proof.checkpoint
        context.findings.passed(
            "log.inclusion",
            name,
            N_("entry {index} of {size}"),
            index=proof.index,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
        )
        is_trusted = _check_signature(context, name, proof)
        context.heads.append(Head(name, checkpoint, proof.index, proof.note, is_trusted))
    if context.heads:
        context.findings.passed("log.entry", sha256=context.envelope_sha256, leaf_hash=leaf.hex())


def check_witnesses(context: Context) -> None:
    """Cosignatures are counted against a policy, which this trust format does not carry yet."""
    lines = sum(len(parse_note(head.note).signatures) - 1 for head in context.heads)
    if lines > 0:
        message = N_("{count} further signatures on the checkpoints; the trust file names no witness policy")
        context.findings.not_checked("witness.quorum", message=message, count=lines)
    else:
        context.findings.not_provided("witness.quorum")


def _included(context: Context, name: str, leaf: bytes) -> TlogProof:
    proof = parse_tlog_proof(context.bundle.read(name, MAX_PROOF_BYTES))
    checkpoint = proof.verify(leaf)
    if checkpoint.size != number_of(name):
        raise ProofError("the proof is for another tree size than its name says")
    # All those before were compared with the first.
    for head in context.heads[:1]:
        if (checkpoint.origin, proof.index) != (head.checkpoint.origin, head.index):
            raise ProofError("the proofs are not all of one entry in one log")
    return proof


def _check_signature(context: Context, name: str, proof: TlogProof) -> bool:
    findings, checkpoint = context.findings, proof.checkpoint
    if context.trust is None:
        findings.not_checked("checkpoint.signature", name, N_("no trust file was given"))
        return False
    logs = [log for log in context.trust.logs if log.origin == checkpoint.origin]
    if not logs:
        message = N_("the trust file does not know the log {origin}")
        findings.not_checked("checkpoint.signature", name, message, origin=checkpoint.origin)
        return False

    def run() -> str:
        _, signed = open_checkpoint(proof.note, [log.verifier for log in logs])
        for log in logs:
            if log.verifier in signed and log.covers(checkpoint.size):
                return log.verifier.vkey
        raise ProofError("the log key that signed is not trusted for tree size {size}", size=checkpoint.size)

    vkey = findings.attempt("checkpoint.signature", name, run)
    if vkey:
        findings.passed(
            "checkpoint.signature", name, N_("signed by {origin}"), origin=checkpoint.origin, vkey=vkey
        )
    return vkey is not None
