"""Bring the contract onto a chain and open the log in it; both are found again rather than done twice.

A created contract's address follows from its creator and nonce, and a log's id from its publisher and origin.
So a process that died in the middle needs no notes: it looks where its contract would stand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mizheng.contracts.artifact import load_artifact
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.interface import Chain, ChainError, FoundTransaction
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.publisher import Publisher, SignedTransaction
from mizheng.verifier.evm.keccak import keccak256

# Creation: 53,000 (Yellow Paper, appendix G) and for each byte of code 200 to keep, 16 to send, 4 for the
# rest.
_CREATE_GAS = 60_000
_GAS_PER_CODE_BYTE = 240
# Measured 48,000.
_OPEN_GAS = 90_000
# A publisher's first transactions; one that has sent more before deploying names its contract in the profile.
_SEARCHED_NONCES = 16
# Ten blocks of Ethereum.
_WAIT_SECONDS = 120.0


class NotMinedError(ChainError):
    """A transaction was sent, but is in no block yet."""

    code = "not-mined"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A log that is open in a contract."""

    contract: bytes
    """Address, 20 bytes."""
    code_hash: bytes
    log_id: bytes
    first_block: int
    """No event of the contract is older than this block."""


def code_hash() -> bytes:
    """Keccak-256 of the anchor contract's runtime code."""
    return load_artifact().code_hash


def bring_up(
    chain: Chain,
    publisher: Publisher,
    origin: str,
    *,
    wait_seconds: float = _WAIT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Deployment:
    """The contract (the profile's, else the publisher's own, else a new one) with the log open in it.

    ChainError if the publisher cannot pay, if the log belongs to another publisher, or NotMinedError if the
    chain does not take the transactions into a block in time: run again, nothing is done twice.
    """
    address = chain.profile.contract or find_contract(chain, publisher.address)
    first_block = chain.profile.first_block
    sent = []
    nonce = chain.nonce(publisher.address)
    if address is None:
        first_block = chain.head().number
        bytecode = load_artifact().bytecode
        gas = _CREATE_GAS + _GAS_PER_CODE_BYTE * len(bytecode)
        creation = _sign(chain, publisher, None, bytecode, gas, nonce)
        if chain.profile.is_foreign:
            # Where the contract stands is known from the receipt alone: one after the other.
            address = _create(chain, creation, wait_seconds, sleep)
            nonce += 1
        else:
            address = calls.compute_contract_address(publisher.address, nonce)
            sent.append(creation)
    elif keccak256(chain.code(address)) != code_hash():
        raise ChainError(
            "at {contract} there is no anchor contract of this version",
            hint="check contract in notary.toml",
            contract=address.hex(),
        )
    log_id = chain.profile.log_id or calls.compute_log_id(publisher.address, origin)
    holder = None if sent else calls.read_publisher(chain, address, log_id)
    if holder is None and chain.profile.log_id:
        raise ChainError(
            "the contract has no log {log_id}", hint="check log_id in notary.toml", log_id=log_id.hex()
        )
    if holder is None:
        data = calls.open_data(origin)
        sent.append(_sign(chain, publisher, address, data, _OPEN_GAS, nonce + len(sent)))
    elif holder != publisher.address:
        raise ChainError("the log has been handed over to the publisher {holder}", holder=holder.hex())
    # Both at once: the second is fixed by the first one's nonce, and one block can take both. If only the
    # first gets in, the next run finds the contract; the second alone cannot get in, its nonce is later.
    for transaction in sent:
        chain.send_raw(transaction.raw)
    for transaction in sent:
        found = _wait(chain, transaction.hash, wait_seconds, sleep)
        if not found.succeeded:
            raise ChainError("the chain did not execute the transaction {hash}", hash=transaction.hash.hex())
    if keccak256(chain.code(address)) != code_hash():
        raise ChainError("the contract at {contract} has other code than expected", contract=address.hex())
    return Deployment(address, code_hash(), log_id, first_block)


def expected_deployment(profile: ChainProfile, publisher: Publisher, origin: str) -> Deployment | None:
    """What `bring_up` made earlier, without asking the chain; None for a profile without a contract.

    On the embedded chain the contract is the publisher's first transaction.
    """
    contract = profile.contract
    if contract is None and profile.is_embedded:
        contract = calls.compute_contract_address(publisher.address, 0)
    if contract is None:
        return None
    log_id = profile.log_id or calls.compute_log_id(publisher.address, origin)
    return Deployment(contract, code_hash(), log_id, profile.first_block)


def find_contract(chain: Chain, publisher: bytes) -> bytes | None:
    """The address of an anchor contract that one of the publisher's first transactions created."""
    for nonce in range(min(chain.nonce(publisher), _SEARCHED_NONCES)):
        address = calls.compute_contract_address(publisher, nonce)
        if keccak256(chain.code(address)) == code_hash():
            return address
    return None


def _sign(
    chain: Chain, publisher: Publisher, to: bytes | None, data: bytes, gas: int, nonce: int
) -> SignedTransaction:
    return publisher.sign(
        to=to,
        data=data,
        gas=gas + chain.profile.extra_gas,
        nonce=nonce,
        chain_id=chain.profile.chain_id,
        fees=chain.fees(),
    )


def _create(
    chain: Chain, creation: SignedTransaction, seconds: float, sleep: Callable[[float], None]
) -> bytes:
    """Create the contract; its address."""
    chain.send_raw(creation.raw)
    made = _wait(chain, creation.hash, seconds, sleep)
    if not made.succeeded or made.contract is None:
        raise ChainError("the chain did not execute the transaction {hash}", hash=creation.hash.hex())
    return made.contract


def _wait(chain: Chain, digest: bytes, seconds: float, sleep: Callable[[float], None]) -> FoundTransaction:
    deadline = time.monotonic() + seconds
    while True:
        found = chain.find(digest)
        if found is not None and found.block_number is not None:
            return found
        if time.monotonic() >= deadline:
            raise NotMinedError(
                "the transaction {hash} is not in a block yet",
                hint="run the command again: it goes on where it stopped",
                hash=digest.hex(),
            )
        sleep(0.05)
