"""Logging in and out, and taking up an invitation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mizheng.notary.auditing.refusals import LOGIN
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.pages.people.cookies import SESSION_COOKIE, STEP_COOKIE, forget
from mizheng.notary.pages.people.guard import Call, begin_step, enter
from mizheng.notary.pages.render import static_url
from mizheng.notary.people import ceremonies, oidc
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.identities import find_owner, link
from mizheng.notary.people.members import (
    Member,
    find_invitation,
    is_company_barred,
    load_invited,
    load_member,
    use_invitation,
)
from mizheng.notary.people.passkeys import (
    enrol_passkey,
    enrolment_options,
    login_options,
    new_challenge,
    verify_passkey,
)
from mizheng.notary.people.sessions import EARLIER, PASSKEY, PROVIDER, end_session, open_session
from mizheng.notary.people.setup import Provider
from mizheng.verifier.words import N_
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

_LOGIN, _ENROL, _OIDC = "login", "enrol", "oidc"
_NOT_LET_IN = N_("This login did not succeed. Try again; if it stays so, ask for a new invitation.")
_SAY_WHEN = N_("Your provider did not say that you logged in just now. To change this, use a passkey.")


def show_login(call: Call) -> Response:
    said = ""
    if "again" in call.query:
        is_earlier = call.session is not None and call.session.method == EARLIER
        said = _SAY_WHEN if is_earlier else N_("To change this, log in once more.")
    return _show_login(call, said)


def login_passkey(call: Call) -> Response:
    try:
        kept = _take(call, _LOGIN)
        with writing(call.visit.service.engine) as connection:
            number = verify_passkey(
                connection, call.setup, str(kept["challenge"]), call.form.get("credential", "")
            )
            return enter(call, _let_in(connection, call, load_member(connection, number)))
    except LoginError as error:
        return _fail(call, error)


def login_oidc(call: Call) -> Response:
    """To the provider; the browser comes back to `finish_oidc`."""
    return _begin_oidc(call, 0)


def finish_oidc(call: Call) -> Response:
    engine = call.visit.service.engine
    try:
        kept = _take(call, _OIDC)
        provider = call.setup.providers.get(str(kept["provider"]))
        if provider is None:
            raise LoginError("oidc-provider-unknown")
        # Asked outside of a transaction: it is somebody else's server.
        identity = oidc.finish_login(call.setup, provider, kept, call.query)
        with writing(engine) as connection:
            if kept["invitation"]:
                member = _use(connection, int(kept["invitation"]))
                link(connection, member, identity)
            else:
                number = find_owner(connection, identity)
                if number is None:
                    raise LoginError("identity-unknown")
                member = load_member(connection, number)
            token = _let_in(connection, call, member, identity)
        # Its address is one for all languages.
        call = replace(call, visit=replace(call.visit, language=str(kept["language"])))
        return enter(call, token)
    except LoginError as error:
        return _fail(call, error)


def log_out(call: Call) -> Response:
    session = call.known
    with writing(call.visit.service.engine) as connection:
        end_session(connection, session.member, session.id, by=session.member)
    # Whoever leaves a screen expects that the next one there has to show who he is: at the provider as well.
    answer = RedirectResponse(session.logout_url, 303) if session.logout_url else call.go("/login")
    forget(answer, SESSION_COOKIE)
    forget(answer, STEP_COOKIE)
    # What the browser kept of the pages.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def show_join(call: Call) -> Response:
    return call.show("join.html", script=static_url("people.js"))


def join(call: Call) -> Response:
    """The code opens the page where a passkey is made; it is used up only when there is one."""
    engine = call.visit.service.engine
    with reading(engine) as connection:
        invitation = find_invitation(connection, call.form.get("code", "").strip())
        member = None if invitation is None else load_invited(connection, invitation)
    if invitation is None or member is None or member.is_disabled:
        call.visit.service.refusals.note(LOGIN, "notary", reason="invitation-unknown")
        said = call.visit.say(N_("This invitation is used up, expired or unknown."))
        return call.show("join.html", 422, script=static_url("people.js"), said=said)
    challenge = new_challenge()
    with writing(engine) as connection:
        options = enrolment_options(connection, call.setup, member, challenge)
        step = ceremonies.begin(connection, _ENROL, {"challenge": challenge, "invitation": invitation})
    page = call.show(
        "enrol.html",
        options=options,
        action=f"{call.visit.prefix}/join/passkey",
        providers=_providers(call),
        script=static_url("people.js"),
    )
    return begin_step(call, page, step)


def join_passkey(call: Call) -> Response:
    try:
        kept = _take(call, _ENROL)
        with writing(call.visit.service.engine) as connection:
            member = _use(connection, int(kept["invitation"]))
            credential = call.form.get("credential", "")
            enrol_passkey(connection, call.setup, member, str(kept["challenge"]), credential)
            return enter(call, _let_in(connection, call, member))
    except LoginError as error:
        return _fail(call, error)


def join_oidc(call: Call) -> Response:
    try:
        kept = _take(call, _ENROL)
    except LoginError as error:
        return _fail(call, error)
    return _begin_oidc(call, int(kept["invitation"]))


def _begin_oidc(call: Call, invitation: int) -> Response:
    provider = call.setup.providers.get(call.visit.places["provider"])
    if provider is None:
        raise Problem("not-found")
    try:
        beginning = oidc.begin_login(call.setup, provider)
    except LoginError as error:
        return _fail(call, error)
    kept = {**beginning.data, "invitation": invitation, "language": call.visit.language}
    with writing(call.visit.service.engine) as connection:
        step = ceremonies.begin(connection, _OIDC, kept)
    return begin_step(call, RedirectResponse(beginning.url, 303), step)


def _show_login(call: Call, said: str, status: int = 200) -> Response:
    challenge = new_challenge()
    with writing(call.visit.service.engine) as connection:
        step = ceremonies.begin(connection, _LOGIN, {"challenge": challenge})
    page = call.show(
        "login.html",
        status,
        place="login",
        options=login_options(call.setup, challenge),
        action=f"{call.visit.prefix}/login/passkey",
        providers=_providers(call),
        script=static_url("people.js"),
        said=call.visit.say(said) if said else "",
    )
    return begin_step(call, page, step)


def _fail(call: Call, error: LoginError) -> Response:
    """The same words whatever it was; the audit log has the reason."""
    call.visit.service.refusals.note(LOGIN, "notary", reason=error.reason)
    return _show_login(call, _NOT_LET_IN, 403)


def _take(call: Call, kind: str) -> Mapping[str, str | int]:
    # Committed by itself: used up, whatever comes of it.
    with writing(call.visit.service.engine) as connection:
        kept = ceremonies.take(connection, kind, call.step)
    if kept is None:
        raise LoginError("step-unknown")
    return kept


def _use(connection: Connection, invitation: int) -> Member:
    member = use_invitation(connection, invitation)
    if member is None:
        raise LoginError("invitation-used")
    return member


def _let_in(connection: Connection, call: Call, member: Member, identity: oidc.Identity | None = None) -> str:
    """A session, by the provider's word or, without one, by a passkey."""
    if member.is_disabled or is_company_barred(connection, member.organisation_id):
        raise LoginError("member-disabled")
    if identity is None:
        return open_session(connection, member, PASSKEY, is_strong=True, replaces=call.token)
    return open_session(
        connection,
        member,
        PROVIDER if identity.is_fresh else EARLIER,
        is_strong=identity.is_strong,
        replaces=call.token,
        logout_url=identity.logout_url,
    )


def _providers(call: Call) -> list[Provider]:
    return list(call.setup.providers.values())
