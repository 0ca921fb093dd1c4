"""NAME.supplements, beside NAME.seal: what was added to the matter that the seal's deposit began, in order.

What is true if we die:
- before a supplement is kept: nothing was made
- after it is kept: its number is taken; the next run with that number goes on with it
- after its seal is made and that is kept: it is a seal like any other, deposited or still to be
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mizheng.cli.errors import CommandError
from mizheng.cli.sealfile.beside import Beside
from mizheng.cli.sealfile.keeping import Keeping
from mizheng.cli.sealfile.read import Seal
from mizheng.verifier.canonical import require_fields


@dataclass(frozen=True, slots=True)
class Supplement:
    """One evidence point."""

    number: int
    """Running, from 1; for good."""
    matter: str
    type: str
    """Of formats §1: project, notarization, witness, other."""
    title: str
    seal: str
    """Where its seal was made."""
    root_hash: str | None = None
    """Of its seal's tree, by which it is known again wherever it lies; None while it was not finished."""


class Supplements(Keeping[Supplement]):
    """The supplements of one seal, in the order of their making."""

    FILE = Beside(".supplements", b"mizheng-supplements/v1\n", b"mizheng/supplements/v1\n")
    TYPE = "mizheng/supplements/v1"
    # A line has some kilobytes at most, and nobody adds a hundred thousand.
    MAX_BYTES = 256 << 20

    @classmethod
    def dump_item(cls, item: Supplement) -> dict[str, Any]:
        return asdict(item)

    @classmethod
    def parse_item(cls, value: Any) -> Supplement:
        required = {"number": int, **dict.fromkeys(("matter", "type", "title", "seal"), str)}
        return Supplement(**require_fields(value, {**required, "root_hash": (str, type(None))}))

    @property
    def matter(self) -> str | None:
        """What it was called the last time; None before the first."""
        return self.kept[-1].matter if self.kept else None

    def next_number(self) -> int:
        """One more than the highest; that of a supplement which was not finished, first of all."""
        unfinished = [item.number for item in self.kept if item.root_hash is None]
        return min(unfinished, default=1 + max((item.number for item in self.kept), default=0))

    def place_of(self, number: int) -> int | None:
        """The place of the supplement of this number."""
        return next((place for place, item in enumerate(self.kept) if item.number == number), None)

    def in_order(self) -> Iterator[Supplement]:
        """Those that were finished, by their number."""
        return iter(sorted((item for item in self.kept if item.root_hash), key=lambda item: item.number))

    def find_seal(self, item: Supplement) -> Path | None:
        """Where its seal lies now: where it was made, or beside the seal that it supplements."""
        made = Path(item.seal)
        for path in (made, self.path.with_name(made.name)):
            try:
                with Seal(path) as seal:
                    if seal.state.sealed.root_hash == item.root_hash:
                        return path
            except CommandError:
                continue
        return None
