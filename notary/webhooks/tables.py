"""The tables of webhooks, on the notary's one MetaData: who is told, and the outbox of what is still to be
told.

Instants are unix seconds in UTC. Deliveries are numbered for each webhook by itself, so that nobody can tell
from his own how many others there are.
"""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

_WAITING = text("state = 'waiting'")

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(32), nullable=False, unique=True),  # random; what the outside calls it
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", String(255), nullable=False),  # names with spaces between
    # Both sides sign and check with it, so it is kept as it is; the one before it is used a while longer.
    Column("secret", LargeBinary(32), nullable=False),
    Column("old_secret", LargeBinary(32)),
    Column("old_secret_until", BigInteger),
    Column("state", String(16), nullable=False),  # active, dead
    Column("created_at", BigInteger, nullable=False),
    # How the address answered last, whichever delivery it was.
    Column("failures", Integer, nullable=False),  # one after the other, since the last success
    Column("rest_until", BigInteger, nullable=False),
    Column("last_outcome", String(32)),
    Column("last_success_at", BigInteger),
    # What has been looked at: entries of the log below these sizes, certificates up to this one.
    Column("deposited_size", BigInteger, nullable=False),
    Column("anchored_size", BigInteger, nullable=False),
    Column("final_size", BigInteger, nullable=False),
    Column("issue_order", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", ForeignKey("webhooks.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", String(40), nullable=False, unique=True),
    Column("event", String(40), nullable=False),
    Column("leaf_index", BigInteger),  # the deposit that it is about; null: none
    Column("body", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, delivered, dead
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("attempted_at", BigInteger),
    Column("outcome", String(32)),  # of the last attempt
    # Two processes that notice the same thing at the same moment: the second insert fails.
    Index("uq_webhook_deliveries_subject", "webhook_id", "event", "leaf_index", unique=True),
    Index(
        "ix_webhook_deliveries_waiting",
        "webhook_id",
        "number",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
)
