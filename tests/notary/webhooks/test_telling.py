"""What a company is told of its deposits, by a running notary over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from mizheng.cli.client import WebhookRefusedError
from mizheng.notary.auditing.tables import audit_log
from mizheng.notary.database import reading
from sqlalchemy import Engine, select

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.notary.webhooks.receiver import Receiver, wait_until
from tests.support.certificates import issue
from tests.support.notary import NotaryServer

PATH = "/v1/webhooks"


def add(depositor: TestDepositor, url: str, *events: str) -> dict[str, Any]:
    answer = depositor.client.post(PATH, json={"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(depositor: TestDepositor, path: str, method: str = "GET") -> dict[str, Any]:
    answer = depositor.client.request(method, PATH + path)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_each_state_is_told_once_and_in_its_order(depositor: TestDepositor, receiver: Receiver) -> None:
    depositor.deposit()
    hook = add(depositor, receiver.url)
    made = issue(depositor)
    wait_until(lambda: any(b"certificate.issued" in one.body for one in receiver.received))
    messages = [one.open(hook["secret"]) for one in receiver.received]
    mine = [message for message in messages if message.data["id"] == made.id]
    assert [message.type for message in mine if message.type.startswith("deposit")] == [
        "deposit.deposited",
        "deposit.anchored",
        "deposit.final",
    ]
    (certificate,) = [message for message in mine if message.type == "certificate.issued"]
    assert certificate.data["number"] == made.number
    # The test's message comes behind all that was put there before it: nothing was told twice.
    ask(depositor, f"/{hook['id']}/test", "POST")
    wait_until(lambda: receiver.received[-1].open(hook["secret"]).type == "webhook.test")
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(ids) == len(set(ids))


def test_a_message_has_nothing_of_the_envelope(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url, "deposit.deposited")
    _, deposit = depositor.deposit()
    (received,) = receiver.wait_for(1)
    assert json.loads(received.body) == {
        "type": "deposit.deposited",
        "timestamp": received.open(hook["secret"]).timestamp,
        "data": {"id": deposit["id"], "leaf_index": deposit["leaf_index"], "state": "deposited"},
    }


def test_a_message_under_another_secret_is_refused(depositor: TestDepositor, receiver: Receiver) -> None:
    hook, other = add(depositor, receiver.url), add(depositor, "http://127.0.0.1:9/other")
    ask(depositor, f"/{hook['id']}/test", "POST")
    (received,) = receiver.wait_for(1)
    with pytest.raises(WebhookRefusedError):
        received.open(other["secret"])


def test_only_what_was_asked_for_is_told(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url, "deposit.final")
    _, deposit = depositor.deposit()
    message = receiver.wait_for(1)[0].open(hook["secret"])
    assert (message.type, message.data["id"]) == ("deposit.final", deposit["id"])


def test_nobody_is_told_of_another_company(
    depositor: TestDepositor, receiver: Receiver, server: NotaryServer, database: Engine
) -> None:
    hook = add(depositor, receiver.url, "deposit.deposited")
    other = register(server, database)
    other.enrol()
    other.deposit()
    _, mine = depositor.deposit()
    receiver.wait_for(1)
    ask(depositor, f"/{hook['id']}/test", "POST")
    messages = [one.open(hook["secret"]) for one in receiver.wait_for(2)]
    assert [message.data.get("id") for message in messages] == [mine["id"], None]


def test_what_was_not_taken_comes_again_under_its_id(depositor: TestDepositor, receiver: Receiver) -> None:
    receiver.answer = lambda _: 503 if len(receiver.received) < 2 else 200
    hook = add(depositor, receiver.url, "deposit.deposited")
    depositor.deposit()
    receiver.wait_for(1)
    wait_until(lambda: ask(depositor, f"/{hook['id']}")["last_outcome"] == "http-503")
    assert ask(depositor, f"/{hook['id']}")["resting_until"] is not None
    ask(depositor, f"/{hook['id']}/resume", "POST")
    first, second = receiver.wait_for(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    wait_until(lambda: ask(depositor, f"/{hook['id']}")["last_outcome"] == "delivered")
    (delivery,) = ask(depositor, f"/{hook['id']}/deliveries")["items"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_a_redirect_is_not_followed(depositor: TestDepositor, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.answer = lambda _: (302, elsewhere.url)
        hook = add(depositor, receiver.url, "deposit.deposited")
        ask(depositor, f"/{hook['id']}/test", "POST")
        wait_until(lambda: ask(depositor, f"/{hook['id']}")["last_outcome"] == "http-302")
        assert elsewhere.received == []


def test_a_receiver_that_is_gone_is_told_no_more(depositor: TestDepositor, receiver: Receiver) -> None:
    receiver.answer = lambda _: 410
    hook = add(depositor, receiver.url, "deposit.deposited")
    ask(depositor, f"/{hook['id']}/test", "POST")
    wait_until(lambda: ask(depositor, f"/{hook['id']}")["state"] == "dead")


def test_for_a_day_both_secrets_sign(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url, "deposit.final")
    fresh = ask(depositor, f"/{hook['id']}/secret", "POST")
    assert fresh["secret"] != hook["secret"]
    ask(depositor, f"/{hook['id']}/test", "POST")
    (received,) = receiver.wait_for(1)
    for secret in (hook["secret"], fresh["secret"]):
        assert received.open(secret).type == "webhook.test"


def test_the_secret_is_shown_once(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url)
    for path in ("", f"/{hook['id']}", f"/{hook['id']}/deliveries"):
        assert "whsec_" not in depositor.client.get(PATH + path).text


def test_deliveries_come_page_by_page(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url, "deposit.final")
    sent = [ask(depositor, f"/{hook['id']}/test", "POST")["id"] for _ in range(5)]
    seen: list[str] = []
    path = f"/{hook['id']}/deliveries?limit=2"
    page = ask(depositor, path)
    while True:
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = ask(depositor, f"{path}&after={page['next']}")
    assert seen == sent[::-1]


def test_a_delivery_is_sent_again_when_asked(depositor: TestDepositor, receiver: Receiver) -> None:
    hook = add(depositor, receiver.url, "deposit.final")
    sent = ask(depositor, f"/{hook['id']}/test", "POST")
    receiver.wait_for(1)
    wait_until(lambda: ask(depositor, f"/{hook['id']}/deliveries?state=delivered")["items"])
    ask(depositor, f"/{hook['id']}/deliveries/{sent['id']}/retry", "POST")
    assert {one.headers["webhook-id"] for one in receiver.wait_for(2)} == {sent["id"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/secret"),
        ("POST", "/resume"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/msg_0/retry"),
    ],
)
def test_another_companys_webhook_is_none(
    depositor: TestDepositor, server: NotaryServer, database: Engine, method: str, path: str
) -> None:
    hook = add(register(server, database), "http://127.0.0.1:9/hook")
    answers = [
        depositor.client.request(method, f"{PATH}/{name}{path}") for name in (hook["id"], "wh_" + "0" * 24)
    ]
    assert [problem_of(answer) for answer in answers] == ["webhook-unknown"] * 2
    assert answers[0].content == answers[1].content


def test_a_webhook_that_was_deleted_is_told_nothing(depositor: TestDepositor, receiver: Receiver) -> None:
    gone, hook = add(depositor, receiver.url + "/gone"), add(depositor, receiver.url)
    assert depositor.client.delete(f"{PATH}/{gone['id']}").status_code == 204
    depositor.deposit()
    assert receiver.wait_for(1)[0].open(hook["secret"])
    assert {one.path for one in receiver.received} == {"/hook"}


def test_a_company_has_no_more_than_five(depositor: TestDepositor) -> None:
    for number in range(5):
        add(depositor, f"http://127.0.0.1:9/{number}")
    answer = depositor.client.post(PATH, json={"url": "http://127.0.0.1:9/5"})
    assert (answer.status_code, problem_of(answer)) == (409, "webhook-limit")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"url": "http://10.1.2.3/hook"}, "webhook-address-refused"),
        ({"url": "https://127.0.0.1:1/\r\nx-injected: 1"}, "webhook-url-wrong"),
        ({"url": "http://127.0.0.1:9/", "events": ["deposit.lost"]}, "webhook-event-unknown"),
        ({"url": 7}, "request-malformed"),
    ],
)
def test_what_cannot_be_registered(depositor: TestDepositor, body: dict[str, Any], problem: str) -> None:
    assert problem_of(depositor.client.post(PATH, json=body)) == problem


def test_the_operator_has_webhooks_too(
    server: NotaryServer, depositor: TestDepositor, receiver: Receiver, database: Engine
) -> None:
    made = server.run("webhook", "add", depositor.org.id, receiver.url, "--event", "deposit.deposited")
    secret = made.stdout.splitlines()[-1]
    depositor.deposit()
    assert receiver.wait_for(1)[0].open(secret).type == "deposit.deposited"
    rows = json.loads(server.run("webhook", "list", "--json").stdout)
    (row,) = [row for row in rows if row["organisation"] == depositor.org.id]
    assert "secret" not in row
    server.run("webhook", "remove", row["id"])
    with reading(database) as connection:
        found = connection.execute(select(audit_log.c.actor, audit_log.c.action)).all()
    assert [tuple(one) for one in found if one.action.startswith("webhook") and one.actor == "operator"] == [
        ("operator", "webhook.add"),
        ("operator", "webhook.remove"),
    ]
    assert ask(depositor, "")["items"] == []


def test_figures_say_what_waits(server: NotaryServer) -> None:
    text = httpx.get(server.url + "/metrics", trust_env=False).text
    assert 'mizheng_webhooks{state="dead"}' in text
    assert "mizheng_webhook_messages_waiting " in text
