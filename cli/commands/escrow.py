"""`mizheng escrow`: who else can open the company's seals when the person who made them is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from mizheng.cli.errors import ConfigurationFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

_HERE = "mizheng.cli.commands.escrow"


@click.group(
    "escrow",
    cls=LazyGroup,
    lazy={
        "add": Lazy(_HERE, "add", N_("let a further age recipient open every seal from now on")),
        "apply": Lazy(_HERE, "apply", N_("let the recipients open seals that exist already")),
        "list": Lazy(_HERE, "list_", N_("show the recipients")),
    },
    help=N_(
        "Whoever loses the key of a seal can open nothing of it any more: losing salts is losing evidence. "
        "An escrow recipient is an age key (age1…) of somebody else in the company, such as the legal "
        "department, kept apart. Its holder opens seals with MIZHENG_SEAL_IDENTITY naming the file of the "
        "identity, or with stock age."
    ),
    epilog=N_(
        "age-keygen -o escrow.txt   # on the escrow's machine; only age1… leaves it\n"
        "mizheng escrow add age1…\n"
        "mizheng escrow apply *.seal"
    ),
)
def escrow() -> None:
    pass


@click.command(
    "add",
    cls=Command,
    help=N_(
        "Add an age recipient to those for whom every new seal is made. Compare it with its holder by "
        "telephone: whoever has the identity reads what is in the seals."
    ),
    epilog=N_("mizheng escrow add age1… --name 法务部"),
)
@click.argument("recipient", metavar="age1…")
@click.option("--name", metavar="NAME", default="", help=N_("whose it is, for the list"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def add(recipient: str, name: str, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.files import write_private
    from mizheng.cli.keys.identities import parse_recipient
    from mizheng.cli.keys.sealing import escrow_path, load_escrow

    home = home_directory()
    parsed = str(parse_recipient(recipient))
    is_new = parsed not in map(str, load_escrow(home))
    if is_new:
        path = escrow_path(home)
        before = path.read_bytes() if path.exists() else b""
        write_private(path, before + f"{parsed} {' '.join(name.split())}".strip().encode() + b"\n")
    if as_json:
        emit_json({"recipient": parsed, "new": is_new})
    elif not is_new:
        say(_("{recipient} is one of them already", recipient=parsed))
    else:
        say(_("from now on, every seal can be opened by {recipient} too", recipient=parsed))
        say(_("for seals that exist: mizheng escrow apply NAME.seal…"))


@click.command(
    "apply",
    cls=Command,
    help=N_(
        "Let every escrow recipient open seals that exist. What was sealed and deposited is not touched; the "
        "key of each seal is added to it once more, encrypted to them."
    ),
    epilog=N_("mizheng escrow apply *.seal"),
)
@click.argument("seals", metavar="NAME.seal…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def apply(seals: tuple[str, ...], as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.keys.sealing import load_escrow, load_identities, missing_key
    from mizheng.cli.sealfile.box import Secret
    from mizheng.cli.sealfile.read import Seal

    home = home_directory()
    wanted = {str(recipient): recipient for recipient in load_escrow(home)}
    if not wanted:
        raise ConfigurationFault("there is no escrow recipient yet", "mizheng escrow add age1…")
    identities = load_identities(home)
    added: list[dict[str, object]] = []
    for name in seals:
        with Seal(Path(name), lock=True) as seal:
            has = {recipient for key in seal.wrapped_keys for recipient in key.recipients}
            lacking = [recipient for text, recipient in wanted.items() if text not in has]
            if lacking:
                secret = Secret.unwrap(seal.wrapped_keys, identities)
                if secret is None:
                    raise missing_key(seal.path, home)
                seal.append(replace(seal.state, keys=(*seal.state.keys, secret.wrap(lacking))))
        added.append({"seal": name, "added": list(map(str, lacking))})
        if not as_json:
            say(_("{name}: {count} recipients added", name=printable(name), count=len(lacking)))
    if as_json:
        emit_json({"seals": added})


@click.command(
    "list",
    cls=Command,
    help=N_("Show the escrow recipients; with a seal, everybody for whom its key was encrypted."),
    epilog=N_("mizheng escrow list\nmizheng escrow list drawings.seal"),
)
@click.argument("seal_path", metavar="NAME.seal", required=False)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def list_(seal_path: str | None, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.keys.sealing import load_escrow
    from mizheng.cli.sealfile.read import Seal

    if seal_path:
        with Seal(Path(seal_path)) as seal:
            found = [recipient for key in seal.wrapped_keys for recipient in key.recipients]
    else:
        found = list(map(str, load_escrow(home_directory())))
    if as_json:
        emit_json({"recipients": found})
        return
    for recipient in found:
        say(printable(recipient))
    if not found:
        note(_("there is no escrow recipient yet"))
