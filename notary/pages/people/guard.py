"""Before a page of members is answered: who asks, from where, and whether he may.

In this order: how often the address asked; the session; that a change comes from a page of ours (`Origin`,
and in a session a token in the form); what the table of permissions says of the route; that who changes
something important logged in a moment ago. Whoever may not see something gets the answer of what does not
exist; that he asked is in the audit log.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi.concurrency import run_in_threadpool
from mizheng.notary.auditing.refusals import NOBODY, REQUEST
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.pages.forms import read_form
from mizheng.notary.pages.people.cookies import SESSION_COOKIE, STEP_COOKIE, forget, read_cookie, remember
from mizheng.notary.pages.people.policy import people_headers
from mizheng.notary.pages.render import PREFIXES
from mizheng.notary.pages.visit import Visit
from mizheng.notary.people.permissions import FRESH_ACTIONS, Action, Role, decide
from mizheng.notary.people.sessions import Session, find_session, needs_touch, touch
from mizheng.notary.people.setup import PeopleSetup
from mizheng.verifier.words import N_
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a page of members."""

    visit: Visit
    setup: PeopleSetup
    session: Session | None
    token: str | None = field(repr=False)
    """The session's, as the cookie has it."""
    step: str | None = field(repr=False)
    """The ceremony's, as the cookie has it."""
    query: Mapping[str, str]

    @property
    def form(self) -> Mapping[str, str]:
        return self.visit.form

    @property
    def known(self) -> Session:
        """The session, on routes that need one."""
        assert self.session is not None  # noqa: S101 - nobody without one comes so far
        return self.session

    def may(self, action: Action) -> bool:
        return self.session is not None and decide(self.session.actor, action)

    def handle(self, kind: str, number: int) -> str:
        """What a row of a table is called on this session's pages."""
        return make_handle(self.token or "", kind, number)

    def pick(self, kind: str, numbers: Iterable[int]) -> int:
        """Which of one's own rows the path means; as if nothing were there when it is none of them."""
        wanted = self.visit.places["handle"]
        for number in numbers:
            if self.handle(kind, number) == wanted:
                return number
        raise Problem("not-found")

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        session = self.session
        shared = {
            "me": None if session is None else session.member,
            "is_strong": session is not None and session.is_strong,
            "csrf": "" if session is None else session.csrf,
            "can": {action.value: self.may(action) for action in Action},
            "said": "",
            "script": "",
            "role_names": ROLE_NAMES,
            "handle": self.handle,
        }
        answer = self.visit.show(template, status, **{**shared, **values})
        answer.headers.update(people_headers(self.setup))
        return answer

    def refuse(self, status: int, title: str, text: str) -> Response:
        say = self.visit.say
        return self.show("refused.html", status, title=say(title), text=say(text))

    def go(self, path: str) -> RedirectResponse:
        """To another page of ours, in the same language."""
        answer = RedirectResponse(self.visit.prefix + path, 303)
        answer.headers.update(people_headers(self.setup))
        return answer


ROLE_NAMES = {
    Role.COMPANY_ADMIN: N_("company administrator"),
    Role.COMPANY_OPERATOR: N_("company operator"),
    Role.APPRAISER: N_("appraiser"),
    Role.CLERK: N_("court clerk"),
    Role.SYSTEM_ADMIN: N_("system administrator"),
    Role.SECURITY_ADMIN: N_("security administrator"),
    Role.AUDIT_ADMIN: N_("audit administrator"),
}

Answer = Callable[[Call], Response]


def make_handle(token: str, kind: str, number: int) -> str:
    """A row's name, good in one session alone. From the tables' own numbers, which go up with everybody's
    rows, each could tell how much goes on at the others'.
    """
    return hmac.new(token.encode(), f"mizheng/row/v1/{kind}/{number}".encode(), hashlib.sha256).hexdigest()[
        :24
    ]


async def answer_call(
    request: Request, setup: PeopleSetup, answer: Answer, action: Action | None, language: str
) -> Response:
    """What `answer` says, if whoever asks may have it. `action` None: anybody may."""
    service = request.app.state.service
    path = request.scope["path"].removeprefix(PREFIXES[language])
    visit = Visit(service, language, path, dict(request.path_params), {})
    token, step = read_cookie(request, SESSION_COOKIE), read_cookie(request, STEP_COOKIE)
    call = Call(visit, setup, None, token, step, request.query_params)
    # Before anything is read.
    try:
        service.visitors.let_in(request.client.host if request.client else None, request.headers)
    except Problem as problem:
        busy = call.refuse(429, N_("Too many requests"), N_("Wait a minute and try again."))
        busy.headers["Retry-After"] = str(problem.retry_after)
        return busy
    is_change = request.method == "POST"
    is_from_here = not is_change or _is_from_here(request, setup)
    call = replace(call, visit=replace(visit, form=await read_form(request)))
    return await run_in_threadpool(_answer, call, answer, action, is_change, is_from_here)


def _answer(
    call: Call, answer: Answer, action: Action | None, is_change: bool, is_from_here: bool
) -> Response:
    engine = call.visit.service.engine
    with reading(engine) as connection:
        session = find_session(connection, call.token)
    call = replace(call, session=session)
    if not is_from_here:
        _note(call, action, "other-site")
        return call.refuse(403, N_("Refused"), N_("This did not come from a page of this site."))
    if session is not None and needs_touch(session):
        with writing(engine) as connection:
            touch(connection, session)
    if action is not None:
        if session is None:
            return call.go("/login")
        if not decide(session.actor, action):
            return _refuse_action(call, action)
        if is_change and not hmac.compare_digest(call.form.get("csrf", "").encode(), session.csrf.encode()):
            _note(call, action, "other-form")
            return call.refuse(
                403, N_("Refused"), N_("The form is not of this session. Load the page again.")
            )
        if action in FRESH_ACTIONS and not session.is_fresh:
            return call.go("/login?again=1")
    try:
        return answer(call)
    except Problem as problem:
        if problem.status != 404:
            raise
        # There is no such thing, or it is somebody else's: which of these, nobody is told.
        _note(call, action, "not-there")
        return call.refuse(404, N_("Nothing is here"), N_("Or it is not yours to see."))


def _refuse_action(call: Call, action: Action) -> Response:
    # Told apart only for whom it is about himself: he could, if he had shown two factors.
    if decide(replace(call.known.actor, is_strong=True), action):
        _note(call, action, "one-factor")
        return call.refuse(
            403,
            N_("A second factor is needed"),
            N_("Log in with a passkey, or by a provider that asks for one."),
        )
    _note(call, action, "no-right")
    return call.refuse(404, N_("Nothing is here"), N_("Or it is not yours to see."))


def _note(call: Call, action: Action | None, reason: str) -> None:
    """A refusal goes into the audit log: who asked, for what, and why not; nothing that he sent."""
    actor = NOBODY if call.session is None else call.session.member.actor
    subject = "login" if action is None else f"action:{action.value}"
    call.visit.service.refusals.note(REQUEST, subject, actor=actor, reason=reason)


def _is_from_here(request: Request, setup: PeopleSetup) -> bool:
    """Browsers name the page's origin with every POST; what does not has no form of ours."""
    return request.headers.get("origin") == setup.origin


def begin_step(call: Call, answer: Response, token: str) -> Response:
    """Let the browser carry a ceremony's token."""
    remember(answer, STEP_COOKIE, token)
    return answer


def enter(call: Call, token: str, path: str = "/account") -> Response:
    """Let the browser carry a session's token, and no ceremony's any more."""
    answer = call.go(path)
    remember(answer, SESSION_COOKIE, token)
    forget(answer, STEP_COOKIE)
    return answer
