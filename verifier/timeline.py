"""The custody of a report in words: what happened, who did it, to whom it went, where and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .custody import CustodyDocument, Party
from .report import CustodyLine, PartyLine
from .signature import PublicKey
from .words import N_, Translate

# A digest in a list for people; whole ones stand in the report as JSON.
_SHORT = 12

WHAT_WORDS = {
    "handover": N_("hand-over"),
    "copy-handover": N_("hand-over of a copy"),
    "opening": N_("opening"),
    "copy": N_("copying"),
    "medium-change": N_("change of medium"),
    "seal-number": N_("new seal number"),
    "inspection": N_("inspection"),
    "storage": N_("putting into storage"),
    "destruction": N_("destruction"),
    "other": N_("other"),
}
"""Every sort of custody event, a message id each."""
LIMIT = N_(
    "This is what was recorded. Nothing shows that nothing else happened, or that no later event is missing."
)


def make_line(
    number: int, document: CustodyDocument, name_of: Callable[[PublicKey], str | None]
) -> CustodyLine:
    """An event as a line of the report. `name_of`: whose key it is, by somebody whom the reader believes."""

    def party(found: Party) -> PartyLine:
        key = found.public_key
        return PartyLine(found.name, found.organisation, found.role, key.keyid, name_of(key))

    event = document.event
    return CustodyLine(
        number=number,
        what=event.what,
        by=party(event.by),
        to=None if event.to is None else party(event.to),
        at=event.at,
        where=event.where,
        why=event.why,
        note=event.note,
        before=event.before,
        after=event.after,
        seal_number=event.seal_number,
        sha256=document.sha256,
    )


def describe(line: CustodyLine, _: Translate, show: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Name and text of everything that an event says beside its number, sort and time.

    `show` makes text from a bundle safe for where it is going to stand.
    """
    who = _party(line.by, _, show)
    yield _("who"), who if line.to is None else f"{who} → {_party(line.to, _, show)}"
    yield _("where"), show(line.where)
    yield _("why"), show(line.why)
    if line.note is not None:
        yield _("what exactly"), show(line.note)
    if line.seal_number is not None:
        yield _("seal number"), show(line.seal_number)
    if line.before or line.after:
        found = [digest and digest[:_SHORT] + "…" for digest in (line.before, line.after)]
        before, after = (digest or _("not said") for digest in found)
        both = _("{digest}, before and after").format(digest=before)
        yield "SHA-256", both if before == after else f"{before} → {after}"
    # Of one that does not hold it was not looked at, unless that is what is wrong with it.
    if line.holds or line.leaf_index is not None:
        yield _("place in the log"), _("not on record") if line.leaf_index is None else str(line.leaf_index)


def _party(party: PartyLine, _: Translate, show: Callable[[str], str]) -> str:
    name = show(" · ".join(text for text in (party.name, party.organisation, party.role) if text is not None))
    if party.known_as is None:
        return _("{name} [nobody says whose key it is]").format(name=name)
    return _("{name} [key of {owner}]").format(name=name, owner=show(party.known_as))
