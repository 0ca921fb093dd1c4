"""The receipts of a block as a trie: whether they are the block's, and where one of them stands."""

from __future__ import annotations

from typing import Any

from mizheng.notary.chain.interface import BlockReceipts, EvidenceError
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import verify_block
from trie.hexary import HexaryTrie


def build_receipts_trie(found: BlockReceipts) -> Any:
    """The trie of the receipts; EvidenceError if they do not hash to the header's receipts root.

    So a node that leaves one out, or adds one, is found out, and an empty answer is never taken for "none".
    """
    trie: Any = HexaryTrie({})
    for position, receipt in enumerate(found.receipts):
        trie[rlp.encode(position)] = receipt
    if trie.root_hash != verify_block(found.block).receipts_root:
        raise EvidenceError("the block's receipts do not hash to its receipts root")
    return trie
