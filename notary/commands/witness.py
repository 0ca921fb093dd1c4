"""`mizheng-notary witness`."""

import os
from collections.abc import Mapping
from pathlib import Path

import click
from mizheng.notary.commands.console import say, speaks


@click.command()
@click.option("--listen", default="127.0.0.1:8490", show_default=True, help="HOST:PORT to answer on")
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    help="vkey of a log to watch; several, also of one log that changed its key, in their order",
)
@click.option(
    "--key", "key_path", type=click.Path(dir_okay=False), help="the witness's key, made if there is none"
)
@click.option(
    "--state", type=click.Path(dir_okay=False), help="what it cosigned last [beside the key, ending in .db]"
)
@click.option("--name", help="what the witness is called, once and for all [made from its key]")
@speaks
def witness(
    listen: str, logs: tuple[str, ...], key_path: str | None, state: str | None, name: str | None
) -> None:
    """Watch logs of others: cosign each head that extends the last one, and no other."""
    from mizheng.notary.witness.run import run_witness

    def announce(about: Mapping[str, str]) -> None:
        say("key:          {path}", path=about["key"])
        say("state:        {path}", path=about["state"])
        say("evidence of misbehaviour: {path}", path=about["misbehaviour"])
        say("listening on: {url}", url=about["url"])
        say("for the witness policy of the notary:")
        click.echo(f"witness NAME {about['vkey']} {about['url']}")

    run_witness(
        listen,
        logs,
        Path(key_path) if key_path else _witness_key(),
        Path(state) if state else None,
        name,
        announce=announce,
    )


def _witness_key() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(home) / "mizheng-witness" / "witness.pem"
