"""`mizheng access publish` and `fetch`: requests by way of the notary and its pages."""

from __future__ import annotations

from pathlib import Path

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command


@click.command(
    "publish",
    cls=Command,
    help=N_(
        "Show a request and all that became of it (approvals, refusals, withdrawals, looks) on the notary's "
        "pages: to whoever lodged it there, and to the members of this company. The notary then reads what "
        "they say: names, case number, reasons; of the records it sees digests only. Run again, it shows "
        "what is new."
    ),
    epilog=N_("mizheng access publish drawings.seal 1"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("request", metavar="REQUEST")
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def publish(seal_path: Path, request: str, as_json: bool) -> None:
    from mizheng.cli.access import relaying
    from mizheng.cli.access.desk import open_desk
    from mizheng.cli.session import Session

    session = Session.load()
    with open_desk(session, seal_path, lock=False) as desk, session.notary() as client:
        count = relaying.publish(desk, client, desk.find_request(request))
    if as_json:
        emit_json({"shown": count})
    else:
        say(_("documents shown by the notary: {count}", count=count))


@click.command(
    "fetch",
    cls=Command,
    help=N_(
        "Take in the requests for this seal's deposit that were lodged with the notary. Whose key signed "
        "one, the notary does not judge: have the requester tell its fingerprint by another way."
    ),
    epilog=N_("mizheng access fetch drawings.seal"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def fetch(seal_path: Path, as_json: bool) -> None:
    from mizheng.cli.access import relaying
    from mizheng.cli.access.describing import describe_document
    from mizheng.cli.access.desk import open_desk
    from mizheng.cli.commands.access_saying import say_document, tell_waiting
    from mizheng.cli.session import Session

    session = Session.load()
    with open_desk(session, seal_path, lock=True) as desk:
        with session.notary() as client:
            found = relaying.fetch(desk, client)
        waiting = desk.record(must=False)
    if as_json:
        emit_json({"requests": [describe_document(item) for item in found], "waiting": waiting})
        return
    for item in found:
        say_document(item, ())
    say(_("new requests: {count}", count=len(found)))
    tell_waiting(waiting)
