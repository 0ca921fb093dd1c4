"""The entry in the log, and the checkpoints that hold it."""

from __future__ import annotations

from ..checkpoint import MAX_PROOF_BYTES, TlogProof, parse_tlog_proof
from ..entry import entry_leaf
from ..errors import ProofError
from ..members import number_of
from ..note import parse_note
from ..policy import Policy
from ..words import N_
from .believing import believe
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
            N_("leaf index {index} in a tree of {size}"),
            index=proof.index,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
        )
        is_trusted = _check_signature(context, name, proof)
        context.heads.append(Head(name, checkpoint, proof.index, proof.note, is_trusted))
    if context.heads:
        context.findings.passed("log.entry", sha256=context.envelope_sha256, leaf_hash=leaf.hex())


def check_witnesses(context: Context) -> None:
    """For each trusted head, whether the witnesses that cosigned it make the trust file's quorum."""
    findings = context.findings
    policy = context.trust.witness_policy if context.trust else None
    lines = sum(len(parse_note(head.note).signatures) - 1 for head in context.heads)
    if policy is None and lines > 0:
        message = N_("{count} further signatures on the checkpoints; the trust file names no witness policy")
        findings.not_checked("witness.quorum", message=message, count=lines)
    elif policy is None or not policy.asks_for_witnesses:
        findings.not_provided("witness.quorum", message=N_("no policy asks for witnesses"))
    else:
        for head in context.heads:
            _check_quorum(context, head, policy)
        if not context.heads:
            findings.not_provided("witness.quorum", message=N_("the bundle carries no proof from the log"))


def _check_quorum(context: Context, head: Head, policy: Policy) -> None:
    findings = context.findings
    if not head.is_trusted:
        message = N_("the checkpoint's signature was not verified")
        findings.not_checked("witness.quorum", head.member, message)
        return
    cosigned = findings.attempt(
        "witness.quorum", head.member, lambda: policy.cosigners(parse_note(head.note))
    )
    if cosigned is None:
        return
    names = ", ".join(sorted(cosigned)) or "-"
    if policy.is_met(cosigned):
        message = N_("quorum {quorum} met by {witnesses}")
        findings.passed("witness.quorum", head.member, message, quorum=policy.quorum, witnesses=names)
    else:
        message = N_("quorum {quorum} not met; cosigned by {witnesses}")
        findings.not_checked("witness.quorum", head.member, message, quorum=policy.quorum, witnesses=names)


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
    vkey = believe(context, "checkpoint.signature", name, proof)
    if vkey:
        origin = proof.checkpoint.origin
        message = N_("signed by {origin}")
        context.findings.passed("checkpoint.signature", name, message, origin=origin, vkey=vkey)
    return vkey is not None
