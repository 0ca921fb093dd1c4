"""NAME.disclosures, beside NAME.seal: every bundle that was made for somebody, and what put it on record.

What is true if we die:
- before a disclosure is kept: nothing was sent, and no bundle was made
- after it is kept: it is `waiting`, and is sent with the next one, or by `mizheng disclosures --send`
- after the notary's answer is kept: it is on record; without a bundle's name, the bundle was never finished
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mizheng.cli.sealfile.beside import Beside, damaged
from mizheng.verifier.canonical import dump, from_base64, parse_typed, require_fields, to_base64
from mizheng.verifier.disclosure import Disclosure, parse_disclosure
from mizheng.verifier.errors import MizhengError

FILE = Beside(".disclosures", b"mizheng-disclosures/v1\n", b"mizheng/disclosures/v1\n")
_TYPE = "mizheng/disclosures/v1"
# Ten bundles that open all of a million records, each named.
_MAX_BYTES = 4 << 30


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

    @property
    def disclosure(self) -> Disclosure:
        return parse_disclosure(self.document)

    @property
    def state(self) -> str:
        """`deposited` or `waiting`."""
        return "waiting" if self.answer is None else "deposited"


class Register:
    """The disclosures of one seal, oldest first. Its seal must be locked while anything is changed."""

    def __init__(self, seal: Path, manifest_key: bytes) -> None:
        self.path = FILE.path_of(seal)
        self._key = manifest_key
        self.kept: list[Kept] = self._read() if self.path.exists() else []

    def add(self, kept: Kept) -> int:
        """Keep one more, on the disk before this returns; its place."""
        self.kept.append(kept)
        self._write()
        return len(self.kept) - 1

    def change(self, place: int, **changes: Any) -> Kept:
        """Keep what became of one, on the disk before this returns."""
        self.kept[place] = replace(self.kept[place], **changes)
        self._write()
        return self.kept[place]

    def find_unfinished(self, wanted: Disclosure) -> int | None:
        """The place of the same disclosure from a run that came to no bundle, whenever that was."""
        for place, kept in enumerate(self.kept):
            if kept.bundle is None:
                found = kept.disclosure
                if replace(found, created_at=wanted.created_at, nonce=wanted.nonce) == wanted:
                    return place
        return None

    def waiting(self) -> list[int]:
        """Places of those that no notary has answered for."""
        return [place for place, kept in enumerate(self.kept) if kept.answer is None]

    def _write(self) -> None:
        items = [
            {
                "document": to_base64(kept.document),
                "opened": list(kept.opened),
                "event": None if kept.event is None else to_base64(kept.event),
                "answer": kept.answer,
                "bundle": kept.bundle,
            }
            for kept in self.kept
        ]
        FILE.write(self.path, self._key, dump({"type": _TYPE, "items": items}))

    def _read(self) -> list[Kept]:
        try:
            value = parse_typed(FILE.read(self.path, self._key), _TYPE, {"items": list}, max_bytes=_MAX_BYTES)
            return [_parse(item) for item in value["items"]]
        except (MizhengError, ValueError) as error:
            raise damaged(self.path) from error


def _parse(value: object) -> Kept:
    null = type(None)
    fields = require_fields(
        value,
        {
            "document": str,
            "opened": list,
            "event": (str, null),
            "answer": (dict, null),
            "bundle": (str, null),
        },
    )
    return Kept(
        from_base64(fields["document"]),
        tuple(fields["opened"]),
        None if fields["event"] is None else from_base64(fields["event"]),
        fields["answer"],
        fields["bundle"],
    )
