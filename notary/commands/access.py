"""`mizheng-notary access …`: what was lodged and shown here, and letting go of it."""

import json
import re
from datetime import UTC, datetime

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks
from mizheng.verifier.words import N_

_DIGEST = re.compile(r"[0-9a-f]{64}")


@click.group()
def access() -> None:
    """Requests to see records that were lodged here, and what companies show of them."""


@access.command("list")
@click.option("--json", "as_json", is_flag=True, help=N_("print JSON"))
@data_dir_option
@speaks
def access_list(as_json: bool, data_dir: str | None) -> None:
    """List requests by their SHA-256: when lodged, until when, how many documents are shown. No names."""
    from mizheng.notary.access.finding import describe_all
    from mizheng.notary.database import reading

    with reading(open_here(data_dir).engine) as connection:
        rows = describe_all(connection)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['sha256']}  {row['lodged_at']}  {row['ends_at']}  {row['documents']}")


@access.command("forget")
@click.argument("sha256", required=False)
@click.option(
    "--ended-before",
    type=click.DateTime(["%Y-%m-%d"]),
    help=N_("all requests whose term ended before this day (UTC)"),
)
@data_dir_option
@speaks
def access_forget(sha256: str | None, ended_before: datetime | None, data_dir: str | None) -> None:
    """Delete a request with all that is shown of it, or one shown document; what is on record stays so."""
    from mizheng.notary.access.forgetting import forget, forget_ended
    from mizheng.notary.database import writing
    from mizheng.notary.errors import OperatorError

    if (sha256 is None) == (ended_before is None):
        raise OperatorError("give a SHA-256 or --ended-before, and not both")
    if sha256 is not None and not _DIGEST.fullmatch(sha256):
        raise OperatorError("it has 64 hex digits", hint="see: mizheng-notary access list")
    with writing(open_here(data_dir).engine) as connection:
        if sha256 is not None:
            count = forget(connection, sha256)
        elif ended_before is not None:
            count = forget_ended(connection, int(ended_before.replace(tzinfo=UTC).timestamp()))
    say("deleted: {count} documents", count=count)
