"""`mizheng-notary webhook …`: who is told what, and how it goes."""

import json
import time

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks
from mizheng.verifier.words import N_


@click.group()
def webhook() -> None:
    """Webhooks: addresses that are told what becomes of deposits."""


@webhook.command("add")
@click.argument("organisation")
@click.argument("url")
@click.option("--event", "events", multiple=True, help="tell this; may be given several times [everything]")
@data_dir_option
@speaks
def webhook_add(organisation: str, url: str, events: tuple[str, ...], data_dir: str | None) -> None:
    """Tell URL what becomes of ORGANISATION's deposits; shows the webhook's secret once."""
    from mizheng.notary.auditing.rows import OPERATOR
    from mizheng.notary.companies.organisations import find_organisation
    from mizheng.notary.database import writing
    from mizheng.notary.webhooks.addresses import parse_webhooks
    from mizheng.notary.webhooks.hooks import add_webhook, check_events, check_url
    from mizheng.notary.webhooks.signing import show_secret

    instance = open_here(data_dir)
    check_events(events)
    check_url(parse_webhooks(instance.settings.webhooks), url)
    with writing(instance.engine) as connection:
        number = find_organisation(connection, organisation).number
        hook = add_webhook(connection, number, url, events, int(time.time()), actor=OPERATOR)
    say("webhook: {name}", name=hook.name)
    say("its secret, shown this once:")
    click.echo(show_secret(hook.secret))


@webhook.command("list")
@click.option("--json", "as_json", is_flag=True, help=N_("print JSON"))
@data_dir_option
@speaks
def webhook_list(as_json: bool, data_dir: str | None) -> None:
    """List all webhooks and how they are."""
    from mizheng.notary.companies.organisations import load_organisation
    from mizheng.notary.database import reading
    from mizheng.notary.webhooks.hooks import list_webhooks

    with reading(open_here(data_dir).engine) as connection:
        rows = [
            {
                "id": hook.name,
                "organisation": load_organisation(connection, hook.organisation_id).depositor.id,
                "url": hook.url,
                "events": hook.events.split(),
                "state": hook.state,
                "failures": hook.failures,
                "last_outcome": hook.last_outcome,
            }
            for hook in list_webhooks(connection, None)
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['organisation']}  {row['state']:<6}  {row['last_outcome'] or '-'}")
        click.echo(f"    {row['url']}  {' '.join(row['events'])}")


@webhook.command("remove")
@click.argument("name", metavar="ID")
@data_dir_option
@speaks
def webhook_remove(name: str, data_dir: str | None) -> None:
    """Take the webhook ID away; what still waits is dropped."""
    from mizheng.notary.database import writing
    from mizheng.notary.webhooks.hooks import remove_webhook

    with writing(open_here(data_dir).engine) as connection:
        remove_webhook(connection, None, name)
    say("the webhook is removed")


@webhook.command("resume")
@click.argument("name", metavar="ID")
@data_dir_option
@speaks
def webhook_resume(name: str, data_dir: str | None) -> None:
    """Have the webhook ID tried again at once, also when it was given up."""
    from mizheng.notary.database import writing
    from mizheng.notary.webhooks.hooks import resume_webhook

    with writing(open_here(data_dir).engine) as connection:
        resume_webhook(connection, None, name)
    say("what waits is sent now")
