"""The anchors of one log on one chain by state, in the order of their heads: found without reading all."""

from alembic import op

revision = "0009"
down_revision = "0008"

_COLUMNS = ["chain_id", "genesis_hash", "log_id", "state", "tree_size"]


def upgrade() -> None:
    op.create_index("ix_anchors_order", "anchors", _COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_anchors_order", "anchors")
