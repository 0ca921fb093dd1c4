"""A log as files whose key changes, honestly or not."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mizheng.cli.auditing.source import open_source
from mizheng.cli.auditing.tree import LogTree
from mizheng.verifier.checkpoint import Checkpoint, TlogProof
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.logkeys import (
    LOG_KEYS_PATH,
    LOST,
    SCHEDULED,
    KeyChange,
    LoggedChange,
    LogKeys,
    issuer_name,
)
from mizheng.verifier.merkle import inclusion_proof
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.support.keychanges import AT
from tests.support.staticlog import ORIGIN, StaticLog


class ChangingFiles:
    """A StaticLog, its keys, and what it shows of their changes."""

    def __init__(self, log: StaticLog) -> None:
        self.log = log
        self.signers = [log.signer]
        self.changes: list[LoggedChange] = []

    @classmethod
    def at(cls, folder: Path, size: int = 300) -> ChangingFiles:
        return cls(StaticLog(folder).grow(size))

    @property
    def folder(self) -> Path:
        return self.log.folder

    @property
    def vkeys(self) -> list[str]:
        return [signer.vkey for signer in self.signers]

    def draft(self, new: NoteSigner, reason: str = SCHEDULED, **other: object) -> KeyChange:
        values: dict[str, object] = {
            "size": self.log.size,
            "root": self.log.root,
            "last_size": self.log.size,
            "old": self.log.signer.verifier,
            "new": new.verifier,
            "reason": reason,
            "changed_at": AT,
        }
        return KeyChange(**{**values, **other})  # type: ignore[arg-type]

    def change(self, reason: str = SCHEDULED, fresh: NoteSigner | None = None) -> LoggedChange:
        """Change the key, announce it in the log, and show it."""
        fresh = fresh or NoteSigner(ORIGIN, PrivateKey.generate())
        issuer = NoteSigner(issuer_name(ORIGIN), PrivateKey.generate())
        old = self.log.signer
        change = self.draft(fresh, reason, issuer=issuer.verifier if reason == LOST else None)
        note = change.sign(fresh, issuer) if reason == LOST else change.sign(old, fresh)
        self.log.signer = fresh
        self.log.append([dump_entry(hashlib.sha256(note).digest())])
        logged = LoggedChange(change, note, self.proof(change.size))
        self.signers.append(fresh)
        self.changes.append(logged)
        self.show(self.changes)
        return logged

    def proof(self, index: int) -> bytes:
        """Of one entry in the head of now."""
        tree = LogTree(open_source(str(self.folder)), Checkpoint(ORIGIN, self.log.size, self.log.root))
        hashes = inclusion_proof(index, self.log.size, tree.subtree_root)
        return TlogProof(index, tuple(hashes), (self.folder / "checkpoint").read_bytes()).dump()

    def show(self, changes: list[LoggedChange], present: NoteSigner | None = None) -> None:
        self.show_bytes(LogKeys((present or self.log.signer).verifier, tuple(changes)).dump())

    def show_bytes(self, data: bytes) -> None:
        path = self.folder / LOG_KEYS_PATH
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
