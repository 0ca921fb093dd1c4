"""One bit flipped in a stored tile, entry, head or state file: found before the next signature, refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mizheng.notary.database import writing
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.instance import Instance
from mizheng.notary.log.anchorable import AnchorableLog
from mizheng.notary.log.scrub import Scrubber
from mizheng.notary.log.sequencer import Sequenced, Sequencer
from mizheng.notary.log.statefile import STATE_NAME
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.models import entry_bundles, log_head, tiles
from mizheng.verifier.errors import ConsistencyError
from sqlalchemy import ColumnElement, Table, select, update

from tests.faults.conftest import Tell
from tests.faults.independent import recompute
from tests.faults.load import Count, Receipt, copy_keys, count
from tests.faults.seeds import chooser
from tests.faults.writer import Item, make_sequencer, open_log
from tests.support.scale import scaled

# Two full bundles and a part of a third one.
ENTRIES = 600
FLIPS = scaled(6, 100)


@dataclass
class Log:
    instance: Instance
    sequencer: Sequencer[Item]
    url: str
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def database(self) -> str:
        return self.instance.engine.dialect.name

    def deposit(self, name: str) -> int:
        return self.wait(Item(name), self.sequencer.submit(Item(name)))

    def wait(self, item: Item, future: Future[Sequenced]) -> int:
        found = future.result(60)
        self.receipts.append(Receipt.read(item.name_sha256, found.leaf_index, found.tlog_proof))
        return found.leaf_index

    def check(self) -> Count:
        """Nothing was signed that is not so, and all that was answered stands."""
        found = count(self.url, self.instance.signer.vkey, self.receipts)
        found.check()
        return found

    def flip(self, table: Table, column: str, where: ColumnElement[bool], bit: int) -> None:
        """Turn one bit over, counted from the first; the same again turns it back."""
        with writing(self.instance.engine) as connection:
            data = bytearray(connection.execute(select(table.c[column]).where(where)).scalar_one())
            data[bit // 8 % len(data)] ^= 1 << bit % 8
            connection.execute(update(table).where(where).values({column: bytes(data)}))


@dataclass(frozen=True, slots=True)
class Filled:
    """A log that nobody has open, with a place for every entry."""

    url: str
    folder: Path
    receipts: tuple[Receipt, ...]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Made once for each database; tests take copies."""
    folder = tmp_path_factory.mktemp("filled")
    url = f"sqlite:///{folder / 'log.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create()
    instance = open_log(url, str(folder / "notary"))
    sequencer = make_sequencer(instance)
    made = Log(instance, sequencer, url)
    items = [Item(f"{number}") for number in range(ENTRIES)]
    futures = [sequencer.submit(item) for item in items]
    sequencer.start()
    for item, future in zip(items, futures, strict=True):
        made.wait(item, future)
    sequencer.stop()
    instance.engine.dispose()
    return Filled(url, folder, tuple(made.receipts))


@pytest.fixture
def log(filled: Filled, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Log]:
    shutil.copytree(filled.folder, tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path / 'log.db'}"
    if filled.url.startswith("postgresql"):
        url = request.getfixturevalue("postgres").create(filled.url.rpartition("/")[2])
    instance = open_log(url, str(tmp_path / "notary"))
    sequencer = make_sequencer(instance)
    sequencer.start()
    yield Log(instance, sequencer, url, list(filled.receipts))
    sequencer.stop()
    instance.engine.dispose()


RIGHT_EDGE = [
    (tiles, "hashes", (tiles.c.level == 0) & (tiles.c.tile_index == 2)),
    (tiles, "hashes", (tiles.c.level == 1) & (tiles.c.tile_index == 0)),
    (entry_bundles, "data", entry_bundles.c.tile_index == 2),
    (log_head, "root_hash", log_head.c.id == 1),
]


def test_on_the_right_edge_it_is_found_by_the_next_append(log: Log, tell: Tell) -> None:
    bits = chooser("edge", log.database)
    for number in range(FLIPS):
        for table, column, where in RIGHT_EDGE:
            bit = bits.randrange(80 * 32 * 8)
            log.flip(table, column, where, bit)
            with pytest.raises(Problem) as refused:
                log.deposit(f"after-{number}-{table.name}-{bit}")
            assert (refused.value.code, refused.value.status) == ("log-damaged", 503)
            assert log.sequencer.refusal == "damaged"
            log.flip(table, column, where, bit)
    # Mended: it goes on, and nothing was signed meanwhile.
    assert log.deposit("mended") == ENTRIES
    assert log.sequencer.refusal is None
    assert len(recompute(log.url, log.instance.signer.vkey).entries) == ENTRIES + 1
    tell("a bit flips on the right edge", FLIPS * len(RIGHT_EDGE), log.check(), database=log.database)


def test_elsewhere_it_is_found_by_reading_the_whole_log(log: Log, tell: Tell) -> None:
    bits = chooser("old", log.database)
    scrubber = Scrubber(log.instance.engine, log.instance.guard)
    for number in range(FLIPS):
        index = bits.randrange(2)
        bit = bits.randrange(250 * 32 * 8)
        table, column = bits.choice([(tiles, "hashes"), (entry_bundles, "data")])
        where = table.c.tile_index == index
        if table is tiles:
            where &= tiles.c.level == 0
        log.flip(table, column, where, bit)
        scrubber.step()
        with pytest.raises(Problem) as refused:
            log.deposit(f"after-{number}")
        assert refused.value.code == "log-damaged"
        log.flip(table, column, where, bit)
        scrubber.step()
        assert log.deposit(f"mended-{number}") == ENTRIES + number
    tell("a bit flips elsewhere", FLIPS, log.check(), database=log.database)


def test_what_one_process_finds_stops_all(log: Log, tmp_path: Path, tell: Tell) -> None:
    """Also one that starts later; and it ends only when somebody has found that very place well again."""
    bits = chooser("all", log.database)
    copy_keys(tmp_path / "notary" / "keys", tmp_path / "other" / "keys")
    finder = Scrubber(log.instance.engine, log.instance.guard)
    for number in range(FLIPS):
        bit = bits.randrange(250 * 32 * 8)
        where = entry_bundles.c.tile_index == bits.randrange(2)
        log.flip(entry_bundles, "data", where, bit)
        finder.step()
        other = open_log(log.url, str(tmp_path / "other"))
        signing = make_sequencer(other)
        signing.start()
        with pytest.raises(Problem) as refused:
            signing.submit(Item(f"elsewhere-{number}")).result(60)
        assert (refused.value.code, signing.refusal) == ("log-damaged", "damaged")
        # Whoever looks on finds it damaged still, and then mended.
        looking = Scrubber(other.engine, other.guard)
        for _ in range(3):
            looking.step()
            with pytest.raises(Problem):
                signing.submit(Item(f"elsewhere-{number}")).result(60)
        log.flip(entry_bundles, "data", where, bit)
        with pytest.raises(Problem):
            log.deposit(f"unseen-{number}")
        looking.step()
        assert signing.submit(Item(f"elsewhere-{number}")).result(60).leaf_index == ENTRIES + number
        # The finder looks for itself before it goes on.
        with pytest.raises(Problem):
            log.deposit(f"unseen-{number}")
        finder.step()
        signing.stop()
        other.engine.dispose()
    assert log.deposit("mended") == ENTRIES + FLIPS
    tell("a bit flips, another process finds it", FLIPS, log.check(), database=log.database)


def test_a_checkpoint_is_not_kept_of_damaged_tiles(log: Log) -> None:
    """An older head is signed once more when it is anchored: only if the tiles still are those of then."""
    anchorable = AnchorableLog(log.instance.engine, log.instance.signer)
    where = (tiles.c.level == 0) & (tiles.c.tile_index == 2)
    log.flip(tiles, "hashes", where, 5)
    with pytest.raises((ConsistencyError, LogCorruptError)):
        anchorable.keep_checkpoint(ENTRIES - 20)
    log.flip(tiles, "hashes", where, 5)
    anchorable.keep_checkpoint(ENTRIES - 20)
    recompute(log.url, log.instance.signer.vkey)


def test_a_damaged_log_is_not_opened(log: Log, tmp_path: Path) -> None:
    log.flip(*RIGHT_EDGE[0], 77)
    with pytest.raises(ConfigurationError, match="the log is damaged") as refused:
        open_log(log.url, str(tmp_path / "notary"))
    assert "backup" in refused.value.hint


def test_a_torn_state_file_is_read_from_its_other_slot(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "notary" / STATE_NAME
    log.deposit("one more")
    whole = path.read_bytes()
    slots = [whole[:4096], whole[4096:]]
    sizes = [int(slot.split()[2]) for slot in slots]
    assert max(sizes) == ENTRIES + 1
    newest = sizes.index(max(sizes))
    slots[newest] = slots[newest][:40] + bytes(4096 - 40)
    path.write_bytes(b"".join(slots))
    open_log(log.url, str(tmp_path / "notary")).engine.dispose()
    path.write_bytes(bytes([1]) * 8192)
    with pytest.raises(ConfigurationError, match="is damaged"):
        open_log(log.url, str(tmp_path / "notary"))
