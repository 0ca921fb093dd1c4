"""The rows of the outbox: what is read of them and the few changes they go through.

    prepared → sent → mined → final
        ↑________↓______|       |  a block that disappears puts the row back to sent
       failed           └───────┘  so does a final one, and that is an alarm: see `take_back`
                                   failed: another transaction took the nonce, or the contract refused

A row is one head on one chain and one nonce. Its transaction may be replaced by a dearer one while it is in
no block; all that were signed for it are kept in the book of transactions.

Every change names the states it starts from, so two processes that work on one row do not undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.chain.deploy import Deployment
from mizheng.notary.chain.interface import FoundTransaction
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.publisher import SignedTransaction
from mizheng.notary.chain.standing import IN_FLIGHT, LIVE, Standing, read_ends, select_ends
from mizheng.notary.chain.tables import anchors, final_reversals
from mizheng.notary.chain.transactions import Attempt, TransactionBook
from mizheng.notary.database import reading, writing
from sqlalchemy import Engine, Row, bindparam, func, insert, select, update


@dataclass(frozen=True, slots=True)
class Item:
    """One anchoring."""

    id: int
    tree_size: int
    root_hash: bytes
    state: str
    nonce: int
    transaction_hash: bytes
    """Of the newest transaction, or of the one that a block took."""
    prepared_at: int
    sent_at: int | None
    block_number: int | None
    block_hash: bytes | None
    last_error: str | None


class Outbox:
    """The items of one log on one chain."""

    def __init__(
        self, engine: Engine, profile: ChainProfile, deployment: Deployment, publisher: bytes
    ) -> None:
        self._engine = engine
        self._publisher = publisher
        self.book = TransactionBook(engine, profile.chain_id, profile.genesis_hash, publisher)
        self._chain: dict[str, Any] = {"chain_id": profile.chain_id, "genesis_hash": profile.genesis_hash}
        self._place = {**self._chain, "contract": deployment.contract, "log_id": deployment.log_id}
        self._names = {"chain": profile.name, "kind": profile.kind}
        here = [anchors.c[name] == value for name, value in self._place.items()]
        columns = [anchors.c[name] for name in Item.__dataclass_fields__]
        # Put together once: they are asked several times a second, and making one costs more than asking it.
        self._here = select(*columns).where(*here)
        self._by_id = self._here.where(anchors.c.id == bindparam("wanted"))
        self._ends = select_ends(here)
        final = self._here.where(anchors.c.state == "final")
        self._newest_final = final.order_by(anchors.c.tree_size.desc()).limit(1)

    # Reading

    def standing(self) -> Standing[Item]:
        """What is under way; one question to the database, as it is asked several times a second."""
        with reading(self._engine) as connection:
            ends = read_ends(connection, self._ends)
            wanted = {place for place in ends if place is not None}
            rows = {place: connection.execute(self._by_id, {"wanted": place}).first() for place in wanted}
        items = {place: _item(row) for place, row in rows.items() if row is not None}
        return Standing(*(None if place is None else items.get(place) for place in ends))

    def newest_final(self) -> Item | None:
        """The largest head that is final."""
        with reading(self._engine) as connection:
            row = connection.execute(self._newest_final).first()
        return None if row is None else _item(row)

    def mined(self) -> list[Item]:
        """Items in a block that is not final yet, the largest head first."""
        statement = self._here.where(anchors.c.state == "mined").order_by(anchors.c.tree_size.desc())
        with reading(self._engine) as connection:
            return [_item(row) for row in connection.execute(statement)]

    def failed_at(self, tree_size: int) -> list[Item]:
        """Items for this head that were given up."""
        statement = self._here.where(anchors.c.state == "failed", anchors.c.tree_size == tree_size)
        with reading(self._engine) as connection:
            return [_item(row) for row in connection.execute(statement)]

    def next_nonce(self, floor: int) -> int:
        """The nonce after all live items of this account, whatever the chain says, and not below `floor`."""
        newest = select(func.max(anchors.c.nonce)).where(
            *(anchors.c[name] == value for name, value in self._chain.items()),
            anchors.c.publisher == self._publisher,
            anchors.c.state.in_(LIVE),
        )
        with reading(self._engine) as connection:
            found = connection.execute(newest).scalar()
        return floor if found is None else max(floor, found + 1)

    def has_mined_between(self, first: int, end: int) -> bool:
        """Whether an item that we hold mined has a nonce from `first` up to `end`, exclusive."""
        statement = self._here.where(
            anchors.c.state == "mined", anchors.c.nonce >= first, anchors.c.nonce < end
        )
        with reading(self._engine) as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def evidence_of(self, item: Item) -> bytes | None:
        """What was captured when the item was mined."""
        query = select(anchors.c.evidence).where(anchors.c.id == item.id)
        with reading(self._engine) as connection:
            evidence: bytes | None = connection.execute(query).scalar()
        return evidence

    def has_alarm(self) -> bool:
        """Whether a final anchor on this chain was taken back and nobody has looked yet."""
        statement = select(final_reversals.c.id).where(
            final_reversals.c.chain == self._names["chain"], final_reversals.c.acknowledged_at.is_(None)
        )
        with reading(self._engine) as connection:
            return connection.execute(statement.limit(1)).first() is not None

    # Writing: one commit each

    def prepare(
        self,
        tree_size: int,
        root_hash: bytes,
        note: bytes,
        transaction: SignedTransaction,
        now: int,
        *,
        old_size: int,
    ) -> None:
        """Write down what will be sent; IntegrityError if another process was first."""
        values = {
            **self._place,
            **self._names,
            "tree_size": tree_size,
            "root_hash": root_hash,
            "checkpoint_note": note,
            "state": "prepared",
            "publisher": self._publisher,
            "nonce": transaction.nonce,
            "raw_transaction": transaction.raw,
            "transaction_hash": transaction.hash,
            "prepared_at": now,
            "updated_at": now,
        }
        with writing(self._engine) as connection:
            (anchor_id,) = connection.execute(insert(anchors).values(values)).inserted_primary_key or (None,)
            self.book.add(connection, transaction, now, anchor_id=anchor_id, number=1, old_size=old_size)

    def replace(
        self, item: Item, last: Attempt, transaction: SignedTransaction, now: int, *, old_size: int
    ) -> bool:
        """Write down a dearer transaction for the same head and nonce; whether this process was first.

        IntegrityError if another process replaced `last` at the same moment.
        """
        with writing(self._engine) as connection:
            # A stale worker has an item that is in a block by now, or was replaced: it changes nothing.
            changed = connection.execute(
                update(anchors)
                .where(
                    anchors.c.id == item.id,
                    anchors.c.state.in_(IN_FLIGHT),
                    anchors.c.transaction_hash == item.transaction_hash,
                )
                .values(
                    state="prepared",
                    raw_transaction=transaction.raw,
                    transaction_hash=transaction.hash,
                    sent_at=None,
                    updated_at=now,
                )
            )
            if not changed.rowcount:
                return False
            self.book.add(
                connection, transaction, now, anchor_id=item.id, number=last.number + 1, old_size=old_size
            )
        return True

    def mark_sent(self, item: Item, now: int) -> None:
        self._change(item, IN_FLIGHT, now, state="sent", sent_at=now, last_error=None)

    def mark_mined(
        self, item: Item, attempt: Attempt, found: FoundTransaction, evidence: bytes, now: int
    ) -> None:
        """One of its transactions is in a block, not always the newest."""
        self._change(
            item,
            IN_FLIGHT,
            now,
            state="mined",
            raw_transaction=attempt.raw_transaction,
            transaction_hash=attempt.transaction_hash,
            block_number=found.block_number,
            block_hash=found.block_hash,
            evidence=evidence,
            last_error=None,
        )

    def mark_final(self, item: Item, evidence: bytes, now: int) -> None:
        self._change(item, ("mined",), now, state="final", evidence_final=evidence, last_error=None)

    def put_back(self, item: Item, now: int) -> None:
        """Its block is gone: to be sent again, at once."""
        self._change(item, ("mined",), now, **_BACK, last_error="reorganised")

    def take_back(self, item: Item, found_hash: bytes | None, now: int) -> None:
        """Its final block is gone. What was handed out is kept, and the anchor goes back to be sent."""
        with writing(self._engine) as connection:
            row = connection.execute(
                select(anchors).where(anchors.c.id == item.id, anchors.c.state == "final").with_for_update()
            ).first()
            if row is None or row.block_hash != item.block_hash:
                return
            connection.execute(
                insert(final_reversals).values(
                    anchor_id=item.id,
                    chain=self._names["chain"],
                    tree_size=item.tree_size,
                    block_number=item.block_number,
                    block_hash=item.block_hash,
                    found_hash=found_hash,
                    evidence=row.evidence_final or row.evidence,
                    noticed_at=now,
                )
            )
            connection.execute(
                update(anchors)
                .where(anchors.c.id == item.id)
                .values(**_BACK, evidence_final=None, last_error="final-reversed", updated_at=now)
            )

    def give_up(self, item: Item, reason: str, now: int) -> None:
        """This transaction anchors nothing; the head goes into a new one."""
        self._change(item, IN_FLIGHT, now, state="failed", last_error=reason)

    def revive(self, item: Item, now: int) -> None:
        """It did anchor after all."""
        self._change(item, ("failed",), now, state="sent", sent_at=now, last_error=None)

    def note_error(self, item: Item, code: str, now: int) -> None:
        if item.last_error != code:
            self._change(item, LIVE, now, last_error=code)

    def _change(self, item: Item, states: Sequence[str], now: int, **values: Any) -> None:
        statement = (
            update(anchors)
            .where(anchors.c.id == item.id, anchors.c.state.in_(states))
            .values(**values, updated_at=now)
        )
        with writing(self._engine) as connection:
            connection.execute(statement)


# What an item is without its block.
_BACK: dict[str, Any] = {
    "state": "sent",
    "sent_at": None,
    "block_number": None,
    "block_hash": None,
    "evidence": None,
}


def _item(row: Row[Any]) -> Item:
    return Item(**row._mapping)
