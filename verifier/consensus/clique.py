"""Clique: one seal a block, so a block is as good as the signers that built on it.

More than half of the signers, each with a block of his own at or after this one: any longer chain without it
would need one of them to have signed on both sides. Clique's signers may do that honestly, at a fork, and so
this is weaker than a BFT quorum; a trust file may ask for more.

Checked of EIP-225: the seal, the parent hashes, the numbers, the order and the signer of an epoch block's
list, who may sign again when (SIGNER_LIMIT), and difficulty by turn. Not checked, for the seals cover it and
a majority stands for it: votes, coinbase, nonce, mixHash, uncles, the times between blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..errors import ChainProofError, NotBelievedError
from .sealed import SealedHeader
from .validators import CLIQUE, ValidatorSet, compute_quorum, find_set, require_list

_IN_TURN, _OUT_OF_TURN = 2, 1


def check_headers(headers: Sequence[SealedHeader]) -> None:
    """The headers follow on each other and contradict nothing they say; ChainProofError if they do."""
    for earlier, later in pairwise(headers):
        if later.header.parent_hash != earlier.header.hash:
            raise ChainProofError("a header does not follow on the one before it")
        if later.header.number != earlier.header.number + 1:
            raise ChainProofError("a header whose number does not follow on the one before it")
    for sealed in headers:
        if sealed.difficulty not in (_IN_TURN, _OUT_OF_TURN):
            raise ChainProofError("a clique header of difficulty {found}", found=sealed.difficulty)
        if sealed.listed and not set(sealed.listed).issuperset(sealed.signers):
            raise ChainProofError("an epoch block sealed by somebody whom it does not list as signer")


def judge_headers(
    headers: Sequence[SealedHeader], trusted: ValidatorSet, sets: Sequence[ValidatorSet]
) -> frozenset[bytes]:
    """Which of the signers trusted for the first block sealed it or built on it.

    Each header is held against the set of its own height. NotBelievedError if one does not fit it.
    """
    signed_at: dict[bytes, int] = {}
    for sealed in headers:
        number, signer = sealed.header.number, sealed.signers[0]
        current = find_set(sets, CLIQUE, number)
        if signer not in current.addresses:
            raise NotBelievedError(
                "block {number} is sealed by somebody whom the trust file does not name", number=number
            )
        order = sorted(current.addresses)
        require_list(current, sealed.listed)
        limit = compute_quorum(CLIQUE, len(order))
        if number - signed_at.get(signer, -limit) < limit:
            raise NotBelievedError(
                "block {number} is sealed by a signer whose turn it could not be yet", number=number
            )
        is_in_turn = order[number % len(order)] == signer
        if sealed.difficulty != (_IN_TURN if is_in_turn else _OUT_OF_TURN):
            raise NotBelievedError(
                "the difficulty of block {number} does not fit the signers of the trust file", number=number
            )
        signed_at[signer] = number
    return trusted.addresses.intersection(signed_at)
