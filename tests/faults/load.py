"""Depositors that keep every answer, and what must be true of the answers afterwards."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from mizheng.notary.database import create_engine

from tests.faults.independent import Recomputed, SignedHead, open_note, recompute
from tests.notary.depositor import TestDepositor, register
from tests.support.notary import NotaryServer

# Nobody listens at its node's address: what is tested here is the log, not the chain.
CHAIN_THAT_IS_DOWN = f"""
[chain]
name = "down"
kind = "ethereum"
chain_id = 31337
genesis_hash = "{"ab" * 32}"
rpc = ["http://127.0.0.1:9"]
finality = "finalized"
contract = "{"cd" * 20}"
"""


def make_server(folder: Path, url: str, **environment: str) -> NotaryServer:
    """A notary on this database, without the seconds that an embedded chain takes to open."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "notary.toml").write_text(CHAIN_THAT_IS_DOWN)
    return NotaryServer(folder, MIZHENG_DATABASE_URL=url, **environment)


def copy_keys(source: Path, target: Path) -> None:
    """Give another data directory the same keys, as an operator does for a second process."""
    target.mkdir(parents=True, mode=0o700)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
        (target / path.name).chmod(0o600)


def admit(server: NotaryServer, url: str) -> TestDepositor:
    """A company with an enrolled key at a running server."""
    engine = create_engine(url)
    depositor = register(server, engine)
    engine.dispose()
    depositor.enrol()
    return depositor


def read_vkey(server: NotaryServer) -> str:
    return (server.data_dir / "keys" / "log.vkey").read_text().strip()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a client keeps of an answer."""

    envelope_sha256: str
    leaf_index: int
    note: bytes


@dataclass
class Load:
    """Threads that deposit as fast as they are answered."""

    depositors: list[TestDepositor]
    receipts: list[Receipt] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    unanswered: int = 0

    def begin(self) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(depositor,)) for depositor in self.depositors
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Until so many more answers have come."""
        wanted, deadline = len(self.receipts) + count, time.monotonic() + seconds
        while len(self.receipts) < wanted:
            assert time.monotonic() < deadline, "nothing is answered"
            time.sleep(0.002)

    def _run(self, depositor: TestDepositor) -> None:
        # A connection of its own: the server may be another process than a moment ago.
        own = TestDepositor(depositor.url, depositor.org, depositor.api_key, depositor.key)
        with own.client:
            while not self._stopping.is_set():
                body = own.envelope()
                self.sent.append(body)
                try:
                    answer = own.post(body)
                except httpx.HTTPError:
                    self.unanswered += 1
                    time.sleep(0.02)
                    continue
                if answer.is_success:
                    self.receipts.append(receipt_of(answer.json()))
                else:
                    assert answer.status_code == 503, answer.text
                    self.unanswered += 1
                    time.sleep(0.02)

    def send_all_again(self, depositor: TestDepositor) -> None:
        """What was answered and what was not: each envelope gets the one place it has."""
        known = {receipt.envelope_sha256: receipt.leaf_index for receipt in self.receipts}
        unsure = [body for body in self.sent if hashlib.sha256(body).hexdigest() not in known]
        answered = [body for body in self.sent if hashlib.sha256(body).hexdigest() in known]
        for body in unsure + answered[:50]:
            answer = depositor.post(body)
            assert answer.is_success, answer.text
            receipt = receipt_of(answer.json())
            assert known.setdefault(receipt.envelope_sha256, receipt.leaf_index) == receipt.leaf_index
            self.receipts.append(receipt)
        assert len(set(known.values())) == len(known) == len(self.sent), "an index was given twice"


def receipt_of(answer: dict[str, object]) -> Receipt:
    note = str(answer["tlog_proof"]).split("\n\n", 1)[1].encode()
    return Receipt(str(answer["envelope_sha256"]), int(str(answer["leaf_index"])), note)


@dataclass(frozen=True, slots=True)
class Count:
    """What the tests count, and what it must be."""

    acknowledged: int
    lost: int
    duplicated: int
    inconsistent: int

    def check(self) -> None:
        assert self.acknowledged > 0
        assert (self.lost, self.duplicated, self.inconsistent) == (0, 0, 0), self


def count(url: str, vkey: str, receipts: list[Receipt], heads: set[SignedHead] | None = None) -> Count:
    """Hold kept receipts, and all checkpoints ever seen, against the log recomputed from its rows."""
    log: Recomputed = recompute(url, vkey)
    lost = [
        receipt
        for receipt in receipts
        if receipt.leaf_index >= len(log.entries)
        or receipt.envelope_sha256.encode() not in log.entries[receipt.leaf_index]
    ]
    places = {receipt.leaf_index: receipt.envelope_sha256 for receipt in receipts}
    given = {(receipt.leaf_index, receipt.envelope_sha256) for receipt in receipts}
    notes = {receipt.note for receipt in receipts}
    signed = {open_note(note, vkey) for note in notes} | (heads or set())
    return Count(len(given), len(lost), len(given) - len(places), len(log.contradictions(signed)))
