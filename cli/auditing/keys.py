"""The log's key, where it changes: followed from a believed one, and held against everything that was signed.

A log shows its key changes at `v1/log-keys`. What is shown there is believed as far as a believed key signed
it, and only scheduled changes are followed: after a theft or a loss, a trust file names the new key. Every
change in which a believed key had a part has to be true of the tree: its entry stands behind the last head
of the old key, whose root is the one that it says, and the old key signed nothing larger. If it is not, the
keys' own signatures contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.cli.auditing.heads import SignedHead, UnsignedFault, proof_details
from mizheng.cli.auditing.source import Source
from mizheng.cli.auditing.tree import LogTree
from mizheng.cli.errors import UnavailableFault
from mizheng.cli.terminal.language import N_
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.logkeys import (
    LOG_KEYS_PATH,
    LOST,
    MAX_LOG_KEYS_BYTES,
    SCHEDULED,
    KeyChange,
    parse_key_change,
    parse_log_keys,
)
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.tiles import HASH_SIZE, TILE_WIDTH


class KeyHistory:
    """What is known of the changes of one log's key: from the last audit, and as the log shows them now."""

    def __init__(self, notes: Sequence[bytes]) -> None:
        """`notes`: the changes that were held against the tree before."""
        self.changes = {note: parse_key_change(note) for note in notes}
        self._before = list(self.changes.values())
        self._shown: dict[bytes, KeyChange] = {}

    def read(self, source: Source, verifiers: Sequence[NoteVerifier]) -> None:
        """Take in what the log shows: the changes that go on from, or lead to, one of `verifiers`."""
        try:
            data = source.read(LOG_KEYS_PATH, MAX_LOG_KEYS_BYTES, fresh=True)
        except UnavailableFault:
            # Object stores refuse what they do not have. Nothing shown is nothing that contradicts.
            return
        if data is None:
            return
        try:
            keys = parse_log_keys(data)
        except MizhengError:
            # Anybody may have written it: if it is needed, the checkpoint's key stays unknown.
            return
        shown = [(item.note, item.change) for item in keys.changes]
        believed = self._known(verifiers)
        first = next((n for n, (_, change) in enumerate(shown) if change.old.vkey in believed), len(shown))
        for number, (note, change) in enumerate(shown):
            if number >= first or change.new.vkey in believed:
                self._shown[note] = change

    def follow(self, verifiers: Sequence[NoteVerifier]) -> tuple[NoteVerifier, ...]:
        """The believed keys, and those that they hand over to by a scheduled change."""
        found = list(verifiers)
        for change in sorted(self._shown.values(), key=lambda item: item.size):
            known = {verifier.vkey for verifier in found}
            if change.reason == SCHEDULED and change.old.vkey in known and change.new.vkey not in known:
                found.append(change.new)
        return tuple(found)

    def explain(self, fault: UnsignedFault, verifiers: Sequence[NoteVerifier]) -> UndecidedFault:
        """Why nothing is known of the key that signed: lost and stolen keys hand over to nobody, and a trust
        file is not added to.
        """
        believed = {verifier.vkey for verifier in verifiers}
        hint = N_("get the new trust file from whoever issued the old one; nothing is held against the log")
        for change in self._shown.values():
            if change.old.vkey in believed and change.new.vkey not in believed:
                if change.reason == LOST:
                    return UndecidedFault("the log says that its key was lost, and shows a new one", hint)
                if change.reason == SCHEDULED:
                    return UndecidedFault("the log has a new key, which the trust file does not name", hint)
                return UndecidedFault("the log says that its key was stolen, and shows a new one", hint)
        return fault

    def check(self, tree: LogTree, heads: Sequence[SignedHead], verifiers: Sequence[NoteVerifier]) -> None:
        """MisbehaviourFault unless the changes are true of the tree, of each other and of these heads.

        `verifiers` are the keys that were believed, before or after a change.
        """
        believed = self._known([*verifiers, *(head.verifier for head in heads)])
        for note, change in self._shown.items():
            # What no believed key signed, anybody may have made up.
            if believed & {signer.vkey for signer in change.signers}:
                self.changes[note] = change
        for note, change in self.changes.items():
            self._check_others(note, change)
            for head in heads:
                if head.verifier.vkey == change.old.vkey and head.size > change.size:
                    raise MisbehaviourFault(
                        "key-change",
                        "a key signed a log of {size} entries, though another had taken its place at {last}",
                        "whoever held the old key signed on with it; the notary, or a thief",
                        notes=(head.note,),
                        details={"key_change": note.decode()},
                        size=head.size,
                        last=change.size,
                    )
            if change.size < tree.size:
                _check_place(tree, note, change)

    def _known(self, verifiers: Sequence[NoteVerifier]) -> set[str]:
        """These keys, and those of the changes that were held against the tree before."""
        earlier = (verifier for change in self._before for verifier in (change.old, change.new))
        return {verifier.vkey for verifier in (*verifiers, *earlier)}

    def _check_others(self, note: bytes, change: KeyChange) -> None:
        for other, theirs in self.changes.items():
            if other != note and theirs.old.vkey == change.old.vkey:
                raise MisbehaviourFault(
                    "key-change",
                    "two different keys were put in the place of one: the log shows different people "
                    "different histories of its key",
                    details={"key_changes": sorted([note.decode(), other.decode()])},
                )


def _check_place(tree: LogTree, note: bytes, change: KeyChange) -> None:
    if tree.root_at(change.size) != change.root:
        raise MisbehaviourFault(
            "key-change",
            "the change of the log's key names another root for {size} entries than the tree that it signed",
            details={"key_change": note.decode(), **proof_details(tree, change.size)},
            size=change.size,
        )
    place = change.size % TILE_WIDTH * HASH_SIZE
    if tree.tile(0, change.size // TILE_WIDTH)[place : place + HASH_SIZE] != entry_leaf(note):
        raise MisbehaviourFault(
            "key-change",
            "entry {index} of the log is not the change of its key that was shown",
            details={"key_change": note.decode()},
            index=change.size,
        )
