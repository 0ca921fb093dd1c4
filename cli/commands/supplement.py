"""`mizheng supplement`: evidence points added later to a matter, each deposited, linked, shown in order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, say, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.session import Session
    from mizheng.cli.supplementing.store import Supplement, Supplements

# Of formats §1, here again because the screens need click alone; a test holds that they are the same.
TYPES = ("project", "notarization", "witness", "other")


@click.command(
    "supplement",
    cls=Command,
    help=N_(
        "Add evidence to a matter after it was deposited: a project document, a notarization deed, a "
        "witness's statement. The files are sealed into a seal of their own, which names the deposit of "
        "NAME.seal, and that seal is deposited. The log does not show that the two belong together; the "
        "supplement's bundle does, and mizheng verify checks it. Its time is its own, never the earlier "
        "deposit's.\n\n"
        "Without files: list the supplements of NAME.seal in order, and how far each has come."
    ),
    epilog=N_(
        "mizheng supplement drawings.seal deed.pdf --type notarization --title Deed\n"
        "mizheng supplement drawings.seal\n"
        "mizheng bundle drawings.supplement-1.seal --open '**'"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.argument("paths", metavar="[FILE|DIR]…", nargs=-1, type=click.Path(path_type=bytes))
@click.option("--type", "kind", type=click.Choice(TYPES), help=N_("what is added"))
@click.option("--title", metavar="TEXT", help=N_("what it is called in court"))
@click.option("--matter", metavar="NAME", help=N_("what the matter is called; else as before, or the seal"))
@click.option(
    "--number", metavar="N", type=click.IntRange(1, 1_000_000), help=N_("its number; else the next one")
)
@click.option("-o", "--output", metavar="NEW.seal", help=N_("name of its seal; else after NAME and number"))
@click.option("--send", is_flag=True, help=N_("deposit those that still wait"))
@click.option("--notary", metavar="ADDRESS", help=N_("the notary's address; else that of mizheng init"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def supplement(
    seal_path: str,
    paths: tuple[bytes, ...],
    kind: str | None,
    title: str | None,
    matter: str | None,
    number: int | None,
    output: str | None,
    send: bool,
    notary: str | None,
    as_json: bool,
) -> int:
    from mizheng.cli.session import Session

    session, path = Session.load(), Path(seal_path)
    if not paths:
        if any(value is not None for value in (kind, title, matter, number, output)):
            raise UsageFault(
                "name the files to add", "mizheng supplement NAME.seal FILE… --type TYPE --title TEXT"
            )
        if send:
            _send(session, path, notary)
        _list(session, path, as_json=as_json)
        return 0
    if send:
        raise UsageFault("--send deposits what waits, and takes no files")
    if kind is None or title is None:
        raise UsageFault("say what is added: --type and --title", "types: {types}", types=", ".join(TYPES))
    for name in paths:
        _refuse_seal(name)
    _add(session, path, paths, (kind, title, matter, number, output), notary, as_json=as_json)
    return 0


def _refuse_seal(name: bytes) -> None:
    from mizheng.cli.commands.notarize import is_seal

    if is_seal(name):
        raise UsageFault(
            "{name} is a seal", "a supplement takes the files themselves, and makes their seal", name=name
        )


def _add(
    session: Session,
    path: Path,
    paths: tuple[bytes, ...],
    told: tuple[str, str, str | None, int | None, str | None],
    notary: str | None,
    *,
    as_json: bool,
) -> None:
    from mizheng.cli.supplementing.one import Told, deposit_supplement, seal_supplement

    kind, title, matter, number, output = told
    wanted = Told(kind, title, matter, number, Path(output) if output else None)
    # Asked before anything is read.
    origin = session.organisation.origin
    with Progress(_("sealing")) as progress:
        item = seal_supplement(session, path, paths, wanted, progress.advance)
    deposit = deposit_supplement(session, item, notary)
    assert deposit.answer is not None  # noqa: S101 - deposit_seal returns checked deposits only
    index = deposit.answer["leaf_index"]
    if as_json:
        emit_json(_described(item, item.seal, "deposited", deposit.id, deposit.answer) | {"origin": origin})
        return
    say(
        _(
            "supplement {number} to {name}: {title}",
            number=item.number,
            name=printable(str(path)),
            title=printable(title),
        )
    )
    say(
        _(
            "entry {index} of {origin}; signature, inclusion and envelope checked",
            index=index,
            origin=origin,
        )
    )
    shown = printable(os.path.relpath(item.seal))
    say(_("kept in {name}; next: mizheng status {name}", name=shown))


def _open(session: Session, path: Path) -> tuple[Supplements, str | None]:
    """The list beside a seal, and the id of the deposit that is supplemented."""
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal
    from mizheng.cli.supplementing.store import Supplements

    with Seal(path) as seal:
        deposit = seal.state.deposit
        register = Supplements(path, open_seal(seal, session.home).manifest_key)
        return register, deposit.id if deposit else None


def _send(session: Session, path: Path, notary: str | None) -> None:
    from mizheng.cli.depositing.many import deposit_seals

    register, _id = _open(session, path)
    waiting = []
    for item in register.in_order():
        found = register.find_seal(item)
        if found is not None and _reached(found)[0] == "sealed":
            waiting.append(found)
    if not waiting:
        return
    with session.notary(notary) as client:
        for outcome in deposit_seals(session, client, waiting):
            if outcome.error is not None:
                raise outcome.error


def _list(session: Session, path: Path, *, as_json: bool) -> None:
    register, deposit_id = _open(session, path)
    shown = []
    for item in register.in_order():
        found = register.find_seal(item)
        state, supplement_id, answer = _reached(found) if found else ("missing", None, None)
        shown.append(_described(item, str(found or item.seal), state, supplement_id, answer))
    if as_json:
        emit_json({"seal": str(path), "deposit": deposit_id, "supplements": shown})
        return
    for line in shown:
        told = (
            str(line["number"]),
            _state_word(str(line["state"])),
            _type_word(str(line["type"])),
            printable(str(line["title"])),
            printable(os.path.relpath(str(line["seal"]))),
        )
        say("  ".join(told))
    if not shown:
        say(_("nothing was added to {name}", name=printable(str(path))))
    if any(line["state"] == "sealed" for line in shown):
        warn(_("not all of them are deposited: mizheng supplement {name} --send", name=printable(str(path))))
    if any(line["state"] == "missing" for line in shown):
        warn(_("a seal that is not here proves nothing: bring it back"))


def _reached(path: Path) -> tuple[str, str | None, dict[str, Any] | None]:
    """(state, the deposit's id, its answer) as the seal itself has it."""
    from mizheng.cli.sealfile.read import Seal

    with Seal(path) as seal:
        deposit = seal.state.deposit
        return seal.reached, deposit.id if deposit else None, deposit.answer if deposit else None


def _described(
    item: Supplement, seal: str, state: str, deposit_id: str | None, answer: dict[str, Any] | None
) -> dict[str, object]:
    return {
        "number": item.number,
        "matter": item.matter,
        "type": item.type,
        "title": item.title,
        "seal": seal,
        "state": state,
        "deposit": deposit_id,
        "leaf_index": answer["leaf_index"] if answer else None,
        "received_at": answer["received_at"] if answer else None,
    }


def _type_word(kind: str) -> str:
    return {
        "project": _("project"),
        "notarization": _("notarization deed"),
        "witness": _("witness statement"),
        "other": _("other"),
    }[kind]


def _state_word(state: str) -> str:
    from mizheng.cli.commands.log import state_word

    return _("not here") if state == "missing" else state_word(state)
