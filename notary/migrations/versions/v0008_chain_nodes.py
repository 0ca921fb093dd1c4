"""How each node of a chain is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "chain_nodes",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "node", name=op.f("pk_chain_nodes")),
    )


def downgrade() -> None:
    op.drop_table("chain_nodes")
