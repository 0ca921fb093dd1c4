"""A log in memory whose key changes, for tests that need histories of keys, true ones and others."""

from __future__ import annotations

from collections.abc import Callable

from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from mizheng.verifier.entry import dump_entry, entry_leaf
from mizheng.verifier.logkeys import (
    LOST,
    SCHEDULED,
    KeyChange,
    LoggedChange,
    LogKeys,
    issuer_name,
)
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

AT = "2026-12-01T00:00:00Z"


class ChangingLog:
    """Entries are made to order; `change` puts a new key in the place of the present one."""

    def __init__(
        self,
        origin: str = "log.example/1",
        signer: NoteSigner | None = None,
        make_key: Callable[[], PrivateKey] = PrivateKey.generate,
    ) -> None:
        self._make_key = make_key
        self.signer = signer or NoteSigner(origin, make_key())
        self.issuer = NoteSigner(issuer_name(origin), make_key())
        self.leaves: list[bytes] = []
        self.signers = [self.signer]
        self.changes: list[LoggedChange] = []

    @property
    def origin(self) -> str:
        return self.signer.verifier.name

    @property
    def size(self) -> int:
        return len(self.leaves)

    @property
    def keys(self) -> LogKeys:
        return LogKeys(self.signer.verifier, tuple(self.changes))

    def grow(self, count: int) -> ChangingLog:
        self.leaves += [leaf_hash(dump_entry(bytes(31) + bytes([self.size + n]))) for n in range(count)]
        return self

    def head(self, signer: NoteSigner | None = None) -> bytes:
        """The signed checkpoint of now."""
        checkpoint = Checkpoint(self.origin, self.size, Tree(self.leaves).root(self.size))
        return sign_checkpoint(checkpoint, signer or self.signer)

    def proof(self, index: int, signer: NoteSigner | None = None) -> bytes:
        """A .tlog-proof of one entry in the head of now."""
        hashes = Tree(self.leaves).inclusion_proof(index, self.size)
        return TlogProof(index, tuple(hashes), self.head(signer)).dump()

    def draft(self, reason: str = SCHEDULED, last: int | None = None, **other: object) -> KeyChange:
        """The change that `change` would make, with `other` in the place of its true values."""
        values: dict[str, object] = {
            "size": self.size,
            "root": Tree(self.leaves).root(self.size),
            "last_size": self.size if last is None else last,
            "old": self.signer.verifier,
            "new": NoteSigner(self.origin, PrivateKey.generate()).verifier,
            "reason": reason,
            "changed_at": AT,
            "issuer": self.issuer.verifier if reason == LOST else None,
        }
        return KeyChange(**{**values, **other})  # type: ignore[arg-type]

    def change(self, reason: str = SCHEDULED, last: int | None = None) -> LoggedChange:
        """Change the key, as a notary does."""
        fresh = NoteSigner(self.origin, self._make_key())
        change = self.draft(reason, last, new=fresh.verifier)
        note = change.sign(fresh, self.issuer) if reason == LOST else change.sign(self.signer, fresh)
        self.leaves.append(entry_leaf(note))
        self.signer = fresh
        self.signers.append(fresh)
        logged = LoggedChange(change, note, self.proof(change.size))
        self.changes.append(logged)
        return logged
