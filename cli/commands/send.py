"""`mizheng send`: a bundle and files to one recipient, encrypted to his key."""

from __future__ import annotations

import time
from pathlib import Path

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import human_size, printable


@click.command(
    "send",
    cls=Command,
    help=N_(
        "Encrypt a bundle, and files to go with it, to a recipient whose key was confirmed (mizheng "
        "recipients), and write one file for a USB stick or an intranet. Inside is a transfer signed by this "
        "company: for whom, in which matter, what for, until when, and what is in each file. It opens "
        "with mizheng receive, or with stock age.\n\n"
        "--again sends an earlier transfer once more, to the recipient's key of today."
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
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.files import refuse_existing
    from mizheng.cli.session import Session
    from mizheng.cli.transfer import sending
    from mizheng.cli.transfer.answers import describe
    from mizheng.verifier.canonical import format_instant

    session = Session.load()
    if earlier is not None:
        if paths or recipient or matter or purpose:
            raise UsageFault("--again sends what was sent then: name no file, recipient, matter or purpose")
        wanted = sending.again(session, earlier, days)
    elif not paths or recipient is None or matter is None or purpose is None:
        raise UsageFault(
            "name a bundle, and say to whom, in which matter and what for: --to --matter --purpose"
        )
    else:
        wanted = sending.Wanted(paths, recipient, matter, purpose, days)
    if output:
        refuse_existing(Path(output), force=force)
    now = int(time.time())
    prepared = sending.prepare(session, wanted, now)
    target = Path(output) if output else sending.default_target(prepared.record.document, wanted.paths[0])
    with Progress(_("encrypting")) as progress:
        progress.expect(0, sum(item.sent.size for item in prepared.files))
        record = sending.send_file(
            session, prepared, target, lambda size: progress.advance(0, size), force=force
        )
    if as_json:
        emit_json({**describe(record, format_instant(now)), "size": record.size, "sha256": record.sha256})
        return
    transfer = record.transfer
    say(_("transfer {id} to {recipient}", id=record.id[:16], recipient=printable(transfer.recipient)))
    say(_("file: {name}  {size}", name=printable(str(target)), size=human_size(record.size)))
    say(_("SHA-256: {digest}", digest=record.sha256))
    say(_("open until {at}", at=transfer.expires_at))
    if prepared.other_recipient is not None:
        warn(
            _("the bundle itself says that it was made for {name}", name=printable(prepared.other_recipient))
        )
    if prepared.recipient.waiting:
        warn(
            _(
                "a newer key of {name} waits to be confirmed; this was encrypted to the old one",
                name=printable(transfer.recipient),
            )
        )
