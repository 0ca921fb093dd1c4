"""Seals of validators from a chain: the block's header as its node shows it and, for clique, those after it.

A node is not believed: what it shows goes through the verifier's own check, against the validators whom the
operator named, before anybody stores it.
"""

from __future__ import annotations

from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.verifier.consensus import clique
from mizheng.verifier.consensus.sealed import parse_sealed
from mizheng.verifier.consensus.seals import (
    MAX_HEADERS,
    SealEvidence,
    dump_seals,
    parse_seals,
    verify_seals,
)
from mizheng.verifier.consensus.validators import CLIQUE, ValidatorSet
from mizheng.verifier.errors import FormatError, NotBelievedError, ProofError
from mizheng.verifier.statement import BlockReference


class SealsError(ChainError):
    """What the node shows is not sealed as the named validators would have sealed it."""

    code = "seals-broken"


class OtherValidatorsError(SealsError):
    """Sealed, but by others: the operator has to name the present validators."""

    code = "validators-differ"


def capture_seals(chain: Chain, block: BlockReference) -> bytes | None:
    """Canonical `mizheng/validator-seals/v1` for a block, checked; None while too few have sealed it.

    SealsError if what the node shows does not check, OtherValidatorsError if it is sealed by others than the
    profile names; UnreachableError if it does not answer.
    """
    sets = chain.profile.validators.sets
    trusted = next((each for each in sets if each.covers(block.number)), None)
    if trusted is None:
        raise OtherValidatorsError("no validators are named for block {number}", number=block.number)
    try:
        headers = _collect(chain, block.number, trusted, sets)
        if headers is None:
            return None
        evidence = SealEvidence(chain.profile.identity, trusted.kind, block.number, block.hash, headers)
        data = dump_seals(evidence)
        verify_seals(parse_seals(data), sets)
    except NotBelievedError as error:
        raise OtherValidatorsError(
            "block {number} is not sealed by the named validators: {reason}",
            hint="if they have changed, give the chain's table a further set, from the block of the change",
            number=block.number,
            reason=str(error),
        ) from error
    except (ProofError, FormatError) as error:
        raise SealsError(
            "the seals of block {number} do not check: {reason}", number=block.number, reason=str(error)
        ) from error
    return data


def _collect(
    chain: Chain, number: int, trusted: ValidatorSet, sets: tuple[ValidatorSet, ...]
) -> tuple[bytes, ...] | None:
    """As many headers as are needed from this block on; None while the chain does not have them."""
    headers: list[bytes] = []
    while len(headers) < (MAX_HEADERS if trusted.kind == CLIQUE else 1):
        shown = chain.sealed_header(number + len(headers))
        if shown is None:
            return None
        headers.append(shown)
        if trusted.kind == CLIQUE and len(headers) >= trusted.needed:
            sealed = [parse_sealed(CLIQUE, header) for header in headers]
            if len(clique.judge_headers(sealed, trusted, sets)) >= trusted.needed:
                break
    return tuple(headers)
