"""Depositing many seals. Each is signed, kept, sent, checked and kept again as `depositing` does it for one,
and stands or fails for itself; they share the unlocked key, the beacon and `POST /v1/deposits:batch`.

What is true if we die is true for each seal as it is there: run again, what is done sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.one import OUTDATED, Signing, begin_deposit, keep_answer, send_alone
from mizheng.cli.errors import CommandError, PermissionFault, RefusedFault, UnavailableFault
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.cli.session import Session
from mizheng.verifier.errors import MizhengError

# Seals stay open and locked until they are answered, and a process has 1,024 files as a rule.
TOGETHER = 200
# What the notary takes in one request; an envelope is about one kilobyte.
MAX_REQUEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one seal: a deposit with its answer, or the error that concerns this seal alone."""

    path: Path
    commitment: str | None
    deposit: Deposit | None
    was_deposited: bool
    error: MizhengError | None


@dataclass(slots=True)
class _Open:
    """A seal whose envelope waits to be sent, or sent and answered."""

    path: Path
    seal: Seal
    deposit: Deposit
    was_kept: bool

    def outcome(self, *, was_deposited: bool = False, error: MizhengError | None = None) -> Outcome:
        deposit = None if error else self.deposit
        return Outcome(self.path, self.seal.state.sealed.commitment, deposit, was_deposited, error)


def deposit_seals(session: Session, client: NotaryClient, paths: Sequence[Path]) -> Iterator[Outcome]:
    """Deposit the commitments of these seals: what became of each, in their order.

    UnavailableFault and PermissionFault end it: they would meet every other seal as well.
    """
    run = _Run(session, client)
    for start in range(0, len(paths), TOGETHER):
        with ExitStack() as stack:
            yield from run.deposit(paths[start : start + TOGETHER], stack)


class _Run:
    def __init__(self, session: Session, client: NotaryClient) -> None:
        self._session = session
        self._client = client
        self._signing = Signing(session, client)
        self._takes_many = True

    def deposit(self, paths: Sequence[Path], stack: ExitStack) -> list[Outcome]:
        begun = [self._begin(path, stack) for path in paths]
        waiting = [item for item in begun if isinstance(item, _Open) and item.deposit.answer is None]
        sent: dict[int, Outcome] = {}
        for group in _by_size(waiting):
            for item, outcome in zip(group, self._send(group), strict=True):
                sent[id(item)] = outcome
        return [
            item if isinstance(item, Outcome) else sent.get(id(item)) or item.outcome(was_deposited=True)
            for item in begun
        ]

    def _begin(self, path: Path, stack: ExitStack) -> _Open | Outcome:
        try:
            seal = stack.enter_context(Seal(path, lock=True))
            was_kept = seal.state.deposit is not None
            return _Open(path, seal, begin_deposit(self._session, self._signing, seal), was_kept)
        except (UnavailableFault, PermissionFault):
            raise
        except CommandError as error:
            return Outcome(path, None, None, False, error)

    def _send(self, group: Sequence[_Open]) -> list[Outcome]:
        if self._takes_many and len(group) > 1:
            answers = self._client.deposit_many([decode_base64(item.deposit.envelope) for item in group])
            if answers is not None:
                return [self._finish(item, answer) for item, answer in zip(group, answers, strict=True)]
            self._takes_many = False
        return [self._finish(item, None) for item in group]

    def _finish(self, item: _Open, answer: dict[str, object] | CommandError | None) -> Outcome:
        """`answer`: to this seal's part of a request for many; None: it is sent alone."""
        session, client, seal = self._session, self._client, item.seal
        try:
            try:
                if isinstance(answer, CommandError):
                    raise answer
                if answer is None:
                    item.deposit = send_alone(session, client, seal, item.deposit)
                else:
                    item.deposit = keep_answer(session, client, seal, item.deposit, answer)
            except RefusedFault as error:
                if not item.was_kept or error.problem not in OUTDATED:
                    raise
                # Signed at an earlier run, and something has changed since: signed anew.
                item.deposit = send_alone(session, client, seal, self._signing.sign(seal))
        except CommandError as error:
            # Of a whole request they would be every other seal's error as well.
            if isinstance(error, (UnavailableFault, PermissionFault)) and error is not answer:
                raise
            return item.outcome(error=error)
        return item.outcome()


def _by_size(items: Sequence[_Open]) -> Iterator[list[_Open]]:
    """Groups that fit into one request."""
    group: list[_Open] = []
    size = 0
    for item in items:
        # Base64, a third longer than the envelope: on the safe side.
        length = len(item.deposit.envelope)
        if group and size + length > MAX_REQUEST_BYTES:
            yield group
            group, size = [], 0
        group.append(item)
        size += length
    if group:
        yield group
