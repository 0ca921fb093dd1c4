"""Every signed transaction, final anchors that were taken back, urgent requests, and an account's balance."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "anchor_transactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("anchor_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("publisher", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("old_size", sa.BigInteger(), nullable=False),
        sa.Column("raw_transaction", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("gas_limit", sa.BigInteger(), nullable=False),
        sa.Column("max_fee", sa.BigInteger(), nullable=False),
        sa.Column("max_priority_fee", sa.BigInteger(), nullable=True),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("gas_price", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["anchor_id"], ["anchors.id"], name=op.f("fk_anchor_transactions_anchor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchor_transactions")),
        sa.UniqueConstraint("transaction_hash", name=op.f("uq_anchor_transactions_transaction_hash")),
    )
    op.create_index(
        "uq_anchor_transactions_number", "anchor_transactions", ["anchor_id", "number"], unique=True
    )
    op.create_index(
        "ix_anchor_transactions_nonce",
        "anchor_transactions",
        ["chain_id", "genesis_hash", "publisher", "nonce"],
    )
    op.create_index("ix_anchor_transactions_signed_at", "anchor_transactions", ["signed_at"])
    # What was signed before costs were kept: looked for like the others, and counted as costing nothing.
    op.execute(
        "INSERT INTO anchor_transactions (anchor_id, number, chain_id, genesis_hash, publisher, nonce,"
        " old_size, raw_transaction, transaction_hash, gas_limit, max_fee, max_priority_fee, signed_at,"
        " block_number) SELECT id, 1, chain_id, genesis_hash, publisher, nonce, 0, raw_transaction,"
        " transaction_hash, 0, 0, 0, prepared_at, block_number FROM anchors"
    )
    op.create_table(
        "final_reversals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("anchor_id", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("found_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("noticed_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["anchor_id"], ["anchors.id"], name=op.f("fk_final_reversals_anchor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_final_reversals")),
    )
    op.create_index("uq_final_reversals_block", "final_reversals", ["anchor_id", "block_hash"], unique=True)
    op.create_table(
        "urgent_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_urgent_requests_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_requests")),
    )
    op.create_index("ix_urgent_requests_organisation", "urgent_requests", ["organisation_id", "requested_at"])
    op.add_column("anchoring_status", sa.Column("warnings", sa.String(length=255), nullable=True))
    op.add_column("anchoring_status", sa.Column("balance", sa.String(length=80), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("anchoring_status") as table:
        table.drop_column("balance")
        table.drop_column("warnings")
    op.drop_table("urgent_requests")
    op.drop_table("final_reversals")
    op.drop_table("anchor_transactions")
