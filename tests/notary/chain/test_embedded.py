"""The embedded chain: it lasts, its time is the clock's, and it belongs to one process."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mizheng.notary.chain.deploy import bring_up, expected_deployment
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.evidence import AnchoredHead, capture_evidence
from mizheng.notary.chain.interface import ChainError, ChainInUseError, Fees, FoundTransaction, RejectedError
from mizheng.notary.chain.profiles import EMBEDDED_CHAIN_ID, embedded_profile
from mizheng.notary.chain.publisher import Publisher, SignedTransaction
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.verifier.evm.block import verify_block

from tests.notary.chain.support import ORIGIN, Clock, MemoryLog, Place, anchor_all, make_engine, open_embedded
from tests.support.scale import scaled
from tests.tools.layout import ROOT


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(KeyFileSigner(b"\x11" * 32))


def sign(chain: EmbeddedChain, publisher: Publisher, nonce: int, **changes: int) -> SignedTransaction:
    fees = Fees(changes.pop("max_fee", chain.fees().max_fee), 1)
    arguments = {"chain_id": EMBEDDED_CHAIN_ID, "gas": 30_000, **changes}
    return publisher.sign(to=bytes(19) + b"\x07", data=b"", nonce=nonce, fees=fees, **arguments)


def times(chain: EmbeddedChain) -> list[int]:
    return [
        verify_block(block).timestamp
        for number in range(chain.head().number + 1)
        if (block := chain.block(number)) is not None
    ]


def assert_linked(chain: EmbeddedChain) -> None:
    parent = chain.profile.genesis_hash
    for number in range(1, chain.head().number + 1):
        block = chain.block(number)
        assert block is not None
        assert verify_block(block).parent_hash == parent
        parent = block.hash


def test_every_chain_has_its_own_genesis(tmp_path: Path, publisher: Publisher) -> None:
    hashes = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        chain = open_embedded(tmp_path / name, publisher, Clock())
        hashes.add(chain.profile.genesis_hash)
        assert chain.profile.kind == "trial"
        chain.close()
    assert len(hashes) == 2


def test_yesterdays_evidence_is_the_same_after_a_restart(place: Place, tmp_path: Path) -> None:
    anchor_all(place)
    (row,) = place.rows()
    place.chain.close()
    place.clock.tick(86_400)
    chain = place.chain = open_embedded(tmp_path, place.publisher, place.clock)
    again = bring_up(chain, place.publisher, ORIGIN)
    assert again.contract == place.deployment.contract
    assert again.log_id == place.deployment.log_id
    head = AnchoredHead(again.contract, again.code_hash, again.log_id, 5, row.root_hash)
    found = chain.find(row.transaction_hash)
    assert found is not None
    assert capture_evidence(chain, found, head) == row.evidence_final
    place.log.grow()
    anchor_all(place)
    assert_linked(chain)


def test_kill_9_leaves_the_chain_at_a_blocks_end(tmp_path: Path) -> None:
    generator = random.Random(9)
    said = 0
    genesis = set()
    for _ in range(scaled(3, 60)):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.notary.chain.crash_child", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        genesis.add(child.stdout.readline())
        lines = [child.stdout.readline() for _ in range(generator.randint(3, 9))]
        time.sleep(generator.uniform(0, 0.05))
        child.kill()
        lines += child.stdout.read().splitlines()
        assert child.wait() == -signal.SIGKILL
        said = max([said, *(int(line.split()[1]) for line in lines if line.startswith("head "))])
        publisher = Publisher(KeyFileSigner.load(tmp_path / "publisher.key"))
        chain = open_embedded(tmp_path, publisher, Clock(time.time() * 100))
        # What was said is there; and what is there hangs together.
        assert chain.head().number >= said
        assert_linked(chain)
        chain.close()
    assert len(genesis) == 1
    # Every head that the outbox calls final is proven, and no nonce was spent twice.
    chain = open_embedded(tmp_path, publisher, Clock(time.time() * 100))
    where = expected_deployment(chain.profile, publisher, ORIGIN)
    assert where is not None
    place = Place(make_engine(tmp_path), chain, publisher, where, Clock(), MemoryLog(2000))
    final = [row for row in place.rows() if row.state == "final"]
    assert final
    for row in final:
        place.check(row.evidence_final)
    assert [row.nonce for row in place.live()] == list(range(2, 2 + len(place.live())))
    chain.close()


def test_one_process_at_a_time(tmp_path: Path, publisher: Publisher) -> None:
    chain = open_embedded(tmp_path, publisher, Clock())
    with pytest.raises(ChainInUseError) as caught:
        open_embedded(tmp_path, publisher, Clock())
    assert caught.value.hint
    script = (
        "import sys, pathlib\n"
        "from mizheng.notary.chain.interface import ChainInUseError\n"
        "from mizheng.notary.chain.storage import SqliteStore\n"
        "try: SqliteStore(pathlib.Path(sys.argv[1]))\n"
        "except ChainInUseError as error: print(error)\n"
    )
    path = str(tmp_path / "chain.db")
    command = [sys.executable, "-c", script, path]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert answer == f"the embedded chain {path} is in use by another process\n"
    chain.close()
    open_embedded(tmp_path, publisher, Clock()).close()


def test_a_burst_does_not_run_into_the_future(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    for nonce in range(5):
        chain.send_raw(sign(chain, publisher, nonce).raw)
    # The genesis has this second; all of them wait for the next.
    assert chain.head().number == 0
    clock.tick()
    assert chain.head().number == 1
    assert chain.nonce(publisher.address) == 5
    for nonce in range(5, 9):
        chain.send_raw(sign(chain, publisher, nonce).raw)
        clock.tick(0.5)
    clock.tick(0.5)
    assert chain.nonce(publisher.address) == 9
    assert max(times(chain)) <= clock.now
    assert times(chain) == sorted(set(times(chain)))
    chain.close()


def test_a_block_after_a_pause_has_the_present_time(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    clock.tick(3600)
    chain.send_raw(sign(chain, publisher, 0).raw)
    assert times(chain)[-1] == clock.now
    chain.close()


def test_a_clock_that_was_set_back_stops_the_chain_and_is_said(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    clock.tick(-3600)
    chain.send_raw(sign(chain, publisher, 0).raw)
    assert chain.head().number == 0
    assert chain.check_identity().state == "clock-behind"
    clock.tick(3601)
    assert chain.check_identity().state == "ok"
    assert chain.head().number == 1
    chain.close()


def refused(chain: EmbeddedChain, raw: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        chain.send_raw(raw)
    return caught.value.code


def test_what_no_real_node_takes_is_refused(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    clock.tick()
    assert refused(chain, sign(chain, publisher, 0, chain_id=1).raw) == "rejected"
    assert refused(chain, b"") == "rejected"
    assert refused(chain, sign(chain, publisher, 0).raw[:-1]) == "rejected"
    assert refused(chain, sign(chain, publisher, 0, max_fee=1).raw) == "fee-too-low"
    assert refused(chain, sign(chain, Publisher(KeyFileSigner(b"\x12" * 32)), 0).raw) == "insufficient-funds"
    first = sign(chain, publisher, 0)
    chain.send_raw(first.raw)
    chain.send_raw(first.raw)
    assert refused(chain, sign(chain, publisher, 0, gas=31_000).raw) == "nonce-too-low"
    chain.send_raw(sign(chain, publisher, 1).raw)
    assert refused(chain, sign(chain, publisher, 1, gas=31_000).raw) == "rejected"
    assert chain.head().number == 1
    chain.close()


def test_a_transaction_with_a_later_nonce_waits(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    later = sign(chain, publisher, 1)
    chain.send_raw(later.raw)
    clock.tick()
    assert chain.find(later.hash) == FoundTransaction()
    chain.send_raw(sign(chain, publisher, 0).raw)
    found = chain.find(later.hash)
    assert found is not None
    assert (found.block_number, found.index, found.succeeded) == (1, 1, True)
    chain.close()


def test_a_failed_commit_leaves_memory_and_file_at_the_block_before(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    clock.tick()
    transaction = sign(chain, publisher, 0)
    store = chain._store

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(store, "commit", fail)
    with pytest.raises(ChainError):
        chain.send_raw(transaction.raw)
    monkeypatch.undo()
    assert chain.nonce(publisher.address) == 1
    assert chain.head().number == 1
    assert_linked(chain)
    chain.close()
    chain = open_embedded(tmp_path, publisher, clock)
    assert chain.head().number == 1
    chain.close()


def test_storage_and_receipt_of_any_past_block_are_proven(place: Place) -> None:
    """Several transactions in a block, several heads: the older proofs stay possible, nothing is pruned."""
    for growth in (0, 4, 8):
        place.log.grow(growth)
        anchor_all(place)
    for row in place.rows():
        found = place.chain.find(row.transaction_hash)
        assert found is not None
        where = place.deployment
        head = AnchoredHead(where.contract, where.code_hash, where.log_id, row.tree_size, row.root_hash)
        assert place.check(capture_evidence(place.chain, found, head)).storage is not None


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 40, None])
def test_a_file_that_is_no_chain_is_an_error(
    tmp_path: Path, publisher: Publisher, content: bytes | None
) -> None:
    path = tmp_path / "chain.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE other (x)")
        connection.close()
    else:
        path.write_bytes(content)
    with pytest.raises(ChainError):
        EmbeddedChain(path, embedded_profile(), publisher.address)


def test_many_threads_at_once(tmp_path: Path, publisher: Publisher) -> None:
    clock = Clock()
    chain = open_embedded(tmp_path, publisher, clock)
    signed = [sign(chain, publisher, nonce) for nonce in range(12)]
    failures: list[BaseException] = []

    def work(mine: list[SignedTransaction]) -> None:
        try:
            for transaction in mine:
                chain.send_raw(transaction.raw)
                clock.tick()
                chain.find(transaction.hash)
                chain.block(chain.head().number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(signed[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    clock.tick()
    assert chain.nonce(publisher.address) == 12
    assert_linked(chain)
    chain.close()
