"""A small real world for tests of the verifier: a chain, a contract, a log, an issuer, companies, observers.

The chain is the embedded one with the real contract on it; nothing is faked. `World.bundle` gives the
members of a bundle as a dict, so that a test can change one and pack them again.
"""

from __future__ import annotations

import io
import secrets
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.evidence import AnchoredHead, capture_evidence
from mizheng.notary.chain.profiles import embedded_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.verifier.archive import write_archive
from mizheng.verifier.beacon import Beacon, dump_beacon
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.enrolment import Enrolment, KeyStatus
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.evm.block import Block
from mizheng.verifier.manifest import Manifest, OpenedRecord
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.observation import Observation
from mizheng.verifier.record import build_record
from mizheng.verifier.report import Report
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference, Depositor, Software, Statement
from mizheng.verifier.trust import (
    NamedKey,
    Trust,
    TrustedChain,
    TrustedLog,
    TrustedLogId,
    dump_trust,
    parse_trust,
)
from mizheng.verifier.verify import verify_bundle

ORIGIN = "log.example/trial"
NOW = 1_800_000_000
AT = "2026-11-23T02:00:00Z"
SOFTWARE = Software("mizheng", "0.1.0", None)
ACME = Depositor("武汉示例科技有限公司", "CN-USCC", "91420100MA4KXXXX0X")
FILES = {"图纸/发动机.dwg": b"drawing " * 50, "配方.txt": b"formula", "空.txt": b""}


@dataclass
class Company:
    """A depositor with a key that may be enrolled in the log."""

    name: Depositor = ACME
    # Looked up when it is called: vectors are made with keys that are the same each time.
    key: PrivateKey = field(default_factory=lambda: PrivateKey.generate())
    enrolment: bytes | None = None
    enrolment_index: int | None = None


@dataclass
class Deposit:
    """One statement in the log, with everything only its company knows."""

    company: Company
    records: dict[str, bytes]
    manifest: Manifest
    statement: Statement
    envelope: bytes
    index: int

    def open(self, path: str) -> OpenedRecord:
        return self.manifest.open(self.records[path])


class World:
    """Everything needed to make evidence, honest or not."""

    def __init__(self, folder: Path) -> None:
        self.log_key = PrivateKey.generate()
        self.signer = NoteSigner(ORIGIN, self.log_key)
        self.issuer = PrivateKey.generate()
        self.observers = [PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()]
        self.leaves: list[bytes] = []
        self.publisher = Publisher(KeyFileSigner.create(folder / "publisher.key"))
        # Blocks a year in the past and minutes apart, so that no test waits for a clock.
        self.clock = NOW - 86_400 * 365
        self.chain = EmbeddedChain(
            folder / "chain.db", embedded_profile(), self.publisher.address, clock=lambda: self.clock
        )
        self.deployment: Deployment = bring_up(self.chain, self.publisher, ORIGIN, sleep=self._sleep)

    # The log

    def append(self, envelope: bytes) -> int:
        self.leaves.append(entry_leaf(envelope))
        return len(self.leaves) - 1

    def checkpoint_note(self, size: int) -> bytes:
        return sign_checkpoint(Checkpoint(ORIGIN, size, Tree(self.leaves).root(size)), self.signer)

    def proof(self, index: int, size: int) -> bytes:
        hashes = tuple(Tree(self.leaves).inclusion_proof(index, size))
        return TlogProof(index, hashes, self.checkpoint_note(size)).dump()

    def enrol(self, company: Company) -> Company:
        enrolment = Enrolment(company.key.public, company.name, "business licence seen", AT, None)
        company.enrolment = enrolment.sign(self.issuer)
        company.enrolment_index = self.append(company.enrolment)
        return company

    def deposit(
        self,
        company: Company,
        files: Mapping[str, bytes] = FILES,
        *,
        beacon: bool = True,
        change: Callable[[Statement], Statement] = lambda statement: statement,
    ) -> Deposit:
        manifest_key = secrets.token_bytes(32)
        records = {
            path: build_record(manifest_key, "file", path.encode(), _digests(content))
            for path, content in files.items()
        }
        manifest = Manifest([leaf_hash(data) for data in records.values()], manifest_key)
        commitment = manifest.commitment(company.key.public)
        statement = change(
            Statement(
                company.key.public,
                commitment,
                company.name,
                None,
                AT,
                self.reference(self.chain.head()) if beacon else None,
                SOFTWARE,
                secrets.token_bytes(16),
            )
        )
        envelope = statement.sign(company.key)
        return Deposit(company, records, manifest, statement, envelope, self.append(envelope))

    # The chain

    def anchor(self, size: int | None = None) -> tuple[int, bytes]:
        """Anchor the log's head; returns its size and the evidence."""
        size = len(self.leaves) if size is None else size
        self._sleep(60)
        tree = Tree(self.leaves)
        contract, log_id = self.deployment.contract, self.deployment.log_id
        old, _ = calls.read_head(self.chain, contract, log_id)
        data = calls.anchor_data(log_id, size, tree.root(size), tree.consistency_proof(old, size))
        transaction = self.publisher.sign(
            to=contract,
            data=data,
            gas=400_000,
            nonce=self.chain.nonce(self.publisher.address),
            chain_id=self.chain.profile.chain_id,
            fees=self.chain.fees(),
        )
        self.chain.send_raw(transaction.raw)
        self._sleep(1)
        found = self.chain.find(transaction.hash)
        assert found and found.succeeded
        head = AnchoredHead(contract, self.deployment.code_hash, log_id, size, tree.root(size))
        return size, capture_evidence(self.chain, found, head)

    def reference(self, block: Block) -> BlockReference:
        profile = self.chain.profile
        return BlockReference(profile.chain_id, profile.genesis_hash, block.number, block.hash)

    def observe(self, number: int, observer: int = 0, *, block_hash: bytes | None = None) -> bytes:
        block = self.chain.block(number)
        assert block
        seen = self.reference(block)
        if block_hash:
            seen = BlockReference(seen.chain_id, seen.genesis_hash, seen.number, block_hash)
        return Observation(seen, "instant", AT).sign(self.observers[observer])

    # Trust and bundles

    def trust(self, *, pinned: bool = True, **changes: object) -> Trust:
        head = self.chain.head().number
        blocks = [block for n in range(head + 1) if (block := self.chain.block(n))]
        values: dict[str, object] = {
            "name": "test",
            "issued_at": AT,
            "expires_at": format_instant(NOW + 86_400),
            "logs": (TrustedLog(self.signer.verifier, 0, None),),
            "issuers": (NamedKey("issuer", self.issuer.public),),
            "observers": tuple(
                NamedKey(f"observer {n}", key.public) for n, key in enumerate(self.observers[:2])
            ),
            "observer_quorum": 2,
            "chains": (
                TrustedChain(
                    "trial chain",
                    "trial",
                    self.chain.profile.chain_id,
                    self.chain.profile.genesis_hash,
                    self.deployment.contract,
                    self.deployment.code_hash,
                    (TrustedLogId(ORIGIN, self.deployment.log_id, 0, None),),
                    {block.number: block.hash for block in blocks} if pinned else {},
                ),
            ),
            "require": ("depositor.enrolment", "depositor.key-status"),
            **changes,
        }
        return parse_trust(dump_trust(Trust(**values)))  # type: ignore[arg-type]

    def bundle(
        self,
        deposit: Deposit,
        anchors: list[tuple[int, bytes]],
        paths: tuple[str, ...] = ("配方.txt",),
        *,
        originals: Mapping[str, bytes] | None = None,
        revoked_index: int | None = None,
        observations: tuple[bytes, ...] = (),
        **more: Any,
    ) -> dict[str, bytes]:
        """The members of a bundle that opens `paths`; `more` is for `write_bundle`."""
        company, size = deposit.company, anchors[0][0]
        status = KeyStatus(company.key.public.keyid, revoked_index, len(self.leaves))
        enrolment_index = company.enrolment_index
        evidence = Evidence(
            heads={size: self.proof(deposit.index, size) for size, _ in anchors},
            anchors=[data for _, data in anchors],
            observations=observations,
            enrolment=company.enrolment,
            enrolment_proof=None if enrolment_index is None else self.proof(enrolment_index, size),
            key_status=status.sign(self.issuer),
            beacon=self.beacon(deposit.statement.not_before),
        )
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for place, path in enumerate(paths):
                if originals and path in originals:
                    files[place] = Path(folder) / str(place)
                    files[place].write_bytes(originals[path])
            target = io.BytesIO()
            opened = [deposit.open(path) for path in paths]
            readme = "README\n"
            write_bundle(
                target,
                company.key,
                deposit.envelope,
                opened,
                evidence,
                readme=readme,
                created_at=AT,
                originals=files,
                **more,
            )
        return unpack(target.getvalue())

    def beacon(self, block: BlockReference | None) -> bytes | None:
        found = block and self.chain.block(block.number)
        return dump_beacon(Beacon(self.chain.profile.identity, found)) if found else None

    def _sleep(self, seconds: float) -> None:
        self.clock += max(1, int(seconds))


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: Mapping[str, bytes]) -> bytes:
    """A ZIP of these members in the form that bundles have, with right checksums whatever they hold."""
    target = io.BytesIO()
    write_archive(target, ((name, len(data), (data,)) for name, data in members.items()))
    return target.getvalue()


def judge(members: Mapping[str, bytes] | bytes, trust: Trust | None, **more: object) -> Report:
    data = members if isinstance(members, bytes) else pack(members)
    return verify_bundle(data, trust, now=NOW, **more)  # type: ignore[arg-type]


def failed(report: Report) -> set[str]:
    return {check.code for check in report.checks if check.status == "FAIL"}


def statuses(report: Report, code: str) -> list[str]:
    return [str(check.status) for check in report.checks if check.code == code]


def _digests(content: bytes) -> dict[str, object]:
    digests = compute_digests([content])
    return {"size": digests.size, "sha256": digests.sha256, "sm3": digests.sm3}
