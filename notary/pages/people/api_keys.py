"""API keys of one's own company: what each may do, until when; made, shown once, ended."""

from __future__ import annotations

import time

from mizheng.notary.companies.organisations import end_api_keys, issue_api_key, list_api_keys
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.pages.people.guard import Call
from mizheng.notary.people.permissions import SCOPES, Role
from mizheng.verifier.words import N_
from starlette.responses import Response

_MAX_DAYS = 3650
# More than a company needs, and few enough to be looked through.
_MAX_KEYS = 100

SCOPE_WORDS = {
    Role.SCOPE_DEPOSIT: N_("deposit, have certificates issued"),
    Role.SCOPE_READ: N_("look at deposits and fetch evidence"),
    Role.SCOPE_KEYS: N_("enrol signing keys"),
    Role.SCOPE_WEBHOOKS: N_("set up webhooks"),
    Role.SCOPE_MAILBOX: N_("leave ciphertexts for others, fetch one's own"),
    Role.SCOPE_ACCESS: N_("lodge requests, show decisions"),
}


def show_api_keys(call: Call, said: str = "", status: int = 200, secret: str = "") -> Response:
    with reading(call.visit.service.engine) as connection:
        rows = list_api_keys(connection, _company(call))
    return call.show(
        "api_keys.html",
        status,
        place="api-keys",
        rows=rows,
        now=int(time.time()),
        scopes=[(scope.value, SCOPE_WORDS[scope]) for scope in SCOPES],
        secret=secret,
        said=call.visit.say(said) if said else "",
    )


def make_api_key(call: Call) -> Response:
    scopes = [scope.value for scope in SCOPES if call.form.get(scope.value)]
    days = call.form.get("days", "")
    if not scopes:
        return show_api_keys(call, N_("Choose what the key may be used for."), 422)
    if not days.isascii() or not days.isdecimal() or len(days) > 4 or not 1 <= int(days) <= _MAX_DAYS:
        return show_api_keys(call, N_("A key made here expires: 1 to 3650 days."), 422)
    with writing(call.visit.service.engine) as connection:
        company = _company(call)
        if len([row for row in list_api_keys(connection, company) if row.disabled_at is None]) >= _MAX_KEYS:
            return show_api_keys(call, N_("There are too many keys. End those that nobody uses."), 422)
        key = issue_api_key(connection, company, int(days), scopes, by=call.known.member.actor)
    return show_api_keys(call, secret=key.secret)


def end_api_key(call: Call) -> Response:
    with writing(call.visit.service.engine) as connection:
        number = call.pick("api-key", [row.id for row in list_api_keys(connection, _company(call))])
        if not end_api_keys(connection, _company(call), number, by=call.known.member.actor):
            raise Problem("not-found")
    return call.go("/api-keys")


def _company(call: Call) -> int:
    number = call.known.member.organisation_id
    if number is None:
        raise Problem("not-found")
    return number
