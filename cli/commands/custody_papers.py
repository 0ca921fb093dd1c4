"""`mizheng custody accept`, `record`, `update`, `publish`: what goes to others, and into bundles."""

from __future__ import annotations

from pathlib import Path

import click
from mizheng.cli.commands.custody import write_paper
from mizheng.cli.errors import InputFault
from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

# A custody document is some kilobytes.
_MAX_BYTES = 64 * 1024


@click.command(
    "accept",
    cls=Command,
    help=N_(
        "Show a hand-over that was offered to you, and with --sign sign it as its taker. Sign only what is "
        "so: who, what, when, where, and the digest of what you got; --got compares it. Give the signed file "
        "back: the company of the deposit records it."
    ),
    epilog=N_(
        "mizheng custody accept drawings.handover.json\n"
        "mizheng custody accept drawings.handover.json --got pump.dwg --sign"
    ),
)
@click.argument("path", metavar="OFFER", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="FILE", help=N_("name of the signed file; else after OFFER"))
@click.option("--got", metavar="FILE", help=N_("what you got: refused unless it has the digest that is said"))
@click.option("--sign", is_flag=True, help=N_("sign it; without it nothing is written"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def accept(path: Path, output: str | None, got: str | None, sign: bool, force: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from mizheng.cli.custody.acting import accept_offer, read_offer
    from mizheng.cli.session import Session
    from mizheng.verifier.text import custody_lines

    offer = _read(path)
    line = read_offer(offer, got)
    if not sign:
        if as_json:
            emit_json({"offer": asdict(line), "file": None})
            return
        for text in custody_lines([line], translate_with()):
            say(text)
        note(_("nothing is signed yet; if all of this is so: --sign"))
        return
    document = accept_offer(Session.load(), offer)
    target = Path(output or f"{path.name.removesuffix('.json')}.signed.json")
    write_paper(target, document, force=force)
    if as_json:
        emit_json({"offer": asdict(line), "file": str(target)})
        return
    say(_("written: {name}", name=printable(str(target))))
    note(_("the company of the deposit records it: mizheng custody record NAME.seal FILE"))


@click.command(
    "record",
    cls=Command,
    help=N_(
        "Keep events that were signed elsewhere, in their order, and put on record everything of this seal "
        "that waits. An event that does not follow from the chain, or that is not signed by all who have "
        "to, is refused."
    ),
    epilog=N_(
        "mizheng custody record drawings.seal drawings.handover.signed.json\n"
        "mizheng custody record drawings.seal"
    ),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("paths", metavar="[FILE…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def record(seal_path: Path, paths: tuple[Path, ...], as_json: bool) -> None:
    from mizheng.cli.custody.recording import record_events
    from mizheng.cli.session import Session

    kept = record_events(Session.load(), seal_path, [_read(path) for path in paths])
    places = [item.answer["leaf_index"] if item.answer else None for item in kept]
    if as_json:
        emit_json({"events": len(kept), "leaf_indices": places})
        return
    say(_("custody events on record: {count}", count=len(kept)))


@click.command(
    "update",
    cls=Command,
    help=N_(
        "Write a bundle again with all custody events of its seal: for one that was made before they "
        "happened. Nothing else in it changes, and the depositor's signature still holds."
    ),
    epilog=N_("mizheng custody update drawings.seal court.zip -o court-2.zip"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.argument("bundle_path", metavar="BUNDLE.zip", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="NEW.zip", required=True, help=N_("name of the new bundle"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def update(seal_path: Path, bundle_path: Path, output: str, force: bool, as_json: bool) -> None:
    from mizheng.cli.custody.recording import update_bundle
    from mizheng.cli.session import Session

    count = update_bundle(Session.load(), seal_path, bundle_path, Path(output), force=force)
    if as_json:
        emit_json({"bundle": output, "events": count})
        return
    say(_("bundle: {name}", name=printable(output)))
    say(_("custody events inside: {count}", count=count))


@click.command(
    "publish",
    cls=Command,
    help=N_(
        "Show the chain of custody on the notary's page of the deposit, to the members of this company. The "
        "notary then reads what the events say: names, places, reasons, digests. Run again, it shows what is "
        "new."
    ),
    epilog=N_("mizheng custody publish drawings.seal"),
)
@click.argument("seal_path", metavar="NAME.seal", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def publish(seal_path: Path, as_json: bool) -> None:
    from mizheng.cli.custody import publishing
    from mizheng.cli.session import Session

    count = publishing.publish(Session.load(), seal_path)
    if as_json:
        emit_json({"shown": count})
    else:
        say(_("custody events shown by the notary: {count}", count=count))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
