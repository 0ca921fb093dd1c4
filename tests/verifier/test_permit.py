"""What a request and its approvals allow, and every way in which they allow nothing."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.verifier.access import Signed
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.permit import NotPermittedError, Permit, judge, same_person
from mizheng.verifier.signature import PrivateKey

from tests.support.lawful import (
    DEPOSIT,
    END,
    LEAVES,
    START,
    make_approval,
    make_refusal,
    make_request,
    make_withdrawal,
    signed,
)

ASKING, ZHANG, LI, OTHER = (PrivateKey.generate() for _ in range(4))
APPROVERS = {ZHANG.public.keyid: "张三", LI.public.keyid: "李四"}
REQUEST = signed(make_request(ASKING), ASKING)
NOW = parse_instant(START) + 60


def by_zhang(**changes: Any) -> Signed:
    return signed(make_approval(ZHANG, REQUEST, **changes), ZHANG)


def by_li(**changes: Any) -> Signed:
    return signed(make_approval(LI, REQUEST, **{"person": "李四", **changes}), LI)


def ask(*decisions: Signed, request: Signed = REQUEST, **changes: Any) -> Permit:
    fields: dict[str, Any] = {
        "envelope_sha256": DEPOSIT,
        "approvers": APPROVERS,
        "needed": 1,
        "now": NOW,
    }
    return judge(request, decisions, **{**fields, **changes})


def refusal_of(*decisions: Signed, **changes: Any) -> str:
    with pytest.raises(NotPermittedError) as caught:
        ask(*decisions, **changes)
    return caught.value.reason


def test_one_approval_is_enough_where_one_is_needed() -> None:
    permit = ask(by_zhang(conditions="不得复制"))
    assert (permit.records, permit.originals) == (frozenset(LEAVES[:3]), frozenset(LEAVES[:1]))
    assert (permit.ends_at, permit.conditions) == (END, ("不得复制",))
    assert [(item.person, item.keyid) for item in permit.approvals] == [("张三", ZHANG.public.keyid)]


def test_two_allow_what_both_allow_while_both_do() -> None:
    shorter = "2026-12-20T00:00:00Z"
    permit = ask(
        by_zhang(originals=LEAVES[:2]),
        by_li(records=LEAVES[1:], originals=LEAVES[1:3], ends_at=shorter),
        needed=2,
    )
    assert (permit.records, permit.originals) == (frozenset(LEAVES[1:3]), frozenset(LEAVES[1:2]))
    assert permit.ends_at == shorter
    assert refusal_of(by_zhang(), by_li(ends_at=shorter), needed=2, now=parse_instant(shorter)) == "expired"
    assert refusal_of(by_zhang(), by_li(records=LEAVES[4:], originals=()), needed=2) == "nothing"


def test_no_originals_unless_the_request_asks_for_them() -> None:
    request = signed(make_request(ASKING, wants_originals=False), ASKING)
    approval = signed(make_approval(ZHANG, request), ZHANG)
    assert ask(approval, request=request).originals == frozenset()


def test_the_term_has_its_first_instant_and_not_its_last() -> None:
    assert refusal_of(by_zhang(), now=parse_instant(START) - 1) == "not-yet"
    ask(by_zhang(), now=parse_instant(START))
    ask(by_zhang(), now=parse_instant(END) - 1)
    assert refusal_of(by_zhang(), now=parse_instant(END)) == "expired"
    # An approval cannot outlast the request.
    longer = by_zhang(ends_at="2027-12-31T00:00:00Z")
    assert ask(longer).ends_at == END
    assert refusal_of(longer, now=parse_instant(END)) == "expired"


def test_two_approvals_of_one_person_are_one() -> None:
    assert refusal_of(by_zhang(), by_zhang(), needed=2) == "not-enough"
    # The same person under another key, and written in another way.
    for name in ("张三", " 张三", "ＺＨＡＮＧ"):
        approvers = {**APPROVERS, OTHER.public.keyid: name}
        if name.isascii() or "Ａ" in name:
            approvers[ZHANG.public.keyid] = "zhang"
        first = by_zhang(person=approvers[ZHANG.public.keyid])
        second = signed(make_approval(OTHER, REQUEST, person=name), OTHER)
        assert refusal_of(first, second, needed=2, approvers=approvers) == "not-enough"


def test_one_key_under_two_names_is_one_person() -> None:
    assert refusal_of(by_zhang(), by_zhang(person="李四"), needed=2) == "not-enough"


def test_the_requester_approves_nothing() -> None:
    approvers = {**APPROVERS, ASKING.public.keyid: "王五", OTHER.public.keyid: "鉴定人甲"}
    own_key = signed(make_approval(ASKING, REQUEST, person="王五"), ASKING)
    own_name = signed(make_approval(OTHER, REQUEST, person="鉴定人甲"), OTHER)
    for own in (own_key, own_name):
        assert refusal_of(own, approvers=approvers) == "not-enough"
        assert refusal_of(by_zhang(), own, approvers=approvers, needed=2) == "not-enough"


def test_a_stranger_approves_nothing() -> None:
    assert refusal_of(signed(make_approval(OTHER, REQUEST), OTHER)) == "not-enough"
    assert refusal_of(by_zhang(), approvers={}) == "not-enough"


def test_an_approval_of_another_request_counts_for_nothing() -> None:
    other = signed(make_request(ASKING), ASKING)
    assert refusal_of(signed(make_approval(ZHANG, other), ZHANG)) == "not-enough"


def test_a_request_that_was_changed_after_its_approval() -> None:
    wider = signed(make_request(ASKING, scope="全部"), ASKING)
    assert refusal_of(by_zhang(), request=wider) == "not-enough"


def test_a_request_for_another_deposit() -> None:
    assert refusal_of(by_zhang(), envelope_sha256="cd" * 32) == "other-deposit"
    assert refusal_of(by_zhang(), request=by_zhang()) == "no-request"


def test_of_one_person_the_last_approval_counts() -> None:
    assert ask(by_zhang(), by_zhang(records=LEAVES[:1], originals=())).records == frozenset(LEAVES[:1])
    first, second = by_zhang(), by_zhang(records=LEAVES[:1], originals=())
    # The one before does not come back when the last one is withdrawn.
    assert refusal_of(first, second, signed(make_withdrawal(ZHANG, second), ZHANG)) == "withdrawn"


def test_withdrawn_by_whom_it_was_or_by_another() -> None:
    approval = by_zhang()
    for key, person in ((ZHANG, "张三"), (LI, "李四")):
        assert refusal_of(approval, signed(make_withdrawal(key, approval, person), key)) == "withdrawn"
    gone = signed(make_withdrawal(ZHANG, approval), ZHANG)
    assert refusal_of(approval, by_li(), gone, needed=2) == "withdrawn"
    ask(approval, by_li(), gone, needed=1)


def test_refused_whoever_approved_it_and_whoever_left_since() -> None:
    refused = signed(make_refusal(LI, REQUEST, "李四"), LI)
    assert refusal_of(by_zhang(), refused) == "refused"
    assert refusal_of(by_zhang(), refused, approvers={ZHANG.public.keyid: "张三"}) == "refused"
    other = signed(make_request(ASKING), ASKING)
    ask(by_zhang(), signed(make_refusal(LI, other, "李四"), LI))


def test_an_expired_approval_beside_enough_others_is_no_matter() -> None:
    old = by_li(
        starts_at="2026-11-01T00:00:00Z", ends_at="2026-11-02T00:00:00Z", records=LEAVES[:1], originals=()
    )
    assert ask(by_zhang(), old).records == frozenset(LEAVES[:3])
    assert refusal_of(by_zhang(), old, needed=2) == "expired"


def test_names_that_read_alike_are_one_person() -> None:
    for other in (" 张三", "张三 ", "张\u200b三", "张三\u2060", "\ufeff张三"):
        assert same_person("张三", other)
    assert same_person("Ｌｉ  Si", "li si")
    assert not same_person("张三", "张三丰")
