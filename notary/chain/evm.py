"""py-evm, dressed as a chain that starts from a random genesis and builds a block when told to.

Headers are those of Ethereum since Prague (21 fields), so evidence of this chain is checked by the same
code as that of a real one. Only its name, kind `trial`, and its single maker tell that it proves nothing.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable
from typing import Any, cast

from eth.abc import BlockAPI, BlockHeaderAPI, SignedTransactionAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.exceptions import CanonicalHeadNotFound
from eth.vm.forks.prague import PragueVM
from eth_typing import Address
from eth_utils.exceptions import ValidationError
from mizheng.notary.chain.profiles import EMBEDDED_CHAIN_ID
from mizheng.notary.chain.storage import SqliteStore

# py-evm and py_ecc raise the limit to 100,000 when they are imported, for contracts that call each other
# 1,024 deep. Ours call nobody, and with that limit JSON from the network could overflow the C stack.
sys.setrecursionlimit(1_000)

# That of Ethereum when this was written; an anchoring takes 80,000.
_GAS_LIMIT = 30_000_000
# A million ether: anchoring every second for a century costs less.
_FUNDS = 10**24


class TrialChain(MiningChain):
    """Prague rules from block 0, the gas limit constant."""

    chain_id = EMBEDDED_CHAIN_ID
    vm_configuration = ((0, PragueVM),)  # type: ignore[assignment]

    def create_header_from_parent(self, parent_header: BlockHeaderAPI, **params: Any) -> BlockHeaderAPI:
        return super().create_header_from_parent(
            parent_header, **{**params, "gas_limit": parent_header.gas_limit}
        )


def open_chain(store: SqliteStore, funded: bytes, now: int) -> TrialChain:
    """The chain in the store; in an empty one, a new chain whose genesis funds the 20-byte address `funded`.

    A process that dies before the commit leaves an empty store and the next one makes another genesis;
    nobody has seen the first.
    """
    database = AtomicDB(store)
    try:
        return TrialChain(database)
    except CanonicalHeadNotFound:
        pass
    parameters: Any = {
        "difficulty": 0,
        "nonce": bytes(8),
        # What makes this chain's genesis hash its own.
        "extra_data": secrets.token_bytes(32),
        "gas_limit": _GAS_LIMIT,
        "timestamp": now,
    }
    account: Any = {"balance": _FUNDS, "nonce": 0, "code": b"", "storage": {}}
    chain: Any = TrialChain.from_genesis(database, parameters, {Address(funded): account})
    store.commit()
    return cast(TrialChain, chain)


def decode_transaction(chain: TrialChain, raw: bytes) -> SignedTransactionAPI:
    """The signed transaction; ValueError if the bytes are none."""
    try:
        return chain.get_vm().get_transaction_builder().decode(raw)
    except Exception as error:
        # rlp, eth_keys and py-evm each have exceptions of their own for this.
        raise ValueError("not a signed transaction") from error


def build_block(
    chain: TrialChain, transactions: Iterable[SignedTransactionAPI], timestamp: int
) -> tuple[BlockAPI | None, list[bytes]]:
    """Build the next block from the transactions that are valid now; return it and the hashes of the others.

    None if no transaction was valid. The caller commits the store, or rolls it back and opens the chain anew.
    """
    chain.set_header_timestamp(timestamp)
    refused = []
    count = 0
    for transaction in transactions:
        try:
            chain.apply_transaction(transaction)
            count += 1
        except ValidationError:
            refused.append(bytes(transaction.hash))
    if not count:
        return None, refused
    # prevRandao, as a beacon chain would give it; and no blobs, which py-evm does not fill in by itself.
    return chain.mine_block(mix_hash=os.urandom(32), blob_gas_used=0), refused
