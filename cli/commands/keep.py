"""`mizheng keep`: encrypt originals here, put them into stores, look whether they are still there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, note, say, show_error, warn
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import human_size, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mizheng.cli.keeping.fixity import Checked
    from mizheng.cli.keeping.keep import Done
    from mizheng.cli.session import Session

_SHOWN = 20


@click.command(
    "keep",
    cls=Command,
    help=N_(
        "Keep the originals of a seal: each file is encrypted on this machine for the key of your seals and "
        "the escrow, and only the ciphertext goes to the stores. Which lies where is written down beside the "
        "seal, NAME.keeping, which opens with the seal's key alone. Run again, it goes on where it was.\n\n"
        "--check reads every copy in every store, writes down what it found and puts right from another "
        "store what is lost or rotten. Exit codes: 0 all sound, 1 something stays lost or rotten, 2 a store "
        "did not answer, 3 all repaired. Without a name: every seal in this folder that has a NAME.keeping."
    ),
    epilog=N_(
        "mizheng keep drawings.seal\n"
        "mizheng keep drawings.seal --store /mnt/archive --store s3://originals/a\n"
        "mizheng keep --check"
    ),
)
@click.argument("seals", metavar="[NAME.seal…]", nargs=-1)
@click.option("--check", "is_check", is_flag=True, help=N_("read every copy, report and repair"))
@click.option("--no-repair", is_flag=True, help=N_("with --check: report only"))
@click.option("--list", "is_list", is_flag=True, help=N_("show what is kept where"))
@click.option(
    "--store",
    "stores",
    metavar="ADDRESS",
    multiple=True,
    help=N_("a folder, s3://BUCKET/FOLDER or ipfs+http://HOST:PORT; may be repeated"),
)
@click.option("--from", "folder", metavar="FOLDER", help=N_("where the recorded names start"))
@click.option(
    "--only",
    "patterns",
    metavar="NAME",
    multiple=True,
    help=N_("these files only, as bundle --open takes them"),
)
@click.option(
    "--anew", is_flag=True, help=N_("encrypt also what is kept already: lost, or for new recipients")
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def keep(
    seals: tuple[str, ...],
    is_check: bool,
    no_repair: bool,
    is_list: bool,
    stores: tuple[str, ...],
    folder: str | None,
    patterns: tuple[str, ...],
    anew: bool,
    as_json: bool,
) -> int:
    from mizheng.cli.session import Session

    session = Session.load()
    if is_check or is_list:
        if stores or folder or patterns or anew or (is_check and is_list):
            raise UsageFault("--check and --list look at what is kept: they take seals and nothing else")
        paths = [Path(name) for name in seals] or _kept_here()
        if is_check:
            return _check(session, paths, repair=not no_repair, as_json=as_json)
        return _list(session, paths, as_json=as_json)
    if not seals:
        raise UsageFault("no seal is named", "mizheng keep NAME.seal, or mizheng keep --check")
    shown, code = [], 0
    for name in seals:
        path = Path(name)
        folders = [Path(folder)] if folder else [Path(), path.parent]
        done = keep_one(session, path, stores, folders, patterns, anew=anew, is_quiet=as_json)
        shown.append(describe(path, done))
        code = code or (InputFault.exit_code if done.failed else 0)
    if as_json:
        emit_json({"seals": shown})
    return code


def keep_one(
    session: Session,
    path: Path,
    asked: Sequence[str],
    folders: Sequence[Path],
    patterns: Sequence[str] = (),
    *,
    anew: bool = False,
    is_quiet: bool,
) -> Done:
    """Keep the originals of one seal and say what was done, the files that failed in any case."""
    from mizheng.cli.keeping.keep import keep_seal
    from mizheng.cli.keeping.stores.address import chosen_stores

    stores = chosen_stores(asked, session.config, session.home)
    with Progress(_("keeping")) as progress:
        done = keep_seal(
            session,
            path,
            stores=stores,
            folders=folders,
            patterns=patterns,
            anew=anew,
            tick=progress.advance,
        )
    if not is_quiet:
        say(
            _(
                "{name}: {count} originals kept, {new} of them new, {size} of ciphertext sent",
                name=printable(str(path)),
                count=done.originals,
                new=done.new,
                size=human_size(done.size),
            )
        )
        for address in done.stores:
            say(_("  in {name}", name=printable(address)))
    if done.failed:
        warn(_("{count} could not be kept:", count=len(done.failed)))
        for label, reason in done.failed[:_SHOWN]:
            note(f"  {printable(label)}: {_(reason)}")
        if len(done.failed) > _SHOWN:
            note(_("  … and {count} more", count=len(done.failed) - _SHOWN))
    return done


def describe(path: Path, done: Done) -> dict[str, Any]:
    """What was kept, for a program."""
    return {
        "seal": str(path),
        "originals": done.originals,
        "new": done.new,
        "bytes": done.size,
        "stores": done.stores,
        "failed": [{"name": printable(label), "reason": reason} for label, reason in done.failed],
    }


def _kept_here() -> list[Path]:
    from mizheng.cli.keeping.journal import path_of

    return [path for path in sorted(Path().glob("*.seal")) if path_of(path).exists()]


def _check(session: Session, paths: list[Path], *, repair: bool, as_json: bool) -> int:
    from mizheng.cli.keeping.fixity import check_seal

    found: list[tuple[Path, Checked]] = []
    with Progress(_("checking")) as progress:
        for path in paths:
            found.append((path, check_seal(session, path, repair=repair, tick=progress.advance)))
    if as_json:
        emit_json({"seals": [_describe_check(path, done) for path, done in found]})
    else:
        for path, done in found:
            _say_check(path, done)
        if not found:
            say(_("nothing is kept"))
    # What stays wrong goes before what is not known, and that before what was put right.
    codes = {done.exit_code for _path, done in found}
    return next((code for code in (1, 2, 3) if code in codes), 0)


def _say_check(path: Path, done: Checked) -> None:
    say(
        _(
            "{name}: {originals} originals, {copies} copies, {size} read; not as they should be: {count}",
            name=printable(str(path)),
            originals=done.originals,
            copies=done.copies,
            size=human_size(done.size),
            count=len(done.faults),
        )
    )
    for fault in done.faults[:_SHOWN]:
        finding = _(fault.finding)
        values = {"record": fault.record, "store": printable(fault.store), "finding": finding}
        if fault.is_repaired:
            note(_("  record {record} in {store}: {finding}, repaired", **values))
        else:
            note(_("  record {record} in {store}: {finding}", **values))
    if len(done.faults) > _SHOWN:
        note(_("  … and {count} more", count=len(done.faults) - _SHOWN))
    for why in {str(fault.why): fault.why for fault in done.faults if fault.why}.values():
        show_error(why)
    if done.waiting:
        warn(
            _(
                "{count} originals are in no store yet: mizheng keep {name}",
                count=done.waiting,
                name=printable(str(path)),
            )
        )
    say(_("  state of the keeping record: {digest}", digest=done.head))


def _describe_check(path: Path, done: Checked) -> dict[str, Any]:
    return {
        "seal": str(path),
        "originals": done.originals,
        "copies": done.copies,
        "bytes": done.size,
        "waiting": done.waiting,
        "faults": [
            {
                "record": fault.record,
                "store": fault.store,
                "finding": fault.finding,
                "repaired": fault.is_repaired,
            }
            for fault in done.faults
        ],
        "head": done.head,
        "exit_code": done.exit_code,
    }


def _list(session: Session, paths: list[Path], *, as_json: bool) -> int:
    from mizheng.cli.keeping.listing import list_kept

    shown = [{"seal": str(path), **list_kept(session, path)} for path in paths]
    if as_json:
        emit_json({"seals": shown})
        return 0
    for seal in shown:
        for item in seal["originals"]:
            say(f"{printable(seal['seal'])} {item['record']}\t{item['name']}\t{item['size']}")
            for copy in item["copies"]:
                say(_("  in {name}", name=f"{printable(copy['store'])} {copy['location']}"))
    if not any(seal["originals"] for seal in shown):
        say(_("nothing is kept"))
    return 0
