"""Requests to see records, and what companies show of their decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("envelope_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member_id", sa.Integer()),
        sa.Column("lodger_id", sa.Integer()),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("lodged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_access_requests_organisation_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_access_requests_member_id")),
        sa.ForeignKeyConstraint(
            ["lodger_id"], ["organisations.id"], name=op.f("fk_access_requests_lodger_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
        sa.UniqueConstraint("sha256", name=op.f("uq_access_requests_sha256")),
    )
    for column in ("organisation_id", "member_id", "lodger_id"):
        op.create_index(op.f(f"ix_access_requests_{column}"), "access_requests", [column])
    op.create_table(
        "shown_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("envelope_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_id", sa.Integer()),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_shown_documents_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["access_requests.id"], name=op.f("fk_shown_documents_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shown_documents")),
        sa.UniqueConstraint("sha256", name=op.f("uq_shown_documents_sha256")),
    )
    for column in ("organisation_id", "envelope_sha256", "request_id"):
        op.create_index(op.f(f"ix_shown_documents_{column}"), "shown_documents", [column])


def downgrade() -> None:
    op.drop_table("shown_documents")
    op.drop_table("access_requests")
