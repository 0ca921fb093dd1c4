"""`mizheng-notary`: the operator's command line.

Commands import what they need when they run; `--help` needs click alone.
"""

import os

import click
from mizheng.notary.commands.access import access
from mizheng.notary.commands.alarms import chain_alarms
from mizheng.notary.commands.audit import audit_log
from mizheng.notary.commands.backup import backup, restore
from mizheng.notary.commands.chain import chain, observe
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks
from mizheng.notary.commands.members import members
from mizheng.notary.commands.organisations import key, org
from mizheng.notary.commands.renewal import renew
from mizheng.notary.commands.webhooks import webhook
from mizheng.notary.commands.witness import witness

_EXAMPLES = """\b
mizheng-notary serve
mizheng-notary org add 某某科技有限公司 91350100M000100Y43
mizheng-notary trust export -o trust.toml
"""


@click.group(epilog=_EXAMPLES)
@click.option(
    "--lang", type=click.Choice(["zh_CN", "en"]), help="language of messages, else MIZHENG_LANG or the locale"
)
@click.version_option(package_name="mizheng")
def main(lang: str | None) -> None:
    """Run a Mizheng notary: take deposits, keep the log, anchor it on a chain."""
    # Everything that is made from here on is the operator's alone.
    os.umask(0o077)


@main.command()
@click.option("--host", help="address to listen on [127.0.0.1]")
@click.option("--port", type=int, help="port to listen on, 0 for a free one [8470]")
@data_dir_option
@speaks
def serve(host: str | None, port: int | None, data_dir: str | None) -> None:
    """Serve; makes everything that is missing, goes on with what is there."""
    import gc

    # All that is imported stays: looking through it again and again would be a tenth of the start.
    gc.disable()
    from mizheng.notary.config import load_settings
    from mizheng.notary.serve import run

    run(load_settings(os.environ, {"host": host, "port": port, "data_dir": data_dir}))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@data_dir_option
@speaks
def status(as_json: bool, data_dir: str | None) -> None:
    """Say how long the log is, what is anchored, and what anchoring waits for."""
    import json

    from mizheng.notary.commands.operation import load_operation

    found = load_operation(open_here(data_dir))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for name, value in found.items():
        click.echo(f"{name:<20} {'-' if value is None else value}")


@main.command("export-static")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@data_dir_option
@speaks
def export_static_command(folder: str, data_dir: str | None) -> None:
    """Write the whole log, its keys and all public proofs as plain files that any web server can serve."""
    from pathlib import Path

    from mizheng.notary.exports.static import INDEX, export_static

    done = export_static(open_here(data_dir), Path(folder).absolute())
    say("exported: {count} entries of the log", count=done.tree_size)
    say("SHA-256 of {name}: {digest}", name=INDEX, digest=done.index_sha256)
    if done.trust_sha256 is not None:
        say("SHA-256 of {name}: {digest}", name="trust.toml", digest=done.trust_sha256)


@main.group()
def trust() -> None:
    """What a court is told to believe."""


@trust.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="file to write, else standard output")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="days it is good for"
)
@click.option("--name", help="what the notary is called in it [the log's origin]")
@click.option("--quorum", type=int, help="observers that must agree [more than half of them]")
@click.option("--require-witnesses", is_flag=True, help="valid only with the witnesses' quorum")
@data_dir_option
@speaks
def trust_export(
    output: str | None,
    days: int,
    name: str | None,
    quorum: int | None,
    require_witnesses: bool,
    data_dir: str | None,
) -> None:
    """Write the trust file. Hand it over by a channel of its own, never together with a bundle."""
    import hashlib
    from pathlib import Path

    from mizheng.notary.exports.trust import make_trust
    from mizheng.verifier.trust import dump_trust

    instance = open_here(data_dir)
    data = dump_trust(
        make_trust(instance, days=days, name=name, quorum=quorum, require_witnesses=require_witnesses)
    )
    if output is None:
        click.echo(data.decode(), nl=False)
        return
    path = Path(output)
    path.write_bytes(data)
    # Nothing in it is secret: it is there to be handed on.
    path.chmod(0o644)
    say("written: {path}", path=path)
    say("SHA-256: {digest}", digest=hashlib.sha256(data).hexdigest())


main.add_command(audit_log)
main.add_command(backup)
main.add_command(restore)
main.add_command(org)
main.add_command(key)
main.add_command(members)
main.add_command(access)
chain.add_command(chain_alarms)
main.add_command(chain)
main.add_command(observe)
main.add_command(witness)
main.add_command(renew)
main.add_command(webhook)
