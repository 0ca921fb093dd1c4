"""The log's side: what is asked of a witness, what becomes of its answer, and which head is published."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from mizheng.notary.cosigning import Chooser, WitnessAsker, WitnessKeeper
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import Head, keep_checkpoint, load_head, lock_head
from mizheng.notary.log.published_head import (
    KEEP_SECONDS,
    PublishedHead,
    begin_publishing,
    find_published,
    forget_cosignatures,
    load_lines,
    load_published,
    load_published_head,
)
from mizheng.notary.models import witnesses
from mizheng.notary.witness.misbehaviour import Misbehaviour
from mizheng.notary.witness.state import WitnessState
from mizheng.notary.witness.witness import Witness
from mizheng.notary.witnesses import STATES, WitnessPeer, WitnessSetup, load_witnesses
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.note import parse_note
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import AddCheckpoint
from sqlalchemy import select

from tests.tools.layout import ROOT

NUMBERS = itertools.count()
Answer = Callable[[httpx.Request], httpx.Response]


class Peer:
    """A real witness behind a transport in this process; `answer` puts something else in its place."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.signer = WitnessSigner(f"{name}.example/w", PrivateKey.generate())
        self.folder = scene.folder / name
        self.folder.mkdir()
        self.state = WitnessState(self.folder / "witness.db")
        cases = Misbehaviour(self.folder / "cases")
        log = scene.instance.signer.verifier
        self.witness = Witness(self.signer, [log], self.state, cases, clock=scene.clock)
        self.peer = WitnessPeer(name, self.signer.witness, f"http://{name}.example/prefix")
        self.answer: Answer | None = None
        self.asked: list[bytes] = []
        client = httpx.Client(transport=httpx.MockTransport(self.handle))
        self.asker = WitnessAsker(scene.instance.engine, self.peer, client=client, clock=scene.clock)

    def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/prefix/add-checkpoint"
        body = request.read()
        self.asked.append(body)
        if self.answer is not None:
            return self.answer(request)
        found = self.witness.add_checkpoint(body)
        return httpx.Response(found.status, content=found.body, headers={"Content-Type": found.media_type})

    def olds(self) -> list[int]:
        """The old sizes it was told, since the last look."""
        found = [int(body.split(b"\n", 1)[0][4:]) for body in self.asked]
        self.asked.clear()
        return found

    def run(self) -> None:
        while self.asker.step():
            pass


class Scene:
    """A log in a database, two witnesses, and a clock in the hand."""

    def __init__(self, instance: Instance, folder: Path, quorum: str = "both") -> None:
        self.instance = instance
        self.folder = folder
        self.now = 1_800_000_000.0
        self.east, self.west = Peer(self, "east"), Peer(self, "west")
        peers = (self.east.peer, self.west.peer)
        lines = [f"witness {peer.name} {peer.key.vkey} {peer.url}" for peer in peers]
        text = "\n".join([*lines, "group both all east west", f"quorum {quorum}", ""])
        self.setup = WitnessSetup(parse_policy(text), peers, 10.0)
        self.chooser = Chooser(instance.engine, self.setup, clock=self.clock)
        with writing(instance.engine) as connection:
            begin_publishing(connection, load_head(connection), int(self.now))

    def clock(self) -> float:
        return self.now

    def grow(self, count: int = 1) -> Head:
        new = [NewEntry(hashlib.sha256(b"%d" % next(NUMBERS)).digest(), "deposit") for _ in range(count)]
        with writing(self.instance.engine) as connection:
            return append(connection, self.instance.signer, lock_head(connection), new).head

    def keep(self) -> int:
        """Keep the published head, as the anchorer does."""
        with writing(self.instance.engine) as connection:
            head = load_published_head(connection)
            keep_checkpoint(connection, head)
        return head.tree_size

    def choose(self, later: float = 2.0) -> None:
        self.now += later
        self.chooser.step()

    def turn(self) -> None:
        """A head is chosen, asked about, and decided on."""
        self.choose()
        self.east.run()
        self.west.run()
        self.choose(0)

    @property
    def published(self) -> PublishedHead:
        with reading(self.instance.engine) as connection:
            found = find_published(connection)
        assert found is not None
        return found

    def names(self, size: int) -> set[str]:
        with reading(self.instance.engine) as connection:
            lines = load_lines(connection, size)
        return {peer.name for peer in self.setup.peers if peer.key.vkey in lines}

    def state(self, peer: Peer) -> tuple[str, int] | None:
        query = select(witnesses.c.state, witnesses.c.tree_size).where(witnesses.c.vkey == peer.peer.key.vkey)
        with reading(self.instance.engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.state, row.tree_size)


@pytest.fixture
def scene(instance: Instance, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(instance, tmp_path)
    yield made
    for peer in (made.east, made.west):
        peer.state.close()


def down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


def status(code: int, body: bytes = b"no\n", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(code, content=body, headers=named)


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


# Settings


def settings(instance: Instance, text: str | None = None, **table: object) -> Instance:
    values = {**({} if text is None else {"policy": text}), **table}
    return replace(instance, settings=replace(instance.settings, witnesses=values))


def test_no_policy_asks_nobody(instance: Instance) -> None:
    assert load_witnesses(instance.settings, set()) is None
    keeper = WitnessKeeper(instance)
    keeper.start()
    with reading(instance.engine) as connection:
        assert find_published(connection) is None
        assert load_published(connection) == load_head(connection)
    keeper.stop()


def test_taking_the_policy_away_publishes_every_head_again(scene: Scene) -> None:
    head = scene.grow(2)
    WitnessKeeper(scene.instance).start()
    with reading(scene.instance.engine) as connection:
        assert load_published(connection) == head


def test_a_policy_file_comes_before_the_text(scene: Scene, tmp_path: Path) -> None:
    found = settings(scene.instance, scene.setup.policy.text, wait=3)
    setup = load_witnesses(found.settings, set())
    assert setup and setup.wait == 3
    assert [peer.url for peer in setup.peers] == ["http://east.example/prefix", "http://west.example/prefix"]
    (found.settings.data_dir / "policy.txt").write_text(
        scene.setup.policy.text.replace("quorum both", "quorum east"), "utf-8"
    )
    setup = load_witnesses(replace(found.settings, witness_policy="policy.txt"), set())
    assert setup and setup.policy.quorum == "east"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_witnesses(replace(found.settings, witness_policy=str(tmp_path / "none")), set())


def test_what_is_exported_has_no_addresses(scene: Scene) -> None:
    text = f"# ours\nlog {scene.instance.signer.vkey} https://log.example\n" + scene.setup.policy.text
    setup = load_witnesses(settings(scene.instance, text).settings, set())
    assert setup
    exported = setup.exported()
    assert "http" not in exported.text and "log" not in exported.text.split()
    assert exported.witnesses.keys() == setup.policy.witnesses.keys()
    assert exported.groups == setup.policy.groups
    assert exported.quorum == "both"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "nonsense\n", "line 1"),
        (lambda text: text.replace(" http://east.example/prefix", ""), "no address"),
        (lambda text: text.replace("http://east", "ftp://east"), "no address"),
        (lambda text: text.replace("http://east.example/prefix", "http://"), "no address"),
    ],
)
def test_policies_that_cannot_be_used(scene: Scene, change: Callable[[str], str], message: str) -> None:
    found = settings(scene.instance, change(scene.setup.policy.text))
    with pytest.raises(ConfigurationError, match=message):
        load_witnesses(found.settings, set())


def test_a_notary_is_not_its_own_witness(scene: Scene) -> None:
    own = WitnessSigner("own.example/w", scene.instance.keys.log).witness
    text = f"witness own {own.vkey} http://own.example\nquorum own\n"
    with pytest.raises(ConfigurationError, match="holds the key"):
        WitnessKeeper(settings(scene.instance, text))


@pytest.mark.parametrize("table", [{"wait": 5}, {"policy": 5}, {"policy": "", "pace": 1}])
def test_tables_that_cannot_be_used(instance: Instance, table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        load_witnesses(replace(instance.settings, witnesses=table), set())


@pytest.mark.parametrize("wait", [-1, 3601, True, "ten"])
def test_waits_that_are_none(scene: Scene, wait: object) -> None:
    with pytest.raises(ConfigurationError, match="no time"):
        load_witnesses(settings(scene.instance, scene.setup.policy.text, wait=wait).settings, set())


def test_every_state_is_documented() -> None:
    section = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("\n| state of a witness |")[2]
    rows = [
        line.split("|")[1] for line in section.partition("\n\n")[0].splitlines() if line.startswith("| `")
    ]
    assert {code for row in rows for code in re.findall("`([a-z-]+)`", row)} == set(STATES)
