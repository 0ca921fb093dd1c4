"""Where a session that a provider opened is ended there."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("logout_url", sa.Text()))


def downgrade() -> None:
    op.drop_column("sessions", "logout_url")
