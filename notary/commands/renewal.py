"""`mizheng-notary renew`."""

import json

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks

# sysexits(3): tried, and not all of it worked; again later.
_TEMPORARY = 75


@click.command()
@click.option("--list", "is_list", is_flag=True, help="say what is due and renew nothing")
@click.option(
    "--within", "days", type=click.IntRange(0, 36600), help="days from now [before_days of notary.toml, 180]"
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@data_dir_option
@speaks
def renew(is_list: bool, days: int | None, as_json: bool, data_dir: str | None) -> None:
    """Renew time-stamp tokens that stop counting soon; a serving notary does so by itself.

    Exit code 75: not all could be renewed.
    """
    import time

    from mizheng.notary.timestamping.renewing import DAY, Renewer, parse_renewal
    from mizheng.notary.timestamping.setup import parse_timestamps
    from mizheng.verifier.canonical import format_instant

    instance = open_here(data_dir)
    settings = instance.settings
    renewer = Renewer(instance.engine, parse_timestamps(settings.timestamps), parse_renewal(settings.renewal))
    due = renewer.due(None if days is None else days * DAY)
    # What has lapsed cannot be made good.
    done = 0 if is_list else renewer.renew(item for item in due if item.by >= time.time())
    renewer.close()
    if as_json:
        rows = [
            {
                "authority": item.authority,
                "tree_size": item.tree_size,
                "needs": "hash-tree-renewal" if item.needs_hash_tree else "time-stamp-renewal",
                "by": format_instant(item.by),
            }
            for item in due
        ]
        click.echo(json.dumps({"due": rows, "renewed": done}, ensure_ascii=False, indent=2))
    else:
        for item in due:
            say(
                "{authority}, size {size}: by {by}",
                authority=item.authority,
                size=item.tree_size,
                by=format_instant(item.by),
            )
        say("renewed: {done} of {count}", done=done, count=len(due))
    if not is_list and done < len(due):
        raise SystemExit(_TEMPORARY)
