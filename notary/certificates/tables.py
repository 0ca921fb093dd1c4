"""The table of certificates, on the notary's one MetaData.

A row comes with the wish for a certificate and is filled in, once, when it is issued. Nothing of what was
issued changes afterwards but who may see it. Instants are unix seconds in UTC, digests raw bytes.
"""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, text

_PENDING = text("number IS NULL")

certificates = Table(
    "certificates",
    metadata,
    Column("leaf_index", ForeignKey("deposits.leaf_index"), primary_key=True, autoincrement=False),
    Column("requested_at", BigInteger, nullable=False),
    # withheld, masked, published: what somebody without the code is shown.
    Column("visibility", String(16), nullable=False),
    # From here on null until it is issued. Number and code stand here without their marks.
    Column("number", String(20), unique=True),
    Column("code_sha256", LargeBinary(32)),
    Column("commitment", LargeBinary(32), index=True),
    Column("issued_at", BigInteger),
    # Which of them came after which; null: issued before there was this column.
    Column("issue_order", BigInteger),
    Column("signer", String(64)),  # keyid of the key that signed the PDF, hex; null: it is not signed
    Column("pdf_sha256", LargeBinary(32), index=True),
    # What the PDF says, as JSON, for pages and programs; without the code.
    Column("facts", LargeBinary),
    Column("pdf", LargeBinary),
    Index("uq_certificates_issue_order", "issue_order", unique=True),
    Index("ix_certificates_pending", "leaf_index", sqlite_where=_PENDING, postgresql_where=_PENDING),
)
