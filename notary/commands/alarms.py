"""`mizheng-notary chain alarms`."""

import time

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks


@click.command("alarms")
@click.option("--acknowledge", is_flag=True, help="somebody has looked: anchors may become final again")
@data_dir_option
@speaks
def chain_alarms(acknowledge: bool, data_dir: str | None) -> None:
    """Show final blocks that a chain took back. What was handed out for them is kept in the database."""
    from mizheng.notary.anchoring.alarms import acknowledge as acknowledge_all
    from mizheng.notary.anchoring.alarms import load_alarms
    from mizheng.verifier.canonical import format_instant

    instance = open_here(data_dir)
    alarms = load_alarms(instance.engine)
    for alarm in alarms:
        say(
            "{at}  chain {chain}, size {size}: block {number} was {old} and is {new} ({state})",
            at=format_instant(alarm.noticed_at),
            chain=alarm.chain,
            size=alarm.tree_size,
            number=alarm.block_number,
            old=alarm.block_hash.hex(),
            new=alarm.found_hash.hex() if alarm.found_hash else "-",
            state="open" if alarm.acknowledged_at is None else "acknowledged",
        )
    if not alarms:
        say("no chain took back a final block")
    if acknowledge:
        say("acknowledged: {count}", count=acknowledge_all(instance.engine, int(time.time())))
