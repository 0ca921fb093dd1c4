"""What a transaction should offer now, and what its replacement has to offer.

A node takes a replacement only if it pays noticeably more: geth, Besu and ganache want a tenth more on both
fields of EIP-1559, or on the gas price; Nethermind and OpenEthereum's line an eighth. An eighth more on every
field, and one wei for fields too small to grow by it, satisfies them all.

Sources: EIP-1559; execution-apis, eth_feeHistory; go-ethereum core/txpool/legacypool/list.go (price bump).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.notary.chain.encoding import parse_quantity
from mizheng.notary.chain.feerule import FeeRule
from mizheng.notary.chain.interface import ChainError, Fees, RejectedError

# Enough blocks that one odd one does not decide.
_HISTORY_BLOCKS = 10
# What a transaction pays that has nothing special to offer.
_MEDIAN = 50
# An account that is emptied by a node which refuses everything helps nobody.
_USUAL_CAP = 10
# Nodes that cannot say what a tip is: what wallets have offered since the London fork.
_USUAL_TIP = 10**9
# The columns of the database hold 63 bits, and no fee that anybody pays is near it.
_MOST = 2**63 - 1

Ask = Callable[..., Any]


def suggest(ask: Ask, rule: FeeRule) -> Fees:
    """What to offer now, never more than the cap.

    `ask(method, *params)` is a JSON-RPC call that raises ChainError. RejectedError `cap-reached` if the chain
    asks for more than the cap; KeyError, TypeError, ValueError, IndexError if the node answers with nonsense.
    """
    if rule.kind == "free":
        return Fees(0, None)
    if rule.kind == "legacy":
        return limit(Fees(parse_quantity(ask("eth_gasPrice")), None), rule, least=None)
    base, tips = _history(ask)
    tip = _tip(ask, tips)
    # Twice the base fee: it may rise by an eighth a block, so this holds for six full blocks.
    return limit(Fees(2 * base + tip, tip), rule, least=base + tip)


def limit(fees: Fees, rule: FeeRule, *, least: int | None) -> Fees:
    """The fees under the rule's cap. `least`: what the next block asks for, None if all of it."""
    cap = _MOST if rule.max_fee is None else min(rule.max_fee, _MOST)
    if fees.max_fee <= cap:
        return fees
    if least is None or least > cap:
        raise RejectedError(
            "cap-reached",
            "the chain's fee is above max_fee_gwei of notary.toml",
            hint="wait, or raise max_fee_gwei",
        )
    return Fees(cap, fees.max_priority_fee)


def bump(fees: Fees, now: Fees, rule: FeeRule) -> Fees:
    """What replaces a transaction with `fees` where `now` is what a new one would offer.

    RejectedError `cap-reached` if that is more than the cap; without one, more than ten times what a new one
    would offer. Not for chains whose gas is free: there is nothing to offer more of.
    """
    price = max(_more(fees.max_fee), now.max_fee)
    tip = None
    if fees.max_priority_fee is not None:
        tip = max(_more(fees.max_priority_fee), now.max_priority_fee or 0)
        # A tip above the whole fee is refused everywhere (EIP-1559).
        price = max(price, tip)
    if rule.max_fee is None:
        rule = replace(rule, max_fee=_USUAL_CAP * now.max_fee)
    return limit(Fees(price, tip), rule, least=None)


def _more(fee: int) -> int:
    # Rounded up: a wei short of a tenth is refused.
    return fee + max(1, -(-fee // 8))


def _history(ask: Ask) -> tuple[int, list[int]]:
    """The next block's base fee, and the median tip of each of the last blocks that had transactions."""
    try:
        history = ask("eth_feeHistory", hex(_HISTORY_BLOCKS), "latest", [_MEDIAN])
    except ChainError as error:
        if error.code != "node-error":
            raise
        # A node without it: the newest block's own base fee, twice of which is as good.
        return parse_quantity(ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"]), []
    base = parse_quantity(history["baseFeePerGas"][-1])
    filled = zip(history.get("reward") or [], history["gasUsedRatio"], strict=False)
    return base, [parse_quantity(reward[0]) for reward, used in filled if used > 0]


def _tip(ask: Ask, tips: list[int]) -> int:
    if tips:
        return sorted(tips)[len(tips) // 2]
    try:
        return parse_quantity(ask("eth_maxPriorityFeePerGas"))
    except ChainError as error:
        if error.code != "node-error":
            raise
        return _USUAL_TIP
