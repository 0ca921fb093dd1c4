"""Depositors that keep every answer, and what must be true of the answers afterwards."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from mizheng.notary.database import create_engine

from tests.faults.independent import (
    Recomputed,
    SignedHead,
    leaf,
    open_note,
    recompute,
    root_from,
    snapshot,
)
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
    path: tuple[bytes, ...]

    @classmethod
    def read(cls, envelope_sha256: str, leaf_index: int, tlog_proof: bytes) -> Receipt:
        """C2SP tlog-proof, read by hand."""
        text, note = tlog_proof.split(b"\n\n", 1)
        header, index, *hashes = text.decode().splitlines()
        assert header == "c2sp.org/tlog-proof@v1"
        assert index == f"index {leaf_index}"
        return cls(envelope_sha256, leaf_index, note, tuple(map(base64.b64decode, hashes)))

    def is_kept(self, log: Recomputed, head: SignedHead) -> bool:
        """Whether its envelope is where it says, and its proof leads from there to the head it was given."""
        if self.leaf_index >= len(log.entries):
            return False
        entry = log.entries[self.leaf_index]
        root = root_from(leaf(entry), self.leaf_index, head.size, self.path)
        return self.envelope_sha256.encode() in entry and root == head.root


@dataclass
class Load:
    """Threads that deposit as fast as they are answered."""

    depositors: list[TestDepositor]
    receipts: list[Receipt] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    unanswered: int = 0
    checkpoints: set[bytes] = field(default_factory=set)
    """What somebody who only reads has seen: also heads of batches whose depositors got no answer."""

    def begin(self) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(depositor,)) for depositor in self.depositors
        ]
        self._threads.append(threading.Thread(target=self._read, args=(self.depositors[0].url,)))
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

    def _read(self, url: str) -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
            while not self._stopping.is_set():
                try:
                    answer = client.get("/checkpoint")
                except httpx.HTTPError:
                    time.sleep(0.02)
                    continue
                if answer.is_success:
                    self.checkpoints.add(answer.content)

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
    proof = str(answer["tlog_proof"]).encode()
    return Receipt.read(str(answer["envelope_sha256"]), int(str(answer["leaf_index"])), proof)


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


def count(url: str, vkey: str, receipts: Collection[Receipt], seen: Collection[bytes] = ()) -> Count:
    """Hold kept receipts, and all checkpoints ever seen, against the log recomputed from its rows."""
    # What came in until here must be in the log; while it is read, more comes in.
    receipts, seen = list(receipts), set(seen)
    log: Recomputed = recompute(url, vkey)
    heads = {note: open_note(note, vkey) for note in {receipt.note for receipt in receipts} | seen}
    lost = [receipt for receipt in receipts if not receipt.is_kept(log, heads[receipt.note])]
    places = {receipt.leaf_index: receipt.envelope_sha256 for receipt in receipts}
    given = {(receipt.leaf_index, receipt.envelope_sha256) for receipt in receipts}
    return Count(len(given), len(lost), len(given) - len(places), len(log.contradictions(heads.values())))


def check_envelopes(url: str, receipts: Collection[Receipt]) -> None:
    """A deposit is more than its entry: of each entry that is one, the envelope itself is kept."""
    with snapshot(url) as read:
        stored = read("SELECT leaf_index, envelope FROM deposits ORDER BY leaf_index")
        places = read("SELECT leaf_index FROM entries WHERE kind = 'deposit' ORDER BY leaf_index")
    assert [index for index, _ in stored] == [index for (index,) in places]
    kept = {index: hashlib.sha256(bytes(envelope)).hexdigest() for index, envelope in stored}
    assert [kept.get(receipt.leaf_index) for receipt in receipts] == [
        receipt.envelope_sha256 for receipt in receipts
    ]
