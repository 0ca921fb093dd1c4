"""Seals of validators from a chain: the block's header as its node shows it and, for clique, those after it.

A node is not believed: what it shows goes through the verifier's own check, against the validators whom the
operator named, before anybody stores it. Of several nodes one that shows good seals is enough.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.verifier.consensus import clique
from mizheng.verifier.consensus.sealed import SealedHeader, parse_sealed
from mizheng.verifier.consensus.seals import (
    MAX_HEADERS,
    SealEvidence,
    dump_seals,
    parse_seals,
    verify_seals,
)
from mizheng.verifier.consensus.validators import CLIQUE, ValidatorSet
from mizheng.verifier.errors import FormatError, MizhengError, NotBelievedError, ProofError
from mizheng.verifier.statement import BlockReference


class SealsError(ChainError):
    """What the node shows is not sealed as the named validators would have sealed it."""

    code = "seals-broken"


class OtherValidatorsError(SealsError):
    """Sealed, but by others: the operator has to name the present validators."""

    code = "validators-differ"


def capture_seals(chain: Chain, block: BlockReference) -> bytes | None:
    """Canonical `mizheng/validator-seals/v1` for a block, checked; None while too few have sealed it.

    SealsError if what the nodes show does not check, OtherValidatorsError if it is sealed by others than the
    profile names; UnreachableError if none answers.
    """
    sets = chain.profile.validators.sets
    trusted = next((each for each in sets if each.covers(block.number)), None)
    if trusted is None:
        raise OtherValidatorsError("no validators are named for block {number}", number=block.number)
    try:
        collect = _collect_clique if trusted.kind == CLIQUE else _collect_bft
        headers = collect(chain, block, trusted)
        return None if headers is None else _checked(chain, block, trusted, headers)
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


def _checked(chain: Chain, block: BlockReference, trusted: ValidatorSet, headers: tuple[bytes, ...]) -> bytes:
    """The evidence, if a court that trusts these validators would believe it."""
    evidence = SealEvidence(chain.profile.identity, trusted.kind, block.number, block.hash, headers)
    data = dump_seals(evidence)
    verify_seals(parse_seals(data), chain.profile.validators.sets)
    return data


def _collect_bft(chain: Chain, block: BlockReference, trusted: ValidatorSet) -> tuple[bytes, ...] | None:
    """The block's header; one whose seals are good, if any node shows such a one."""

    def is_good(header: bytes) -> bool:
        with suppress(MizhengError):
            return bool(_checked(chain, block, trusted, (header,)))
        return False

    # Without a good one whatever there is, so that it can be said what is wrong with it.
    found = chain.sealed_header(block.number, is_good) or chain.sealed_header(block.number)
    return None if found is None else (found,)


def _collect_clique(chain: Chain, block: BlockReference, trusted: ValidatorSet) -> tuple[bytes, ...] | None:
    """As many headers as are needed from this block on; None while the chain does not have them."""
    headers: list[bytes] = []
    sealed: list[SealedHeader] = []
    while len(headers) < MAX_HEADERS:
        number = block.number + len(headers)
        follows = partial(_follows, block, sealed[-1] if sealed else None)
        found = chain.sealed_header(number, follows) or chain.sealed_header(number)
        if found is None:
            return None
        headers.append(found)
        if not follows(found):
            # The check then says what is wrong with it.
            break
        sealed.append(parse_sealed(CLIQUE, found))
        if len(clique.judge_headers(sealed, trusted, chain.profile.validators.sets)) >= trusted.needed:
            break
    return tuple(headers)


def _follows(block: BlockReference, before: SealedHeader | None, header: bytes) -> bool:
    """Whether it is the block's own header, or the next one after `before`."""
    with suppress(MizhengError):
        found = parse_sealed(CLIQUE, header).header
        return found.hash == block.hash if before is None else found.parent_hash == before.header.hash
    return False
