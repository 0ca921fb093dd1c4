"""A notary that people log in to, in this process, and browsers that hold passkeys."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from mizheng.notary.app import create_app
from mizheng.notary.auditing.refusals import Refusals
from mizheng.notary.auditing.tables import audit_log
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.config import load_settings
from mizheng.notary.database import reading, writing
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.pages.people.guard import make_handle
from mizheng.notary.people.members import Member, add_member, invite, load_member
from mizheng.notary.people.permissions import Role
from mizheng.notary.service import Service
from sqlalchemy import select

from tests.support.appclient import AppClient
from tests.support.authenticator import Authenticator
from tests.support.notary import make_uscc
from tests.support.schema import lay_database

ORIGIN = "https://notary.example"


@dataclass
class Browser:
    """One person's browser: cookies, a passkey, the forms of the last page."""

    client: AppClient
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(ORIGIN))
    page: str = ""

    def get(self, path: str) -> httpx.Response:
        answer = self.client.get(path)
        self.page = answer.text
        return answer

    def post(self, path: str, *, origin: str | None = ORIGIN, **form: str) -> httpx.Response:
        """As the page's form would, with the token that is in it."""
        headers = {} if origin is None else {"Origin": origin}
        form = {"csrf": self.csrf, **form}
        answer = self.client.post(path, data=form, headers=headers)
        if answer.status_code != 303:
            self.page = answer.text
        return answer

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]*)"', self.page)
        return found[1] if found else ""

    @property
    def options(self) -> str:
        found = re.search(r'data-options="([^"]*)"', self.page)
        assert found, self.page[-2000:]
        return html.unescape(found[1])

    @property
    def token(self) -> str | None:
        return self.client.cookies.get("__Host-mizheng")

    def handle(self, kind: str, number: int) -> str:
        """What this session's pages call a row."""
        return make_handle(self.token or "", kind, number)

    def join(self, code: str) -> httpx.Response:
        self.get("/join")
        assert self.post("/join", code=code).status_code == 200
        answer = self.post("/join/passkey", credential=self.authenticator.create(self.options))
        self.get("/account")
        return answer

    def log_in(self) -> httpx.Response:
        self.get("/login")
        answer = self.post("/login/passkey", credential=self.authenticator.get(self.options))
        self.get("/account")
        return answer


class World:
    """A notary, and the people at it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.service = Service(instance)
        self.app = create_app(self.service)
        self.companies = [
            add_organisation(instance.engine, f"第{number}公司", "CN-USCC", make_uscc(number))[0].number
            for number in (1, 2)
        ]

    def acts(self, count: int) -> list[tuple[str, str, str, str]]:
        """The last rows of the audit log, the newest last: action, actor, subject, detail."""
        query = select(audit_log).order_by(audit_log.c.number.desc()).limit(count)
        with reading(self.instance.engine) as connection:
            rows = connection.execute(query).all()
        return [(row.action, row.actor, row.subject, row.detail) for row in reversed(rows)]

    def browser(self) -> Browser:
        return Browser(AppClient(self.app, ORIGIN))

    def add(self, *roles: Role, company: int | None = None, name: str = "甲") -> tuple[Member, str]:
        with writing(self.instance.engine) as connection:
            member = add_member(connection, name, company, frozenset(roles))
            return member, invite(connection, member)

    def enter(self, *roles: Role, company: int | None = None, name: str = "甲") -> tuple[Member, Browser]:
        """A new member with these roles, logged in."""
        member, code = self.add(*roles, company=company, name=name)
        browser = self.browser()
        assert browser.join(code).status_code == 303
        return member, browser

    def reload(self, member: Member) -> Member:
        with reading(self.instance.engine) as connection:
            return load_member(connection, member.id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared by a module's tests: each makes the members it needs."""
    folder: Path = tmp_path_factory.mktemp("people") / "notary"
    database = lay_database(folder)
    settings = load_settings({"MIZHENG_DATA_DIR": str(database.parent)})
    settings = replace(settings, people={"url": ORIGIN}, pages={"per_minute": 0})
    instance = open_instance(settings)
    yield World(instance)
    instance.engine.dispose()


@pytest.fixture(autouse=True)
def no_refusals_yet(request: pytest.FixtureRequest) -> None:
    """What one test was refused fills nothing of another one's minute."""
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        world.service.refusals = Refusals(world.instance.engine)
