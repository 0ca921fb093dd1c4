"""Which key signed which sizes of the log, and which issuer key is the present one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Both are filled by the first opening: the public keys are in the keys directory, not in the database.
    op.create_table(
        "log_keys",
        sa.Column("first_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vkey", sa.String(length=512), nullable=False),
        sa.Column("last_size", sa.BigInteger(), nullable=True),
        sa.Column("change_note", sa.LargeBinary(), nullable=True),
        sa.Column("change_proof", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("first_size", name=op.f("pk_log_keys")),
        sa.UniqueConstraint("vkey", name=op.f("uq_log_keys_vkey")),
    )
    op.create_table(
        "issuer_keys",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_issuer_keys")),
        sa.UniqueConstraint("public_key", name=op.f("uq_issuer_keys_public_key")),
    )


def downgrade() -> None:
    op.drop_table("issuer_keys")
    op.drop_table("log_keys")
