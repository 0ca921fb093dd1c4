"""NAME.disclosures, beside NAME.seal: every bundle that was made for somebody, and what put it on record.

What is true if we die:
- before a disclosure is kept: nothing was sent, and no bundle was made
- after it is kept: it is `waiting`, and is sent with the next one, or by `mizheng disclosures --send`
- after the notary's answer is kept: it is on record; without a bundle's name, the bundle was never finished
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mizheng.cli.sealfile.beside import Beside
from mizheng.cli.sealfile.keeping import Keeping
from mizheng.verifier.canonical import from_base64, require_fields, to_base64
from mizheng.verifier.disclosure import Disclosure, parse_disclosure

FILE = Beside(".disclosures", b"mizheng-disclosures/v1\n", b"mizheng/disclosures/v1\n")


@dataclass(frozen=True, slots=True)
class Kept:
    """One disclosure as its company keeps it."""

    document: bytes
    """disclosure.dsse.json."""
    opened: tuple[str, ...]
    """Names of the opened records as `mizheng bundle` prints them."""
    event: bytes | None = None
    """What was, or is about to be, sent."""
    answer: dict[str, Any] | None = None
    """{leaf_index, received_at, tlog_proof}, checked; None until then."""
    bundle: str | None = None
    """The file that was made; None while it was not finished."""
    request: str | None = None
    """SHA-256 of the request (`verifier.access`) on which it was made, hex; None where nobody had to ask."""

    @property
    def disclosure(self) -> Disclosure:
        return parse_disclosure(self.document)

    @property
    def state(self) -> str:
        """`deposited` or `waiting`."""
        return "waiting" if self.answer is None else "deposited"


class Register(Keeping[Kept]):
    """The disclosures of one seal."""

    FILE = FILE
    TYPE = "mizheng/disclosures/v1"
    # Ten bundles that open all of a million records, each named.
    MAX_BYTES = 4 << 30

    @classmethod
    def dump_item(cls, item: Kept) -> dict[str, Any]:
        return {
            "document": to_base64(item.document),
            "opened": list(item.opened),
            "event": None if item.event is None else to_base64(item.event),
            "answer": item.answer,
            "bundle": item.bundle,
            "request": item.request,
        }

    @classmethod
    def parse_item(cls, value: Any) -> Kept:
        null = type(None)
        fields = require_fields(
            value,
            {
                "document": str,
                "opened": list,
                "event": (str, null),
                "answer": (dict, null),
                "bundle": (str, null),
                "request": (str, null),
            },
        )
        return Kept(
            from_base64(fields["document"]),
            tuple(fields["opened"]),
            None if fields["event"] is None else from_base64(fields["event"]),
            fields["answer"],
            fields["bundle"],
            fields["request"],
        )

    def find_unfinished(self, wanted: Disclosure, request: str | None) -> int | None:
        """The place of the same disclosure from a run that came to no bundle, whenever that was."""
        for place, kept in enumerate(self.kept):
            if kept.bundle is None and kept.request == request:
                found = kept.disclosure
                if replace(found, created_at=wanted.created_at, nonce=wanted.nonce) == wanted:
                    return place
        return None

    def waiting(self) -> list[int]:
        """Places of those that no notary has answered for."""
        return [place for place, kept in enumerate(self.kept) if kept.answer is None]
