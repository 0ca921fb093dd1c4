"""Requests, decisions and looks in words, for `mizheng access`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.terminal.language import _
from mizheng.cli.terminal.output import note, say
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mizheng.verifier.access import Signed


def say_document(signed: Signed, names: Sequence[str] = (), home: Path | None = None) -> None:
    """One document and whose key signed it. `home`: say also whether the key was confirmed."""
    from mizheng.cli.access.describing import describe_document
    from mizheng.cli.access.people import is_confirmed, show_fingerprint
    from mizheng.verifier.access import Request

    told = describe_document(signed)
    if isinstance(signed.document, Request):
        _say_asked(told)
        if home and not is_confirmed(home, signed.document.public_key):
            say(_("  this key is not known here: compare its fingerprint with what the requester tells you"))
    else:
        say(_title(told))
        _say_decision({**told, "names": names})
    say(_("  fingerprint: {fingerprint}", fingerprint=show_fingerprint(signed.document.public_key)))
    say(_("  SHA-256 of this document: {sha256}", sha256=signed.sha256))


def say_request(told: dict[str, Any]) -> None:
    """A request with all that became of it."""
    say(_("request {number}: {state}", number=told["number"], state=state_word(told["state"])))
    if told["reason"]:
        say(f"  {printable(told['reason'])}")
    _say_asked(told)
    if not told["confirmed"]:
        say(_("  nobody compared the fingerprint of its key here"))
    if told["until"]:
        say(_("  may be shown until {at}", at=told["until"]))
    for item in (*told["approvals"], *told["refusals"], *told["looks"]):
        say(_title(item))
        _say_decision(item)
        _say_record(item)


def say_line(told: dict[str, Any]) -> None:
    """One request in one line."""
    say(
        _(
            "{name} {number}: {state}  {requester}  {matter}  looks: {count}",
            name=printable(told["seal"]),
            number=told["number"],
            state=state_word(told["state"]),
            requester=printable(told["name"]),
            matter=printable(told["matter"]),
            count=len(told["looks"]),
        )
    )


def tell_waiting(waiting: int) -> None:
    """Rows that are not on record are said to be none."""
    if waiting:
        note(
            _(
                "{count} rows of the access log are not on record yet: mizheng disclosures --send",
                count=waiting,
            )
        )


def state_word(state: str) -> str:
    """How a request stands, in the language of the process."""
    return {
        "approved": _("approved"),
        "pending": _("not enough approvals"),
        "refused": _("refused"),
        "withdrawn": _("withdrawn"),
        "expired": _("expired"),
        "not-yet": _("approved, not yet in force"),
    }.get(state, state)


def _say_asked(told: dict[str, Any]) -> None:
    role = {
        "court": _("court"),
        "appraiser": _("appraiser"),
        "authority": _("authority"),
        "lawyer": _("lawyer"),
        "other": _("other"),
    }[told["role"]]
    organisation = printable(told["organisation"] or "-")
    say(
        _(
            "  asked by {name}, {role}, {organisation}",
            name=printable(told["name"]),
            role=role,
            organisation=organisation,
        )
    )
    say(_("  deposit: {id}", id=told["envelope_sha256"]))
    say(
        _(
            "  matter: {matter}; legal basis: {basis}",
            matter=printable(told["matter"]),
            basis=printable(told["basis"]),
        )
    )
    scope = [f"point:{number}" for number in told["points"]]
    say(
        _(
            "  asks for: {scope}",
            scope="; ".join([*scope, *([printable(told["scope"])] if told["scope"] else [])]),
        )
    )
    if told["wants_originals"]:
        say(_("  and for the files themselves"))
    say(_("  asked at {at}, for use until {end}", at=told["created_at"], end=told["ends_at"]))
    say(_("  undertakes:"))
    for line in told["undertaking"].split("\n"):
        say(f"    {printable(line)}")


def _title(told: dict[str, Any]) -> str:
    at = told["created_at"]
    if told["kind"] == "access":
        persons = ", ".join(printable(item["person"]) for item in told["approvals"])
        return _("looked at {at}, approved by {persons}", at=at, persons=persons)
    person = printable(told["person"])
    if told["kind"] == "access-approval":
        return _("approved by {person}, {at}", person=person, at=at)
    if told["kind"] == "access-refusal":
        return _("refused by {person}, {at}", person=person, at=at)
    return _("withdrawn by {person}, {at}", person=person, at=at)


def _say_decision(told: dict[str, Any]) -> None:
    if told["kind"] == "access-approval":
        say(_("  from {start} until {end}", start=told["starts_at"], end=told["ends_at"]))
        if told["conditions"]:
            say(_("  on condition: {text}", text=printable(told["conditions"])))
    if told.get("reason"):
        say(_("  reason: {reason}", reason=printable(told["reason"])))
    if "records" in told:
        say(
            _(
                "  records: {count}, with originals: {originals}",
                count=len(told["records"]),
                originals=len(told["originals"]),
            )
        )
    for name in told["names"]:
        say(f"    {name}")
    if gone := told.get("withdrawn"):
        say(
            _(
                "  withdrawn by {person}, {at}: {reason}",
                person=printable(gone["person"]),
                at=gone["at"],
                reason=printable(gone["reason"]),
            )
        )


def _say_record(told: dict[str, Any]) -> None:
    if told["record_state"] == "deposited":
        say(
            _(
                "  on record: leaf index {index}, received {at}",
                index=told["leaf_index"],
                at=told["received_at"],
            )
        )
    else:
        say(_("  not on record yet: mizheng disclosures --send"))
