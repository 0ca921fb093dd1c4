"""What companies may ask of the notary; their deposits and events in order, page by page."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("organisation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("per_day", sa.BigInteger()),
        sa.Column("in_all", sa.BigInteger()),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("used_today", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_quotas_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_quotas")),
    )
    for table in ("deposits", "events"):
        # It takes the other one's place: a new row has as many indexes to go into as before.
        op.create_index(f"ix_{table}_order", table, ["organisation_id", "leaf_index"])
        op.drop_index(f"ix_{table}_organisation_id", table)


def downgrade() -> None:
    for table in ("deposits", "events"):
        op.create_index(f"ix_{table}_organisation_id", table, ["organisation_id"])
        op.drop_index(f"ix_{table}_order", table)
    op.drop_table("quotas")
