"""Consensus proofs: which blocks the chain's own validators, whom the trust file names, stand for.

What is found here is one of the ways in which `anchor.canonical` and `beacon.canonical` pass.
"""

from __future__ import annotations

from ..consensus.proofs import PROOFS, Claim, Proof, Roots
from ..statement import BlockReference
from ..trust import TrustedChain
from ..words import N_
from .context import Context, ProvenBlock

# One for each block that a bundle stands on: anchors on some chains, their storage, the beacon. Each may cost
# a second to whoever verifies, and whoever passes a bundle on can add as many as he likes.
MAX_MEMBERS = 32


def check_consensus(context: Context) -> None:
    """Every member of every kind of proof; what they prove goes into `context.proven`."""
    for proof in PROOFS:
        names = context.bundle.group(proof.group)
        for name in names[:MAX_MEMBERS]:
            _check_proof(context, proof, name)
        for name in names[MAX_MEMBERS:]:
            message = N_("the bundle carries more of these than it can need: only the first {limit} count")
            context.findings.not_checked(proof.code, name, message, limit=MAX_MEMBERS)
        if not names:
            context.findings.not_provided(proof.code)


def _check_proof(context: Context, proof: Proof, name: str) -> None:
    findings = context.findings
    data = findings.attempt(proof.code, name, lambda: context.bundle.read(name, proof.max_bytes))
    if data is None:
        return
    once = context.memory.once
    claim = findings.attempt(proof.code, name, lambda: once(proof.code, data, lambda: proof.read(data)))
    if claim is None:
        return
    context.is_trial |= claim.chain.kind == "trial"
    if context.trust is None:
        findings.not_checked(proof.code, name, N_("no trust file was given"))
        return
    chain = _trusted_chain(context, claim)
    if chain is None:
        message = N_("the trust file does not know this chain")
        findings.not_checked(proof.code, name, message, chain_id=claim.chain.chain_id)
        return
    # NotBelievedError is no failure: other validators may be later ones, and the trust file behind.
    roots = Roots(validators=chain.validators)
    # One run has one trust file; its digest stands in the name all the same.
    judged = f"{proof.code} by {context.trust.sha256}"
    found = findings.attempt(proof.code, name, lambda: once(judged, data, lambda: claim.judge(roots)))
    if found is None:
        return
    block = BlockReference(claim.chain.chain_id, claim.chain.genesis_hash, found.number, found.hash)
    context.proven.append(ProvenBlock(block, found.who))
    findings.passed(
        proof.code,
        name,
        N_("block {number}, sealed by {by}; {needed} are needed"),
        number=found.number,
        by=found.who,
        needed=found.needed,
        hash=found.hash.hex(),
        chain=chain.name,
    )


def _trusted_chain(context: Context, claim: Claim) -> TrustedChain | None:
    """The trust file's chain of this id and genesis, if it is also of this kind."""
    assert context.trust is not None  # noqa: S101 - the caller has looked
    chain = context.trust.chain(claim.chain.chain_id, claim.chain.genesis_hash)
    return chain if chain and chain.kind == claim.chain.kind else None
