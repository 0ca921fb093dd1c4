"""The validators of a chain, as the operator names them in its table of notary.toml.

    [[chains.court.validators]]
    kind = "qbft"                       # clique, ibft2 or qbft
    from_block = 0                      # the first block they seal; to_block ends a set when they change
    members = [
      {name = "High Court", address = "…40 hex digits…"},
      {name = "Notary Office", address = "…", own = true},     # this notary's own node
    ]

With them the notary keeps the seals of every block that its evidence stands on, and puts the sets into the
trust files that it issues, so that a court needs no node. A file that says "believe these" must not mean
"believe me": which of the nodes the notary runs itself is said here, and too many of them are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.errors import ConfigurationError, OperatorError
from mizheng.verifier.canonical import from_hex
from mizheng.verifier.consensus.validators import CLIQUE, ValidatorSet, parse_validators
from mizheng.verifier.errors import FormatError


@dataclass(frozen=True, slots=True)
class ConfiguredValidators:
    """All sets of a chain, and which of their members are this notary's."""

    sets: tuple[ValidatorSet, ...] = ()
    own: frozenset[bytes] = frozenset()

    def exported(self, chain: str, publisher: bytes) -> tuple[ValidatorSet, ...]:
        """The sets for a trust file; OperatorError where the notary's own validators are too many.

        The publisher's key is the notary's, whatever the file says of it.
        """
        own = self.own | {publisher}
        for each in self.sets:
            held, allowed = len(each.addresses & own), _tolerated(each)
            if held > allowed:
                raise OperatorError(
                    "of {count} validators of {chain} this notary holds {held}: a trust file that believes "
                    "them would make the notary its own witness",
                    hint="at most {allowed} of them may be its own; or take validators out of the chain's "
                    "table, and courts believe observers",
                    count=len(each.members),
                    chain=chain,
                    held=held,
                    allowed=allowed,
                )
        return self.sets


def _tolerated(validators: ValidatorSet) -> int:
    """How many validators of one hand the consensus bears: BFT less than a third, clique less than half."""
    count = len(validators.members)
    return (count - 1) // 2 if validators.kind == CLIQUE else (count - 1) // 3


def parse_configured(items: Sequence[Any]) -> ConfiguredValidators:
    """Read the `validators` of a chain's table; ConfigurationError says what is wrong."""
    own: set[bytes] = set()
    try:
        rows = [_without_own(item, own) for item in items]
        return ConfiguredValidators(parse_validators(rows), frozenset(own))
    except FormatError as error:
        raise ConfigurationError(
            "notary.toml: the validators of a chain cannot be read: {reason}",
            hint="docs/operating.md shows how they are written",
            reason=str(error),
        ) from error


def _without_own(item: Any, own: set[bytes]) -> Any:
    if not isinstance(item, Mapping) or not isinstance(item.get("members"), list):
        return item
    members = []
    for member in item["members"]:
        if isinstance(member, Mapping) and "own" in member:
            if not isinstance(member["own"], bool):
                raise FormatError("field {field!r} has the wrong type", field="own")
            if member["own"]:
                own.add(from_hex(member.get("address"), 20))
            member = {key: value for key, value in member.items() if key != "own"}
        members.append(member)
    return {**item, "members": members}
