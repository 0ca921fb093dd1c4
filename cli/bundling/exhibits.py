"""The exhibit list of a bundle: the opened records, and what the depositor says of them in a file of his own.

    [[exhibits]]
    name = "drawings/*.dwg"             # as --open names records
    source = "export from the PLM"      # each of these may be left out, and stays a blank to fill in
    proves = "the dimensions of the pump"
    pages = "1-3"

What a later table says of the same record goes before what an earlier one said.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mizheng.cli.bundling.make import Opening
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.errors import DataFault, InputFault, UsageFault
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.terminal.language import _
from mizheng.verifier.canonical import require_fields
from mizheng.verifier.errors import FormatError
from mizheng.verifier.paper.exhibits import Exhibit, ExhibitList, exhibit_of, make_exhibit_list
from mizheng.verifier.paper.missing import PaperError
from mizheng.verifier.statement import parse_envelope

# Thousands of pages help nobody, and a list of a million lines would take the memory of a machine.
MAX_EXHIBITS = 3_000

_WORDS = ("source", "proves", "pages")


@dataclass(frozen=True, slots=True)
class Said:
    """What the depositor says of the records that a name or pattern finds."""

    name: str
    words: dict[str, str]


def read_said(path: Path) -> tuple[Said, ...]:
    """Read the file; InputFault when there is none, DataFault when it is not what it should be."""
    try:
        value = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    except ValueError as error:
        raise _unusable(path, str(error)) from error
    try:
        require_fields(value, {"exhibits": list})
        return tuple(_said(item) for item in value["exhibits"])
    except FormatError as error:
        raise _unusable(path, str(error)) from error


@dataclass(frozen=True, slots=True)
class Frame:
    """What the bundle says of itself, and the list too."""

    recipient: str | None
    purpose: str | None
    created_at: str
    is_trial: bool


def exhibit_members(
    seal: Seal,
    opening: Opening,
    originals: frozenset[int],
    frame: Frame,
    words: str | None,
    tell: Callable[[str], None],
) -> dict[str, bytes]:
    """The list as a member of the bundle. None, and a word why, when nobody asked and it cannot be made.

    `originals`: places in `opening` whose file goes along. `words`: the file of the depositor's words.
    `tell` takes the word.
    InputFault for words about what is not opened.
    """
    said = read_said(Path(words)) if words else ()
    count = len(opening.records)
    if count > MAX_EXHIBITS:
        if words:
            raise UsageFault(
                "an exhibit list has at most {count} lines", "open fewer records", count=MAX_EXHIBITS
            )
        most = MAX_EXHIBITS
        tell(_("no exhibit list: {count} records are opened, and it takes {most}", count=count, most=most))
        return {}
    deposit = seal.state.deposit
    assert deposit is not None  # noqa: S101 - nothing is bundled before it was deposited
    try:
        return {"exhibits.pdf": _make(decode_base64(deposit.envelope), opening, originals, frame, said)}
    except PaperError as error:
        if words:
            raise
        reason, hint = _(error.message, **error.values), _(error.hint)
        tell(_("no exhibit list is made: {reason}; {hint}", reason=reason, hint=hint))
        return {}


def _make(
    data: bytes, opening: Opening, originals: frozenset[int], frame: Frame, said: tuple[Said, ...]
) -> bytes:
    envelope, statement = parse_envelope(data)
    exhibits = [
        exhibit_of(record, item.record, has_original=place in originals)
        for place, (record, item) in enumerate(zip(opening.records, opening.opened, strict=True))
    ]
    for words in said:
        _apply(words, opening, exhibits)
    depositor = statement.depositor
    return make_exhibit_list(
        ExhibitList(
            depositor=depositor.name,
            depositor_id=f"{depositor.id_scheme} {depositor.id}",
            recipient=frame.recipient,
            purpose=frame.purpose,
            commitment=statement.commitment.hex(),
            envelope_sha256=envelope.sha256,
            created_at=frame.created_at,
            exhibits=exhibits,
            is_trial=frame.is_trial,
        )
    )


def _apply(said: Said, opening: Opening, exhibits: list[Exhibit]) -> None:
    selection = Selection([said.name])
    words: dict[str, Any] = {**said.words}
    is_found = False
    for place, (record, item) in enumerate(zip(opening.records, opening.opened, strict=True)):
        if selection.wants(record.kind, record.label, lambda data=item.record: data):  # type: ignore[misc]
            exhibits[place] = replace(exhibits[place], **words)
            is_found = True
    if not is_found:
        raise InputFault("nothing that is opened is called {name}", name=said.name)


def _said(item: Any) -> Said:
    fields = require_fields(item, {"name": str}, dict.fromkeys(_WORDS, str))
    return Said(fields["name"], {word: fields[word] for word in _WORDS if word in fields})


def _unusable(path: Path, reason: str) -> DataFault:
    return DataFault(
        "{name} is no list of exhibits: {reason}",
        "tables [[exhibits]] with name, and source, proves or pages",
        name=str(path),
        reason=reason,
    )
