"""`mizheng access`: who asked to see records, who allowed it, and every look."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup

if TYPE_CHECKING:
    from typing import Any

_HERE = "mizheng.cli.commands.access"
_DECIDING = "mizheng.cli.commands.access_deciding"
_RELAYING = "mizheng.cli.commands.access_relaying"


@click.group(
    "access",
    cls=LazyGroup,
    lazy={
        "key": Lazy("mizheng.cli.commands.access_people", "key", N_("your own key: make it, show it")),
        "request": Lazy(
            "mizheng.cli.commands.access_request", "request", N_("ask to see records: a court, an appraiser")
        ),
        "add": Lazy(_HERE, "add", N_("take in requests and decisions that were made elsewhere")),
        "approve": Lazy(_DECIDING, "approve", N_("allow some records, for a term")),
        "refuse": Lazy(_DECIDING, "refuse", N_("say no to a request")),
        "withdraw": Lazy(_DECIDING, "withdraw", N_("take an approval back")),
        "show": Lazy(_HERE, "show", N_("one file, or a request with all that became of it")),
        "list": Lazy(_HERE, "list_", N_("the requests of each seal, and how they stand")),
        "publish": Lazy(_RELAYING, "publish", N_("show a request and its decisions on the notary's pages")),
        "fetch": Lazy(_RELAYING, "fetch", N_("take in requests that were lodged with the notary")),
        "approvers": Lazy(
            "mizheng.cli.commands.access_people", "approvers", N_("who may approve in this company")
        ),
    },
    help=N_(
        "Lawful use: a court or an appraiser asks (request), people of the company allow it in part or whole "
        "(approve), and mizheng bundle --access opens that much, within its term. Each step is signed and "
        "stands in NAME.access beside the seal, each row naming the one before it, and on record in the log, "
        "which learns none of it.\n\n"
        "Names may be pseudonyms: the key says who it was."
    ),
    epilog=N_(
        "mizheng access request DEPOSIT --name 'appraiser 1' --matter '(2026)01-1' …\n"
        "mizheng access add drawings.seal request.json\n"
        "mizheng access approve drawings.seal 1 --open point:3\n"
        "mizheng bundle drawings.seal --access 1"
    ),
)
def access() -> None:
    pass


@click.command(
    "add",
    cls=Command,
    help=N_(
        "Take requests, approvals, refusals and withdrawals into the access log beside the seal. Checked: "
        "that each is of this deposit, signed, and by somebody who may approve. What is in it stays as it is."
    ),
    epilog=N_("mizheng access add drawings.seal request.json\nmizheng access add drawings.seal *.json"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def add(seal_path: Path, files: tuple[Path, ...], as_json: bool) -> None:
    from mizheng.cli.access.describing import describe_document
    from mizheng.cli.access.desk import open_desk, read_file
    from mizheng.cli.session import Session

    with open_desk(Session.load(), seal_path, lock=True) as desk:
        taken = [desk.take(read_file(path)) for path in files]
        waiting = desk.record(must=False)
    if as_json:
        emit_json({"added": [describe_document(item) for item in taken], "waiting": waiting})
        return
    from mizheng.cli.commands.access_saying import say_document, tell_waiting

    for item in taken:
        say_document(item)
    tell_waiting(waiting)


@click.command(
    "show",
    cls=Command,
    help=N_(
        "Show what a file says and whose key signed it, with the fingerprint to compare; or, of a seal, one "
        "request with its approvals, refusals, withdrawals and looks, and whether it would be granted now."
    ),
    epilog=N_("mizheng access show request.json\nmizheng access show drawings.seal 1"),
)
@click.argument("path", metavar="FILE|NAME.seal", type=click.Path(path_type=Path))
@click.argument("request", metavar="[REQUEST]", required=False)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def show(path: Path, request: str | None, as_json: bool) -> None:
    from mizheng.cli.access.describing import describe_document, describe_request
    from mizheng.cli.access.desk import open_desk, read_document
    from mizheng.cli.commands.access_saying import say_document, say_request
    from mizheng.cli.session import Session

    session = Session.load()
    if path.suffix != ".seal":
        signed = read_document(path)
        if as_json:
            emit_json(describe_document(signed))
        else:
            say_document(signed, home=session.home)
        return
    if request is None:
        raise UsageFault("say which request", "mizheng access list NAME.seal shows them all")
    with open_desk(session, path, lock=False) as desk:
        desk.check_looks()
        found = desk.find_request(request)
        told = describe_request(desk, desk.requests().index(found) + 1, found, int(time.time()))
    if as_json:
        emit_json({"seal": str(path), **told})
    else:
        say_request(told)


@click.command(
    "list",
    cls=Command,
    help=N_(
        "List the requests of each seal: who asked, in which matter, how it stands, and how often something "
        "was shown. The access log is checked whole: that no row was taken out, swapped or changed, and that "
        "every bundle made on a request has its look. Without a name: of all seals in this folder."
    ),
    epilog=N_("mizheng access list\nmizheng access list drawings.seal --json"),
)
@click.argument("seals", metavar="[NAME.seal…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def list_(seals: tuple[Path, ...], as_json: bool) -> None:
    from mizheng.cli.access.describing import describe_requests
    from mizheng.cli.access.desk import has_log, open_desk
    from mizheng.cli.commands.access_saying import say_line
    from mizheng.cli.session import Session

    session, now = Session.load(), int(time.time())
    told: list[dict[str, Any]] = []
    for path in seals or sorted(Path().glob("*.seal")):
        if seals or has_log(path):
            with open_desk(session, path, lock=False) as desk:
                desk.check_looks()
                told += [{"seal": str(path), **item} for item in describe_requests(desk, now)]
    if as_json:
        emit_json({"requests": told})
        return
    for item in told:
        say_line(item)
    if not told:
        say(_("nobody asked to see anything"))
