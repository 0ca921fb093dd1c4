"""`mizheng renew`: the company's part of a renewal, on its own machine."""

from __future__ import annotations

import time
from pathlib import Path

import click
from mizheng.cli.errors import UsageFault, WaitingFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable


@click.command(
    "renew",
    cls=Command,
    help=N_(
        "Hash everything of a deposit anew before SHA-256 is retired: envelope, proofs, every record and its "
        "original. Only one hash goes to the time-stamp authority. The result lies beside the seal, as "
        "NAME.renewal; keep both: bundle puts what it opens into the bundle.\n\n"
        "Run again without --hash, it puts a new time stamp over the last one, before its certificate ends. "
        "Tokens over the log itself are renewed by the notary."
    ),
    epilog=N_(
        "mizheng renew a.seal --hash sha512 --tsa https://tsa.example --trust t.toml\n"
        "mizheng renew a.seal --tsa https://tsa.example --trust t.toml"
    ),
)
@click.argument("seal_path", metavar="NAME.seal")
@click.option("--tsa", metavar="URL", required=True, help=N_("the time-stamp authority to ask"))
@click.option("--trust", metavar="FILE", required=True, help=N_("the trust file that names it"))
@click.option(
    "--hash", "hash_name", metavar="NAME", help=N_("hash anew with this: sha512, sha384, sha3_256 …")
)
@click.option("--from", "folder", metavar="DIR", help=N_("where names start; else here or beside the seal"))
@click.option("--allow-missing", is_flag=True, help=N_("leave out originals that are not there any more"))
@click.option("--offline", is_flag=True, help=N_("do not ask the notary: use what the seal keeps"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def renew(
    seal_path: str,
    tsa: str,
    trust: str,
    hash_name: str | None,
    folder: str | None,
    allow_missing: bool,
    offline: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.cli.config import home_directory
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.renewal.renewing import begin, check, hash_anew, stamp_again
    from mizheng.cli.renewal.sources import seal_envelope, seal_evidence
    from mizheng.cli.renewal.store import FILE, load, save
    from mizheng.cli.sealfile.read import Seal
    from mizheng.verifier.canonical import format_instant
    from mizheng.verifier.errors import FormatError
    from mizheng.verifier.timestamp.algorithms import find_hash

    believed = load_trust(Path(trust))
    path = Path(seal_path)
    target = FILE.path_of(path)
    with Seal(path, lock=True) as seal:
        content = open_seal(seal, home_directory())
        envelope = seal_envelope(seal)
        renewals = load(target, content.manifest_key, envelope) if target.exists() else None
        if hash_name is None:
            if renewals is None:
                raise WaitingFault(
                    "nothing of this seal was hashed anew yet",
                    "tokens over the log are renewed by the notary; before SHA-256 is retired: --hash sha512",
                )
            done = stamp_again(renewals, tsa, believed)
        else:
            try:
                algorithm = find_hash(hash_name)
            except FormatError as error:
                raise UsageFault(
                    "a hash that is not known: {name}", "for example --hash sha512", name=hash_name
                ) from error
            if renewals is None:
                evidence = seal_evidence(seal, offline=offline)
                renewals = begin(envelope, evidence, believed, int(time.time()))
            folders = [Path(folder)] if folder else [Path(), path.parent]
            done = hash_anew(
                renewals, algorithm, content, envelope, folders, tsa, believed, allow_missing=allow_missing
            )
        save(target, done, content.manifest_key)
    found = check(done, believed)
    until = format_instant(found.holds_until)
    if as_json:
        emit_json(
            {
                "renewal": str(target),
                "hash": found.hash,
                "authority": found.last.authority.name,
                "holds_until": until,
                "objects": sum(len(group) for group in done.generations[-1].groups),
            }
        )
        return
    say(_("renewed: {name}", name=printable(str(target))))
    say(_("by {authority}, holds until {until}", authority=printable(found.last.authority.name), until=until))
