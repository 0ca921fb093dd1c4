"""What is published while witnesses are asked, their cosignatures, and how each answered last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "published_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("quorum", sa.String(length=16), nullable=False),
        sa.Column("quorum_size", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("next_size", sa.BigInteger(), nullable=True),
        sa.Column("next_root_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("next_checkpoint", sa.LargeBinary(), nullable=True),
        sa.Column("next_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_head")),
    )
    op.create_table(
        "cosignatures",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vkey", sa.String(length=512), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("cosigned_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", "vkey", name=op.f("pk_cosignatures")),
    )
    op.create_index(op.f("ix_cosignatures_received_at"), "cosignatures", ["received_at"], unique=False)
    op.create_table(
        "witnesses",
        sa.Column("vkey", sa.String(length=512), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("vkey", name=op.f("pk_witnesses")),
    )


def downgrade() -> None:
    op.drop_table("witnesses")
    op.drop_index(op.f("ix_cosignatures_received_at"), table_name="cosignatures")
    op.drop_table("cosignatures")
    op.drop_table("published_head")
