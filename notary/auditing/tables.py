"""The audit log's tables, on the same metadata as the others."""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

# Every administrative act, hash-linked; see `mizheng.notary.auditing.rows`. Nothing is ever changed here.
audit_log = Table(
    "audit_log",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("previous", LargeBinary(32), nullable=False),
    Column("row_sha256", LargeBinary(32), nullable=False),
)

# What was put into the notary's own log of it: the document, and the event that names the document's digest.
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rows", ForeignKey("audit_log.number"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("leaf_index", ForeignKey("entries.leaf_index"), nullable=False, unique=True),
)
