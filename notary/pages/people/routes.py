"""Every page of members: its path, what is asked of the table of permissions, and who answers.

`None` is asked of nobody: who logs in is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mizheng.notary.pages.people import account, api_keys, audit, company, entering, members, requests
from mizheng.notary.pages.people.guard import Answer, answer_call
from mizheng.notary.pages.render import LANGUAGES, PREFIXES
from mizheng.notary.people.oidc import CALLBACK_PATH
from mizheng.notary.people.permissions import Action
from mizheng.notary.people.setup import PeopleSetup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class PeopleRoute:
    """One page."""

    method: str
    path: str
    """Without the language's prefix."""
    action: Action | None
    answer: Answer


def _member(last: str) -> str:
    return f"/members/{{pseudonym}}/{last}"


ROUTES: tuple[PeopleRoute, ...] = (
    PeopleRoute("GET", "/login", None, entering.show_login),
    PeopleRoute("POST", "/login/passkey", None, entering.login_passkey),
    PeopleRoute("POST", "/login/oidc/{provider}", None, entering.login_oidc),
    PeopleRoute("GET", CALLBACK_PATH, None, entering.finish_oidc),
    PeopleRoute("GET", "/join", None, entering.show_join),
    PeopleRoute("POST", "/join", None, entering.join),
    PeopleRoute("POST", "/join/passkey", None, entering.join_passkey),
    PeopleRoute("POST", "/join/oidc/{provider}", None, entering.join_oidc),
    PeopleRoute("POST", "/logout", Action.SESSION_END, entering.log_out),
    PeopleRoute("GET", "/account", Action.ACCOUNT_VIEW, account.show_account),
    PeopleRoute("GET", "/account/passkeys", Action.ACCOUNT_CHANGE, account.show_new_passkey),
    PeopleRoute("POST", "/account/passkeys", Action.ACCOUNT_CHANGE, account.add_passkey),
    PeopleRoute("POST", "/account/passkeys/{handle}/remove", Action.ACCOUNT_CHANGE, account.drop_passkey),
    PeopleRoute("POST", "/account/sessions/{handle}/end", Action.SESSION_END, account.drop_session),
    PeopleRoute("POST", "/account/sessions", Action.SESSION_END, account.drop_other_sessions),
    PeopleRoute("GET", "/members", Action.MEMBERS_VIEW, members.show_members),
    PeopleRoute("POST", "/members", Action.MEMBER_ADD, members.add),
    PeopleRoute("POST", _member("invite"), Action.MEMBER_ADD, members.invite_again),
    PeopleRoute("POST", _member("disable"), Action.MEMBER_DISABLE, members.disable),
    PeopleRoute("POST", _member("enable"), Action.MEMBER_DISABLE, members.enable),
    PeopleRoute("POST", _member("log-out"), Action.MEMBER_LOG_OUT, members.log_out_member),
    PeopleRoute("POST", _member("grant"), Action.ROLE_CHANGE, members.give_role),
    PeopleRoute("POST", _member("revoke"), Action.ROLE_CHANGE, members.take_role),
    PeopleRoute("GET", "/api-keys", Action.API_KEYS_VIEW, api_keys.show_api_keys),
    PeopleRoute("POST", "/api-keys", Action.API_KEYS_CHANGE, api_keys.make_api_key),
    PeopleRoute("POST", "/api-keys/{handle}/end", Action.API_KEYS_CHANGE, api_keys.end_api_key),
    PeopleRoute("GET", "/deposits", Action.COMPANY_VIEW, company.show_deposits),
    PeopleRoute("GET", "/deposits/{digest}", Action.COMPANY_VIEW, company.show_deposit),
    PeopleRoute("GET", "/disclosures", Action.COMPANY_VIEW, company.show_disclosures),
    PeopleRoute("GET", "/keys", Action.COMPANY_VIEW, company.show_keys),
    PeopleRoute("GET", "/requests", Action.ACCESS_VIEW, requests.show_requests),
    PeopleRoute("POST", "/requests", Action.ACCESS_LODGE, requests.lodge),
    PeopleRoute("GET", "/requests/{digest}", Action.ACCESS_VIEW, requests.show_request),
    PeopleRoute("POST", "/requests/{digest}", Action.ACCESS_SHOW, requests.show_decision),
    PeopleRoute("GET", "/audit-log", Action.AUDIT_READ, audit.show_audit_log),
)


def people_routes(setup: PeopleSetup) -> list[Route]:
    """The routes of a notary that people log in to, in every language."""
    return [
        Route(PREFIXES[language] + page.path, _endpoint(setup, page, language), methods=[page.method])
        for page in ROUTES
        # A provider knows one address to send browsers back to.
        for language in (LANGUAGES if page.path != CALLBACK_PATH else LANGUAGES[:1])
    ]


def _endpoint(setup: PeopleSetup, page: PeopleRoute, language: str) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        return await answer_call(request, setup, page.answer, page.action, language)

    return respond
