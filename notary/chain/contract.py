"""Calls of the anchoring contract: bytes to send and bytes that come back.

Source: Solidity ABI specification, "Function Selector and Argument Encoding". Every argument but one is a
single 32-byte word, so no ABI library is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.notary.chain.interface import Chain, ContractError
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))[:4]


_OPEN = _selector("open(bytes32)")
_ANCHOR = _selector("anchor(bytes32,uint64,bytes32,bytes32[])")
_HEAD = _selector("head(bytes32)")
_PUBLISHER_OF = _selector("publisherOf(bytes32)")
_ROOT_OF = _selector("rootOf(bytes32,uint64)")


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def origin_hash(origin: str) -> bytes:
    """Keccak-256 of the origin's UTF-8."""
    return keccak256(origin.encode("utf-8"))


def compute_log_id(publisher: bytes, origin: str) -> bytes:
    """The id that `open` gives a log: keccak256(abi.encode(sender, originHash))."""
    return keccak256(publisher.rjust(32, b"\0") + origin_hash(origin))


def compute_contract_address(sender: bytes, nonce: int) -> bytes:
    """Where a contract created by this transaction stands (Yellow Paper §7)."""
    return keccak256(rlp.encode([sender, nonce]))[12:]


def open_data(origin: str) -> bytes:
    return _OPEN + origin_hash(origin)


def anchor_data(log_id: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
    """The call that anchors a head.

    `proof` is the consistency proof from the contract's head, empty for the first one.
    """
    array = _word(len(proof)) + b"".join(proof)
    return _ANCHOR + log_id + _word(size) + root + _word(4 * 32) + array


def read_head(chain: Chain, contract: bytes, log_id: bytes) -> tuple[int, bytes]:
    """The contract's head of a log, size and root; 0 and zero bytes if nothing is anchored."""
    answer = _read(chain, contract, _HEAD + log_id, words=2)
    return int.from_bytes(answer[:32], "big"), answer[32:]


def read_root(chain: Chain, contract: bytes, log_id: bytes, size: int) -> bytes:
    """The root anchored at this size; 32 zero bytes if none."""
    return _read(chain, contract, _ROOT_OF + log_id + _word(size), words=1)


def read_publisher(chain: Chain, contract: bytes, log_id: bytes) -> bytes | None:
    """The 20-byte address that may anchor the log; None if there is no such log."""
    address = _read(chain, contract, _PUBLISHER_OF + log_id, words=1)[12:]
    return address if any(address) else None


def _read(chain: Chain, contract: bytes, data: bytes, *, words: int) -> bytes:
    answer = chain.call(contract, data)
    if len(answer) != 32 * words:
        # Never taken for "nothing anchored": a proof would be built from the wrong head.
        raise ContractError(
            "the contract {contract} does not answer as an anchor contract", contract=contract.hex()
        )
    return answer
