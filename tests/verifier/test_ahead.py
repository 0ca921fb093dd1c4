"""Work done ahead in threads: the same results, in the same order, no more of it than is said."""

import threading

import pytest
from mizheng.verifier.ahead import in_order, outcome
from mizheng.verifier.errors import FormatError

MOST_AHEAD = 160


def test_results_come_in_their_order() -> None:
    assert list(in_order(lambda number: number * number, range(1000))) == [n * n for n in range(1000)]
    assert list(in_order(str, ())) == []


def test_it_is_done_in_threads_of_its_own() -> None:
    used = set(in_order(lambda _number: threading.get_ident(), range(500)))
    assert threading.get_ident() not in used


def test_little_is_done_ahead_and_nothing_after_close() -> None:
    done: list[int] = []
    results = in_order(done.append, range(100_000))
    next(results)
    assert len(done) <= MOST_AHEAD + 32
    results.close()
    after = len(done)
    assert after <= MOST_AHEAD + 32
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_an_outcome_gives_what_was_found_each_time() -> None:
    asked: list[int] = []
    good = outcome(lambda: asked.append(1) or 7)
    assert (good(), good(), asked) == (7, 7, [1])

    def refuse() -> int:
        raise FormatError("no JSON")

    bad = outcome(refuse)
    for _ in range(2):
        with pytest.raises(FormatError, match="no JSON"):
            bad()


def test_a_fault_of_ours_is_no_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        outcome(lambda: 1 // 0)

    def divide(number: int) -> int:
        return 1 // number

    with pytest.raises(ZeroDivisionError):
        list(in_order(divide, [1, 0, 1]))
