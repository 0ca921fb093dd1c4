"""The nodes of one chain, asked all at once, and how each of them is.

A node that is slow or asks to be left alone rests for a while: it must not hold up those that answer. What
it answers too late counts for nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from mizheng.notary.chain.interface import (
    ChainError,
    EvidenceError,
    RateLimitedError,
    SlowError,
    TooFewNodesError,
    UnreachableError,
)
from mizheng.notary.chain.node import NodeChain, NodeError

logger = logging.getLogger(__name__)

# A little more than one request may take: one question of ours is a few of them.
_DEADLINE_SECONDS = 12.0
# Once a quorum has answered, the others have this long: their answers show who lags and who lies.
_GRACE_SECONDS = 1.0
_REST_SECONDS = 5.0
_LONGEST_REST = 60.0
# The anchorer, who looks at the contract, who collects seals, and one to spare.
_THREADS = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one node said in time."""

    node: NodeChain
    value: T


class Panel:
    """The nodes of one chain. Safe to call from several threads."""

    def __init__(
        self, nodes: Sequence[NodeChain], quorum: int, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._nodes = tuple(nodes)
        self.quorum = quorum
        self.names = _name_apart([node.name for node in nodes])
        self._elapsed = elapsed
        self._lock = Lock()
        # Until when a node is left alone, and why.
        self._rests: dict[NodeChain, tuple[float, UnreachableError]] = {}
        # What is wrong with each node, by what it was found at.
        self._faults: dict[NodeChain, dict[str, str]] = {node: {} for node in nodes}
        self._threads = {node: ThreadPoolExecutor(_THREADS, "node") for node in nodes}

    @property
    def states(self) -> Mapping[str, str]:
        """By name: ok, or the code of what is wrong with the node."""
        with self._lock:
            faults = [next(iter(self._faults[node].values()), "ok") for node in self._nodes]
        return dict(zip(self.names, faults, strict=True))

    def note(self, node: NodeChain, about: str, code: str | None) -> None:
        """Write down what is wrong with a node in one respect; None: nothing is any more."""
        with self._lock:
            before = dict(self._faults[node])
            if code is None:
                self._faults[node].pop(about, None)
            else:
                self._faults[node][about] = code
            changed = self._faults[node] != before
        if changed:
            name = self.names[self._nodes.index(node)]
            logger.log(
                logging.WARNING if code else logging.INFO, "chain node %s: %s", name, code or "ok again"
            )

    def ask(self, question: Callable[[NodeChain], T]) -> list[Answer[T]]:
        """The answers of at least a quorum of nodes.

        TooFewNodesError, or with one node that node's own error, if fewer answer; the error that a quorum of
        them answer with, if they do.
        """
        started = self._elapsed()
        asked = {self._threads[node].submit(question, node): node for node in self._awake(started)}
        answers: list[Answer[T]] = []
        errors: dict[NodeChain, ChainError] = {}
        pending = set(asked)
        deadline = started + _DEADLINE_SECONDS
        while pending:
            done, pending = wait(pending, max(0.0, deadline - self._elapsed()), FIRST_COMPLETED)
            if not done:
                break
            for future in done:
                self._take(asked[future], future, answers, errors)
            if len(answers) >= self.quorum:
                deadline = min(deadline, self._elapsed() + _GRACE_SECONDS)
        for future in pending:
            future.cancel()
            self._rest(asked[future], _late(asked[future]))
        if len(answers) < self.quorum:
            raise self._failure(errors)
        return answers

    def first(self, question: Callable[[NodeChain], T]) -> T:
        """The first answer that is no error, node by node: for what proves itself. Else the last error."""
        error: ChainError = TooFewNodesError("no chain node answers")
        for node in self._awake(self._elapsed()):
            answers: list[Answer[T]] = []
            errors: dict[NodeChain, ChainError] = {}
            future = self._threads[node].submit(question, node)
            wait([future], _DEADLINE_SECONDS)
            if not future.done():
                future.cancel()
                self._rest(node, _late(node))
                continue
            self._take(node, future, answers, errors)
            if answers:
                return answers[0].value
            error = errors[node]
        raise error

    def close(self) -> None:
        for pool in self._threads.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _awake(self, now: float) -> list[NodeChain]:
        with self._lock:
            return [node for node in self._nodes if node not in self._rests or self._rests[node][0] <= now]

    def _rest(self, node: NodeChain, error: UnreachableError) -> None:
        asked = float(error.values.get("seconds", 0) or 0)  # type: ignore[arg-type]
        seconds = min(max(asked, _REST_SECONDS), _LONGEST_REST)
        with self._lock:
            self._rests[node] = self._elapsed() + seconds, error
        self.note(node, "answers", error.code)

    def _take(
        self,
        node: NodeChain,
        future: Future[T],
        answers: list[Answer[T]],
        errors: dict[NodeChain, ChainError],
    ) -> None:
        try:
            answers.append(Answer(node, future.result()))
        except (SlowError, RateLimitedError) as error:
            errors[node] = error
            self._rest(node, error)
            return
        except UnreachableError as error:
            errors[node] = error
            self.note(node, "answers", error.code)
            return
        except EvidenceError as error:
            # What it shows is not what it says it is: a node's fault, not the chain's.
            errors[node] = error
            self.note(node, "contents", error.code)
            return
        except ChainError as error:
            errors[node] = error
        else:
            self.note(node, "contents", None)
        self.note(node, "answers", None)

    def _failure(self, errors: Mapping[NodeChain, ChainError]) -> ChainError:
        if len(self._nodes) == 1:
            return next(iter(errors.values()), None) or self._rests[self._nodes[0]][1]
        refusals = [error for error in errors.values() if isinstance(error, NodeError)]
        if len(refusals) >= self.quorum:
            return refusals[0]
        if len(errors) == len(self._nodes) and all(type(e) is UnreachableError for e in errors.values()):
            return next(iter(errors.values()))
        return TooFewNodesError(
            "fewer than {quorum} of the chain's {count} nodes answer ({states})",
            hint="/readyz and mizheng-notary status say how each of them is",
            quorum=self.quorum,
            count=len(self._nodes),
            states=", ".join(f"{name}: {state}" for name, state in self.states.items()),
        )


def _late(node: NodeChain) -> SlowError:
    return SlowError("the chain node {node} does not answer in time", node=node.name)


def _name_apart(names: Sequence[str]) -> tuple[str, ...]:
    """The names, numbered where two nodes have the same host."""
    return tuple(
        name if names.count(name) == 1 else f"{name}#{names[:place].count(name) + 1}"
        for place, name in enumerate(names)
    )
