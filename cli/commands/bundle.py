"""`mizheng bundle`: the evidence for a court, opening chosen records only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, warn
from mizheng.cli.terminal.screens import CommandWithCommands, Lazy
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.sealfile.content import Content


@click.command(
    "bundle",
    cls=CommandWithCommands,
    lazy={
        "normalize": Lazy(
            "mizheng.cli.commands.normalize",
            "normalize",
            N_("put a bundle packed anew back into its form"),
        )
    },
    help=N_(
        "Write a ZIP that proves the opened records, and only those, signed by the company's key. Nothing of "
        "a closed record is in it: not its name, nor how many there are. The environment record is opened "
        "too, and what a supplement belongs to. The trust file has to reach the court by another channel.\n\n"
        "Names are those recorded by seal (--list shows them). A name ending in / opens the folder; * and ? "
        "stay within a folder, ** does not. point:3 opens secret point 3 alone, point:3+locators also where "
        "it stands, point:3+files also those files; measure:1, carrier:1 and so on the other numbered ones; "
        "kind:measure all of a kind.\n\n"
        "--for binds the bundle to one recipient: signed, and on record in the log, which learns none of it "
        "(mizheng disclosures)."
    ),
    epilog=N_(
        "mizheng bundle drawings.seal --list\n"
        "mizheng bundle drawings.seal --open 'drawings/*.dwg' --with-originals\n"
        "mizheng bundle drawings.seal --open point:3+files --for 'the court'"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option(
    "--open",
    "patterns",
    metavar="WHAT",
    multiple=True,
    help=N_("a name, a pattern, point:N, kind:K; repeatable"),
)
@click.option("--list", "is_list", is_flag=True, help=N_("list the recorded names and write nothing"))
@click.option("--with-originals", is_flag=True, help=N_("put the opened files into the bundle"))
@click.option("--from", "folder", metavar="DIR", help=N_("where names start; else here or beside the seal"))
@click.option("--no-environment", is_flag=True, help=N_("keep the environment record closed"))
@click.option("--no-matter", is_flag=True, help=N_("keep closed what a supplement says it belongs to"))
@click.option("--for", "recipient", metavar="NAME", help=N_("for whom: signed, and put on record"))
@click.option(
    "--access",
    metavar="REQUEST",
    help=N_("for a request: what was approved"),
)
@click.option("--purpose", metavar="TEXT", help=N_("for what, with --for"))
@click.option(
    "--exhibits",
    metavar="FILE.toml",
    help=N_("source, object of proof, pages of exhibits; else blank"),
)
@click.option(
    "--x509",
    metavar="FILE",
    multiple=True,
    help=N_("a CA's certificates and lists; repeatable"),
)
@click.option("--no-exhibits", is_flag=True, help=N_("put no exhibit list into the bundle"))
@click.option("-o", "--output", metavar="NAME.zip", help=N_("name of the bundle; else that of the seal"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--offline", is_flag=True, help=N_("do not ask the notary: use what the seal keeps"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def bundle(
    seal_path: str,
    patterns: tuple[str, ...],
    is_list: bool,
    with_originals: bool,
    folder: str | None,
    no_environment: bool,
    no_matter: bool,
    recipient: str | None,
    access: str | None,
    purpose: str | None,
    exhibits: str | None,
    x509: tuple[str, ...],
    no_exhibits: bool,
    output: str | None,
    force: bool,
    offline: bool,
    as_json: bool,
) -> None:
    if exhibits and no_exhibits:
        raise UsageFault("--exhibits and --no-exhibits contradict each other")
    path = Path(seal_path)
    if is_list:
        _show_list(path, as_json=as_json)
        return
    if access and (recipient or purpose):
        raise UsageFault("--access takes recipient and purpose from the request")
    if not patterns and not access:
        raise UsageFault("say what to open: --open WHAT", "mizheng bundle NAME.seal --list shows the names")
    from mizheng.cli.bundling.job import Wanted, bundle_seal
    from mizheng.cli.session import Session

    wanted = Wanted(
        patterns,
        with_originals=with_originals,
        folder=Path(folder) if folder else None,
        with_environment=not no_environment,
        with_matter=not no_matter,
        recipient=recipient,
        purpose=purpose,
        x509=x509,
        words=exhibits,
        with_exhibits=not no_exhibits,
        output=Path(output) if output else None,
        force=force,
        offline=offline,
        access=access,
    )
    made = bundle_seal(Session.load(), path, wanted, note)
    if as_json:
        emit_json(
            {
                "bundle": str(made.path),
                "state": made.state,
                "opened": made.names,
                "originals": made.originals,
                "certificate": made.has_certificate,
                "disclosure": made.disclosure,
            }
        )
        return
    say(_("bundle: {name}", name=printable(str(made.path))))
    for name in made.names:
        say(_("  opened {name}", name=name))
    say(_("originals inside: {count}", count=made.originals))
    say(_("certificate inside") if made.has_certificate else _("no certificate inside: there is none yet"))
    if made.disclosure:
        _say_disclosed(made.disclosure, made.others_waiting)
    if made.state != "final":
        warn(_("the deposit is not final yet: made now, the bundle may read undetermined"))
    elif not made.is_observed:
        warn(
            _(
                "no observer has signed for the anchor's block yet: unless a court pins the block or asks a "
                "node, the bundle will read undetermined; make it again later"
            )
        )


def _say_disclosed(told: dict[str, Any], waiting: int) -> None:
    recipient = printable(told["recipient"])
    if told["state"] == "deposited":
        index = told["leaf_index"]
        say(_("for {recipient}: on record, leaf index {index}", recipient=recipient, index=index))
    else:
        say(_("for {recipient}: not on record yet", recipient=recipient))
        warn(_("the bundle says that it is not on record: make it again when the notary can be reached"))
    if waiting:
        note(_("{count} earlier disclosures wait: mizheng disclosures --send", count=waiting))


def _show_list(path: Path, *, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    with Seal(path) as seal:
        _list(open_seal(seal, home_directory()), as_json=as_json)


def _list(content: Content, *, as_json: bool) -> None:
    for place, (kind, label, _stamp) in content.entries():
        # A point's number says little; its title is the depositor's own and this is his machine.
        title = printable(json.loads(content.record(place))["title"]) if kind == "point" else ""
        if as_json:
            named = {"kind": kind, "name": printable(label)} | ({"title": title} if title else {})
            say(json.dumps(named, ensure_ascii=False))
        else:
            say(f"{kind}\t{printable(label)}" + (f"\t{title}" if title else ""))
