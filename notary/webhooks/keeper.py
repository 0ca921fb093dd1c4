"""Webhooks in the background of a serving notary, by lease: one process on a database tells.

    tables → what is new → outbox → a run of messages to each webhook → what came of them → outbox

A message that was sent and whose outcome was not written down is sent again, under the same `webhook-id`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.webhooks.addresses import parse_target, parse_webhooks
from mizheng.notary.webhooks.hooks import load_sizes
from mizheng.notary.webhooks.noticing import notice, record
from mizheng.notary.webhooks.outbox import (
    Attempt,
    Message,
    choose_messages,
    choose_webhooks,
    count_waiting,
    count_webhooks,
    forget_old,
    record_attempts,
)
from mizheng.notary.webhooks.posting import DELIVERED, is_fault_of_message, post_message
from mizheng.notary.webhooks.signing import sign_message
from mizheng.notary.webhooks.tables import webhooks
from mizheng.notary.worker import Worker
from sqlalchemy import Row, select

logger = logging.getLogger(__name__)

# How soon something is noticed.
_PAUSE = 0.5
# A receiver that takes its time holds a thread; another webhook of the same company waits for it at most.
_THREADS, _THREADS_OF_ONE = 8, 2
# A run ends here, and what came of it is written down; the rest goes with the next one.
_RUN_SECONDS = 5.0
_FORGET_SECONDS = 3600.0


class WebhookKeeper:
    """Notices and tells while this process has the lease."""

    def __init__(self, instance: Instance) -> None:
        self.setup = parse_webhooks(instance.settings.webhooks)
        self._engine = instance.engine
        self._lease = make_lease(instance.engine, "webhooks")
        self._worker = Worker("webhooks", self._step, _PAUSE)
        self._threads = ThreadPoolExecutor(_THREADS, "webhook")
        self._under_way: dict[int, tuple[int, Future[list[Attempt]]]] = {}
        self._forgot_at = 0.0
        self._is_stopping = False
        self._looking: set[int] = set()
        self._looking_guard = threading.Lock()

    @contextmanager
    def looking_up(self, organisation_id: int) -> Iterator[None]:
        """Look a name up for this company; Problem `quota-minute` while it has another one looked up.

        How long that takes, the name's own servers decide: one thread of those that answer requests, not all.
        """
        with self._looking_guard:
            if organisation_id in self._looking:
                raise Problem("quota-minute", retry_after=1)
            self._looking.add(organisation_id)
        try:
            yield
        finally:
            with self._looking_guard:
                self._looking.discard(organisation_id)

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        """End after the present messages; what is not written down is sent again after the next start."""
        self._is_stopping = True
        self._worker.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._lease.release()

    def waiting(self) -> float:
        """How many messages wait, whichever process sends them."""
        with reading(self._engine) as connection:
            return count_waiting(connection)

    def figures(self) -> dict[tuple[str, ...], float]:
        """How many webhooks there are, by state."""
        with reading(self._engine) as connection:
            return {(state,): count for state, count in count_webhooks(connection).items()}

    def _step(self) -> bool:
        if not self._lease.hold():
            return False
        now = int(time.time())
        done = self._collect()
        with reading(self._engine) as connection:
            if not done and connection.execute(select(webhooks.c.id).limit(1)).scalar() is None:
                return False
            noticed = notice(connection, load_sizes(connection))
        if done or noticed:
            # Dying before this commits: what is new is found again, what was sent is sent again.
            with writing(self._engine) as connection:
                for webhook_id, attempts in done.items():
                    record_attempts(connection, webhook_id, attempts)
                record(connection, noticed, now)
        self._send(now)
        self._forget(now)
        return bool(done) or not all(found.is_all for found in noticed)

    def _collect(self) -> dict[int, Sequence[Attempt]]:
        """What came of the runs that have ended."""
        done: dict[int, Sequence[Attempt]] = {}
        for webhook_id, (_, run) in list(self._under_way.items()):
            if run.done():
                del self._under_way[webhook_id]
                done[webhook_id] = run.result()
        return done

    def _send(self, now: int) -> None:
        with reading(self._engine) as connection:
            for hook in choose_webhooks(connection, list(self._under_way), now):
                owners = [owner for owner, _ in self._under_way.values()]
                if len(owners) >= _THREADS:
                    return
                if owners.count(hook.organisation_id) >= _THREADS_OF_ONE:
                    continue
                messages = choose_messages(connection, hook.id, now)
                run = self._threads.submit(self._run, hook, messages)
                self._under_way[hook.id] = hook.organisation_id, run

    def _run(self, hook: Row[Any], messages: Sequence[Message]) -> list[Attempt]:
        """Send messages one after the other, until the address fails or time is up."""
        attempts: list[Attempt] = []
        ends_at = time.monotonic() + _RUN_SECONDS
        for message in messages:
            if self._is_stopping or (attempts and time.monotonic() >= ends_at):
                break
            now = int(time.time())
            attempt = Attempt(message, self._post(hook, message, now), now)
            attempts.append(attempt)
            if attempt.outcome != DELIVERED and not is_fault_of_message(attempt.outcome):
                break
        return attempts

    def _post(self, hook: Row[Any], message: Message, now: int) -> str:
        keys = [hook.secret]
        if hook.old_secret is not None and hook.old_secret_until > now:
            keys.append(hook.old_secret)
        headers = sign_message(message.message_id, now, message.body, keys)
        try:
            return post_message(self.setup, parse_target(hook.url), headers, message.body)
        except Problem:
            # It was one when it was registered; the rules have become stricter since.
            return "address-refused"
        except Exception as error:
            # Whatever a stranger's server has brought about: it is an outcome like others, and has its pause.
            logger.error("a webhook's message failed: %s", type(error).__name__)
            return "failed"

    def _forget(self, now: int) -> None:
        if not 0 <= now - self._forgot_at < _FORGET_SECONDS:
            self._forgot_at = now
            with writing(self._engine) as connection:
                forget_old(connection, now)
