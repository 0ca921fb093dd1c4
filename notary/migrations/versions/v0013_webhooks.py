"""Webhooks and their outbox; in which order certificates were issued."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(length=32)),
        sa.Column("old_secret_until", sa.BigInteger()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rest_until", sa.BigInteger(), nullable=False),
        sa.Column("last_outcome", sa.String(length=32)),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("deposited_size", sa.BigInteger(), nullable=False),
        sa.Column("anchored_size", sa.BigInteger(), nullable=False),
        sa.Column("final_size", sa.BigInteger(), nullable=False),
        sa.Column("issue_order", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_webhooks_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("name", name=op.f("uq_webhooks_name")),
    )
    op.create_index("ix_webhooks_organisation_id", "webhooks", ["organisation_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("leaf_index", sa.BigInteger()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger()),
        sa.Column("outcome", sa.String(length=32)),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id")
        ),
        sa.PrimaryKeyConstraint("webhook_id", "number", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("message_id", name=op.f("uq_webhook_deliveries_message_id")),
    )
    op.create_index("ix_webhook_deliveries_created_at", "webhook_deliveries", ["created_at"])
    op.create_index(
        "uq_webhook_deliveries_subject",
        "webhook_deliveries",
        ["webhook_id", "event", "leaf_index"],
        unique=True,
    )
    op.create_index(
        "ix_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["webhook_id", "number"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    # A unique index in place of a constraint: SQLite adds no constraint to a table that is there.
    op.add_column("certificates", sa.Column("issue_order", sa.BigInteger()))
    op.create_index("uq_certificates_issue_order", "certificates", ["issue_order"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_certificates_issue_order", "certificates")
    op.drop_column("certificates", "issue_order")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
