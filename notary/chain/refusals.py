"""What a node's error to eth_sendRawTransaction means.

Where a node gives the codes of execution-apis (src/error-groups: 1 to 199 execution, 800 to 999 gas, 1000
to 1199 pool), the code decides. Negative codes decide nothing: geth, Erigon and Nethermind answer -32000 to
everything, and -32001 to -32009 mean one thing with Besu and another in EIP-1474, where -32004 is a method
that is not supported. There the words decide, and they are few and old.

Sources: go-ethereum core/txpool/errors.go and core/error.go, Besu RpcErrorType, Erigon txpoolcfg
DiscardReason, Nethermind AcceptTxResult, reth's pool errors, FISCO BCOS TransactionStatus; anvil and ganache
as run.
"""

from __future__ import annotations

from typing import Literal

Refusal = Literal[
    "known",
    "nonce-too-low",
    "nonce-too-high",
    "replacement-underpriced",
    "fee-too-low",
    "insufficient-funds",
    "pool-full",
    "rejected",
]

_CODES: dict[int, Refusal] = {
    1: "nonce-too-low",
    2: "nonce-too-high",
    802: "fee-too-low",
    806: "fee-too-low",
    809: "insufficient-funds",
    1000: "known",
    1002: "replacement-underpriced",
}

# The first line that has a word of the answer decides: "replacement transaction underpriced" must not be
# taken for "transaction underpriced".
_WORDS: tuple[tuple[Refusal, tuple[str, ...]], ...] = (
    (
        "known",
        (
            "already known",  # geth, Erigon, reth
            "alreadyknown",  # Nethermind
            "known transaction",  # Besu, older geth
            "already imported",  # anvil
            "existing tx with same hash",  # Erigon
            "already in the pool",
            "already in tx pool",
            "alreadyintxpool",  # FISCO BCOS
            "alreadyinchain",
        ),
    ),
    (
        "replacement-underpriced",
        (
            "replacement transaction underpriced",  # geth, Besu, Erigon, anvil, reth
            "could not replace existing tx",  # Erigon
            "replacementnotallowed",  # Nethermind
            "future transaction tries to replace pending",  # geth
            "another transaction with same nonce in the queue",  # OpenEthereum
        ),
    ),
    (
        "nonce-too-low",
        (
            "nonce too low",  # geth, Besu, Erigon, anvil, reth
            "nonce is too low",
            "oldnonce",  # Nethermind
            "correct nonce",  # ganache
            "noncecheckfail",  # FISCO BCOS
        ),
    ),
    (
        "nonce-too-high",
        (
            "nonce too high",  # geth, Besu
            "noncegap",  # Nethermind
            "too distant from current sender nonce",  # Besu
            "nonce gap",
        ),
    ),
    (
        "insufficient-funds",
        (
            "insufficient funds",  # geth, Erigon, anvil, reth, ganache
            "insufficientfunds",  # Nethermind, FISCO BCOS
            "upfront cost exceeds account balance",  # Besu
            "insufficient balance",
            "sender doesn't have enough funds",  # ganache
        ),
    ),
    (
        "fee-too-low",
        (
            "underpriced",  # geth, Erigon, reth
            "fee too low",  # Erigon
            "feetoolow",  # Nethermind
            "less than block base fee",  # geth, anvil
            "lower than the block base fee",
            "less than the block's basefeepergas",  # ganache
            "below current base fee",  # Besu
            "below configured minimum gas price",  # Besu
            "price too low",
            "price is too low",
            "below minimum",
        ),
    ),
    ("pool-full", ("txpool is full", "pool overflow", "queue is full", "txpoolisfull", "too many pending")),
)


def classify(code: int, message: str) -> Refusal:
    """What the error object (its `code` and `message`) of a refused transaction means."""
    if code in _CODES:
        return _CODES[code]
    said = message.lower()
    for refusal, words in _WORDS:
        if any(word in said for word in words):
            return refusal
    return "rejected"
