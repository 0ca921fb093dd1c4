"""Events: documents that companies put on record by their digest alone."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["keyid"], ["company_keys.keyid"], name=op.f("fk_events_keyid")),
        sa.ForeignKeyConstraint(["leaf_index"], ["entries.leaf_index"], name=op.f("fk_events_leaf_index")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_events_organisation_id")
        ),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_events")),
    )
    op.create_index("ix_events_organisation_id", "events", ["organisation_id"])
    op.create_index("ix_events_keyid", "events", ["keyid"])


def downgrade() -> None:
    op.drop_index("ix_events_keyid", "events")
    op.drop_index("ix_events_organisation_id", "events")
    op.drop_table("events")
