"""Where the log was found damaged, for all processes on the database to stop."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("log_head", sa.Column("damaged_bundle", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("log_head") as table:
        table.drop_column("damaged_bundle")
