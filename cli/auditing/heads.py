"""The newest checkpoint, and whether it goes on from the one that was seen before.

Two checkpoints that the log's key signed and that are not heads of one growing tree prove by themselves
that the log shows different people different things: both are kept as evidence, and where their sizes differ
also the consistency proof that leads from the newer one to another root than the older one names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.cli.auditing.source import Source
from mizheng.cli.auditing.tree import LogTree
from mizheng.cli.errors import UnavailableFault
from mizheng.verifier.canonical import Json, to_base64
from mizheng.verifier.checkpoint import Checkpoint, parse_checkpoint
from mizheng.verifier.errors import FormatError, ProofError
from mizheng.verifier.merkle import consistency_proof
from mizheng.verifier.note import MAX_NOTE_BYTES, NoteVerifier, open_note

# A cache may hold an older checkpoint for some seconds; then it is no step back of the log.
_ATTEMPTS = 4
_PAUSE = 2.0


class UnsignedFault(UndecidedFault):
    """No believed key signed what is shown as checkpoint."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint whose signature by a believed key was checked."""

    note: bytes
    checkpoint: Checkpoint
    verifier: NoteVerifier

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


def open_head(note: bytes, verifiers: Sequence[NoteVerifier]) -> SignedHead:
    """The signed checkpoint; UnsignedFault when no believed key signed it: anybody may have written it."""
    try:
        text, signed = open_note(note, verifiers)
    except (FormatError, ProofError) as error:
        raise UnsignedFault(
            "what is shown as checkpoint is not signed by a key that you believe: {reason}",
            "check the address, and the key or trust file; nothing is held against the log",
            reason=str(error),
        ) from error
    try:
        checkpoint = parse_checkpoint(text)
    except FormatError as error:
        raise UndecidedFault(
            "the log's key signed something that is no checkpoint: {reason}", reason=str(error)
        ) from error
    verifier = signed[0]
    if checkpoint.origin != verifier.name:
        raise MisbehaviourFault(
            "origin",
            "the key of {expected} signed a checkpoint of another log, {origin}",
            notes=(note,),
            expected=verifier.name,
            origin=checkpoint.origin,
        )
    return SignedHead(note, checkpoint, verifier)


def read_head(source: Source, verifiers: Sequence[NoteVerifier], *, fresh: bool = False) -> SignedHead:
    """The log's present checkpoint."""
    note = source.read("checkpoint", MAX_NOTE_BYTES, fresh=fresh)
    if note is None:
        raise UnavailableFault(
            "there is no log at {name}: it shows no checkpoint", "check the address", name=source.name
        )
    return open_head(note, verifiers)


def follow(
    source: Source,
    verifiers: Sequence[NoteVerifier],
    seen: SignedHead | None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[SignedHead, LogTree]:
    """The newest head and its tree, proven to go on from the head `seen` before."""
    head = read_head(source, verifiers)
    for _attempt in range(_ATTEMPTS - 1):
        if seen is None or head.size >= seen.size:
            break
        sleep(_PAUSE)
        head = read_head(source, verifiers, fresh=True)
    if seen is not None and head.size < seen.size:
        raise _step_back(source, seen, head)
    if seen is not None and head.size == seen.size and head.root != seen.root:
        raise _equivocation(seen, head, {})
    try:
        tree = LogTree(source, head.checkpoint)
        if seen is not None:
            compare(tree, seen, head)
    except MisbehaviourFault as fault:
        # Whatever else is wrong, these are the heads that it is about.
        known = (head.note,) if seen is None else (seen.note, head.note)
        fault.notes = fault.notes or known
        raise
    return head, tree


def compare(tree: LogTree, old: SignedHead, new: SignedHead) -> None:
    """MisbehaviourFault unless the tree of `new`, which `tree` is, begins with that of `old`."""
    if tree.root_at(old.size) != old.root:
        raise _equivocation(old, new, proof_details(tree, old.size))


def proof_details(tree: LogTree, old_size: int) -> dict[str, Json]:
    """What proves the root at `old_size` to be what it is in the signed tree (RFC 9162 §2.1.4.2)."""
    proof = consistency_proof(old_size, tree.size, tree.subtree_root)
    return {
        "old_size": old_size,
        "old_root_in_new_tree": to_base64(tree.root_at(old_size)),
        "new_size": tree.size,
        "consistency_proof": [to_base64(item) for item in proof],
    }


def _step_back(source: Source, seen: SignedHead, head: SignedHead) -> MisbehaviourFault:
    try:
        compare(LogTree(source, seen.checkpoint), head, seen)
    except MisbehaviourFault as fault:
        if fault.kind == "equivocation":
            return fault
        # It no longer shows the larger tree: then nobody can tell whether the smaller one began it.
    return MisbehaviourFault(
        "shrunk",
        "the log shows {size} entries and has signed {seen} before: it went back",
        "a notary restored from an old backup, or an old copy of the log",
        notes=(seen.note, head.note),
        size=head.size,
        seen=seen.size,
    )


def _equivocation(old: SignedHead, new: SignedHead, details: dict[str, Json]) -> MisbehaviourFault:
    if old.size == new.size:
        return MisbehaviourFault(
            "equivocation",
            "equivocation: the log signed two different trees of {size} entries",
            notes=(old.note, new.note),
            size=new.size,
        )
    return MisbehaviourFault(
        "equivocation",
        "equivocation: the log signed {old} entries and {new} entries that do not begin with them",
        notes=(old.note, new.note),
        details=details,
        old=old.size,
        new=new.size,
    )
