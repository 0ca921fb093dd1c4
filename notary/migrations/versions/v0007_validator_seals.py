"""Seals of a chain's validators over the blocks that evidence stands on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "validator_seals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validator_seals")),
    )
    op.create_index(
        "uq_validator_seals_block",
        "validator_seals",
        ["chain_id", "genesis_hash", "block_hash"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_index("uq_validator_seals_block", table_name="validator_seals")
    op.drop_table("validator_seals")
