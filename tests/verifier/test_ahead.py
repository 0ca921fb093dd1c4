"""Work of which the slow part is put off: the same results, in the same order, no more of it than is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from mizheng.verifier.ahead import Later, in_order, outcome
from mizheng.verifier.errors import FormatError

MOST_AHEAD = 160

PutOff = Callable[[Callable[[], Any]], Later[Any]]


def test_results_come_in_their_order() -> None:
    found = in_order(lambda number, put_off: put_off(lambda: number * number), range(1000))
    assert [square() for square in found] == [n * n for n in range(1000)]
    assert list(in_order(lambda number, _put_off: number, ())) == []


def test_what_is_put_off_is_done_once_and_by_two_threads() -> None:
    done: list[tuple[int, int]] = []

    def slow(number: int) -> None:
        time.sleep(0.0005)
        done.append((number, threading.get_ident()))

    for later in in_order(lambda number, put_off: put_off(lambda: slow(number)), range(200)):
        later()
    assert sorted(number for number, _ in done) == list(range(200))
    assert len({thread for _, thread in done}) == 2


def test_little_is_done_ahead_and_nothing_after_close() -> None:
    done: list[int] = []
    put_off_done: list[int] = []

    def work(number: int, put_off: PutOff) -> None:
        done.append(number)
        put_off(lambda: put_off_done.append(number))

    results = in_order(work, range(100_000))
    next(results)
    assert len(done) <= MOST_AHEAD
    results.close()
    after = len(put_off_done)
    assert after <= len(done) <= MOST_AHEAD
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_who_asks_before_it_is_done_does_it() -> None:
    later = Later(threading.get_ident)
    assert later() == threading.get_ident()
    assert not later.begin()


def test_who_asks_while_it_is_done_waits_for_it() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert may_end.wait(10)
        return threading.get_ident()

    later = Later(slow)
    thread = threading.Thread(target=later.begin)
    thread.start()
    assert begun.wait(10)
    assert not later.begin()
    threading.Timer(0.05, may_end.set).start()
    assert later() == thread.ident
    thread.join()


def test_an_outcome_gives_what_was_found_each_time() -> None:
    asked: list[int] = []

    def refuse() -> int:
        raise FormatError("no JSON")

    for make in (outcome, Later):
        good = make(lambda: asked.append(1) or 7)
        assert (good(), good()) == (7, 7)
        bad = make(refuse)
        for _ in range(2):
            with pytest.raises(FormatError, match="no JSON"):
                bad()
    assert asked == [1, 1]


def test_a_fault_of_ours_is_no_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        outcome(lambda: 1 // 0)

    def divide(number: int, put_off: PutOff) -> Later[int]:
        return put_off(lambda: 1 // number)

    with pytest.raises(ZeroDivisionError):
        [later() for later in in_order(divide, [1, 0, 1])]
