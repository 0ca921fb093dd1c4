"""The keys of a log, one after the other: how one takes the place of another, and who may sign which size.

A *key change* is a signed note (C2SP signed-note) whose digest is the entry right behind the last head of
the old key. So the first head that the new key signs contains it, is witnessed and anchored with it, and
nobody can take it back or put another one in its place. Both keys sign it; where the old one is not at hand
any more, the issuer does in its place.

It cannot be taken for anything else that these keys sign, nor the other way round: a checkpoint's second line
is a number, a cosigned message begins with `cosignature/v1`, a DSSE message with `DSSEv1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .canonical import dump, from_base64, parse_instant, parse_typed, require_fields, to_base64
from .checkpoint import Checkpoint, open_checkpoint, parse_decimal, parse_tlog_proof
from .entry import entry_leaf
from .errors import FormatError, NotBelievedError, ProofError, SignatureError
from .note import NoteSigner, NoteVerifier, join_note, parse_note
from .trust import TrustedLog

KEY_CHANGE_TYPE = "mizheng/log-key-change/v1"
LOG_KEYS_TYPE = "mizheng/log-keys/v1"
LOG_KEYS_PATH = "v1/log-keys"
"""Where a log shows its key changes: below a notary's address, and as a file beside published tiles."""
# A change with its proof takes 6 KB at most; a key a week for ten years.
MAX_LOG_KEYS_BYTES = 4 * 1024 * 1024

SCHEDULED = "scheduled"
STOLEN = "stolen"
LOST = "lost"
_REASONS = (SCHEDULED, STOLEN, LOST)
_NAMES = ("origin", "size", "root", "last", "old", "new", "reason", "at")


@dataclass(frozen=True, slots=True)
class KeyChange:
    """From the head of `size` entries on, another key signs."""

    size: int
    """Of the last head of the old key; also the index of the change's entry."""
    root: bytes
    last_size: int
    """The largest size for which the old key is to be believed: `size`, and less if the key was stolen."""
    old: NoteVerifier
    new: NoteVerifier
    reason: str
    changed_at: str
    """By the notary's clock: a claim."""
    issuer: NoteVerifier | None = None
    """Signs in the place of a key that is not at hand any more; None where the old key signs."""

    @property
    def origin(self) -> str:
        return self.new.name

    @property
    def signers(self) -> tuple[NoteVerifier, NoteVerifier]:
        """Whose signature lines the note has, in this order and no others."""
        return (self.old, self.new) if self.issuer is None else (self.new, self.issuer)

    def text(self) -> bytes:
        """What is signed."""
        values = (
            self.origin,
            str(self.size),
            to_base64(self.root),
            str(self.last_size),
            self.old.vkey,
            self.new.vkey,
            self.reason,
            self.changed_at,
        )
        lines = [KEY_CHANGE_TYPE, *(f"{name} {value}" for name, value in zip(_NAMES, values, strict=True))]
        if self.issuer is not None:
            lines.append(f"issuer {self.issuer.vkey}")
        return "".join(f"{line}\n" for line in lines).encode()

    def sign(self, first: NoteSigner, second: NoteSigner) -> bytes:
        """The note, signed by those that `signers` names."""
        text = self.text()
        return join_note(text, [first.sign(text), second.sign(text)])


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A key change, and the proof that it stands in the log."""

    change: KeyChange
    note: bytes
    tlog_proof: bytes
    """Of the entry at `change.size` in the head of one entry more, the first one of the new key."""


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Every change of one log's key, the first one first."""

    present: NoteVerifier
    changes: tuple[LoggedChange, ...]

    @property
    def ranges(self) -> tuple[TrustedLog, ...]:
        """Every key with the sizes it is to be believed for, the present one last."""
        return self._ranges([item.change.last_size for item in self.changes])

    @property
    def signed_ranges(self) -> tuple[TrustedLog, ...]:
        """Every key with the sizes that it signed by its owner's will or a thief's, the present one last."""
        return self._ranges([item.change.size for item in self.changes])

    def _ranges(self, last_sizes: Sequence[int]) -> tuple[TrustedLog, ...]:
        first_sizes = [0, *(item.change.size + 1 for item in self.changes)]
        earlier = zip(self.changes, first_sizes, last_sizes, strict=False)
        found = [TrustedLog(item.change.old, first, last) for item, first, last in earlier]
        return (*found, TrustedLog(self.present, first_sizes[-1], None))

    def changes_after(self, vkey: str) -> tuple[LoggedChange, ...] | None:
        """The changes that lead from this key to the present one; None if it never was a key of the log."""
        if vkey == self.present.vkey:
            return ()
        for number, item in enumerate(self.changes):
            if item.change.old.vkey == vkey:
                return self.changes[number:]
        return None

    def dump(self) -> bytes:
        """What `parse_log_keys` reads."""
        changes = [(item.note, item.tlog_proof) for item in self.changes]
        return dump_log_keys(self.present.name, self.present.vkey, changes)


def dump_log_keys(origin: str, vkey: str, changes: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The history as canonical JSON, the same for everybody until the key changes again; from note and proof
    of each change, unchecked.
    """
    return dump(
        {
            "type": LOG_KEYS_TYPE,
            "origin": origin,
            "log_vkey": vkey,
            "changes": [{"note": note.decode(), "tlog_proof": proof.decode()} for note, proof in changes],
        }
    )


def issuer_name(origin: str) -> str:
    """What the issuer's key is called where it signs for a log's key: never the name of a log key."""
    return f"{origin}/issuer"


def parse_key_change(note: bytes) -> KeyChange:
    """Read a key change and check its signatures, by the keys that it names; FormatError, ProofError.

    Whether any of these keys is to be believed is not said by that.
    """
    parsed = parse_note(note)
    change = _parse_text(parsed.text)
    if len(parsed.signatures) != 2:
        raise FormatError("a key change has exactly two signatures")
    for signer, line in zip(change.signers, parsed.signatures, strict=True):
        if not signer.matches(line):
            raise SignatureError("a key change that is not signed by the keys it names")
        signer.verify(parsed.text, line.signature)
    return change


def check_logged(change: KeyChange, note: bytes, tlog_proof: bytes) -> LoggedChange:
    """The change is the entry behind the last head of the old key, in the first head of the new one."""
    proof = parse_tlog_proof(tlog_proof)
    checkpoint, _signed = open_checkpoint(proof.note, [change.new])
    if (checkpoint.origin, checkpoint.size, proof.index) != (change.origin, change.size + 1, change.size):
        raise ProofError("a key change that does not stand where it has to stand in the log")
    proof.verify(entry_leaf(note))
    return LoggedChange(change, note, tlog_proof)


def parse_log_keys(data: bytes) -> LogKeys:
    """Read and check the whole history: each change signed, in the log, and going on from the one before.

    FormatError, ProofError or KeyFormatError otherwise. That it is the log's true history is not said by
    that: it has to lead to, or from, a key that is known from elsewhere.
    """
    fields = parse_typed(
        data,
        LOG_KEYS_TYPE,
        {"origin": str, "log_vkey": str, "changes": list},
        max_bytes=MAX_LOG_KEYS_BYTES,
    )
    present = NoteVerifier.from_vkey(fields["log_vkey"])
    changes = tuple(_logged(item) for item in fields["changes"])
    if present.name != fields["origin"] or any(item.change.origin != present.name for item in changes):
        raise FormatError("a history of keys that names another log")
    _check_order(changes, present)
    return LogKeys(present, changes)


def open_believed(note: bytes, logs: Sequence[TrustedLog]) -> tuple[Checkpoint, TrustedLog]:
    """The checkpoint, and which of the keys signed it that may sign a tree of its size.

    NotBelievedError when it carries no line of any of them: it may be a later key's. SignatureError when such
    a line does not hold, ProofError when the key that signed may not sign this size.
    """
    lines = parse_note(note).signatures
    if not any(log.verifier.matches(line) for log in logs for line in lines):
        raise NotBelievedError("the note carries no signature of a known key")
    checkpoint, signed = open_checkpoint(note, [log.verifier for log in logs])
    for log in logs:
        if log.verifier in signed and log.origin == checkpoint.origin and log.covers(checkpoint.size):
            return checkpoint, log
    raise ProofError("the log key that signed is not trusted for tree size {size}", size=checkpoint.size)


def _parse_text(text: bytes) -> KeyChange:
    lines = text.decode("utf-8").split("\n")
    values = [line.partition(" ") for line in lines[1:-1]]
    names = tuple(name for name, _, _ in values)
    if lines[0] != KEY_CHANGE_TYPE or names not in (_NAMES, (*_NAMES, "issuer")):
        raise FormatError("not a change of a log's key ({expected})", expected=KEY_CHANGE_TYPE)
    of = {name: value for name, _, value in values}
    change = KeyChange(
        parse_decimal(of["size"]),
        from_base64(of["root"]),
        parse_decimal(of["last"]),
        NoteVerifier.from_vkey(of["old"]),
        NoteVerifier.from_vkey(of["new"]),
        of["reason"],
        of["at"],
        NoteVerifier.from_vkey(of["issuer"]) if "issuer" in of else None,
    )
    parse_instant(change.changed_at)
    _check_meaning(change, of["origin"])
    return change


def _check_meaning(change: KeyChange, origin: str) -> None:
    if origin != change.new.name or change.old.name != origin or change.old.key == change.new.key:
        raise FormatError("a key change between keys of two logs, or of one key to itself")
    if len(change.root) != 32 or change.reason not in _REASONS:
        raise FormatError("not a change of a log's key ({expected})", expected=KEY_CHANGE_TYPE)
    # A key that was stolen may have been taken away, too.
    if change.reason != STOLEN and (change.reason == LOST) != (change.issuer is not None):
        raise FormatError("a lost key, and no other, is replaced by the issuer's word")
    if change.issuer is not None and (
        change.issuer.name != issuer_name(origin) or change.issuer.key in (change.old.key, change.new.key)
    ):
        raise FormatError("a lost key, and no other, is replaced by the issuer's word")
    if change.last_size > change.size or (change.reason != STOLEN and change.last_size != change.size):
        raise FormatError("only a stolen key ends before its last head")


def _logged(value: object) -> LoggedChange:
    fields = require_fields(value, {"note": str, "tlog_proof": str})
    note = fields["note"].encode()
    return check_logged(parse_key_change(note), note, fields["tlog_proof"].encode())


def _check_order(changes: Sequence[LoggedChange], present: NoteVerifier) -> None:
    steps = [item.change for item in changes]
    following = [*(step.old for step in steps[1:]), present]
    known: set[str] = set()
    size = -1
    for step, expected in zip(steps, following, strict=False):
        known.add(step.old.key.keyid)
        if step.new.vkey != expected.vkey or step.size <= size or step.new.key.keyid in known:
            raise ProofError("a history of keys that does not go on from one key to the next")
        size = step.size
