"""The audit log, and what of it is on record in the notary's own log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("row_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "audit_heads",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["rows"], ["audit_log.number"], name=op.f("fk_audit_heads_rows")),
        sa.ForeignKeyConstraint(
            ["leaf_index"], ["entries.leaf_index"], name=op.f("fk_audit_heads_leaf_index")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_heads")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_audit_heads_leaf_index")),
    )


def downgrade() -> None:
    op.drop_table("audit_heads")
    op.drop_table("audit_log")
