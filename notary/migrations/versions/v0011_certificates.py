"""Certificates: asked for, issued once, kept."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_PENDING = sa.text("number IS NULL")


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=20)),
        sa.Column("code_sha256", sa.LargeBinary(length=32)),
        sa.Column("commitment", sa.LargeBinary(length=32)),
        sa.Column("issued_at", sa.BigInteger()),
        sa.Column("signer", sa.String(length=64)),
        sa.Column("pdf_sha256", sa.LargeBinary(length=32)),
        sa.Column("facts", sa.LargeBinary()),
        sa.Column("pdf", sa.LargeBinary()),
        sa.ForeignKeyConstraint(
            ["leaf_index"], ["deposits.leaf_index"], name=op.f("fk_certificates_leaf_index")
        ),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_certificates")),
        sa.UniqueConstraint("number", name=op.f("uq_certificates_number")),
    )
    op.create_index(op.f("ix_certificates_commitment"), "certificates", ["commitment"])
    op.create_index(op.f("ix_certificates_pdf_sha256"), "certificates", ["pdf_sha256"])
    op.create_index(
        "ix_certificates_pending",
        "certificates",
        ["leaf_index"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )


def downgrade() -> None:
    op.drop_index("ix_certificates_pending", "certificates")
    op.drop_index(op.f("ix_certificates_pdf_sha256"), "certificates")
    op.drop_index(op.f("ix_certificates_commitment"), "certificates")
    op.drop_table("certificates")
