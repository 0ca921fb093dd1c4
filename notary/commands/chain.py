"""`mizheng-notary chain …` and `mizheng-notary observe`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks

_FINALITY_HELP = "when a block is final: finalized, instant, or confirmations:N"

_kind_option = click.option(
    "--kind", default="ethereum", show_default=True, help="ethereum, clique, ibft2, qbft or fisco-bcos"
)


@click.group()
def chain() -> None:
    """The chain on which the log is anchored."""


@chain.command("address")
@data_dir_option
@speaks
def chain_address(data_dir: str | None) -> None:
    """Print the account that pays for anchors; its key is made if there is none."""
    from mizheng.notary.anchoring.publisher_key import load_publisher

    click.echo(f"0x{load_publisher(open_here(data_dir).settings).address.hex()}")


@chain.command("deploy")
@click.option("--rpc", multiple=True, required=True, help="a node's address; may be given several times")
@click.option("--name", help="what the chain is called here [main]; a further chain needs one of its own")
@click.option("--finality", default="finalized", show_default=True, help=_FINALITY_HELP)
@_kind_option
@click.option(
    "--fees",
    type=click.Choice(["dynamic", "legacy", "free"]),
    default="dynamic",
    show_default=True,
    help="how the chain is paid: EIP-1559, one gas price, or nothing",
)
@data_dir_option
@speaks
def chain_deploy(
    rpc: tuple[str, ...], name: str | None, finality: str, kind: str, fees: str, data_dir: str | None
) -> None:
    """Bring the contract onto a chain, open the log in it, and write the chain into notary.toml.

    Run again, it goes on where it stopped. The notary uses the chain from its next start on.
    """
    from mizheng.notary.anchoring.deployment import deploy

    found = deploy(open_here(data_dir), rpc, name, finality, kind=kind, fees=fees)
    say("contract: 0x{contract}", contract=found.deployment.contract.hex())
    say("log id:   {log_id}", log_id=found.deployment.log_id.hex())
    say("written:  {path}", path=found.path)


@click.command()
@click.option(
    "--rpc", multiple=True, required=True, help="address of a node of your own; may be given several times"
)
@click.option(
    "--key", "key_path", type=click.Path(dir_okay=False), help="the observer's key, made if there is none"
)
@click.option("--finality", default="finalized", show_default=True, help=_FINALITY_HELP)
@_kind_option
@click.option("--listen", default="127.0.0.1:8480", show_default=True, help="HOST:PORT to answer on")
@click.option("--block", type=click.IntRange(0), help="sign this one block, print it and end; serves nothing")
@speaks
def observe(
    rpc: tuple[str, ...], key_path: str | None, finality: str, kind: str, listen: str, block: int | None
) -> None:
    """For a court or a notary office with a node of its own: sign which blocks that node holds final."""
    from mizheng.notary.observers import observe_once, run_observer

    key = Path(key_path) if key_path else _observer_key()
    if block is not None:
        click.echo(observe_once(rpc, key, finality, block, kind=kind).decode())
        return

    def announce(about: Mapping[str, str | int]) -> None:
        say("key:          {path}", path=key)
        say("public key:   {key}", key=about["public_key"])
        say("listening on: {url}", url=about["url"])
        say("for the notary's notary.toml:")
        click.echo("[observers.NAME]")
        for name in ("url", "public_key"):
            click.echo(f"{name} = {json.dumps(about[name])}")

    run_observer(rpc, key, finality, listen, kind=kind, announce=announce)


def _observer_key() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(home) / "mizheng-observer" / "observer.pem"
