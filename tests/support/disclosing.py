"""Disclosures of a `World`: signed, put on record, in a bundle."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mizheng.verifier.disclosure import Disclosure
from mizheng.verifier.event import Event
from mizheng.verifier.members import DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF
from mizheng.verifier.merkle import leaf_hash

from tests.support.world import AT, Deposit, World

RECIPIENT, PURPOSE = "示例市中级人民法院", "(2026)示01民初1号"


@dataclass(frozen=True)
class Disclosed:
    """A disclosure on record, at the log's end when it was made."""

    document: bytes
    event: bytes
    proof: bytes

    def members(self) -> dict[str, bytes]:
        return {DISCLOSURE: self.document, DISCLOSURE_EVENT: self.event, DISCLOSURE_PROOF: self.proof}


def make_disclosure(
    deposit: Deposit,
    paths: tuple[str, ...],
    *,
    originals: tuple[str, ...] = (),
    change: Callable[[Disclosure], Disclosure] = lambda disclosure: disclosure,
) -> bytes:
    """A disclosure of these files, signed by the deposit's company."""
    key = deposit.company.key

    def leaves(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(leaf_hash(deposit.records[name]).hex() for name in names))

    return change(
        Disclosure(
            key.public,
            hashlib.sha256(deposit.envelope).hexdigest(),
            RECIPIENT,
            PURPOSE,
            leaves(paths),
            leaves(originals),
            AT,
            secrets.token_bytes(32),
        )
    ).sign(key)


def record(world: World, deposit: Deposit, document: bytes) -> Disclosed:
    """Put a document on record with the key of the deposit's company."""
    key = deposit.company.key
    event = Event(key.public, hashlib.sha256(document).digest()).sign(key)
    index = world.append(event)
    return Disclosed(document, event, world.proof(index, len(world.leaves)))


def disclosed_bundle(
    world: World,
    deposit: Deposit,
    anchor: tuple[int, bytes],
    paths: tuple[str, ...],
    disclosed: Disclosed | None,
    *,
    originals: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """The members of a bundle for RECIPIENT that carries this disclosure."""
    return world.bundle(
        deposit,
        [anchor],
        paths,
        originals=originals,
        recipient=RECIPIENT,
        purpose=PURPOSE,
        extra_members=disclosed.members() if disclosed else None,
    )
