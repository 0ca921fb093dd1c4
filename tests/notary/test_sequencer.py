"""Group commit: one place for one envelope, answers only for what is committed, whatever fails."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.log import sequencer as module
from mizheng.notary.log.append import NewEntry, check_head
from mizheng.notary.log.head import create_log, load_head
from mizheng.notary.log.sequencer import Sequenced, Sequencer
from mizheng.notary.log.waiting import Group
from mizheng.notary.models import entries, metadata, tiles
from mizheng.verifier.checkpoint import open_checkpoint, parse_tlog_proof
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import OperationalError

SIGNER = NoteSigner("log.example/sequencer", PrivateKey.generate())


@dataclass(frozen=True, slots=True)
class Item:
    """A submission; those named `bad…` are refused."""

    name: str

    @property
    def entry(self) -> NewEntry:
        return NewEntry(hashlib.sha256(self.name.encode()).digest(), "deposit")


class Rules:
    """Notes what it is asked; those named `poison…` are beyond it."""

    def __init__(self) -> None:
        self.recorded: list[str] = []
        self.batches: list[int] = []

    def refusals(
        self, connection: Connection, batch: Sequence[Item]
    ) -> Callable[[Collection[bytes]], Mapping[int, Problem]]:
        self.batches.append(len(batch))
        if any(item.name.startswith("poison") for item in batch):
            raise KeyError("a fault of ours")
        return lambda known: {
            place: Problem("key-revoked") for place, item in enumerate(batch) if item.name.startswith("bad")
        }

    def record(self, connection: Connection, placed: Sequence[tuple[Item, int]]) -> None:
        self.recorded += [item.name for item, _ in placed]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path}/log.db")
    metadata.create_all(made)
    with writing(made) as connection:
        create_log(connection, SIGNER)
    yield made
    made.dispose()


def run(engine: Engine, rules: Rules | None = None, **options: int) -> Sequencer[Item]:
    started: Sequencer[Item] = Sequencer(engine, SIGNER, rules or Rules(), **options)
    started.start()
    return started


def check(name: str, found: Sequenced) -> int:
    """The answer proves that this very envelope is in a head that the log signed."""
    proof = parse_tlog_proof(found.tlog_proof)
    assert proof.index == found.leaf_index
    checkpoint, signed = open_checkpoint(proof.note, [SIGNER.verifier])
    assert signed
    assert checkpoint.size > found.leaf_index
    proof.verify(leaf_hash(dump_entry(Item(name).entry.envelope_sha256)))
    return found.leaf_index


def tree_size(engine: Engine) -> int:
    with reading(engine) as connection:
        head = load_head(connection)
        check_head(connection, head)
        assert connection.execute(select(func.count()).select_from(entries)).scalar() == head.tree_size
        return head.tree_size


def test_waiting_submissions_share_a_transaction(engine: Engine) -> None:
    rules = Rules()
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, rules)
    futures = [waiting.submit(Item(f"{number}")) for number in range(300)]
    waiting.start()
    places = [check(f"{number}", future.result(30)) for number, future in enumerate(futures)]
    waiting.stop()
    assert places == list(range(300))
    assert rules.batches == [300]
    assert tree_size(engine) == 300


def test_one_envelope_has_one_place(engine: Engine) -> None:
    """Twice in one batch, and again later, also by another sequencer: the same place, recorded once."""
    rules = Rules()
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, rules)
    futures = [waiting.submit(Item(name)) for name in ("a", "b", "a", "a")]
    waiting.start()
    assert [future.result(30).leaf_index for future in futures] == [0, 1, 0, 0]
    again = waiting.submit(Item("a")).result(30)
    waiting.stop()
    assert (check("a", again), again.is_new) == (0, False)
    other = run(engine, rules)
    found = other.submit(Item("b")).result(30)
    other.stop()
    assert (check("b", found), found.is_new) == (1, False)
    assert rules.recorded == ["a", "b"]
    assert tree_size(engine) == 2


def test_what_is_refused_takes_no_place(engine: Engine) -> None:
    rules = Rules()
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, rules)
    futures = [waiting.submit(Item(name)) for name in ("a", "bad", "b")]
    waiting.start()
    assert futures[0].result(30).leaf_index == 0
    assert futures[2].result(30).leaf_index == 1
    with pytest.raises(Problem) as refused:
        futures[1].result(30)
    assert refused.value.code == "key-revoked"
    waiting.stop()
    assert rules.recorded == ["a", "b"]


def test_a_full_queue_says_so_at_once(engine: Engine) -> None:
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, Rules(), max_waiting=3)
    futures = [waiting.submit(Item(f"{number}")) for number in range(3)]
    with pytest.raises(Problem) as full:
        waiting.submit(Item("one too many"))
    assert (full.value.code, full.value.status, full.value.retry_after) == ("queue-full", 503, 1)
    waiting.start()
    assert [future.result(30).leaf_index for future in futures] == [0, 1, 2]
    waiting.stop()


def test_stopping_finishes_what_waits_and_takes_no_more(engine: Engine) -> None:
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, Rules())
    futures = [waiting.submit(Item(f"{number}")) for number in range(1200)]
    waiting.start()
    waiting.stop()
    assert sorted(future.result(0).leaf_index for future in futures) == list(range(1200))
    with pytest.raises(Problem) as stopped:
        waiting.submit(Item("late"))
    assert stopped.value.code == "log-unavailable"


def test_a_caller_that_went_away_takes_no_place(engine: Engine) -> None:
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, Rules())
    gone, stayed = waiting.submit(Item("gone")), waiting.submit(Item("stayed"))
    assert gone.cancel()
    waiting.start()
    assert stayed.result(30).leaf_index == 0
    waiting.stop()
    assert tree_size(engine) == 1


def test_racing_threads_and_two_sequencers(engine: Engine, tmp_path: Path) -> None:
    """Two engines as two processes would have them, twenty threads, every envelope sent twice."""
    other = create_engine(f"sqlite:///{tmp_path}/log.db")
    both = [run(engine), run(other)]
    names = [f"{number}" for number in range(400)]

    def send(job: tuple[int, str]) -> tuple[str, int]:
        place, name = job
        return name, check(name, both[place % 2].submit(Item(name)).result(60))

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(send, enumerate(names + list(reversed(names)))))
    for running in both:
        running.stop()
    other.dispose()
    assert len(set(found)) == 400
    assert sorted(index for _, index in set(found)) == list(range(400))
    assert tree_size(engine) == 400


class Fault:
    """Breaks a statement or a commit of an engine, once or always, before or after it took effect."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine = engine
        self._patch = monkeypatch
        self.left = 0

    def statement(self, word: str, times: int) -> None:
        self.left = times

        dialect = self._engine.dialect

        def failing(real: Callable[..., None]) -> Callable[..., None]:
            def run(cursor: object, statement: str, *rest: object, **more: object) -> None:
                if word in statement and self.left:
                    self.left -= 1
                    raise dialect.loaded_dbapi.OperationalError("injected")
                real(cursor, statement, *rest, **more)

            return run

        for name in ("do_execute", "do_executemany"):
            self._patch.setattr(dialect, name, failing(getattr(dialect, name)))

    def commit(self, times: int, *, takes_effect: bool) -> None:
        self.left = times
        dialect = self._engine.dialect
        real = dialect.do_commit

        def fail(connection: object) -> None:
            if not self.left:
                real(connection)  # type: ignore[arg-type]
                return
            self.left -= 1
            if takes_effect:
                real(connection)  # type: ignore[arg-type]
            raise OperationalError("COMMIT", {}, Exception("injected"))

        self._patch.setattr(dialect, "do_commit", fail)


WRITES = [
    "INSERT INTO entries",
    "entry_bundles",
    "UPDATE tiles",
    "FROM tiles",
    "UPDATE log_head",
    "FROM log_head",
]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("word", WRITES)
def test_a_broken_statement_loses_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, word: str, times: int
) -> None:
    running = run(engine)
    assert running.submit(Item("before")).result(30).leaf_index == 0
    Fault(engine, monkeypatch).statement(word, times)
    refusals = 0
    while True:
        try:
            found = running.submit(Item("a")).result(30)
            break
        except Problem as problem:
            assert (problem.code, problem.status) == ("log-unavailable", 503)
            refusals += 1
    assert 1 <= refusals <= times
    assert check("a", found) == 1
    running.stop()
    assert tree_size(engine) == 2


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("takes_effect", [False, True], ids=["lost", "persisted"])
def test_a_commit_of_unknown_outcome_is_looked_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, takes_effect: bool, times: int
) -> None:
    """Persisted: the answer is the place it has. Lost: the caller is told, and sending again makes it one."""
    running = run(engine)
    assert running.submit(Item("before")).result(30).leaf_index == 0
    Fault(engine, monkeypatch).commit(times, takes_effect=takes_effect)
    for _ in range(times):
        if takes_effect:
            assert check("a", running.submit(Item("a")).result(30)) == 1
        else:
            with pytest.raises(Problem) as lost:
                running.submit(Item("a")).result(30)
            assert lost.value.code == "log-unavailable"
            assert tree_size(engine) == 1
    assert check("a", running.submit(Item("a")).result(30)) == 1
    running.stop()
    assert tree_size(engine) == 2


def test_one_that_is_beyond_us_does_not_stop_the_others(engine: Engine) -> None:
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, Rules())
    names = [f"{number}" for number in range(10)] + ["poison"] + [f"{number}" for number in range(10, 13)]
    futures = {name: waiting.submit(Item(name)) for name in names}
    waiting.start()
    with pytest.raises(Problem) as beyond:
        futures.pop("poison").result(30)
    assert beyond.value.code == "log-unavailable"
    assert [check(name, future.result(30)) for name, future in futures.items()] == list(range(13))
    waiting.stop()
    assert waiting.refusal is None
    assert tree_size(engine) == 13


def test_a_damaged_log_takes_nothing_more(engine: Engine) -> None:
    running = run(engine)
    assert running.submit(Item("a")).result(30).leaf_index == 0
    with writing(engine) as connection:
        connection.execute(update(tiles).values(hashes=bytes(32)))
    for _ in range(2):
        with pytest.raises(Problem) as damaged:
            running.submit(Item("b")).result(30)
        assert damaged.value.code == "log-damaged"
    running.stop()
    assert running.refusal == "damaged"
    with reading(engine) as connection:
        assert load_head(connection).tree_size == 1


def test_a_log_that_cannot_be_asked_is_unavailable(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    running = run(engine)
    Fault(engine, monkeypatch).statement("log_head", 2)
    with pytest.raises(Problem) as unavailable:
        running.submit(Item("a")).result(30)
    assert unavailable.value.code == "log-unavailable"
    assert running.is_running
    assert check("a", running.submit(Item("a")).result(30)) == 0
    running.stop()


def test_batches_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BATCH", 7)
    rules = Rules()
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, rules)
    futures: list[Future[Sequenced]] = [waiting.submit(Item(f"{number}")) for number in range(20)]
    waiting.start()
    for future in futures:
        future.result(30)
    waiting.stop()
    assert rules.batches == [7, 7, 6]


def test_a_group_shares_one_commit_and_each_has_its_own_outcome(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also beyond the size of a batch: what came together is never torn apart."""
    monkeypatch.setattr(module, "MAX_BATCH", 3)
    rules = Rules()
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, rules)
    alone = waiting.submit(Item("a"))
    group = waiting.submit_all([Item(name) for name in ("b", "bad", "a", "c", "b", "d")])
    waiting.start()
    assert check("a", alone.result(30)) == 0
    outcomes = group.result(30)
    refused = outcomes.pop(1)
    assert isinstance(refused, Problem)
    assert refused.code == "key-revoked"
    places = [check(name, found) for name, found in zip("bacbd", outcomes, strict=True)]  # type: ignore[arg-type]
    assert places == [1, 0, 2, 1, 3]
    waiting.stop()
    assert rules.batches == [7]
    assert tree_size(engine) == 4


def test_a_group_that_does_not_fit_is_refused_whole(engine: Engine) -> None:
    waiting: Sequencer[Item] = Sequencer(engine, SIGNER, Rules(), max_waiting=3)
    waiting.submit(Item("a"))
    with pytest.raises(Problem) as full:
        waiting.submit_all([Item(name) for name in "bcd"])
    assert full.value.code == "queue-full"
    assert waiting.waiting == 1
    group = waiting.submit_all([Item(name) for name in "bc"])
    waiting.start()
    assert len(group.result(30)) == 2
    waiting.stop()
    assert tree_size(engine) == 3


def test_stop_answers_who_slipped_in_behind(engine: Engine) -> None:
    """A submission that lands after the end mark is answered, not forgotten."""
    running = run(engine)
    running.stop()
    future: Future[Sequenced] = Future()
    running._line.join(Group([Item("late")], future, True))
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    stopper.join(10)
    with pytest.raises(Problem):
        future.result(10)
