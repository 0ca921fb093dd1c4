"""Invitations, passkeys and sessions: what lets somebody in, and everything that must not."""

from __future__ import annotations

import json
import re
import time

import pytest
from mizheng.notary.auditing.checking import check_audit_log
from mizheng.notary.auditing.tables import audit_log
from mizheng.notary.companies.organisations import set_disabled
from mizheng.notary.database import reading, writing
from mizheng.notary.people.members import INVITATION_SECONDS, erase_member, set_member_disabled
from mizheng.notary.people.permissions import Role
from mizheng.notary.people.sessions import ABSOLUTE_SECONDS, FRESH_SECONDS, IDLE_SECONDS
from mizheng.notary.people.tables import ceremonies, invitations, members, passkeys, sessions
from sqlalchemy import func, select, update

from tests.notary.people.conftest import ORIGIN, Browser, World
from tests.support.authenticator import Authenticator


def last_acts(world: World, count: int) -> list[tuple[str, str, str]]:
    with reading(world.instance.engine) as connection:
        rows = connection.execute(select(audit_log).order_by(audit_log.c.number.desc()).limit(count)).all()
    return [(row.action, row.actor, row.detail) for row in reversed(rows)]


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


# In


def test_an_invitation_a_passkey_a_session(world: World) -> None:
    member, code = world.add(Role.CLERK)
    browser = world.browser()
    joined = browser.join(code)
    assert (joined.status_code, joined.headers["location"]) == (303, "/account")
    assert member.pseudonym in browser.page
    browser.post("/logout")
    assert not is_in(browser)
    assert browser.log_in().status_code == 303
    assert is_in(browser)
    assert [act for act, _, _ in last_acts(world, 4)] == ["passkey.add", "login", "logout", "login"]
    assert last_acts(world, 1) == [("login", member.actor, '{"by":"passkey","strong":true}')]
    with reading(world.instance.engine) as connection:
        check_audit_log(connection)


def test_in_english_as_well(world: World) -> None:
    _, code = world.add(Role.CLERK)
    browser = world.browser()
    browser.get("/en/join")
    assert "Invitation" in browser.page
    browser.post("/en/join", code=code)
    answer = browser.post("/en/join/passkey", credential=browser.authenticator.create(browser.options))
    assert answer.headers["location"] == "/en/account"


# Invitations


def test_an_invitation_works_once(world: World) -> None:
    _, code = world.add(Role.CLERK)
    world.browser().join(code)
    other = world.browser()
    assert other.post("/join", code=code).status_code == 422
    assert last_acts(world, 1)[0][0] == "login.fail"


def test_of_two_browsers_with_one_invitation_one_gets_in(world: World) -> None:
    _, code = world.add(Role.CLERK)
    first, second = world.browser(), world.browser()
    for browser in (first, second):
        assert browser.post("/join", code=code).status_code == 200
    answers = [
        browser.post("/join/passkey", credential=browser.authenticator.create(browser.options))
        for browser in (first, second)
    ]
    assert [answer.status_code for answer in answers] == [303, 403]


def test_an_invitation_expires(world: World) -> None:
    member, code = world.add(Role.CLERK)
    with writing(world.instance.engine) as connection:
        late = int(time.time()) - 1
        query = update(invitations).where(invitations.c.member_id == member.id)
        connection.execute(query.values(expires_at=late))
    assert world.browser().post("/join", code=code).status_code == 422
    assert INVITATION_SECONDS == 7 * 86400


def test_of_codes_and_tokens_only_digests_are_kept(world: World) -> None:
    _, code = world.add(Role.CLERK)
    browser = world.browser()
    browser.join(code)
    assert browser.token is not None
    stored = b"".join(path.read_bytes() for path in world.instance.settings.data_dir.glob("mizheng.db*"))
    assert code.encode() not in stored
    assert browser.token.encode() not in stored


# Passkeys


def test_another_key_for_a_known_credential(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    thief = world.browser()
    thief.authenticator.number = browser.authenticator.number
    thief.authenticator.handle = browser.authenticator.handle
    assert thief.log_in().status_code == 403
    assert not is_in(thief)
    assert '"reason":"passkey-wrong"' in last_acts(world, 1)[0][2]


def test_an_answer_is_good_for_one_challenge(world: World) -> None:
    """Replayed, or made for somebody else's challenge."""
    _, browser = world.enter(Role.CLERK)
    browser.post("/logout")
    browser.get("/login")
    answer = browser.authenticator.get(browser.options)
    thief = world.browser()
    thief.get("/login")
    assert thief.post("/login/passkey", credential=answer).status_code == 403
    assert browser.post("/login/passkey", credential=answer).status_code == 303
    assert browser.post("/login/passkey", credential=answer).status_code == 403


def test_a_challenge_that_failed_is_used_up(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    browser.get("/login")
    options, step = browser.options, browser.client.cookies["__Host-mizheng-step"]
    assert browser.post("/login/passkey", credential="{}").status_code == 403
    browser.client.cookies.set("__Host-mizheng-step", step, domain="notary.example")
    answer = browser.post("/login/passkey", credential=browser.authenticator.get(options))
    assert answer.status_code == 403


def test_a_challenge_expires(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    browser.get("/login")
    with writing(world.instance.engine) as connection:
        connection.execute(update(ceremonies).values(expires_at=int(time.time())))
    credential = browser.authenticator.get(browser.options)
    assert browser.post("/login/passkey", credential=credential).status_code == 403


def test_a_passkey_of_another_site(world: World) -> None:
    """What a phishing site would pass on: the browser says where it was made."""
    _, browser = world.enter(Role.CLERK)
    browser.authenticator.origin = "https://n0tary.example"
    assert browser.log_in().status_code == 403


def test_without_user_verification(world: World) -> None:
    """It would be one factor."""
    _, browser = world.enter(Role.CLERK)
    browser.authenticator.verifies = False
    assert browser.log_in().status_code == 403
    _, code = world.add(Role.CLERK)
    other = world.browser()
    other.authenticator = Authenticator(ORIGIN, verifies=False)
    assert other.join(code).status_code == 403


def test_a_copied_authenticator_is_noticed(world: World) -> None:
    """Its counter stays behind."""
    _, browser = world.enter(Role.CLERK)
    browser.log_in()
    browser.authenticator.count = 0
    assert browser.log_in().status_code == 403


def test_somebody_else_s_handle(world: World) -> None:
    other, _ = world.enter(Role.CLERK)
    _, browser = world.enter(Role.CLERK)
    browser.authenticator.handle = other.pseudonym.encode()
    assert browser.log_in().status_code == 403
    assert '"reason":"passkey-of-another"' in last_acts(world, 1)[0][2]


MALFORMED = [
    "",
    "x",
    "{}",
    "[]",
    '{"rawId": 1}',
    '{"rawId": "AA", "response": {}}',
    '{"rawId": "AA", "response": {"userHandle": "!"}}',
    json.dumps({"id": "é", "rawId": "é", "type": "public-key", "response": {"userHandle": None}}),
]


@pytest.mark.parametrize("credential", MALFORMED)
def test_answers_that_are_none(world: World, credential: str) -> None:
    browser = world.browser()
    browser.get("/login")
    assert browser.post("/login/passkey", credential=credential).status_code == 403
    _, code = world.add(Role.CLERK)
    browser.post("/join", code=code)
    assert browser.post("/join/passkey", credential=credential).status_code == 403
    # It was not used up by that.
    assert world.browser().join(code).status_code == 303


def test_who_failed_is_told_nothing_of_why(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    stranger = world.browser()
    pages = []
    for tries, verifies in ((stranger, True), (browser, False)):
        tries.authenticator.verifies = verifies
        tries.get("/login")
        options = tries.options
        tries.authenticator.handle = tries.authenticator.handle or b"x"
        answer = tries.post("/login/passkey", credential=tries.authenticator.get(options))
        pages.append((answer.status_code, answer.text.count("role="), "未能登录" in answer.text))
    assert pages[0] == pages[1]


# Sessions


def test_a_login_makes_a_new_token_and_ends_the_old_one(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    old = browser.token
    browser.log_in()
    assert browser.token != old
    thief = world.browser()
    thief.client.cookies.set("__Host-mizheng", old or "", domain="notary.example")
    assert not is_in(thief)


def test_a_token_of_the_thief_s_choice_is_never_taken_up(world: World) -> None:
    """Session fixation."""
    member, code = world.add(Role.CLERK)
    browser = world.browser()
    browser.client.cookies.set("__Host-mizheng", "chosen", domain="notary.example")
    browser.join(code)
    assert browser.token != "chosen"
    with reading(world.instance.engine) as connection:
        query = select(func.count()).select_from(sessions).where(sessions.c.member_id == member.id)
        assert connection.execute(query).scalar() == 1


@pytest.mark.parametrize(("column", "seconds"), [("seen_at", IDLE_SECONDS), ("created_at", ABSOLUTE_SECONDS)])
def test_a_session_ends_by_itself(world: World, column: str, seconds: int) -> None:
    member, browser = world.enter(Role.CLERK)
    for age, still in ((seconds - 5, True), (seconds, False)):
        with writing(world.instance.engine) as connection:
            query = update(sessions).where(sessions.c.member_id == member.id)
            connection.execute(query.values({column: int(time.time()) - age}))
        assert is_in(browser) == still


def test_a_session_in_use_goes_on(world: World) -> None:
    member, browser = world.enter(Role.CLERK)
    with writing(world.instance.engine) as connection:
        query = update(sessions).where(sessions.c.member_id == member.id)
        connection.execute(query.values(seen_at=int(time.time()) - IDLE_SECONDS + 5))
    assert is_in(browser)
    with reading(world.instance.engine) as connection:
        seen = connection.execute(
            select(sessions.c.seen_at).where(sessions.c.member_id == member.id)
        ).scalar_one()
    assert time.time() - seen < 60


def test_what_is_important_needs_a_login_of_now(world: World) -> None:
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get("/api-keys")
    with writing(world.instance.engine) as connection:
        query = update(sessions).where(sessions.c.member_id == member.id)
        connection.execute(query.values(created_at=int(time.time()) - FRESH_SECONDS))
    answer = browser.post("/api-keys", days="30", read="1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?again=1")
    assert browser.get("/account/passkeys").status_code == 303
    assert browser.get("/api-keys").status_code == 200


def test_ending_one_s_sessions(world: World) -> None:
    _, first = world.enter(Role.CLERK)
    second = world.browser()
    second.authenticator = first.authenticator
    second.log_in()
    assert second.post("/account/sessions").status_code == 303
    assert (is_in(first), is_in(second)) == (False, True)


def test_somebody_else_s_session_is_not_one_s_to_end(world: World) -> None:
    other, theirs = world.enter(Role.CLERK)
    _, browser = world.enter(Role.CLERK)
    with reading(world.instance.engine) as connection:
        number = connection.execute(
            select(sessions.c.id).where(sessions.c.member_id == other.id)
        ).scalar_one()
    names = [browser.handle("session", number), theirs.handle("session", number), str(number), "x"]
    answers = [browser.post(f"/account/sessions/{name}/end") for name in names]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert (
        len({answer.text.replace(f"/{name}/", "/") for name, answer in zip(names, answers, strict=True)}) == 1
    )
    assert is_in(theirs)


def test_no_page_tells_how_much_others_have(world: World) -> None:
    """The tables' own numbers go up with everybody's rows."""
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get("/api-keys")
    browser.post("/api-keys", days="1", read="1")
    second = world.browser()
    second.authenticator = browser.authenticator
    second.log_in()
    pages = browser.get("/account").text + browser.get("/api-keys").text
    handles = re.findall(r"/(passkeys|sessions|api-keys)/([^/\"]+)/", pages)
    assert {kind for kind, _ in handles} == {"passkeys", "sessions", "api-keys"}
    assert all(re.fullmatch("[0-9a-f]{24}", handle) for _, handle in handles)
    with reading(world.instance.engine) as connection:
        query = select(passkeys.c.id).where(passkeys.c.member_id == member.id)
        assert f"<td>{connection.execute(query).scalar_one()}</td>" not in pages.replace("<td>1</td>", "")


def test_who_is_barred_is_out_at_once_and_cannot_come_back(world: World) -> None:
    member, browser = world.enter(Role.CLERK)
    with writing(world.instance.engine) as connection:
        set_member_disabled(connection, member, disabled=True)
    assert not is_in(browser)
    assert browser.log_in().status_code == 403


def test_a_company_that_is_barred(world: World) -> None:
    _, browser = world.enter(Role.COMPANY_OPERATOR, company=world.companies[1])
    set_disabled(world.instance.engine, str(world.companies[1]), disabled=True)
    assert not is_in(browser)
    assert browser.log_in().status_code == 403
    set_disabled(world.instance.engine, str(world.companies[1]), disabled=False)
    assert browser.log_in().status_code == 303


def test_the_only_way_in_is_not_taken_away(world: World) -> None:
    member, browser = world.enter(Role.CLERK)
    with reading(world.instance.engine) as connection:
        number = connection.execute(
            select(passkeys.c.id).where(passkeys.c.member_id == member.id)
        ).scalar_one()
    remove = f"/account/passkeys/{browser.handle('passkey', number)}/remove"
    assert browser.post(remove).status_code == 422
    browser.get("/account/passkeys")
    second = Authenticator(ORIGIN)
    assert browser.post("/account/passkeys", credential=second.create(browser.options)).status_code == 303
    assert browser.post(remove).status_code == 303
    assert browser.log_in().status_code == 403
    browser.authenticator = second
    assert browser.log_in().status_code == 303


def test_who_is_erased_leaves_a_pseudonym(world: World) -> None:
    member, browser = world.enter(Role.CLERK, name="张三的真名")
    with writing(world.instance.engine) as connection:
        erase_member(connection, member)
    assert browser.log_in().status_code == 403
    with reading(world.instance.engine) as connection:
        names = connection.execute(select(members.c.name)).scalars().all()
        assert connection.execute(select(passkeys).where(passkeys.c.member_id == member.id)).all() == []
        check_audit_log(connection)
    assert "张三的真名" not in names
