"""Members of valid bundles put together anew: what one bundle proves never passes to another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import pytest
from mizheng.verifier.report import Verdict

from tests.support.world import failed, judge, statuses

from .scene import Members, Scene, refuse

# first, second: one company, one tree. other: another company, the same tree. later: the same
# company, a later tree. abroad: the same company and key at another notary, at the same place.
NAMES = ("first", "second", "other", "later", "abroad")
PAIRS = list(permutations(NAMES, 2))
KEY_STATUS = "key-status.dsse.json"
# The one member that says nothing of the single deposit and differs between bundles: an issuer's word
# on the company's key. Another one of the same key and notary will do, but for one as old as that of
# `first`, which speaks of a log too short to hold `later`.
INTERCHANGEABLE = set(permutations(("first", "second", "later"), 2)) - {("later", "first")}


def mixes(one: Members, two: Members) -> Iterator[tuple[str, Members]]:
    """Every member of `one` replaced by every member of `two`, then every two by their namesakes."""
    for name in one:
        for taken in two:
            yield f"{name} := {taken}", {**one, name: two[taken]}
    shared = [name for name in one if name in two]
    for pair in combinations(shared, 2):
        yield " and ".join(pair), {**one, **{name: two[name] for name in pair}}


def changed_members(members: Members, base: Members) -> set[str]:
    return {name for name in {*members, *base} if members.get(name) != base.get(name)}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_mixed_is_valid(scene: Scene, name: str) -> None:
    assert judge(scene.bundles[name], scene.trust).verdict is Verdict.VALID


@pytest.mark.parametrize("pair", PAIRS, ids=" from ".join)
def test_mixed_members_prove_nothing(scene: Scene, pair: tuple[str, str]) -> None:
    """Valid only what is one of the bundles, member for member, but for a key status of the same key."""
    one, two = (scene.bundles[name] for name in pair)
    for about, members in mixes(one, two):
        changed = changed_members(members, one)
        if not changed:
            continue
        report = judge(members, scene.trust)
        is_only_status = changed == {KEY_STATUS} and members[KEY_STATUS] == two[KEY_STATUS]
        is_expected = is_only_status and pair in INTERCHANGEABLE
        assert (report.verdict is Verdict.VALID) == is_expected, (pair, about)


@pytest.mark.parametrize("pair", PAIRS, ids=" from ".join)
def test_members_of_another_bundle_beside_ones_own_prove_nothing(scene: Scene, pair: tuple[str, str]) -> None:
    one, two = (scene.bundles[name] for name in pair)
    more = {
        "records/0003.json": two["records/0001.json"],
        "anchors/0002.json": two["anchors/0001.json"],
        **{name: data for name, data in two.items() if name.startswith("heads/")},
    }
    for name, data in more.items():
        members = {**one, name: data}
        if not changed_members(members, one) or (name, data) == (
            "anchors/0002.json",
            one["anchors/0001.json"],
        ):
            continue
        report = refuse(members, scene.trust, (pair, name))
        assert report.verdict is Verdict.INVALID


def test_a_key_status_of_another_notary_is_no_word_on_this_log(scene: Scene) -> None:
    """Its log knows nothing of what this one revoked, though the key and the company are the same."""
    members = {**scene.honest, KEY_STATUS: scene.bundles["abroad"][KEY_STATUS]}
    report = refuse(members, scene.trust)
    assert report.verdict is Verdict.UNDETERMINED
    assert statuses(report, "depositor.key-status") == ["NOT_CHECKED"]
    assert report.missing == ("depositor.key-status",)


# Which member left out has which consequence: the code that no longer passes.
LEFT_OUT = {
    "README.txt": ("bundle.members", "FAIL"),
    "bundle.dsse.json": ("bundle.structure", "FAIL"),
    "statement.dsse.json": ("bundle.structure", "FAIL"),
    "enrolment.dsse.json": ("depositor.enrolment", "NOT_PROVIDED"),
    "enrolment.tlog-proof": ("depositor.enrolment", "FAIL"),
    "key-status.dsse.json": ("depositor.key-status", "NOT_CHECKED"),
    "records/0001.json": ("bundle.members", "FAIL"),
    "records/0002.json": ("bundle.members", "FAIL"),
    "originals/0001": ("bundle.members", "FAIL"),
    "originals/0002": ("bundle.members", "FAIL"),
    "heads/5.tlog-proof": ("log.inclusion", "NOT_PROVIDED"),
    "anchors/0001.json": ("anchor.canonical", "NOT_PROVIDED"),
    "beacon.json": ("beacon.block", "NOT_CHECKED"),
}


def test_every_member_was_thought_of(scene: Scene) -> None:
    assert set(LEFT_OUT) == set(scene.honest)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_member_left_out(scene: Scene, name: str) -> None:
    members = scene.honest
    del members[name]
    report = judge(members, scene.trust)
    code, status = LEFT_OUT[name]
    assert status in statuses(report, code)
    if name == "beacon.json":
        # Nothing but the earliest time was proven by it.
        assert report.verdict is Verdict.VALID
        assert report.earliest is None
    else:
        assert report.verdict is not Verdict.VALID
    assert (status == "FAIL") == (code in failed(report))
