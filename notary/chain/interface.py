"""What the notary asks of a chain, whichever it is.

Two implementations: `embedded` (in process, for trying) and `node` (a real node over JSON-RPC). Everything
that is the same for both stands in functions beside this file: evidence, contract calls, deployment.

    MizhengError
    └── ChainError              carries `code`, the stable word for "why does it wait"
        ├── UnreachableError        no node answers
        │   ├── SlowError               not in time
        │   ├── RateLimitedError        it says that it was asked too much
        │   ├── UnreadableError         not with JSON-RPC, or the answer was cut off
        │   └── TooFewNodesError        fewer than the quorum
        ├── DisagreementError       nodes answer, and not enough of them the same
        ├── ChainInUseError         another process has the embedded chain open
        ├── RejectedError           the node refuses a transaction: code says why
        ├── ContractError           the contract does not answer as one
        └── EvidenceError           what the node shows does not hash to what it says
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast, get_args

from mizheng.notary.chain.profiles import ChainProfile
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.evm.block import Block

# The first one that applies, in this order; "ok" if none does. clock-behind: the embedded chain's last
# block is later than the clock, which was set back, and no block can be built until it catches up.
IdentityState = Literal[
    "unreachable",
    "slow",
    "rate-limited",
    "unreadable",
    "too-few-nodes",
    "nodes-disagree",
    "wrong-chain-id",
    "wrong-genesis",
    "no-code",
    "other-code",
    "clock-behind",
    "ok",
]


class ChainError(MizhengError):
    """Something at or about the chain; `code` is the word shown as waiting_for."""

    code = "chain-error"


class UnreachableError(ChainError):
    """No node answers, or what answers is no Ethereum node."""

    code = "unreachable"


class SlowError(UnreachableError):
    """The node does not answer in time."""

    code = "slow"


class RateLimitedError(UnreachableError):
    """HTTP 429. The value `seconds`: how long it is to be left alone, 0 if it does not say."""

    code = "rate-limited"


class UnreadableError(UnreachableError):
    """What answers does not speak JSON-RPC, or was cut off."""

    code = "unreadable"


class TooFewNodesError(UnreachableError):
    """Fewer nodes answer than have to agree."""

    code = "too-few-nodes"


class DisagreementError(ChainError):
    """Enough nodes answer, but not enough of them the same."""

    code = "nodes-disagree"


class ChainInUseError(ChainError):
    """The embedded chain is open in another process."""

    code = "chain-in-use"


class RejectedError(ChainError):
    """The transaction was refused, or is not sent. Codes: nonce-too-low, nonce-too-high, insufficient-funds,
    fee-too-low, replacement-underpriced, pool-full, rejected; cap-reached: it would cost more than allowed.
    """

    def __init__(self, code: str, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message, hint, **values)
        self.code = code


class EvidenceError(ChainError):
    """What the node shows does not hash to what it says, or does not hold what was anchored."""

    code = "evidence-broken"


class ContractError(ChainError):
    """What stands at the contract's address is not an anchor contract."""

    code = "other-code"


@dataclass(frozen=True, slots=True)
class Identity:
    """Is this the chain and the contract of the profile? `seen` is the value that differs, for people."""

    state: IdentityState
    seen: str = ""

    @classmethod
    def unknown(cls, error: Exception) -> Identity:
        """Nobody says, or not enough do: the state says why."""
        code = error.code if isinstance(error, ChainError) else ""
        return cls(
            cast(IdentityState, code) if code in get_args(IdentityState) else "unreachable", str(error)
        )


@dataclass(frozen=True, slots=True)
class Fees:
    """In wei for each unit of gas: the two fields of EIP-1559, or one gas price."""

    max_fee: int
    """The most that is paid, or the gas price."""
    max_priority_fee: int | None
    """None: a transaction with a gas price, as on chains older than EIP-1559."""


@dataclass(frozen=True, slots=True)
class FoundTransaction:
    """Where a transaction is. Not in a block yet: `block_number` and `block_hash` are None."""

    block_number: int | None = None
    block_hash: bytes | None = None
    index: int = 0
    """Position in the block."""
    succeeded: bool = False
    gas_used: int = 0
    gas_price: int = 0
    """What each unit of gas cost in the end, in wei."""
    contract: bytes | None = None
    """Address of the contract that it created, as the receipt says."""

    @property
    def cost(self) -> int:
        """In wei."""
        return self.gas_used * self.gas_price


@dataclass(frozen=True, slots=True)
class BlockReceipts:
    """A block and its receipts in their consensus encoding, in order; not yet checked against each other."""

    block: Block
    receipts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StorageProof:
    """One slot of one account under a block's state root (EIP-1186); not yet checked."""

    account_proof: tuple[bytes, ...]
    slot_proof: tuple[bytes, ...]


class Chain(Protocol):
    """One chain. Addresses and hashes are raw bytes.

    Every method may raise ChainError. Methods may be called from several threads.
    """

    @property
    def profile(self) -> ChainProfile: ...

    def check_identity(self, contract: bytes | None = None, code_hash: bytes = b"") -> Identity:
        """Compare chain id and genesis with the profile and, if asked, the code at `contract` with its hash.

        Raises nothing.
        """

    def head(self) -> Block:
        """The newest block."""

    def final(self) -> Block | None:
        """The newest block that the profile's rule calls final; None if there is none yet."""

    def holds_final(self, number: int, block_hash: bytes) -> bool:
        """Whether the block at this height is this one and the profile's rule holds for it: on one and the
        same quorum of the chain's nodes.
        """

    def block(self, number: int) -> Block | None:
        """The block at this height, its header checked against its hash; None if there is none."""

    def block_time(self, number: int) -> str:
        """When the block at this height says that it was made, RFC 3339."""

    def sealed_header(self, number: int, fits: Callable[[bytes], bool] = bool) -> bytes | None:
        """The header at this height as a node shows it, its validators' seals included.

        Of several nodes the first that shows one that fits; None if there is none.
        """

    def nonce(self, address: bytes, *, at_final: bool = False) -> int:
        """How many transactions of this account are in blocks (in final ones only, if asked)."""

    def balance(self, address: bytes) -> int:
        """In wei, at the newest block."""

    def code(self, address: bytes) -> bytes:
        """The account's code at the newest block; empty if it has none."""

    def call(self, to: bytes, data: bytes) -> bytes:
        """Read a contract at the newest block; b"" if it reverts."""

    def fees(self) -> Fees:
        """What a transaction sent now should offer."""

    def send_raw(self, transaction: bytes) -> None:
        """Hand in a signed transaction. One that the chain knows already is no error."""

    def find(self, transaction_hash: bytes) -> FoundTransaction | None:
        """Look a transaction up by hash; None if the chain does not know it."""

    def block_receipts(self, block: Block) -> BlockReceipts:
        """All receipts of a block."""

    def prove_storage(self, address: bytes, slot: bytes, block: Block) -> StorageProof | None:
        """The proof of one slot at that block; None where the chain cannot give it (any more)."""

    def close(self) -> None:
        """Let go of files and connections."""
