"""Every transaction that was signed, the anchors' own, what replaced them, and what filled a gap.

A row is written before its transaction is sent and never deleted: whichever of those with one nonce a block
takes, it is found here by its hash, and what it cost is written beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mizheng.notary.chain.interface import Fees, FoundTransaction
from mizheng.notary.chain.publisher import SignedTransaction
from mizheng.notary.chain.tables import anchor_transactions
from mizheng.notary.database import reading, writing
from sqlalchemy import Connection, Engine, insert, select, update

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction."""

    id: int
    anchor_id: int | None
    """None: it fills a gap."""
    number: int
    nonce: int
    old_size: int
    """The contract's head that its proof begins with."""
    raw_transaction: bytes
    transaction_hash: bytes
    gas_limit: int
    max_fee: int
    max_priority_fee: int | None
    signed_at: int

    @property
    def fees(self) -> Fees:
        return Fees(self.max_fee, self.max_priority_fee)


class TransactionBook:
    """What one publisher signed on one chain."""

    def __init__(self, engine: Engine, chain_id: int, genesis_hash: bytes, publisher: bytes) -> None:
        self._engine = engine
        self._account: dict[str, Any] = {
            "chain_id": chain_id,
            "genesis_hash": genesis_hash,
            "publisher": publisher,
        }

    def of_anchor(self, anchor_id: int) -> list[Attempt]:
        """All attempts at one anchor, the newest first."""
        return self._read(anchor_transactions.c.anchor_id == anchor_id)

    def fillers(self, nonce: int) -> list[Attempt]:
        """What was signed to fill this nonce, the newest first."""
        return self._read(anchor_transactions.c.anchor_id.is_(None), anchor_transactions.c.nonce == nonce)

    def add(
        self,
        connection: Connection,
        transaction: SignedTransaction,
        now: int,
        *,
        anchor_id: int | None,
        number: int,
        old_size: int,
    ) -> None:
        """Write one down in the caller's transaction; IntegrityError if another process has this number."""
        connection.execute(
            insert(anchor_transactions).values(
                **self._account,
                anchor_id=anchor_id,
                number=number,
                nonce=transaction.nonce,
                old_size=old_size,
                raw_transaction=transaction.raw,
                transaction_hash=transaction.hash,
                gas_limit=transaction.gas,
                max_fee=transaction.fees.max_fee,
                max_priority_fee=transaction.fees.max_priority_fee,
                signed_at=now,
            )
        )

    def add_filler(self, transaction: SignedTransaction, number: int, now: int) -> None:
        """Write down what fills a gap; IntegrityError if the same bytes are there."""
        with writing(self._engine) as connection:
            self.add(connection, transaction, now, anchor_id=None, number=number, old_size=0)

    def note_outcome(self, transaction_hash: bytes, found: FoundTransaction) -> None:
        """What it cost, once it is in a block; written again if the block changes."""
        statement = (
            update(anchor_transactions)
            .where(anchor_transactions.c.transaction_hash == transaction_hash)
            .values(block_number=found.block_number, gas_used=found.gas_used, gas_price=found.gas_price)
        )
        with writing(self._engine) as connection:
            connection.execute(statement)

    def spent(self, now: int, *, but_nonce: int) -> int:
        """Wei that the last 24 hours cost, or may still cost; the nonce that is being decided is left out.

        Of those with one nonce, one at most is ever paid for: the dearest counts until it is known which.
        """
        c = anchor_transactions.c
        statement = select(c.nonce, c.gas_limit, c.max_fee, c.gas_used, c.gas_price).where(
            *(c[name] == value for name, value in self._account.items()),
            c.signed_at > now - DAY,
            c.nonce != but_nonce,
        )
        known: dict[int, int] = {}
        most: dict[int, int] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(statement):
                if row.gas_used is not None:
                    known[row.nonce] = row.gas_used * row.gas_price
                most[row.nonce] = max(most.get(row.nonce, 0), row.gas_limit * row.max_fee)
        return sum((most | known).values())

    def newest_worst_cost(self) -> int:
        """The most that the transaction signed last can cost, in wei; 0 if there is none."""
        c = anchor_transactions.c
        statement = (
            select(c.gas_limit, c.max_fee)
            .where(*(c[name] == value for name, value in self._account.items()))
            .order_by(c.id.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(statement).first()
        return 0 if row is None else row.gas_limit * row.max_fee

    def _read(self, *conditions: Any) -> list[Attempt]:
        c = anchor_transactions.c
        statement = (
            select(*(c[name] for name in Attempt.__dataclass_fields__))
            .where(*(c[name] == value for name, value in self._account.items()), *conditions)
            .order_by(c.number.desc())
        )
        with reading(self._engine) as connection:
            return [Attempt(**row._mapping) for row in connection.execute(statement)]
