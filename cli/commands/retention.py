"""`mizheng retention`: how long originals are kept, legal holds, and deletion with a signed record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import CommandError, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, show_error
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.session import Session


@click.command(
    "retention",
    cls=Command,
    help=N_(
        "Say how long the kept originals of a seal stay, and delete them when that is allowed. A term is "
        "never shortened; a legal hold refuses every deletion until it is released. A deletion removes "
        "every copy from every store and leaves a document signed with the company's key, which is put on "
        "record in the log by its digest. Without an option: shows what is said."
    ),
    epilog=N_(
        "mizheng retention drawings.seal --until 2036-12-31\n"
        "mizheng retention drawings.seal --hold 案号\n"
        "mizheng retention drawings.seal --release 案号 --reason '…'\n"
        "mizheng retention drawings.seal --delete drawings/pump.dwg --reason '…'"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option("--until", metavar="DATE", help=N_("delete nothing before this day"))
@click.option("--hold", metavar="NAME", help=N_("begin a legal hold, such as a case's number"))
@click.option("--release", metavar="NAME", help=N_("end the hold of this name; needs --reason"))
@click.option(
    "--delete", "patterns", metavar="FILE", multiple=True, help=N_("delete these originals; needs --reason")
)
@click.option("--reason", metavar="TEXT", help=N_("why, for the record"))
@click.option("--send", "is_sending", is_flag=True, help=N_("put deletions on record that still wait"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def retention(
    seal_path: str,
    until: str | None,
    hold: str | None,
    release: str | None,
    patterns: tuple[str, ...],
    reason: str | None,
    is_sending: bool,
    as_json: bool,
) -> int:
    from mizheng.cli.keeping import retention as rules
    from mizheng.cli.keeping.listing import list_kept
    from mizheng.cli.session import Session

    asked = [bool(until), bool(hold), bool(release), bool(patterns), is_sending]
    if sum(asked) > 1:
        raise UsageFault("one thing at a time: --until, --hold, --release, --delete or --send")
    if bool(reason) != bool(release or patterns):
        raise UsageFault(
            "--release and --delete need a reason, and nothing else takes one", "say why: --reason TEXT"
        )
    session, path = Session.load(), Path(seal_path)
    deleted = None
    if until:
        rules.retain(session, path, until)
    elif hold:
        rules.hold(session, path, hold)
    elif release:
        rules.release(session, path, release, reason or "")
    elif patterns:
        deleted = rules.delete(session, path, patterns, reason or "").originals
    is_waiting = bool(patterns or is_sending) and not _send(session, path, is_asked=is_sending)
    found = list_kept(session, path)
    if as_json:
        shown = {name: found[name] for name in ("until", "holds")}
        emit_json({"seal": seal_path, **shown, "kept": len(found["originals"]), "deleted": deleted})
        return 0
    if deleted is not None:
        say(_("{count} originals deleted from every store; the signed record is kept", count=deleted))
    say(_("kept: {count} originals", count=len(found["originals"])))
    say(_("until: {at}", at=found["until"] or "-"))
    for item in found["holds"]:
        say(_("hold: {name}, since {at}", name=printable(item["name"]), at=item["since"]))
    if is_waiting:
        note(_("not on record yet: mizheng retention {name} --send", name=printable(seal_path)))
    return 0


def _send(session: Session, path: Path, *, is_asked: bool) -> bool:
    """Whether all is on record. The deletion stands without it; asked for by itself, a fault is a fault."""
    from mizheng.cli.keeping.retention import send

    try:
        send(session, path)
    except CommandError as error:
        if is_asked:
            raise
        show_error(error)
        return False
    return True
