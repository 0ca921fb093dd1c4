"""`mizheng receive`: decrypt what was sent, check it, and sign for it."""

from __future__ import annotations

import time
from pathlib import Path

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable


@click.command(
    "receive",
    cls=Command,
    help=N_(
        "Decrypt a transfer with my key and check it: signed by the sender, made for me, not expired, not "
        "withdrawn, every file the one that was signed for, the bundle not invalid. Then write it into a new "
        "folder, with an acceptance that I sign: send that back, it is no secret to the sender.\n\n"
        "An acceptance says that this arrived whole and what the verifier said that day. It is no word on "
        "the matter."
    ),
    epilog=N_(
        "mizheng receive court-1a2b3c4d.age --trust trust.toml\n"
        "mizheng receive court-1a2b3c4d.age -o case-1 --no-accept"
    ),
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--trust", metavar="FILE", help=N_("the trust file; without one the verdict is undetermined"))
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help=N_("the new folder"))
@click.option("--no-accept", is_flag=True, help=N_("sign nothing yet; run it again to accept"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def receive(path: Path, trust: str | None, output: Path | None, no_accept: bool, as_json: bool) -> None:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.answers import describe
    from mizheng.cli.transfer.receiving import ACCEPTANCE_FILE
    from mizheng.cli.transfer.receiving import receive as take
    from mizheng.verifier.canonical import format_instant

    now = int(time.time())
    believed = load_trust(Path(trust)) if trust else None
    done = take(Session.load(), path, believed, now, folder=output, accept=not no_accept)
    record, transfer = done.record, done.record.transfer
    accepted = done.folder / ACCEPTANCE_FILE if record.acceptance is not None and not no_accept else None
    if as_json:
        emit_json(
            {
                **describe(record, format_instant(now)),
                "identified_as": record.sender,
                "verdict": str(done.report.verdict),
                "acceptance": str(accepted) if accepted else None,
            }
        )
        return
    say(_("transfer {id} from {sender}", id=record.id[:16], sender=printable(record.sender)))
    say(_("matter: {matter}", matter=printable(transfer.matter)))
    say(_("purpose: {purpose}", purpose=printable(transfer.purpose)))
    for item in transfer.files:
        say(f"  {printable(str(done.folder / item.name))}")
    say(_("the bundle's verdict: {verdict}", verdict=_(str(done.report.verdict))))
    if trust is None:
        warn(_("without a trust file nothing says whose bundle this is; verify it again with one"))
    if accepted:
        say(_("acceptance, to be sent back: {name}", name=printable(str(accepted))))
    else:
        note(_("nothing was signed: run it again without --no-accept to accept"))
