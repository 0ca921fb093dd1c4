"""`mizheng custody`: who had the evidence of a deposit, and what was done with it."""

from __future__ import annotations

import time
from pathlib import Path

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

_HERE = "mizheng.cli.commands.custody"
_PAPERS = "mizheng.cli.commands.custody_papers"
# Of formats §8, here again because the screens need click alone; a test holds that they are the same.
WHAT = (
    *("handover", "copy-handover", "opening", "copy", "medium-change"),
    *("seal-number", "inspection", "storage", "destruction", "other"),
)
HANDOVERS = WHAT[:2]


@click.group(
    "custody",
    cls=LazyGroup,
    lazy={
        "add": Lazy(_HERE, "add", N_("record what happens to the evidence; offer it to somebody")),
        "accept": Lazy(_PAPERS, "accept", N_("sign an offered hand-over as its taker")),
        "record": Lazy(_PAPERS, "record", N_("keep what others signed, and put on record what waits")),
        "show": Lazy(_HERE, "show", N_("the chain of custody of a seal or bundle")),
        "update": Lazy(_PAPERS, "update", N_("put later events into a bundle that is out already")),
        "publish": Lazy(_PAPERS, "publish", N_("show the chain on the notary's pages")),
    },
    help=N_(
        "The chain of custody: every hand-over, opening, copy and change of the evidence of a deposit, each "
        "signed, linked to the one before it and on record in the log, which learns none of it. A hand-over "
        "is signed by both sides: the giver makes an offer (add), the taker signs it on his machine "
        "(accept), and the company of the deposit records it (record). The list lies beside the seal, "
        "NAME.custody; mizheng bundle puts it into each bundle."
    ),
    epilog=N_(
        "mizheng custody add drawings.seal storage --where archive --why trial\n"
        "mizheng custody add drawings.seal handover --to court --where desk --why trial\n"
        "mizheng custody accept drawings.handover.json\n"
        "mizheng custody record drawings.seal drawings.handover.signed.json\n"
        "mizheng custody show drawings.seal"
    ),
)
def custody() -> None:
    pass


@click.command(
    "add",
    cls=Command,
    help=N_(
        "Record what happens to the evidence of NAME.seal, or, for somebody who was given it, of a bundle. "
        "It is signed with the key that has the evidence by the chain. With a seal it is put on record at "
        "once. With a bundle, and for every hand-over, a file is written instead: an offer goes to the "
        "taker, all else to the company of the deposit, which records it.\n\n"
        "What: handover (the giver has nothing left), copy-handover (both have it), opening, copy, "
        "medium-change, seal-number, inspection, storage, destruction, other. Everything said here is read "
        "by whoever gets a bundle: a pseudonym will do for a name."
    ),
    epilog=N_(
        "mizheng custody add drawings.seal storage --where archive --why trial\n"
        "mizheng custody add drawings.seal handover --to court --where desk --why trial\n"
        "mizheng custody add pump.zip opening --where court --why trial --note unsealed"
    ),
)
@click.argument("path", metavar="NAME.seal|BUNDLE.zip", type=click.Path(path_type=Path))
@click.argument("what", metavar="WHAT", type=click.Choice(WHAT))
@click.option("--where", metavar="TEXT", required=True, help=N_("at what place"))
@click.option("--why", metavar="TEXT", required=True, help=N_("in what matter, for what"))
@click.option("--to", metavar="NAME", help=N_("the taker: a recipient whose card was confirmed"))
@click.option("--taker", metavar="NAME", help=N_("who takes it there; else the recipient's name alone"))
@click.option("--by", metavar="NAME", help=N_("who does it; else the operator of the settings"))
@click.option("--role", metavar="TEXT", help=N_("in what function"))
@click.option("--note", "said", metavar="TEXT", help=N_("what exactly"))
@click.option("--before", metavar="FILE|SHA256", help=N_("what it is about, before it"))
@click.option("--after", metavar="FILE|SHA256", help=N_("the same, after it; else as before"))
@click.option("--seal-number", metavar="TEXT", help=N_("of the physical seal that is on it then"))
@click.option("-o", "--output", metavar="FILE", help=N_("name of the file that is written"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def add(
    path: Path,
    what: str,
    where: str,
    why: str,
    to: str | None,
    taker: str | None,
    by: str | None,
    role: str | None,
    said: str | None,
    before: str | None,
    after: str | None,
    seal_number: str | None,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.custody.acting import Told, make_event, taking_party
    from mizheng.cli.custody.chain import is_bundle, read_chain
    from mizheng.cli.custody.recording import record_events
    from mizheng.cli.session import Session
    from mizheng.verifier.canonical import format_instant

    is_handover = what in HANDOVERS
    if is_handover and to is None:
        raise UsageFault("say to whom: --to NAME", "mizheng recipients lists those who can take it")
    if to is not None and not is_handover:
        raise UsageFault("--to is for a hand-over", "handover or copy-handover")
    session = Session.load()
    told = Told(
        what, where, why, format_instant(int(time.time())), by, role, said, before, after, seal_number
    )
    party = taking_party(session, to, taker, None) if to else None
    is_seal = not is_bundle(path)
    if is_seal and output is not None and not is_handover:
        raise UsageFault("nothing is written here: the event is kept beside the seal")
    document = make_event(session, read_chain(session, path), told, party)
    if is_seal and not is_handover:
        kept = record_events(session, path, [document])
        answer = kept[-1].answer or {}
        if as_json:
            emit_json({"number": len(kept), "leaf_index": answer["leaf_index"], "file": None})
            return
        say(_("event {number} on record, leaf index {index}", number=len(kept), index=answer["leaf_index"]))
        return
    target = Path(output or f"{path.stem}.{what}.json")
    write_paper(target, document, force=force)
    if as_json:
        emit_json({"number": None, "leaf_index": None, "file": str(target)})
        return
    say(_("written: {name}", name=printable(str(target))))
    if is_handover:
        note(_("the taker signs it: mizheng custody accept {name}", name=printable(str(target))))
    else:
        note(_("the company of the deposit records it: mizheng custody record NAME.seal FILE"))


@click.command(
    "show",
    cls=Command,
    help=N_(
        "Show the chain of custody of a seal, with what is not on record yet, or of a bundle. Whose keys "
        "they are only a trust file tells: mizheng verify."
    ),
    epilog=N_("mizheng custody show drawings.seal\nmizheng custody show pump.zip"),
)
@click.argument("path", metavar="NAME.seal|BUNDLE.zip", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def show(path: Path, as_json: bool) -> None:
    from dataclasses import asdict

    from mizheng.cli.custody.showing import read_lines
    from mizheng.cli.session import Session
    from mizheng.verifier.text import custody_lines

    lines = read_lines(Session.load(), path)
    if as_json:
        emit_json({"custody": [asdict(line) for line in lines]})
        return
    if not lines:
        say(_("no custody event was recorded"))
        return
    for line in custody_lines(lines, translate_with()):
        say(line)


def write_paper(target: Path, document: bytes, *, force: bool) -> None:
    """A document on its way between two machines."""
    from mizheng.cli.files import new_file

    with new_file(target, force=force) as (file, _temporary):
        file.write(document)
