"""One's own account: passkeys, sessions, where one logs in from."""

from __future__ import annotations

from mizheng.notary.database import reading, writing
from mizheng.notary.pages.people.guard import Call, begin_step
from mizheng.notary.pages.render import static_url
from mizheng.notary.people import ceremonies
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.identities import list_identities
from mizheng.notary.people.passkeys import (
    enrol_passkey,
    enrolment_options,
    list_passkeys,
    new_challenge,
    remove_passkey,
)
from mizheng.notary.people.sessions import end_session, end_sessions, list_sessions
from mizheng.verifier.words import N_
from starlette.responses import Response

_STEP = "passkey"


def show_account(call: Call, said: str = "", status: int = 200) -> Response:
    member = call.known.member
    with reading(call.visit.service.engine) as connection:
        keys = list_passkeys(connection, member)
        accounts = list_identities(connection, member)
        present = list_sessions(connection, member)
    titles = {item.issuer: item.title for item in call.setup.providers.values()}
    return call.show(
        "account.html",
        status,
        place="account",
        passkeys=keys,
        identities=[(titles.get(row.issuer, row.issuer), row.linked_at) for row in accounts],
        sessions=present,
        session_id=call.known.id,
        said=call.visit.say(said) if said else "",
    )


def show_new_passkey(call: Call) -> Response:
    member = call.known.member
    challenge = new_challenge()
    with writing(call.visit.service.engine) as connection:
        options = enrolment_options(connection, call.setup, member, challenge)
        step = ceremonies.begin(connection, _STEP, {"challenge": challenge, "member": member.id})
    page = call.show(
        "enrol.html",
        place="account",
        options=options,
        action=f"{call.visit.prefix}/account/passkeys",
        providers=[],
        script=static_url("people.js"),
    )
    return begin_step(call, page, step)


def add_passkey(call: Call) -> Response:
    member = call.known.member
    with writing(call.visit.service.engine) as connection:
        kept = ceremonies.take(connection, _STEP, call.step)
    try:
        if kept is None or kept["member"] != member.id:
            raise LoginError("step-unknown")
        with writing(call.visit.service.engine) as connection:
            credential = call.form.get("credential", "")
            enrol_passkey(connection, call.setup, member, str(kept["challenge"]), credential)
    except LoginError:
        return show_account(call, N_("The passkey was not added. Try again."), 422)
    return call.go("/account")


def drop_passkey(call: Call) -> Response:
    member = call.known.member
    with writing(call.visit.service.engine) as connection:
        keys = list_passkeys(connection, member)
        number = call.pick("passkey", [key.id for key in keys])
        is_last = len(keys) == 1 and not list_identities(connection, member)
        if not is_last:
            remove_passkey(connection, member, number)
    if is_last:
        return show_account(call, N_("The only way in cannot be taken away."), 422)
    return call.go("/account")


def drop_session(call: Call) -> Response:
    member = call.known.member
    with writing(call.visit.service.engine) as connection:
        number = call.pick("session", [row.id for row in list_sessions(connection, member)])
        end_session(connection, member, number, by=member)
    return call.go("/account")


def drop_other_sessions(call: Call) -> Response:
    member = call.known.member
    with writing(call.visit.service.engine) as connection:
        end_sessions(connection, member, by=member, keep=call.known.id)
    return call.go("/account")
