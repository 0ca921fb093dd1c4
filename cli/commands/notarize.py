"""`mizheng notarize`: deposit a seal's commitment, or seal and deposit in one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.commands.seal import default_output, run
from mizheng.cli.errors import InputFault, UsageFault, exit_code_of
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say, show_error
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.session import Session
    from mizheng.verifier.errors import MizhengError


@click.command(
    "notarize",
    cls=Command,
    help=N_(
        "Sign a statement with the seal's commitment, deposit it with the notary, check the answer and keep "
        "it in the seal. What is sent says who deposits and when; of the files it has one digest, from "
        "which nothing can be read. Given other paths than seals, they are sealed first, into one.\n\n"
        "Run twice, it is the same deposit. When the notary cannot be reached, the seal stays: run again."
    ),
    epilog=N_(
        "mizheng notarize drawings.seal\nmizheng notarize *.seal\nmizheng notarize drawings/ -o drawings.seal"
    ),
)
@click.argument(
    "paths", metavar="NAME.seal…|PATH…", nargs=-1, required=True, type=click.Path(path_type=bytes)
)
@click.option("-o", "--output", metavar="NAME.seal", help=N_("name of the seal, when paths are sealed first"))
@click.option("--points", "points_file", metavar="FILE", help=N_("secret points; else the points.toml there"))
@click.option("--no-points", is_flag=True, help=N_("seal without secret points, whatever lies there"))
@click.option(
    "--keep", "is_keeping", is_flag=True, help=N_("also keep the originals, encrypted: mizheng keep")
)
@click.option("--urgent", is_flag=True, help=N_("have it anchored at once; so often a day and no more"))
@click.option("--notary", metavar="ADDRESS", help=N_("the notary's address; else that of mizheng init"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def notarize(
    paths: tuple[bytes, ...],
    output: str | None,
    points_file: str | None,
    no_points: bool,
    is_keeping: bool,
    urgent: bool,
    notary: str | None,
    as_json: bool,
) -> int:
    from mizheng.cli.depositing.one import deposit_seal
    from mizheng.cli.jobs import sealing_task
    from mizheng.cli.sealfile.read import Seal
    from mizheng.cli.sealing.walking import split_argument
    from mizheng.cli.session import Session

    session = Session.load()
    # Asked before minutes of hashing, not after.
    origin = session.organisation.origin
    unreadable = 0
    if is_seal(paths[0]):
        if output or points_file or no_points or not all(is_seal(path) for path in paths):
            raise UsageFault(
                "these are seals already, and not all of the rest is",
                "name seals only, or files and folders only, to seal them first",
            )
        if len(paths) > 1:
            seals = [Path(os.fsdecode(path)) for path in dict.fromkeys(paths)]
            if is_keeping:
                raise UsageFault("--keep is for one seal", "mizheng keep NAME.seal… keeps those of several")
            return notarize_many(session, seals, notary, urgent=urgent, as_json=as_json)
        target = Path(os.fsdecode(paths[0]))
        folders = [Path(), target.parent]
    else:
        if is_keeping and any(path.startswith(b"s3://") for path in paths):
            raise UsageFault("--keep is for files of this machine, not for objects of a store")
        target = Path(output) if output else default_output(paths[0])
        folders = [Path(os.fsdecode(split_argument(path)[0])) for path in paths]
        with sealing_task(paths, target, points=points_file, without_points=no_points) as task:
            unreadable = run(task, as_json=False, is_quiet=as_json)
    with Seal(target, lock=True) as seal, session.notary(notary) as client:
        was_deposited = seal.state.deposit is not None and seal.state.deposit.answer is not None
        deposit = deposit_seal(session, client, seal)
        commitment = seal.state.sealed.commitment
        # What is refused here is only the haste: the deposit is kept by now.
        asked = client.request_anchor(deposit.id) if urgent else None
    assert deposit.answer is not None  # noqa: S101 - deposit_seal returns checked deposits only
    if as_json:
        kept = [_keep(session, target, folders, is_quiet=True)] if is_keeping else []
        unreadable += sum(len(item["failed"]) for item in kept)
        emit_json(
            {
                "seal": str(target),
                "state": "deposited",
                "id": deposit.id,
                "commitment": commitment,
                "origin": origin,
                "leaf_index": deposit.answer["leaf_index"],
                "received_at": deposit.answer["received_at"],
                "new": not was_deposited,
                **({"urgent": asked} if asked else {}),
                **({"kept": kept[0]} if kept else {}),
            }
        )
    else:
        if was_deposited:
            say(_("deposited before; nothing was sent"))
        say(_("deposit: {id}", id=deposit.id))
        say(
            _(
                "entry {index} of {origin}; signature, inclusion and envelope checked",
                index=deposit.answer["leaf_index"],
                origin=origin,
            )
        )
        if asked:
            say(_("anchored at once; this may be asked {count} more times today", count=asked["remaining"]))
        say(_("kept in {name}; next: mizheng status {name}", name=printable(str(target))))
        if is_keeping:
            unreadable += len(_keep(session, target, folders, is_quiet=False)["failed"])
    return InputFault.exit_code if unreadable else 0


def _keep(session: Session, path: Path, folders: Sequence[Path], *, is_quiet: bool) -> dict[str, Any]:
    """The deposit stands by now, whatever becomes of this."""
    from mizheng.cli.commands.keep import describe, keep_one

    return describe(path, keep_one(session, path, (), folders, is_quiet=is_quiet))


def notarize_many(
    session: Session, paths: Sequence[Path], notary: str | None, *, urgent: bool, as_json: bool
) -> int:
    """Deposit seals; the exit code is that of the first that failed, and the others stand."""
    from mizheng.cli.depositing.many import deposit_seals

    origin = session.organisation.origin
    failed: MizhengError | None = None
    shown: list[dict[str, Any]] = []
    with session.notary(notary) as client:
        for outcome in deposit_seals(session, client, paths):
            name, deposit = str(outcome.path), outcome.deposit
            if deposit is None or deposit.answer is None:
                assert outcome.error is not None  # noqa: S101 - one or the other
                failed = failed or outcome.error
                code = exit_code_of(outcome.error)
                shown.append({"seal": name, "error": str(outcome.error), "exit_code": code})
                note(f"{printable(name)}:")
                show_error(outcome.error)
                continue
            shown.append(
                {
                    "seal": name,
                    "state": "deposited",
                    "id": deposit.id,
                    "commitment": outcome.commitment,
                    "origin": origin,
                    "leaf_index": deposit.answer["leaf_index"],
                    "received_at": deposit.answer["received_at"],
                    "new": not outcome.was_deposited,
                }
            )
            if not as_json:
                say(_("{name}: entry {index}", name=printable(name), index=deposit.answer["leaf_index"]))
        done = [item for item in shown if "id" in item]
        # An anchor covers all entries before it: to ask for the last one is to ask for all.
        last = max(done, key=lambda item: int(item["leaf_index"]), default=None)
        asked = client.request_anchor(last["id"]) if urgent and last else None
    if as_json:
        emit_json({"deposits": shown, **({"urgent": asked} if asked else {})})
        return exit_code_of(failed) if failed else 0
    say(
        _(
            "{done} of {all} seals are deposited in {origin}; signature, inclusion and envelope checked",
            done=len(done),
            all=len(shown),
            origin=origin,
        )
    )
    if asked:
        say(_("anchored at once; this may be asked {count} more times today", count=asked["remaining"]))
    return exit_code_of(failed) if failed else 0


def is_seal(path: bytes) -> bool:
    """Whether a path is a seal of any version, by its first line and not its name."""
    try:
        with Path(os.fsdecode(path)).open("rb") as file:
            return file.read(13) == b"mizheng-seal/"
    except OSError:
        return False
