"""Time-stamp tokens, the records that renew them, and how each authority answered last."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "time_stamps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", sa.BigInteger(), nullable=False),
        sa.Column("holds_until", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_stamps")),
    )
    op.create_index("uq_time_stamps_authority_size", "time_stamps", ["authority", "tree_size"], unique=True)
    op.create_table(
        "evidence_records",
        sa.Column("time_stamp_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("holds_until", sa.BigInteger(), nullable=False),
        sa.Column("renewals", sa.Integer(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["time_stamp_id"], ["time_stamps.id"], name=op.f("fk_evidence_records_time_stamp_id")
        ),
        sa.PrimaryKeyConstraint("time_stamp_id", name=op.f("pk_evidence_records")),
    )
    op.create_index(op.f("ix_evidence_records_holds_until"), "evidence_records", ["holds_until"])
    op.create_table(
        "time_stamp_status",
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_time_stamp_status")),
    )


def downgrade() -> None:
    op.drop_table("time_stamp_status")
    op.drop_index(op.f("ix_evidence_records_holds_until"), table_name="evidence_records")
    op.drop_table("evidence_records")
    op.drop_index("uq_time_stamps_authority_size", table_name="time_stamps")
    op.drop_table("time_stamps")
