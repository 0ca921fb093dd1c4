"""Proofs that a chain's own validators agreed on a block, checked with no node and no network.

    secp256k1, validators → sealed → seals → clique, bft → proofs

`proofs.PROOFS` is the registry: one row a kind of proof, each with its own type, member and check code.
Seals of validators (clique, IBFT 2.0, QBFT) are the first; a sync committee would be the next row.

Nothing here reads a trust file: the validators it names are arguments. What contradicts itself is a
ChainProofError or FormatError; what is sound, but by others than the named validators, an NotBelievedError.
"""
