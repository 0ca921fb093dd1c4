"""`mizheng receive`: decrypt what was sent, check it, and sign for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.terminal.ending import end_in_order
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import Progress, emit_json, note, say, show_error, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import human_size, printable

if TYPE_CHECKING:
    from mizheng.cli.errors import CommandError
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.receiving import Received
    from mizheng.verifier.trust import Trust


@click.command(
    "receive",
    cls=Command,
    help=N_(
        "Decrypt a transfer with my key and check it: signed by the sender, made for me, not expired, not "
        "withdrawn, every file the one that was signed for, the bundle not invalid. Then write it into a new "
        "folder, with an acceptance that I sign: send that back, it is no secret to the sender.\n\n"
        "An acceptance says that this arrived whole and what the verifier said that day. It is no word on "
        "the matter.\n\n"
        "A ticket fetches it from a notary's mailbox first, and the acceptance goes back that way. An item "
        "left for this company is fetched by its name; without a name, those that wait are listed."
    ),
    epilog=N_(
        "mizheng receive court-1a2b3c4d.age --trust trust.toml\n"
        "mizheng receive court-1a2b3c4d.age -o case-1 --no-accept\n"
        "mizheng receive court-1a2b3c4d.ticket --trust trust.toml"
    ),
)
@click.argument("source", metavar="[FILE|TICKET|ITEM]", required=False)
@click.option("--trust", metavar="FILE", help=N_("the trust file; without one the verdict is undetermined"))
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help=N_("the new folder"))
@click.option("--no-accept", is_flag=True, help=N_("sign nothing yet; run it again to accept"))
@click.option("--no-handover", is_flag=True, help=N_("accept, but sign no hand-over that came with it"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def receive(
    source: str | None,
    trust: str | None,
    output: Path | None,
    no_accept: bool,
    no_handover: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.session import Session

    # What was decrypted must not stay where somebody ends it in the middle.
    end_in_order()
    session = Session.load()
    if source is None:
        _list_waiting(session, as_json=as_json)
        return
    believed = load_trust(Path(trust)) if trust else None
    done, unsent = _take(session, source, believed, output, accept=not no_accept, takes_over=not no_handover)
    if trust is None:
        warn(_("without a trust file nothing says whose bundle this is; verify it again with one"))
    _tell(done, accept=not no_accept, as_json=as_json)
    if unsent is not None:
        warn(_("the acceptance did not reach the mailbox; send the file, or run it again"))
        show_error(unsent)


def _take(
    session: Session, source: str, trust: Trust | None, folder: Path | None, *, accept: bool, takes_over: bool
) -> tuple[Received, CommandError | None]:
    """From a file, with a ticket, or by an item's name."""
    from mizheng.cli.transfer.mailbox import read_source
    from mizheng.cli.transfer.posting import receive_left
    from mizheng.cli.transfer.receiving import receive as take

    now, found = int(time.time()), read_source(source)
    if found.item is None:
        path = Path(source)
        return take(session, path, trust, now, folder=folder, accept=accept, takes_over=takes_over), None
    with Progress(_("fetching")) as progress:
        return receive_left(
            session,
            found.item,
            found.ticket,
            trust,
            now,
            lambda size: progress.advance(0, size),
            folder=folder,
            accept=accept,
            takes_over=takes_over,
        )


def _tell(done: Received, *, accept: bool, as_json: bool) -> None:
    from mizheng.cli.transfer.answers import describe
    from mizheng.cli.transfer.receiving import ACCEPTANCE_FILE
    from mizheng.verifier.canonical import format_instant
    from mizheng.verifier.custody import parse_offer
    from mizheng.verifier.report import Verdict
    from mizheng.verifier.text import verdict_line, verdict_words
    from mizheng.verifier.timeline import WHAT_WORDS

    record, transfer = done.record, done.record.transfer
    accepted = done.folder / ACCEPTANCE_FILE if accept else None
    if as_json:
        emit_json(
            {
                **describe(record, format_instant(int(time.time()))),
                "identified_as": record.sender,
                "verdict": str(done.report.verdict),
                "is_trial": done.report.is_trial,
                "acceptance": str(accepted) if accepted else None,
            }
        )
        return
    say(_("transfer {id} from {sender}", id=record.id[:16], sender=printable(record.sender)))
    say(_("matter: {matter}", matter=printable(transfer.matter)))
    say(_("purpose: {purpose}", purpose=printable(transfer.purpose)))
    for item in transfer.files:
        say(f"  {printable(str(done.folder / item.name))}")
    # With its first word: what was made on a chain for trying is no evidence here either.
    say(_("the bundle's verdict: {verdict}", verdict=verdict_line(done.report, translate_with())))
    if done.offer is not None:
        event = parse_offer(done.offer)
        say(
            _(
                "hand-over offered: {what}, at {place}, by {giver} to {taker}",
                what=_(WHAT_WORDS[event.what]),
                place=printable(event.where),
                giver=printable(event.by.name),
                taker=printable(event.to.name if event.to else ""),
            )
        )
    if accepted:
        told = describe(record, "")
        if told["handed_over"]:
            say(_("the hand-over is signed in the acceptance"))
        if told["verdict"] != str(done.report.verdict):
            # Signed once: an earlier look with another trust file, or none.
            said = verdict_words(Verdict(told["verdict"]), translate_with(), is_trial=told["is_trial"])
            note(
                _(
                    "the acceptance was signed at {at} and says: {verdict}",
                    at=told["accepted_at"],
                    verdict=said,
                )
            )
        say(_("acceptance, to be sent back: {name}", name=printable(str(accepted))))
    else:
        note(_("nothing was signed: run it again without --no-accept to accept"))


def _list_waiting(session: Session, *, as_json: bool) -> None:
    from mizheng.cli.transfer.mailbox import Mailbox

    with Mailbox.of(session) as mailbox:
        found = [item for item in mailbox.waiting() if item.get("state") == "kept"]
    if as_json:
        emit_json({"waiting": found})
        return
    for item in found:
        size = human_size(int(item["size"]))
        say(f"{printable(str(item['id']))}  {size}  {printable(str(item.get('created_at')))}")
    if not found:
        note(_("nothing waits in the mailbox for this company"))
