"""What is over is taken away, in the background: expired items, half uploads, ciphertexts of nobody.

What is true if we die: a row says that there is no ciphertext before the ciphertext goes; folders without a
row that has one are found the next time.
"""

from __future__ import annotations

import time

from mizheng.notary.database import reading, writing
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.mailbox.files import MailboxFiles
from mizheng.notary.mailbox.items import EXPIRED, KEPT, OPEN
from mizheng.notary.mailbox.setup import parse_mailbox
from mizheng.notary.mailbox.tables import mailbox_items
from mizheng.notary.worker import Worker
from sqlalchemy import and_, delete, select, update

_DAY = 24 * 3600
# Whoever was interrupted goes on the next morning.
HALF_SECONDS = _DAY
# So long after its end an item's acceptance or withdrawal can still be fetched.
ANSWER_SECONDS = 90 * _DAY
_PAUSE = 300.0


class MailboxKeeper:
    """The mailbox of a serving notary: its limits, its files, and their end."""

    def __init__(self, instance: Instance) -> None:
        self.setup = parse_mailbox(instance.settings.mailbox, instance.settings.data_dir)
        self.files = MailboxFiles(self.setup)
        self._engine = instance.engine
        self._lease = make_lease(instance.engine, "mailbox")
        self._worker = Worker("mailbox", self._step, _PAUSE)

    def start(self) -> None:
        if self.setup.is_enabled:
            self._worker.start()

    def stop(self) -> None:
        self._worker.stop()
        self._lease.release()

    def _step(self) -> bool:
        if self._lease.hold():
            self.clean(int(time.time()))
        return False

    def clean(self, now: int) -> None:
        """Take away what is over at `now`."""
        table = mailbox_items.c
        with writing(self._engine) as connection:
            over = and_(table.state == KEPT, table.expires_at < now)
            half = and_(table.state == OPEN, table.touched_at < now - HALF_SECONDS)
            connection.execute(delete(mailbox_items).where(half))
            connection.execute(update(mailbox_items).where(over).values(state=EXPIRED))
            old = table.expires_at < now - ANSWER_SECONDS
            connection.execute(delete(mailbox_items).where(old))
        folders = self.files.all_items()
        with reading(self._engine) as connection:
            # After the folders were listed: an item that was made since is not among them.
            lying = select(table.id).where(table.state.in_((OPEN, KEPT)))
            kept = set(connection.execute(lying).scalars())
        for item in folders:
            if item not in kept:
                self.files.delete(item)
