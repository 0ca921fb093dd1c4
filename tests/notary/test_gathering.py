"""Gathering single submissions into groups, without HTTP: a sequencer that is only asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, cast

import pytest
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.intake.gathering import Gatherer
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import load_head, lock_head
from mizheng.notary.log.proofs import tlog_proof, tlog_proofs
from mizheng.notary.log.sequencer import Outcome, Sequenced, Sequencer
from mizheng.notary.log.tiles import TileReader


class Asked:
    """Keeps the groups that it is given, until `answer`."""

    def __init__(self) -> None:
        self.groups: list[tuple[Sequence[str], Future[list[Outcome]]]] = []
        self.is_full = False

    def submit_all(self, submissions: Sequence[str]) -> Future[list[Outcome]]:
        if self.is_full:
            raise Problem("queue-full", retry_after=1)
        self.groups.append((submissions, Future()))
        return self.groups[-1][1]

    def answer(self) -> None:
        names, future = self.groups[-1]
        future.set_result([Problem("key-revoked") if name == "bad" else place(name) for name in names])

    @property
    def names(self) -> list[list[str]]:
        return [list(names) for names, _ in self.groups]


def place(name: str) -> Sequenced:
    return Sequenced(int(name), b"", True)


def gather(asked: Asked, **options: Any) -> Gatherer[Any]:
    return Gatherer(cast(Sequencer[Any], asked), **options)


async def send(gatherer: Gatherer[Any], *names: str) -> list[asyncio.Task[Sequenced]]:
    tasks = [asyncio.create_task(gatherer.submit(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


def test_who_is_alone_does_not_wait() -> None:
    async def run() -> None:
        asked = Asked()
        gatherer = gather(asked)
        for name in ("1", "2"):
            (task,) = await send(gatherer, name)
            assert asked.names[-1] == [name]
            asked.answer()
            assert (await task).leaf_index == int(name)

    asyncio.run(run())


def test_what_comes_meanwhile_goes_together_and_is_answered_one_by_one() -> None:
    async def run() -> None:
        asked = Asked()
        gatherer = gather(asked)
        first = await send(gatherer, "0")
        rest = await send(gatherer, "1", "bad", "2", "4")
        assert (asked.names, gatherer.waiting) == ([["0"]], 4)
        asked.answer()
        await asyncio.wait(first)
        assert asked.names == [["0"], ["1", "bad", "2", "4"]]
        asked.answer()
        await asyncio.wait(rest)
        assert [rest[number].result().leaf_index for number in (0, 2)] == [1, 2]
        with pytest.raises(Problem) as refused:
            rest[1].result()
        assert refused.value.code == "key-revoked"
        # Four were answered: one that comes waits for a second, but no longer than a pause.
        late = await send(gatherer, "3")
        assert len(asked.groups) == 2
        while len(asked.groups) == 2:
            await asyncio.sleep(0.001)
        asked.answer()
        assert (await late[0]).leaf_index == 3

    asyncio.run(asyncio.wait_for(run(), 30))


def test_one_half_gathers_while_the_other_is_under_way() -> None:
    async def run() -> None:
        asked = Asked()
        gatherer = gather(asked)
        await send(gatherer, "0")
        await send(gatherer, "1", "2", "3", "4")
        asked.answer()
        await asyncio.sleep(0.001)
        assert asked.names == [["0"], ["1", "2", "3", "4"]]
        # Six are here, four of them under way: three make a half.
        await send(gatherer, "5", "6")
        asked.answer()
        await asyncio.sleep(0.001)
        assert len(asked.groups) == 2
        await send(gatherer, "7")
        assert asked.names[2:] == [["5", "6", "7"]]
        # Those three and as many others: whoever was answered is not waited for.
        await send(gatherer, "8", "9", "10")
        asked.answer()
        await asyncio.sleep(0.001)
        assert asked.names[3:] == [["8", "9", "10"]]

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_caller_that_went_away_is_left_out() -> None:
    async def run() -> None:
        asked = Asked()
        gatherer = gather(asked)
        first = await send(gatherer, "0")
        gone, stayed = await send(gatherer, "1", "2")
        gone.cancel()
        await asyncio.wait([gone])
        asked.answer()
        await asyncio.wait(first)
        assert asked.names[-1] == ["2"]
        asked.answer()
        assert (await stayed).leaf_index == 2

    asyncio.run(run())


def test_too_many_and_a_full_line_are_told_at_once() -> None:
    async def run() -> None:
        asked = Asked()
        gatherer = gather(asked, max_waiting=2)
        await send(gatherer, "0")
        await send(gatherer, "1", "2")
        with pytest.raises(Problem) as full:
            await gatherer.submit("3")
        assert full.value.code == "queue-full"
        asked = Asked()
        asked.is_full = True
        with pytest.raises(Problem) as refused:
            await gather(asked).submit("0")
        assert refused.value.code == "queue-full"

    asyncio.run(run())


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 700])
def test_proofs_made_together_are_those_made_alone(instance: Instance, size: int) -> None:
    new = [NewEntry(random.Random(number).randbytes(32), "deposit") for number in range(size)]
    with writing(instance.engine) as connection:
        append(connection, instance.signer, lock_head(connection), new)
    with reading(instance.engine) as connection:
        head, reader = load_head(connection), TileReader(connection)
        places = [*random.Random(size).sample(range(size), min(size, 60)), 0, size - 1]
        found = tlog_proofs(reader, places, head)
        assert found == {index: tlog_proof(reader, index, head) for index in places}
        assert tlog_proofs(reader, [], head) == {}
        for wrong in (-1, size):
            with pytest.raises(ValueError, match="outside"):
                tlog_proofs(reader, [0, wrong], head)
