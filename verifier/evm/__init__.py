"""What an Ethereum block proves: headers, receipts, accounts and storage, decoded and checked by hand.

    keccak → rlp → trie, header, receipt, storage → event, block

Nothing here knows a node or a network. A header proves nothing by itself: whether its hash belongs to
the chain is another check, with the trust file.
"""
