"""`mizheng expiring`: which evidence needs what, and by when."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.renewal.expiry import Expiry
    from mizheng.verifier.trust import Trust

_DAY = 86_400
DUE = 1


@click.command(
    "expiring",
    cls=Command,
    help=N_(
        "List what stops counting and has to be renewed before: time-stamp tokens, whose certificates end, "
        "and hashes that the trust file retires. Of a seal, the notary is asked for its present evidence "
        "unless --offline.\n\n"
        "Exit code 0: nothing within the time asked about; 1: something is due or has lapsed; 64 and up: it "
        "could not be found out."
    ),
    epilog=N_(
        "mizheng expiring *.seal --trust trust.toml\n"
        "mizheng expiring pump.zip --within 365\n"
        "mizheng expiring archive/*.zip --trust trust.toml --json"
    ),
)
@click.argument("paths", metavar="BUNDLE|SEAL…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--within", "days", metavar="DAYS", type=click.IntRange(0), default=180, help=N_("else 180"))
@click.option("--trust", metavar="FILE", help=N_("the trust file: authorities, and hashes that it retires"))
@click.option("--offline", is_flag=True, help=N_("do not ask the notary: use what the seal keeps"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def expiring(paths: tuple[Path, ...], days: int, trust: str | None, offline: bool, as_json: bool) -> int:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.renewal.expiry import NEEDS
    from mizheng.verifier.canonical import format_instant

    believed = load_trust(Path(trust)) if trust is not None else None
    now = int(time.time())
    found = sorted(
        (item for path in paths for item in _expiries(path, believed, offline=offline)),
        key=lambda item: item.by,
    )
    due = [item for item in found if item.by <= now + days * _DAY]
    if as_json:
        rows = [
            {
                "name": item.name,
                "what": item.what,
                "needs": item.needs,
                "by": format_instant(item.by),
                "who": item.who,
                "is_believed": item.is_believed,
                "is_due": item in due,
                "has_lapsed": item.by < now,
            }
            for item in found
        ]
        emit_json({"within_days": days, "evidence": rows})
        return DUE if due else 0
    for item in due:
        say(
            _(
                "{by}: {name} needs {needs} ({what}), by {who}",
                by=format_instant(item.by)[:10],
                name=printable(item.name),
                needs=_(NEEDS[item.needs]),
                what=printable(item.what),
                who=_(item.who),
            )
        )
        if item.by < now:
            say("  " + _("lapsed: it dates nothing any more by itself"))
    if not due:
        say(_("nothing has to be renewed within {days} days", days=days))
        if found:
            note(_("the next one: {by}", by=format_instant(found[0].by)))
    return DUE if due else 0


def _expiries(path: Path, trust: Trust | None, *, offline: bool) -> list[Expiry]:
    from mizheng.cli.renewal.expiry import find_expiries
    from mizheng.cli.renewal.sources import read_bundle, read_seal

    stamps, records = read_seal(path, offline=offline) if path.suffix == ".seal" else read_bundle(path)
    return find_expiries(str(path), stamps, records, trust)
