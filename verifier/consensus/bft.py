"""IBFT 2.0 and QBFT: a quorum of committed seals in the block's own header, final at once.

Sources: Besu, BftCommitSealsValidationRule and BftHelpers.calculateRequiredValidatorQuorum; GoQuorum,
consensus/istanbul/qbft/engine. GoQuorum lets a header through with a third of the seals and one more; here
two thirds are needed, which its consensus collects before it makes the block.
"""

from __future__ import annotations

from ..errors import ChainProofError, NotBelievedError
from .sealed import SealedHeader
from .validators import IBFT2, ValidatorSet, compute_quorum, require_list


def check_header(sealed: SealedHeader) -> None:
    """The header holds up by its own account; ChainProofError if not.

    Besu leaves the list empty where a contract chooses the validators; then it says nothing about itself.
    """
    if len(set(sealed.signers)) != len(sealed.signers):
        raise ChainProofError("a validator sealed twice")
    if not sealed.listed:
        return
    if len(set(sealed.listed)) != len(sealed.listed):
        raise ChainProofError("a header that lists a validator twice")
    if not set(sealed.listed).issuperset(sealed.signers):
        raise ChainProofError("a seal of somebody whom the header does not list as validator")
    needed = compute_quorum(IBFT2, len(sealed.listed))
    if len(sealed.signers) < needed:
        raise ChainProofError(
            "{count} seals, where the header's own validators ask for {needed}",
            count=len(sealed.signers),
            needed=needed,
        )


def judge_header(sealed: SealedHeader, trusted: ValidatorSet) -> frozenset[bytes]:
    """Which of the trusted validators sealed; NotBelievedError if the header is under other validators."""
    require_list(trusted, sealed.listed)
    if not trusted.addresses.issuperset(sealed.signers):
        raise NotBelievedError("the block is sealed by somebody whom the trust file does not name")
    return frozenset(sealed.signers)
