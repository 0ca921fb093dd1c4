"""What is offered, what replaces it, what nodes say of it, and the settings of all that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.notary.chain.feerule import FeeRule, format_amount, parse_amount, parse_fee_rule
from mizheng.notary.chain.fees import bump, suggest
from mizheng.notary.chain.interface import ChainError, Fees, RejectedError
from mizheng.notary.chain.pulse import Pulse
from mizheng.notary.chain.refusals import classify
from mizheng.notary.errors import ConfigurationError

GWEI = 10**9


class NodeError(ChainError):
    code = "node-error"


def node(**answers: Any) -> Callable[..., Any]:
    """A node that knows these methods and no others."""

    def ask(method: str, *_params: Any) -> Any:
        if method not in answers:
            raise NodeError("the method does not exist")
        return answers[method]

    return ask


def history(*tips: int, base: int = 7 * GWEI, used: float = 0.5) -> dict[str, Any]:
    return {
        "baseFeePerGas": [hex(1)] * len(tips) + [hex(base)],
        "gasUsedRatio": [used] * len(tips),
        "reward": [[hex(tip)] for tip in tips],
    }


def test_the_base_fee_twice_and_the_median_tip() -> None:
    found = suggest(node(eth_feeHistory=history(1, 3 * GWEI, 2 * GWEI)), FeeRule())
    assert found == Fees(14 * GWEI + 2 * GWEI, 2 * GWEI)


def test_blocks_without_transactions_say_nothing_about_tips() -> None:
    ask = node(eth_feeHistory=history(0, 0, used=0), eth_maxPriorityFeePerGas=hex(5))
    assert suggest(ask, FeeRule()) == Fees(14 * GWEI + 5, 5)
    assert suggest(node(eth_feeHistory=history(0, used=0)), FeeRule()) == Fees(15 * GWEI, GWEI)


def test_a_node_without_a_fee_history() -> None:
    ask = node(eth_getBlockByNumber={"baseFeePerGas": hex(3 * GWEI)})
    assert suggest(ask, FeeRule()) == Fees(7 * GWEI, GWEI)


def test_a_gas_price_and_none_at_all() -> None:
    assert suggest(node(eth_gasPrice=hex(4 * GWEI)), FeeRule(kind="legacy")) == Fees(4 * GWEI, None)
    assert suggest(node(), FeeRule(kind="free")) == Fees(0, None)


@pytest.mark.parametrize("error", [None, "0x", {}, {"baseFeePerGas": []}])
def test_nonsense_is_not_taken_for_a_fee(error: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        suggest(node(eth_feeHistory=error), FeeRule())


def test_under_the_cap_while_the_next_block_can_be_paid() -> None:
    ask = node(eth_feeHistory=history(GWEI))
    assert suggest(ask, FeeRule(max_fee=9 * GWEI)) == Fees(9 * GWEI, GWEI)
    assert suggest(ask, FeeRule(max_fee=8 * GWEI)) == Fees(8 * GWEI, GWEI)
    with pytest.raises(RejectedError) as caught:
        suggest(ask, FeeRule(max_fee=8 * GWEI - 1))
    assert caught.value.code == "cap-reached"
    with pytest.raises(RejectedError):
        suggest(node(eth_gasPrice=hex(9)), FeeRule(kind="legacy", max_fee=8))


fee = st.integers(0, 10**15)


@given(price=fee, tip=st.none() | fee, now=fee)
def test_a_replacement_offers_a_tenth_more_on_every_field(price: int, tip: int | None, now: int) -> None:
    old = Fees(max(price, tip or 0), tip)
    new = bump(old, Fees(now, None if tip is None else now // 2), FeeRule(max_fee=10**17))
    assert new.max_fee > old.max_fee
    assert new.max_fee * 10 >= old.max_fee * 11
    assert new.max_fee >= now
    if tip is None:
        assert new.max_priority_fee is None
    else:
        assert new.max_priority_fee is not None
        assert new.max_priority_fee > tip
        assert new.max_priority_fee * 10 >= tip * 11
        assert new.max_priority_fee <= new.max_fee


def test_a_replacement_ends_at_the_cap_or_at_ten_times_what_is_asked_for() -> None:
    for rule in (FeeRule(max_fee=1000), FeeRule()):
        fees, steps = Fees(100, 10), 0
        with pytest.raises(RejectedError) as caught:
            while True:
                fees = bump(fees, Fees(100, 10), rule)
                steps += 1
        assert caught.value.code == "cap-reached"
        assert fees.max_fee <= 1000
        assert 15 < steps < 30


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        # By the code, whatever the words: execution-apis, src/error-groups.
        (1, "?", "nonce-too-low"),
        (2, "?", "nonce-too-high"),
        (802, "?", "fee-too-low"),
        (806, "?", "fee-too-low"),
        (809, "?", "insufficient-funds"),
        (1000, "?", "known"),
        (1002, "?", "replacement-underpriced"),
        # geth, as of core/txpool/errors.go and core/error.go
        (-32000, "already known", "known"),
        (-32000, "nonce too low: next nonce 5, tx nonce 4", "nonce-too-low"),
        (-32000, "nonce too high", "nonce-too-high"),
        (-32000, "replacement transaction underpriced", "replacement-underpriced"),
        (-32000, "transaction underpriced: gas tip cap 1, minimum needed 25", "fee-too-low"),
        (-32000, "max fee per gas less than block base fee: address 0x…, maxFeePerGas: 1", "fee-too-low"),
        (-32000, "insufficient funds for gas * price + value: balance 0", "insufficient-funds"),
        (-32000, "txpool is full", "pool-full"),
        (-32000, "future transaction tries to replace pending", "replacement-underpriced"),
        # Besu, RpcErrorType
        (-32000, "Known transaction", "known"),
        (-32001, "Nonce too low", "nonce-too-low"),
        (-32006, "Nonce too high", "nonce-too-high"),
        (-32000, "Replacement transaction underpriced", "replacement-underpriced"),
        (-32009, "Gas price below configured minimum gas price", "fee-too-low"),
        (-32009, "Gas price below current base fee", "fee-too-low"),
        (-32004, "Upfront cost exceeds account balance", "insufficient-funds"),
        (-32000, "Transaction nonce is too distant from current sender nonce", "nonce-too-high"),
        # Erigon, DiscardReason
        (-32000, "already known", "known"),
        (-32000, "existing tx with same hash", "known"),
        (-32000, "could not replace existing tx", "replacement-underpriced"),
        (-32000, "underpriced", "fee-too-low"),
        (-32000, "fee too low", "fee-too-low"),
        (-32000, "insufficient funds", "insufficient-funds"),
        # Nethermind, AcceptTxResult
        (-32010, "AlreadyKnown", "known"),
        (-32010, "OldNonce, Current nonce: 5, nonce of rejected tx: 4", "nonce-too-low"),
        (-32010, "NonceGap, Future nonce. Expected nonce: 4", "nonce-too-high"),
        (-32010, "ReplacementNotAllowed", "replacement-underpriced"),
        (-32010, "FeeTooLow, MaxFeePerGas too low", "fee-too-low"),
        (-32010, "InsufficientFunds, Account balance: 0", "insufficient-funds"),
        # anvil and ganache, as run
        (-32003, "transaction already imported", "known"),
        (-32003, "nonce too low", "nonce-too-low"),
        (-32003, "transaction underpriced", "fee-too-low"),
        (
            -32000,
            "the tx doesn't have the correct nonce. account has nonce of: 5 tx has nonce of: 4",
            "nonce-too-low",
        ),
        # FISCO BCOS
        (-32000, "AlreadyInTxPool", "known"),
        # A code that is Besu's "upfront cost" and everybody else's "method not supported".
        (-32004, "method not supported", "rejected"),
        (-32602, "invalid sender", "rejected"),
    ],
)
def test_what_nodes_say_of_a_transaction(code: int, message: str, meaning: str) -> None:
    assert classify(code, message) == meaning


@given(wei=st.integers(0, 10**30 - 1))
def test_amounts_are_exact(wei: int) -> None:
    text = format_amount(wei)
    assert parse_amount(text) == wei
    assert not text.endswith(".")


@pytest.mark.parametrize("text", ["", "1e3", "-1", ".5", "1.", "0.0000000000000000001", " 1", "١"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text)


def test_a_fee_rule_is_read() -> None:
    found = parse_fee_rule(
        {
            "fees": "legacy",
            "max_fee_gwei": 80,
            "budget_per_day": "0.05",
            "low_balance": "1.5",
            "unit": "ETC",
            "replace_after": 30,
            "stalled_after": 120,
        }
    )
    assert found == FeeRule("legacy", 80 * GWEI, 5 * 10**16, 15 * 10**17, "ETC", 30, 120)
    assert parse_fee_rule({}) == FeeRule()


@pytest.mark.parametrize(
    "line",
    [
        {"fees": "cheap"},
        {"max_fee_gwei": 0},
        {"max_fee_gwei": 2**33},
        {"budget_per_day": "much"},
        {"low_balance": "1e-3"},
        {"unit": ""},
        {"unit": "E T H"},
        {"replace_after": 0},
        {"stalled_after": 10**9},
    ],
)
def test_a_line_that_is_wrong_is_named(line: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_fee_rule(line)
    assert next(iter(line)) in str(caught.value)


def test_a_chain_lives_while_its_newest_block_changes() -> None:
    seconds = [0.0]
    pulse = Pulse(60, lambda: seconds[0])
    assert pulse.beats(5)
    seconds[0] = 59
    assert pulse.beats(5)
    seconds[0] = 60
    assert not pulse.beats(5)
    # Also when it goes back: a reorganisation is life.
    assert pulse.beats(4)
    seconds[0] = 500
    assert not pulse.beats(4)
    pulse.rest()
    assert pulse.beats(4)
