"""The mailbox: what companies leave for each other, encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "mailbox_items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("addressee", sa.String(length=200)),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawal", sa.LargeBinary()),
        sa.Column("acceptance", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_mailbox_items_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_items")),
    )
    op.create_index("ix_mailbox_items_organisation_id", "mailbox_items", ["organisation_id", "created_at"])
    op.create_index("ix_mailbox_items_addressee", "mailbox_items", ["addressee", "created_at"])
    op.create_index("ix_mailbox_items_expires_at", "mailbox_items", ["expires_at"])


def downgrade() -> None:
    op.drop_table("mailbox_items")
