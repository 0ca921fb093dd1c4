"""`mizheng access approve`, `refuse` and `withdraw`: what people of the company decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.access.deciding import Decided
    from mizheng.cli.access.desk import Desk
    from mizheng.verifier.access import Approval, Signed

_BY = N_("who you are, where the list of approvers is not; else as it has your key")
_OUTPUT = N_("write a file for mizheng access add elsewhere, and keep nothing here")


@click.command(
    "approve",
    cls=Command,
    help=N_(
        "Allow a request in part or whole: the records that --open names (as in mizheng bundle --open), from "
        "--from until --until (days in China, or instants in UTC). Where several persons have to approve, "
        "only what all of them allow is opened, while all of them do. REQUEST is its number, or its file.\n\n"
        "The key of a requester that nobody knows is shown with its fingerprint: have him tell it by another "
        "way, and pass that with --fingerprint. Your name may be a pseudonym.\n\n"
        "On another machine, with a copy of the seal: -o writes a file; --like agrees to another approval."
    ),
    epilog=N_(
        "mizheng access approve drawings.seal 1 --open point:3 --until 2026-12-31\n"
        "mizheng access approve drawings.seal request.json --like approval.json -o second.json"
    ),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("request", metavar="REQUEST")
@click.option(
    "--open",
    "patterns",
    metavar="WHAT",
    multiple=True,
    help=N_("a name, a pattern, point:N, kind:K; repeatable"),
)
@click.option("--like", metavar="FILE", help=N_("exactly what this approval allows"))
@click.option("--with-originals", is_flag=True, help=N_("the files themselves may be handed over"))
@click.option("--no-environment", is_flag=True, help=N_("keep the environment record closed"))
@click.option("--from", "start", metavar="DAY", help=N_("not before; else from now on"))
@click.option("--until", metavar="DAY", help=N_("no look after it; else until the request ends"))
@click.option("--condition", metavar="TEXT", help=N_("what the requester has to keep to"))
@click.option("--fingerprint", metavar="HEX", help=N_("of the requester's key, as he told it"))
@click.option("--by", metavar="NAME", help=_BY)
@click.option("-o", "--output", metavar="FILE", help=_OUTPUT)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def approve(
    seal_path: Path,
    request: str,
    patterns: tuple[str, ...],
    like: str | None,
    with_originals: bool,
    no_environment: bool,
    start: str | None,
    until: str | None,
    condition: str | None,
    fingerprint: str | None,
    by: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    from mizheng.cli.access.deciding import Terms, deciding_person
    from mizheng.cli.access.deciding import approve as sign_approval
    from mizheng.cli.access.times import read_end, read_start

    if bool(patterns) == bool(like):
        raise UsageFault(
            "say what may be opened: --open WHAT, or --like FILE",
            "mizheng bundle NAME.seal --list shows the names",
        )
    with _desk(seal_path, request, output) as (desk, asked):
        terms = Terms(
            patterns,
            _terms_of(_approval(asked, like)) if like else None,
            with_originals,
            not no_environment,
            read_start(start) if start else None,
            read_end(until) if until else None,
            condition,
        )
        person = deciding_person(desk, by, elsewhere=output is not None)
        made = sign_approval(desk, asked, person, terms, fingerprint)
        _finish(desk, [made], output, as_json=as_json)


@click.command(
    "refuse",
    cls=Command,
    help=N_(
        "Say no to a request, with the reason. Nothing is shown on it any more, whoever approved it: a new "
        "request can be made."
    ),
    epilog=N_("mizheng access refuse drawings.seal 1 --reason 'not about this case'"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("request", metavar="REQUEST")
@click.option("--reason", required=True, metavar="TEXT", help=N_("why"))
@click.option("--by", metavar="NAME", help=_BY)
@click.option("-o", "--output", metavar="FILE", help=_OUTPUT)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def refuse(
    seal_path: Path, request: str, reason: str, by: str | None, output: str | None, as_json: bool
) -> None:
    from mizheng.cli.access.deciding import deciding_person
    from mizheng.cli.access.deciding import refuse as sign_refusal

    with _desk(seal_path, request, output) as (desk, asked):
        person = deciding_person(desk, by, elsewhere=output is not None)
        _finish(desk, [sign_refusal(asked, person, reason)], output, as_json=as_json)


@click.command(
    "withdraw",
    cls=Command,
    help=N_(
        "Take back your approval of a request, with the reason; --everybody takes back those of others as "
        "well. It holds from now on: what was shown before stays shown, and stays in the access log.\n\n"
        "On another machine: --of names the file of your approval, REQUEST that of the request, and -o "
        "writes a file."
    ),
    epilog=N_(
        "mizheng access withdraw drawings.seal 1 --reason 'the case was settled'\n"
        "mizheng access withdraw drawings.seal request.json --of approval.json --reason settled -o back.json"
    ),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("request", metavar="REQUEST")
@click.option("--reason", required=True, metavar="TEXT", help=N_("why"))
@click.option("--everybody", is_flag=True, help=N_("also the approvals of others"))
@click.option("--of", "approval", metavar="FILE", help=N_("your approval, where its access log is not"))
@click.option("--by", metavar="NAME", help=_BY)
@click.option("-o", "--output", metavar="FILE", help=_OUTPUT)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def withdraw(
    seal_path: Path,
    request: str,
    reason: str,
    everybody: bool,
    approval: str | None,
    by: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    from mizheng.cli.access.deciding import deciding_person, withdraw_elsewhere
    from mizheng.cli.access.deciding import withdraw as sign_withdrawals

    if bool(approval) != bool(output) or (approval and everybody):
        raise UsageFault(
            "--of and -o go together, for one approval of your own on another machine",
            "at the access log itself leave both out",
        )
    with _desk(seal_path, request, output) as (desk, asked):
        person = deciding_person(desk, by, elsewhere=output is not None)
        if approval:
            made = [withdraw_elsewhere(_approval(asked, approval), person, reason)]
        else:
            made = sign_withdrawals(desk, asked, person, reason, everybody=everybody)
        _finish(desk, made, output, as_json=as_json)


@contextmanager
def _desk(path: Path, request: str, output: str | None) -> Iterator[tuple[Desk, Signed]]:
    """The seal's access log and the request in it; a request that comes as a file is taken in."""
    from mizheng.cli.access.desk import open_desk, read_document, read_file
    from mizheng.cli.errors import DataFault
    from mizheng.cli.session import Session
    from mizheng.verifier.access import Request

    with open_desk(Session.load(), path, lock=output is None) as desk:
        if not Path(request).is_file():
            yield desk, desk.find_request(request)
            return
        asked = read_document(Path(request))
        if not isinstance(asked.document, Request):
            raise DataFault("{name} is no request", name=request)
        if asked.document.envelope_sha256 != desk.log.envelope_sha256:
            raise DataFault("the request is for another deposit")
        if output is None:
            desk.take(read_file(Path(request)))
        yield desk, asked


def _terms_of(approval: Signed) -> Approval:
    from mizheng.verifier.access import Approval

    assert isinstance(approval.document, Approval)  # noqa: S101 - _approval gives nothing else
    return approval.document


def _approval(asked: Signed, path: str) -> Signed:
    """The approval in this file; of the same request."""
    from mizheng.cli.access.desk import read_document
    from mizheng.cli.errors import DataFault
    from mizheng.verifier.access import Approval

    found = read_document(Path(path))
    document = found.document
    if not isinstance(document, Approval) or document.request_sha256 != asked.sha256:
        raise DataFault("{name} is no approval of this request", name=path)
    return found


def _finish(desk: Desk, made: list[Decided], output: str | None, *, as_json: bool) -> None:
    """Keep what was signed, or write the file; then say it."""
    from mizheng.cli.access.describing import describe_document
    from mizheng.cli.access.desk import read_bytes
    from mizheng.cli.commands.access_saying import say_document, tell_waiting
    from mizheng.cli.files import publish_bytes

    waiting = 0
    if output:
        for item in made:
            publish_bytes(Path(output), item.data)
    else:
        for item in made:
            desk.take(item.data, item.names)
        waiting = desk.record(must=False)
    read = [(read_bytes(item.data), item.names) for item in made]
    if as_json:
        told = [{**describe_document(signed), "names": list(names)} for signed, names in read]
        emit_json({"file": output, "made": told, "waiting": waiting})
        return
    for signed, names in read:
        say_document(signed, names)
    if output:
        say(_("written: {name}; there: mizheng access add NAME.seal {name}", name=printable(output)))
    tell_waiting(waiting)
