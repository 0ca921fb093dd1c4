"""A company's lists, page by page: everything once, in order, and nothing of anybody else's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.support.certificates import issue
from tests.support.notary import NotaryServer


def pages(depositor: TestDepositor, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        answer = depositor.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(page["items"])
        if page["next"] is None:
            return found
        query["after"] = page["next"]


def test_deposits_in_their_order_and_each_once(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    other = register(server, database)
    other.enrol()
    made = []
    for _ in range(5):
        made.append(depositor.deposit()[1])
        other.deposit()
    found = pages(depositor, "/v1/deposits", limit=2)
    assert [len(page) for page in found] == [2, 2, 1]
    items = [item for page in found for item in page]
    assert [(item["id"], item["leaf_index"], item["received_at"]) for item in items] == [
        (answer["id"], answer["leaf_index"], answer["received_at"]) for answer in made
    ]


def test_deposits_in_one_state(depositor: TestDepositor) -> None:
    made = [depositor.deposit()[1]["id"] for _ in range(3)]
    depositor.wait_until("final", made[-1])
    by_state = {
        state: [item["id"] for page in pages(depositor, "/v1/deposits", state=state) for item in page]
        for state in ("deposited", "anchored", "final")
    }
    assert by_state == {"deposited": [], "anchored": [], "final": made}


def test_the_list_says_the_same_state_as_the_deposit(depositor: TestDepositor) -> None:
    _, made = depositor.deposit()
    (item,) = pages(depositor, "/v1/deposits")[0]
    # It may have come on in between, but never back.
    order = ["deposited", "anchored", "final"]
    assert order.index(depositor.status(made["id"])["state"]) >= order.index(item["state"])
    depositor.wait_until("final", made["id"])
    assert pages(depositor, "/v1/deposits")[0][0]["state"] == "final"


def test_the_last_cursor_brings_only_what_is_new(depositor: TestDepositor) -> None:
    for _ in range(3):
        depositor.deposit()
    last = pages(depositor, "/v1/deposits")[-1][-1]["leaf_index"]
    _, fresh = depositor.deposit()
    assert [item["id"] for item in pages(depositor, "/v1/deposits", after=last)[0]] == [fresh["id"]]


def test_certificates_that_were_asked_for(depositor: TestDepositor) -> None:
    depositor.deposit()
    made = [issue(depositor) for _ in range(2)]
    found = pages(depositor, "/v1/organisation/certificates", limit=1)
    assert [item["number"] for page in found for item in page] == [one.number for one in made]


def test_events_are_a_list_of_their_own(depositor: TestDepositor) -> None:
    depositor.deposit()
    assert pages(depositor, "/v1/events") == [[]]


@pytest.mark.parametrize("path", ["/v1/deposits", "/v1/events", "/v1/organisation/certificates"])
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("after=-1", "cursor-wrong"),
        ("after=1e3", "cursor-wrong"),
        ("after=" + "9" * 30, "cursor-wrong"),
        ("after=%0d%0ax", "cursor-wrong"),
        ("limit=0", "request-malformed"),
        ("limit=201", "request-malformed"),
    ],
)
def test_what_was_no_answers_cursor(depositor: TestDepositor, path: str, query: str, problem: str) -> None:
    assert problem_of(depositor.client.get(f"{path}?{query}")) == problem


@pytest.mark.parametrize(
    "path", ["/v1/deposits", "/v1/events", "/v1/organisation/certificates", "/v1/webhooks"]
)
def test_nobody_without_a_key(depositor: TestDepositor, path: str) -> None:
    assert problem_of(depositor.client.get(path, headers={"Authorization": ""})) == "api-key-missing"
