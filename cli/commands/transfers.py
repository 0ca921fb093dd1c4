"""`mizheng transfers`: what was sent and received, what became of it; withdrawing it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from mizheng.cli.errors import InputFault
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import emit_json, note, say, show_error
from mizheng.cli.terminal.screens import Command, CommandWithCommands, Lazy
from mizheng.cli.terminal.text import printable

_HERE = "mizheng.cli.commands.transfers"


@click.command(
    "transfers",
    cls=CommandWithCommands,
    lazy={
        "import": Lazy(_HERE, "import_", N_("keep an acceptance or a withdrawal that came back")),
        "withdraw": Lazy(_HERE, "withdraw", N_("take back what was sent")),
    },
    help=N_(
        "List what was sent and what was received: to or from whom, in which matter, until when, and whether "
        "it was accepted or withdrawn."
    ),
    epilog=N_(
        "mizheng transfers\n"
        "mizheng transfers import acceptance.dsse.json\n"
        "mizheng transfers withdraw 1a2b3c4d"
    ),
)
@click.option("--fetch", is_flag=True, help=N_("first ask the mailbox for acceptances"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def transfers(fetch: bool, as_json: bool) -> int:
    from mizheng.cli.config import home_directory
    from mizheng.cli.transfer import store
    from mizheng.cli.transfer.answers import describe

    home = home_directory()
    code = _fetch() if fetch else 0
    now = _now()
    found = [describe(record, now) for record in store.load_all(home, store.SentTransfer)]
    found += [describe(record, now) for record in store.load_all(home, store.ReceivedTransfer)]
    if as_json:
        emit_json({"transfers": found})
        return code
    for item in found:
        _say(item)
    if not found:
        note(_("nothing was sent or received here"))
    return code


@click.command(
    "import",
    cls=Command,
    help=N_(
        "Keep a signed document that the other side gave: an acceptance of what was sent from here, or the "
        "withdrawal of what was sent to me. An acceptance counts only if the recipient's own key signed it."
    ),
    epilog=N_("mizheng transfers import acceptance.dsse.json"),
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def import_(path: Path, as_json: bool) -> None:
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.answers import describe, import_document
    from mizheng.cli.transfer.documents import Withdrawal
    from mizheng.cli.transfer.handing import finished_handover, record_finished

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    session = Session.load()
    found = import_document(session.home, data)
    if isinstance(found, Withdrawal):
        told: dict[str, Any] = {"withdrawn": found.transfer_sha256, "withdrawn_at": found.withdrawn_at}
        if as_json:
            emit_json(told)
        else:
            say(
                _("transfer {id} was withdrawn at {at}", id=found.transfer_sha256[:16], at=found.withdrawn_at)
            )
        return
    told = describe(found, _now())
    if as_json:
        emit_json(told)
    else:
        _say(told)
    finished = finished_handover(found)
    if finished is not None:
        _tell_handover(record_finished(session, found, finished))


@click.command(
    "withdraw",
    cls=Command,
    help=N_(
        "Sign that a transfer is taken back and write that as a file for the recipient: once he has it, "
        "mizheng receive refuses the transfer. What lies in a mailbox is deleted there. Whoever decrypted it "
        "before, or uses stock age, has it all the same."
    ),
    epilog=N_("mizheng transfers withdraw 1a2b3c4d -o withdrawal.dsse.json"),
)
@click.argument("identifier", metavar="ID")
@click.option("-o", "--output", metavar="FILE", help=N_("where to write the withdrawal"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def withdraw(identifier: str, output: str | None, force: bool, as_json: bool) -> None:
    from mizheng.cli.files import new_file, refuse_existing
    from mizheng.cli.session import Session
    from mizheng.cli.transfer import store
    from mizheng.cli.transfer.answers import describe
    from mizheng.cli.transfer.sending import sign_withdrawal

    session = Session.load()
    record = store.find_sent(session.home, identifier)
    target = Path(output or f"withdrawal-{record.id[:8]}.dsse.json")
    # Run again because the mailbox was away: the file of that run is the same.
    is_there = record.withdrawal is not None and target.is_file() and target.read_bytes() == record.withdrawal
    force = force or is_there
    refuse_existing(target, force=force)
    record = sign_withdrawal(session, record, int(time.time()))
    with new_file(target, force=force) as (file, _temporary):
        file.write(record.withdrawal or b"")
    # Signed, kept and written before the mailbox is asked: with the notary away, the file is there.
    from mizheng.cli.transfer.posting import withdraw_left

    withdraw_left(session, record)
    if as_json:
        emit_json({**describe(record, _now()), "withdrawal": str(target)})
        return
    say(_("withdrawal, for the recipient: {name}", name=printable(str(target))))


def _fetch() -> int:
    """Ask the mailbox, and put on record the hand-overs that came; the exit code of the first fault."""
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.posting import take_answers

    done = take_answers(Session.load())
    note(_("acceptances that came: {count}", count=len(done.came)))
    for _transfer, number in done.recorded:
        _tell_handover(number)
    for fault in done.faults:
        show_error(fault)
    return done.faults[0].exit_code if done.faults else 0


def _tell_handover(number: int | None) -> None:
    if number is None:
        note(_("the hand-over is for the company of the deposit to record: it lies in the acceptance"))
    else:
        note(_("hand-over on record: event {number} of the chain of custody", number=number))


def _say(item: dict[str, Any]) -> None:
    from mizheng.verifier.report import Verdict
    from mizheng.verifier.text import verdict_words

    other = item["recipient"] if item["direction"] == "sent" else item["sender"]
    template = (
        _("{id}  to {name}: {state}") if item["direction"] == "sent" else _("{id}  from {name}: {state}")
    )
    say(template.format(id=item["id"][:16], name=printable(other), state=_state(item)))
    say(_("  matter: {matter}", matter=printable(item["matter"])))
    say(_("  purpose: {purpose}", purpose=printable(item["purpose"])))
    say(_("  files: {count}, open until {at}", count=len(item["files"]), at=item["expires_at"]))
    if item["replaces"]:
        say(_("  sent again in place of {id}", id=item["replaces"][:16]))
    if item["accepted_at"]:
        said = verdict_words(Verdict(item["verdict"]), translate_with(), is_trial=item["is_trial"])
        if item["state"] != "accepted":
            say(_("  accepted at {at}", at=item["accepted_at"]))
        say(_("  the bundle's verdict there: {verdict}", verdict=said))


def _state(item: dict[str, Any]) -> str:
    if item["state"] == "accepted":
        return _("accepted at {at}", at=item["accepted_at"])
    return {
        "prepared": _("never finished"),
        "sent": _("sent, not accepted yet"),
        "withdrawn": _("withdrawn"),
        "expired": _("expired"),
        "received": _("received, not accepted yet"),
    }[item["state"]]


def _now() -> str:
    from mizheng.verifier.canonical import format_instant

    return format_instant(int(time.time()))
