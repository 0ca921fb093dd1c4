"""The log's side: what is asked of a witness, what becomes of its answer, and which head is published."""

from __future__ import annotations

import itertools
from dataclasses import replace

import httpx
import pytest
from mizheng.notary.cosigning.choosing import Chooser
from mizheng.notary.database import reading, writing
from mizheng.notary.models import witnesses
from mizheng.notary.publishing.head import (
    KEEP_SECONDS,
    forget_cosignatures,
    load_published,
)
from mizheng.verifier.note import parse_note
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.witnessing import AddCheckpoint

from tests.notary.witness.scene import Answer, Scene, down, status


def test_a_head_is_published_with_its_quorum(scene: Scene) -> None:
    assert (scene.published.quorum, scene.published.head.tree_size) == ("not-met", 0)
    head = scene.grow(3)
    scene.choose()
    assert (scene.published.head.tree_size, scene.published.next) == (0, head)
    scene.east.run()
    scene.choose(0)
    assert scene.published.head.tree_size == 0
    scene.west.run()
    scene.choose(0)
    found = scene.published
    assert (found.head, found.quorum, found.quorum_size, found.next) == (head, "met", 3, None)
    with reading(scene.instance.engine) as connection:
        note = parse_note(load_published(connection).checkpoint)
    assert note.text == parse_note(head.checkpoint).text
    assert {line.name for line in note.signatures[1:]} == {"east.example/w", "west.example/w"}
    # The next head is proven from what each of them cosigned last.
    scene.grow(5)
    scene.turn()
    assert scene.published.quorum_size == 8
    assert scene.east.olds() == scene.west.olds() == [0, 3]
    assert scene.state(scene.east) == ("ok", 8)


def test_nothing_is_asked_twice(scene: Scene) -> None:
    scene.grow()
    for _ in range(5):
        scene.turn()
    assert scene.east.olds() == [0]


def test_many_deposits_are_one_question_a_second(scene: Scene) -> None:
    scene.grow()
    scene.turn()
    for _ in range(10):
        scene.grow()
        scene.choose(0.05)
        scene.east.run()
        scene.west.run()
    assert scene.published.head.tree_size == 1
    scene.turn()
    assert scene.published.head.tree_size == 11
    assert len(scene.east.asked) == 2


def test_without_a_quorum_it_is_published_after_the_wait_and_says_so(scene: Scene) -> None:
    scene.west.answer = down
    scene.grow()
    scene.turn()
    assert scene.published.head.tree_size == 0
    scene.choose(9.0)
    assert scene.published.head.tree_size == 0
    scene.choose(1.5)
    found = scene.published
    assert (found.head.tree_size, found.quorum, found.quorum_size) == (1, "not-met", 0)
    assert scene.names(1) == {"east"}
    assert scene.state(scene.west) == ("unreachable", 0)
    # The wait is paid once: while it is known to be away, nothing is held up.
    scene.grow()
    scene.turn()
    assert (scene.published.head.tree_size, scene.published.quorum) == (2, "not-met")
    # Back again: what is published gets its quorum late.
    scene.west.answer = None
    scene.now += 120
    scene.west.run()
    scene.choose(0)
    assert (scene.published.quorum, scene.published.quorum_size) == ("met", 2)
    assert scene.names(1) == {"east"}


def test_anchored_heads_are_cosigned_by_those_who_were_away(scene: Scene) -> None:
    scene.west.answer = down
    sizes = []
    for _ in range(4):
        scene.grow(3)
        scene.choose()
        scene.east.run()
        scene.west.run()
        scene.choose(11)
        sizes.append(scene.keep())
    assert sizes == [3, 6, 9, 12]
    assert all(scene.names(size) == {"east"} for size in sizes)
    scene.west.answer = None
    scene.west.asked.clear()
    scene.now += 120
    scene.west.run()
    # Smallest first: a witness never goes back.
    assert scene.west.olds() == [0, 3, 6, 9]
    assert all(scene.names(size) == {"east", "west"} for size in sizes)


def test_a_conflict_is_taken_up_from_the_size_that_is_named(scene: Scene) -> None:
    scene.grow(4)
    scene.turn()
    with writing(scene.instance.engine) as connection:
        connection.execute(witnesses.delete())
    scene.grow(4)
    scene.east.asked.clear()
    scene.turn()
    assert scene.east.olds() == [0, 4]
    assert scene.published.quorum == "met"


def test_cosigned_but_the_answer_was_lost(scene: Scene) -> None:
    scene.grow(4)
    scene.choose()

    def lost(request: httpx.Request) -> httpx.Response:
        assert scene.east.witness.add_checkpoint(request.read()).status == 200
        raise httpx.ReadError("cut", request=request)

    scene.east.answer = lost
    scene.east.run()
    assert scene.state(scene.east) == ("unreachable", 0)
    scene.east.answer = None
    scene.now += 2
    scene.east.asked.clear()
    scene.east.run()
    assert scene.east.olds() == [0, 4]
    assert scene.names(4) == {"east"}


def test_a_witness_that_forgot_is_begun_with_anew(scene: Scene) -> None:
    scene.grow(4)
    scene.turn()
    with scene.east.state.changing():
        scene.east.state._connection.execute("DELETE FROM heads")
    scene.grow(4)
    scene.turn()
    assert scene.names(8) == {"east", "west"}


def test_a_witness_that_went_past_a_head_is_asked_about_the_next(scene: Scene) -> None:
    scene.grow(4)
    scene.choose()
    # Somebody else shows it a later head, as another process of the same notary may.
    later = AddCheckpoint(0, (), scene.grow(2).checkpoint)
    assert scene.east.witness.add_checkpoint(later.dump()).status == 200
    scene.east.run()
    assert scene.names(4) == set()
    assert scene.state(scene.east) == ("ok", 6)
    scene.choose(11)
    scene.turn()
    assert scene.names(6) == {"east", "west"}


def test_a_witness_that_has_seen_more_than_this_log(scene: Scene) -> None:
    scene.grow(4)
    scene.choose()
    scene.east.answer = status(409, b"5\n", Content_Type="text/x.tlog.size")
    scene.east.run()
    assert scene.state(scene.east) == ("ahead", 0)
    assert len(scene.east.asked) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (status(400), "request-refused"),
        (status(403), "signature-refused"),
        (status(404), "log-unknown"),
        (status(409), "conflict"),
        (status(409, b"0\n", Content_Type="text/x.tlog.size"), "conflict"),
        (status(409, b"x\n", Content_Type="text/x.tlog.size"), "broken-answer"),
        (status(422), "proof-refused"),
        (status(429), "rate-limited"),
        (status(500), "failing"),
        (status(503), "failing"),
        (status(302, Location="http://elsewhere.example"), "request-refused"),
        (status(200, b""), "broken-answer"),
        (status(200, b"ok\n"), "broken-answer"),
        (status(200, b"x" * 20_000), "broken-answer"),
        (down, "unreachable"),
    ],
)
def test_what_goes_wrong_has_a_name_and_is_stored_nowhere_else(
    scene: Scene, answer: Answer, state: str
) -> None:
    scene.grow()
    scene.choose()
    scene.east.answer = answer
    scene.east.run()
    assert scene.state(scene.east) == (state, 0)
    assert scene.names(1) == set()
    # Left alone for a while, and then asked again.
    scene.east.answer = None
    scene.east.run()
    assert scene.names(1) == set()
    scene.now += 2
    scene.east.run()
    assert scene.names(1) == {"east"}
    assert scene.state(scene.east) == ("ok", 1)


def test_cosignatures_of_others_or_over_other_texts_are_not_taken(scene: Scene) -> None:
    scene.grow()
    scene.choose()
    text = parse_note(scene.published.next.checkpoint).text  # type: ignore[union-attr]
    for line in (scene.west.signer.cosign(text, 1), scene.east.signer.cosign(b"another\n", 1)):
        scene.east.answer = status(200, line)
        scene.east.run()
        assert scene.state(scene.east) == ("broken-answer", 0)
        assert scene.names(1) == set()
        scene.now += 70


def test_it_is_left_alone_for_longer_and_longer(scene: Scene) -> None:
    scene.grow()
    scene.choose()
    scene.east.answer = down
    times = []
    for _ in range(400):
        before = len(scene.east.asked)
        scene.east.run()
        if len(scene.east.asked) > before:
            times.append(scene.now)
        scene.now += 0.5
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    scene.east.answer = status(429, Retry_After="300")
    scene.now += 60
    scene.east.run()
    scene.east.answer = None
    scene.east.asked.clear()
    scene.now += 299
    scene.east.run()
    assert scene.east.asked == []
    scene.now += 2
    scene.east.run()
    assert scene.names(1) == {"east"}


def test_another_policy_is_judged_anew(scene: Scene) -> None:
    scene.west.answer = down
    scene.grow()
    scene.turn()
    scene.choose(11)
    assert scene.published.quorum == "not-met"
    text = scene.setup.policy.text.replace("quorum both", "quorum east")
    Chooser(scene.instance.engine, replace(scene.setup, policy=parse_policy(text)), clock=scene.clock).step()
    assert (scene.published.quorum, scene.published.quorum_size) == ("met", 1)
    scene.choose()
    assert scene.published.quorum == "not-met"
    text = scene.setup.policy.text.replace("quorum both", "quorum none")
    Chooser(scene.instance.engine, replace(scene.setup, policy=parse_policy(text)), clock=scene.clock).step()
    assert scene.published.quorum == "none"


def test_what_nobody_keeps_is_forgotten(scene: Scene) -> None:
    for _ in range(3):
        scene.grow()
        scene.turn()
        if scene.published.head.tree_size == 2:
            scene.keep()
    with writing(scene.instance.engine) as connection:
        forget_cosignatures(connection, int(scene.now) + KEEP_SECONDS - 60)
    assert all(scene.names(size) for size in (1, 2, 3))
    with writing(scene.instance.engine) as connection:
        forget_cosignatures(connection, int(scene.now) + KEEP_SECONDS + 60)
    assert [bool(scene.names(size)) for size in (1, 2, 3)] == [False, True, True]


def test_a_clock_that_is_set_back_holds_nothing_up(scene: Scene) -> None:
    scene.west.answer = down
    scene.grow()
    scene.turn()
    scene.now -= 3600
    scene.choose(0)
    assert scene.published.head.tree_size == 1
    scene.west.answer = None
    scene.grow()
    scene.choose()
    scene.west.run()
    assert scene.names(2) == {"west"}
