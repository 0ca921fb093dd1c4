"""One audit from beginning to end.

1. Ask the nodes for what is anchored: before the log, so that the log can only be further.
2. Read the checkpoint, check its signature by a believed key, or by one that such a key handed over to.
3. Fetch the right edge of its tree; it leads to the signed root.
4. The tree begins with the tree of the checkpoint that was seen before, and changes of the log's key are true
   of it. Remember the new one.
5. Hash every entry that was not checked before; tile by tile, compared with the signed tree.
6. Every root on the chain is the root of that tree at its size.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mizheng.cli.auditing.chain import ChainHeads, ask_nodes, compare_heads, places_after
from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.cli.auditing.heads import SignedHead, UnsignedFault, follow
from mizheng.cli.auditing.keys import KeyHistory
from mizheng.cli.auditing.source import Source
from mizheng.cli.auditing.state import State, load_state, only_audit, save_state
from mizheng.cli.auditing.tree import LogTree
from mizheng.cli.auditing.walk import walk
from mizheng.cli.errors import UnavailableFault, UsageFault
from mizheng.cli.terminal.output import Progress
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.errors import ProofError
from mizheng.verifier.note import NoteVerifier, parse_note
from mizheng.verifier.trust import Trust

# What an interruption costs at most, against an fsync each time.
_SAVE_SECONDS = 2.0


@dataclass(slots=True)
class Audit:
    """What is audited, and what came of it as far as it got."""

    source: Source
    state_path: Path
    verifiers: tuple[NoteVerifier, ...] = ()
    """Believed keys; empty for the one that the state pins."""
    trust: Trust | None = None
    nodes: Sequence[str] = ()

    keys: KeyHistory = field(default_factory=lambda: KeyHistory(()))
    head: SignedHead | None = None
    seen: State | None = None
    state: State | None = None
    first_unknown: int | None = None
    """The first entry of an unknown format among those checked now."""
    chains: list[ChainHeads] = field(default_factory=list)
    cosigned: frozenset[str] | None = None
    """Witnesses of the trust file's policy that cosigned the head; None where it asks for none."""

    @property
    def vkeys(self) -> list[str]:
        """The believed keys, and the one that signed what was seen before."""
        verifiers = [*self.verifiers, *([self.seen.head.verifier] if self.seen else [])]
        return list(dict.fromkeys(verifier.vkey for verifier in verifiers))

    @property
    def checked(self) -> int:
        """Entries checked by this run; none where it ended before it had a head."""
        if self.state is None:
            return 0
        return self.state.audited - (self.seen.audited if self.seen else 0)

    def run(self, progress: Progress, *, now: float) -> None:
        """MisbehaviourFault, UndecidedFault or UnavailableFault unless all is well; WaitingFault while
        another audit runs with the same state.
        """
        with only_audit(self.state_path):
            self._run(progress, now)

    def _run(self, progress: Progress, now: float) -> None:
        self.seen = load_state(self.state_path, self.verifiers)
        self.keys = KeyHistory(self.seen.key_changes if self.seen else ())
        self.verifiers = self._believed()
        if self.trust is not None and now >= parse_instant(self.trust.expires_at):
            raise UndecidedFault(
                "the trust file has expired", "ask whoever issued it for a new one; see mizheng trust show"
            )
        silent = self._ask_nodes()
        self.head, tree = self._follow()
        try:
            self._check_range(self.head)
            heads = [self.head, *([self.seen.head] if self.seen else [])]
            self.keys.check(tree, heads, self.verifiers)
            self._count_witnesses(self.head)
            self._remember(self.head)
            self._walk(tree, progress)
            compare_heads(self.chains, self.head.checkpoint.origin, tree)
        except MisbehaviourFault as fault:
            fault.notes = fault.notes or (self.head.note,)
            raise
        if silent is not None:
            # The log was audited all the same, and where it got to is kept.
            raise silent
        self._save(replace(self._kept, chains=places_after(self.chains, self._kept.chains)))

    def _follow(self) -> tuple[SignedHead, LogTree]:
        """The newest head and its tree, signed by a believed key or one that such a key handed over to."""
        seen = self.seen.head if self.seen else None
        pinned = self.verifiers if seen is None else (*self.verifiers, seen.verifier)
        try:
            found = follow(self.source, self.verifiers, seen)
        except UnsignedFault as fault:
            self.keys.read(self.source, pinned)
            if self.trust is None:
                self.verifiers = self.keys.follow(self.verifiers)
            try:
                return follow(self.source, self.verifiers, seen)
            except UnsignedFault:
                raise self.keys.explain(fault, (*pinned, *self.verifiers)) from fault
        # Also where nothing has to be followed: what is shown there has to be true.
        self.keys.read(self.source, pinned)
        return found

    @property
    def _kept(self) -> State:
        assert self.state is not None  # noqa: S101 - set before anything that asks for it
        return self.state

    def _believed(self) -> tuple[NoteVerifier, ...]:
        if self.verifiers:
            return self.verifiers
        if self.seen is None:
            raise UsageFault(
                "no key to check the log with",
                "give --trust FILE or --key VKEY, from another source than the log; later audits remember it",
            )
        return (self.seen.head.verifier,)

    def _ask_nodes(self) -> UnavailableFault | UndecidedFault | None:
        if not self.nodes:
            return None
        if self.trust is None:
            raise UsageFault(
                "which contract anchors the log is what the trust file says", "give --trust FILE with --rpc"
            )
        origins = [verifier.name for verifier in self.verifiers]
        try:
            self.chains = ask_nodes(self.nodes, self.trust, origins, self.seen.chains if self.seen else ())
        except (UnavailableFault, UndecidedFault) as fault:
            return fault
        return None

    def _check_range(self, head: SignedHead) -> None:
        if self.trust is None:
            return
        named = [log for log in self.trust.logs if log.verifier.vkey == head.verifier.vkey]
        if named and not any(log.covers(head.size) for log in named):
            raise UndecidedFault(
                "the trust file does not believe this key for a log of {size} entries",
                "the key may have been replaced: ask whoever issued the trust file for a new one",
                size=head.size,
            )

    def _count_witnesses(self, head: SignedHead) -> None:
        policy = self.trust.witness_policy if self.trust else None
        if policy is None or not policy.asks_for_witnesses:
            return
        try:
            self.cosigned = frozenset(policy.cosigners(parse_note(head.note)))
        except ProofError as error:
            raise UndecidedFault(
                "a witness's signature on the checkpoint does not check: {reason}",
                "somebody may have changed the checkpoint on its way; nothing is held against the log",
                reason=str(error),
            ) from error

    @property
    def is_quorum_met(self) -> bool | None:
        """Whether enough witnesses cosigned; None where the trust file asks for none."""
        policy = self.trust.witness_policy if self.trust else None
        return policy.is_met(self.cosigned) if policy is not None and self.cosigned is not None else None

    def _remember(self, head: SignedHead) -> None:
        """From here on this head has to be accounted for, whatever happens to this run."""
        changes = tuple(self.keys.changes)
        if self.seen is None:
            self._save(State(head, 0, 0, (), changes))
        elif (self.seen.head.note, self.seen.key_changes) != (head.note, changes):
            self._save(replace(self.seen, head=head, key_changes=changes))
        else:
            self.state = self.seen

    def _walk(self, tree: LogTree, progress: Progress) -> None:
        state = self._kept
        progress.expect(tree.size - state.audited, 0)
        if state.audited == tree.size:
            return
        saved = time.monotonic()
        try:
            for step in walk(tree, state.audited):
                state = replace(state, audited=step.end, unknown=state.unknown + len(step.unknown))
                if step.unknown and self.first_unknown is None:
                    self.first_unknown = step.unknown[0]
                progress.advance(step.new, step.bytes)
                if time.monotonic() - saved >= _SAVE_SECONDS:
                    self._save(state)
                    saved = time.monotonic()
        finally:
            # Also when it is interrupted, or the next entry is wrong: what was checked stays checked.
            self._save(state)

    def _save(self, state: State) -> None:
        if state != self.state:
            self.state = state
            save_state(self.state_path, state)
