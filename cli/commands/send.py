"""`mizheng send`: a bundle and files to one recipient, encrypted to his key."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.ending import end_in_order
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import human_size, printable

if TYPE_CHECKING:
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.handing import Handing
    from mizheng.cli.transfer.store import SentTransfer


@click.command(
    "send",
    cls=Command,
    help=N_(
        "Encrypt a bundle, and files to go with it, to a recipient whose key was confirmed (mizheng "
        "recipients), and write one file for a USB stick or an intranet. Inside is a transfer signed by this "
        "company: for whom, in which matter, what for, until when, and what is in each file. It opens "
        "with mizheng receive, or with stock age.\n\n"
        "--mailbox leaves it, encrypted, with the notary, and writes a ticket that fetches it. --again "
        "sends an earlier transfer once more, to the recipient's key of today. --handover offers a "
        "hand-over in the chain of custody, which the recipient signs with his acceptance."
    ),
    epilog=N_(
        "mizheng send pump.zip --to court --matter '(2026)示01民初1号' --purpose trial\n"
        "mizheng send court.zip plan.pdf --to court --matter … --purpose … -o court.age\n"
        "mizheng send --again 1a2b3c4d -o court-2.age"
    ),
)
@click.argument("paths", metavar="BUNDLE [FILE]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("--to", "recipient", metavar="NAME", help=N_("the recipient, as mizheng recipients knows him"))
@click.option("--matter", metavar="TEXT", help=N_("case number (案号), or what else names the matter"))
@click.option("--purpose", metavar="TEXT", help=N_("what for"))
@click.option(
    "--days", metavar="N", type=int, default=30, show_default=True, help=N_("days until the transfer expires")
)
@click.option("--again", "earlier", metavar="ID", help=N_("send an earlier transfer once more"))
@click.option("--handover", metavar="SEAL", help=N_("offer a hand-over of a copy in the chain of custody"))
@click.option("--gives-all", is_flag=True, help=N_("with --handover: I have nothing left"))
@click.option("--where", metavar="TEXT", help=N_("with --handover: at what place"))
@click.option("--mailbox", is_flag=True, help=N_("leave it in the notary's mailbox, and write a ticket"))
@click.option("--resume", "unfinished", metavar="ID", help=N_("go on leaving what was cut off"))
@click.option("-o", "--output", metavar="FILE", help=N_("name of the file; else that of the bundle"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def send(
    paths: tuple[Path, ...],
    recipient: str | None,
    matter: str | None,
    purpose: str | None,
    days: int,
    earlier: str | None,
    handover: str | None,
    gives_all: bool,
    where: str | None,
    mailbox: bool,
    unfinished: str | None,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.files import refuse_existing
    from mizheng.cli.session import Session
    from mizheng.cli.transfer import sending

    end_in_order()
    session = Session.load()
    is_named = bool(paths or recipient or matter or purpose)
    if output:
        refuse_existing(Path(output), force=force)
    if unfinished is not None:
        if is_named or earlier is not None:
            raise UsageFault("--resume goes on with what was begun: name nothing else to send")
        _resume(session, unfinished, output, force=force, as_json=as_json)
        return
    if earlier is not None:
        if is_named:
            raise UsageFault("--again sends what was sent then: name no file, recipient, matter or purpose")
        wanted = sending.again(session, earlier, days)
    elif not paths or recipient is None or matter is None or purpose is None:
        raise UsageFault(
            "name a bundle, and say to whom, in which matter and what for: --to --matter --purpose"
        )
    else:
        wanted = sending.Wanted(paths, recipient, matter, purpose, days)
    wanted = replace(wanted, handing=_handing(handover, where, gives_all=gives_all))
    prepared = sending.prepare(session, wanted, int(time.time()))
    # Before anything leaves this machine.
    if prepared.other_recipient is not None:
        warn(
            _(
                "the bundle itself says that it was made for {name}",
                name=printable(prepared.other_recipient),
            )
        )
    if prepared.recipient.waiting:
        warn(
            _(
                "a newer key of {name} waits to be confirmed; this was encrypted to the old one",
                name=printable(prepared.recipient.name),
            )
        )
    suffix = ".ticket" if mailbox else ".age"
    default = sending.default_target(prepared.record.document, wanted.paths[0], suffix)
    target = Path(output) if output else default
    with Progress(_("leaving") if mailbox else _("encrypting")) as progress:
        progress.expect(0, sum(item.sent.size for item in prepared.files))
        if mailbox:
            from mizheng.cli.transfer.posting import post, write_ticket

            record = post(session, prepared, lambda size: progress.advance(0, size))
        else:
            record = sending.send_file(
                session, prepared, target, lambda size: progress.advance(0, size), force=force
            )
    if mailbox:
        write_ticket(session, record, target, force=force)
    _tell(record, target, as_json=as_json)


def _handing(path: str | None, where: str | None, *, gives_all: bool) -> Handing | None:
    if path is None:
        if where or gives_all:
            raise UsageFault("--where and --gives-all are of a hand-over: --handover NAME.seal")
        return None
    if where is None:
        raise UsageFault("say at what place it is handed over: --where TEXT")
    from mizheng.cli.transfer.handing import Handing

    return Handing(Path(path), where, gives_all)


def _resume(session: Session, prefix: str, output: str | None, *, force: bool, as_json: bool) -> None:
    from mizheng.cli.transfer.posting import resume, write_ticket
    from mizheng.cli.transfer.sending import default_target

    with Progress(_("leaving")) as progress:
        record = resume(session, prefix, lambda size: progress.advance(0, size))
    target = Path(output) if output else default_target(record.document, Path(record.paths[0]), ".ticket")
    write_ticket(session, record, target, force=force)
    _tell(record, target, as_json=as_json)


def _tell(record: SentTransfer, target: Path, *, as_json: bool) -> None:
    from mizheng.cli.transfer.answers import describe
    from mizheng.verifier.canonical import format_instant

    transfer = record.transfer
    if as_json:
        told = describe(record, format_instant(int(time.time())))
        emit_json({**told, "written": str(target), "size": record.size, "sha256": record.sha256})
        return
    say(_("transfer {id} to {recipient}", id=record.id[:16], recipient=printable(transfer.recipient)))
    if record.mailbox is None:
        say(_("file: {name}  {size}", name=printable(str(target)), size=human_size(record.size)))
    else:
        say(_("it lies in the mailbox: item {item}", item=record.mailbox))
        say(_("ticket, for the recipient alone: {name}", name=printable(str(target))))
    say(_("SHA-256: {digest}", digest=record.sha256))
    say(_("open until {at}", at=transfer.expires_at))
    if transfer.custody_sha256 is not None:
        say(_("with a hand-over, which the recipient signs with his acceptance"))
