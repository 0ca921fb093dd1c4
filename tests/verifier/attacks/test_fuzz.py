"""Whatever the bytes: a report, never an exception, and never valid by accident."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mizheng.verifier.canonical import MAX_INTEGER
from mizheng.verifier.report import Verdict

from tests.support.changes import change_json, spell
from tests.support.scale import scaled
from tests.support.world import judge, pack

from .documents import JSON_MEMBERS, STATEMENT, Documents
from .scene import SEED, Scene, is_form_canonical, refuse, relist, seeded, words

EXAMPLES = scaled(60, 2000)
ROUNDS = scaled(400, 5000)
# What the format has a meaning for: the interesting values are those that nearly are something else.
NUMBERS = (0, 1, -1, 5, 1023, 1024, 2**31, 2**32, 2**53 - 1, 1 - 2**53, 2**53, 2**63, 2**64, 2**256)
TEXTS = (
    "",
    "0",
    "00",
    "00" * 32,
    "ff" * 32,
    "AA==",
    "x" * 5000,
    "\0",
    "\ud800",
    "\u202e",
    "{0}",
    "{found}",
    "%s",
)
NAMES = ("../..", "mizheng/deposit/v1", "mizheng/deposit/v2", "2026-11-23T02:00:00Z")
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], [""], {"": ""}, {"type": "x"})
INTERESTING: tuple[Any, ...] = (*NUMBERS, *TEXTS, *NAMES, *SHAPES)
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER - 2, MAX_INTEGER + 2) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def documents(scene: Scene) -> Documents:
    return Documents.of(scene)


def names_of(scene: Scene) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(scene.honest))


@fuzzed
@given(data=st.data())
def test_any_bytes_as_a_member(scene: Scene, data: st.DataObject) -> None:
    name = data.draw(names_of(scene))
    content = data.draw(st.binary(max_size=200))
    refuse({**scene.honest, name: content}, scene.trust, name)


@fuzzed
@given(data=st.data())
def test_any_json_as_a_member(scene: Scene, data: st.DataObject) -> None:
    name = data.draw(names_of(scene))
    value = data.draw(json_values)
    refuse({**scene.honest, name: json.dumps(value).encode()}, scene.trust, name)


@fuzzed
@given(st.binary(max_size=300))
def test_any_bytes_as_a_bundle(scene: Scene, content: bytes) -> None:
    assert refuse(content, scene.trust).verdict is Verdict.INVALID


@fuzzed
@given(st.binary(max_size=60), st.integers(0, 10_000))
def test_any_bytes_within_a_bundle(scene: Scene, content: bytes, place: int) -> None:
    file = pack(scene.honest)
    place %= len(file)
    changed = file[:place] + content + file[place + len(content) :]
    report = judge(changed, scene.trust)
    words(report)
    assert changed == file or report.verdict is not Verdict.VALID or not is_form_canonical(report)


def test_changed_fields_of_unsigned_documents_are_never_valid(scene: Scene, documents: Documents) -> None:
    """Signed ones included: their outer envelope is changed, and nobody signs anew."""
    source = seeded("fields")
    for number in range(ROUNDS):
        name = JSON_MEMBERS[number % len(JSON_MEMBERS)]
        value = json.loads(documents.members[name])
        data = spell(change_json(value, source, INTERESTING))
        if data != documents.members[name]:
            refuse({**documents.members, name: data}, scene.trust, (name, number))


def test_changed_fields_that_were_signed_anew_never_raise(scene: Scene, documents: Documents) -> None:
    """What a key's own holder may write is more; two and three changes at once, his list made anew."""
    source = seeded("signed fields")
    for number in range(ROUNDS):
        name = JSON_MEMBERS[number % len(JSON_MEMBERS)]
        value = documents.value(name)
        for _ in range(source.choice((1, 1, 2, 3))):
            value = change_json(value, source, INTERESTING) if isinstance(value, dict) and value else value
        members = documents.put(name, spell(value))
        if name == STATEMENT or name.startswith("records"):
            members = relist(members, scene.acme)
        report = judge(members, scene.trust)
        words(report)
        if name in (STATEMENT, "records/0001.json") and value != documents.value(name):
            assert report.verdict is not Verdict.VALID, f"{name} {number} (MIZHENG_SEED={SEED})"


def test_members_in_each_others_places(scene: Scene) -> None:
    source = seeded("places")
    names = sorted(scene.honest)
    for number in range(ROUNDS // 4):
        contents = [scene.honest[name] for name in names]
        source.shuffle(contents)
        refuse(dict(zip(names, contents, strict=True)), scene.trust, number)
