"""What the notary says a deposit waits for, in words for the depositor."""

from __future__ import annotations

from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.text import printable

# Codes that pass by themselves.
ONLY_TIME = ("anchor-interval", "block", "finality")
# What the notary's codes mean to a depositor.
WAITING = {
    "seal": N_("being deposited: mizheng notarize"),
    "answer": N_("an answer: it may have been sent, run mizheng notarize again"),
    "next-anchor": N_("the next anchor: deposits are anchored together, at intervals"),
    "anchor-interval": N_("the next anchor: deposits are anchored together, at intervals"),
    "block": N_("the chain to take the notary's transaction into a block"),
    "finality": N_("the block to become final, so that the chain cannot go back on it"),
    "slow": N_("the chain's node, which does not answer the notary; the deposit itself is safe"),
    "rate-limited": N_("the chain's node, which does not answer the notary; the deposit itself is safe"),
    "unreadable": N_("the chain's node, which does not answer the notary; the deposit itself is safe"),
    "too-few-nodes": N_("enough of the chain's nodes to answer the notary; the deposit itself is safe"),
    "nodes-disagree": N_("the chain's nodes to agree; the notary believes none alone"),
    "unreachable": N_("the chain's node, which does not answer the notary; the deposit itself is safe"),
    "insufficient-funds": N_("the notary's account on the chain to be filled up; the deposit itself is safe"),
    "chain-in-use": N_("the notary's operator: another process holds its chain"),
    "balance-low": N_("the notary's account on the chain to be filled up; the deposit itself is safe"),
    "cap-reached": N_("the chain to become cheaper: it asks for more than the notary may pay"),
    "budget-spent": N_("another day: the notary has spent what it may spend on this chain"),
    "chain-stalled": N_("the chain, which makes no blocks at the moment"),
    "signer-unavailable": N_("the notary's operator: the key of its account cannot be used"),
    "nonce-taken": N_("the chain to say for good which of two transactions of the notary counts"),
    "nonce-gap": N_("an earlier transaction of the notary's account"),
    "final-reversed": N_("the notary's operator: the chain took back a block that was final"),
    "fee-too-low": N_("a dearer transaction of the notary, which is being made"),
    "replacement-underpriced": N_("a dearer transaction of the notary, which is being made"),
    "reorganised": N_("the chain to take the notary's transaction into a block again"),
    "wrong-chain-id": N_("the notary's operator: its node is on another chain"),
    "wrong-genesis": N_("the notary's operator: its node is on another chain"),
    "no-contract": N_("the notary's operator: the contract is not where it should be"),
    "no-code": N_("the notary's operator: the contract is not where it should be"),
    "other-code": N_("the notary's operator: the contract is not where it should be"),
    "log-not-open": N_("the notary's operator: the contract does not take this notary's anchors"),
    "not-publisher": N_("the notary's operator: the contract does not take this notary's anchors"),
    **dict.fromkeys(
        ("log-forked", "log-behind-contract", "anchor-unknown"),
        N_("the notary's operator: what is anchored and what the notary has do not fit together"),
    ),
    "evidence-broken": N_("another node of the chain: what this one shows does not check"),
    "clock-behind": N_("the notary's operator: the notary's clock was set back"),
    **dict.fromkeys(
        ("nonce-too-low", "nonce-too-high", "pool-full", "rejected"),
        N_("the chain's node, which does not take the notary's transaction; the deposit itself is safe"),
    ),
    **dict.fromkeys(
        ("reverted", "no-event", "nonce-used", "head-anchored"),
        N_("another transaction of the notary: the last one anchored nothing"),
    ),
    **dict.fromkeys(
        ("not-mined", "node-error", "chain-error"),
        N_("the chain's node, which answers with an error; the deposit itself is safe"),
    ),
}


def describe_waiting(code: str) -> str:
    """The words for a code of the notary's; one that is not known here is shown as it is."""
    return _(WAITING[code]) if code in WAITING else printable(code)
