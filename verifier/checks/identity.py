"""Who signed: the enrolment of the depositor's key, and whether it was revoked."""

from __future__ import annotations

from ..checkpoint import MAX_PROOF_BYTES, TlogProof, parse_tlog_proof
from ..dsse import MAX_ENVELOPE_BYTES
from ..enrolment import Enrolment, parse_enrolment, parse_key_status
from ..entry import entry_leaf
from ..errors import ProofError
from ..members import ENROLMENT, ENROLMENT_PROOF, KEY_STATUS
from ..signature import PublicKey
from ..words import N_
from .context import Context


def check_enrolment(context: Context) -> None:
    """An issuer enrolled this key for this depositor, earlier in the very tree that holds the deposit.

    The proof must lead to one of the bundle's own heads: a second tree, forked to hold an enrolment
    that the anchored one lacks, is of no use.
    """
    if not context.bundle.has(ENROLMENT):
        message = N_("no enrolment: the depositor's name is only claimed")
        context.findings.not_provided("depositor.enrolment", message=message)
        return
    found = context.findings.attempt("depositor.enrolment", ENROLMENT, lambda: _enrolled(context))
    if found is None:
        return
    enrolment, signer, proof = found
    if proof is None:
        message = N_("no checkpoint of the bundle is signed by a trusted log key")
        context.findings.not_checked("depositor.enrolment", ENROLMENT, message)
        return
    # A head that no anchor holds may be of a tree that the log's operator forked for this one bundle.
    if context.anchored_sizes and proof.checkpoint.size not in context.anchored_sizes:
        message = N_("the enrolment is proven in a checkpoint that no anchor in a known block holds")
        context.findings.not_checked("depositor.enrolment", ENROLMENT, message)
        return
    issuer = context.trust.issuer(signer) if context.trust else None
    if issuer is None:
        message = N_("the issuer is not in a trust file; the depositor's name is only claimed")
        context.findings.not_checked("depositor.enrolment", ENROLMENT, message)
        return
    context.is_enrolled, context.issuer = True, issuer
    context.findings.passed(
        "depositor.enrolment",
        ENROLMENT,
        N_("enrolled by {issuer} ({method}), leaf index {index}"),
        issuer=issuer.name,
        method=enrolment.method,
        index=proof.index,
        authenticated_at=enrolment.authenticated_at,
    )


def check_key_status(context: Context) -> None:
    """The key was not revoked at or before the deposit, by the issuer's word or the trust file's."""
    keyid = context.statement.public_key.keyid
    if context.trust and keyid in context.trust.revoked_keys:
        error = ProofError("the trust file lists the depositor's key as revoked")
        context.findings.failed("depositor.key-status", "", error)
        return
    if not context.bundle.has(KEY_STATUS):
        message = N_("no word from the issuer on whether the key was revoked")
        context.findings.not_checked("depositor.key-status", message=message)
        return
    found = context.findings.attempt("depositor.key-status", KEY_STATUS, lambda: _status(context))
    if found is None:
        return
    signer, size = found
    issuer = context.trust.issuer(signer) if context.trust else None
    if issuer is None:
        message = N_("the issuer is not in a trust file")
        context.findings.not_checked("depositor.key-status", KEY_STATUS, message)
    elif context.issuer is None or context.issuer.name != issuer.name:
        # A status counts the entries of its issuer's own log; another notary's word is about another log.
        message = N_("the key was not enrolled by the issuer who speaks of its status")
        context.findings.not_checked("depositor.key-status", KEY_STATUS, message)
    elif not context.heads:
        message = N_("the bundle carries no proof from the log")
        context.findings.not_checked("depositor.key-status", KEY_STATUS, message)
    else:
        message = N_("not revoked, by {issuer}'s word for the first {size} entries")
        context.findings.passed("depositor.key-status", KEY_STATUS, message, issuer=issuer.name, size=size)


def _enrolled(context: Context) -> tuple[Enrolment, PublicKey, TlogProof | None]:
    data = context.bundle.read(ENROLMENT, MAX_ENVELOPE_BYTES)
    enrolment, signer = context.memory.once("enrolment", data, lambda: parse_enrolment(data))
    if enrolment.public_key != context.statement.public_key:
        raise ProofError("the enrolment is of another key")
    if enrolment.depositor != context.statement.depositor:
        raise ProofError("the enrolment is of another depositor than the statement names")
    trusted = [head.note for head in context.heads if head.is_trusted]
    if not trusted:
        return enrolment, signer, None
    if not context.bundle.has(ENROLMENT_PROOF):
        raise ProofError("the enrolment has no proof that it is in the log")
    proof = parse_tlog_proof(context.bundle.read(ENROLMENT_PROOF, MAX_PROOF_BYTES))
    proof.verify(entry_leaf(data))
    if proof.note not in trusted:
        raise ProofError("the enrolment is proven in another tree than the deposit")
    if proof.index >= context.heads[0].index:
        raise ProofError("the key was enrolled after the deposit")
    return enrolment, signer, proof


def _status(context: Context) -> tuple[PublicKey, int]:
    data = context.bundle.read(KEY_STATUS, MAX_ENVELOPE_BYTES)
    status, signer = context.memory.once("key-status", data, lambda: parse_key_status(data))
    if status.keyid != context.statement.public_key.keyid:
        raise ProofError("the key status is of another key")
    if context.heads:
        if status.as_of_size < min(head.checkpoint.size for head in context.heads):
            raise ProofError("the key status is older than the deposit")
        if status.revoked_index is not None and status.revoked_index <= context.heads[0].index:
            raise ProofError("the key was revoked before the deposit")
    return signer, status.as_of_size
