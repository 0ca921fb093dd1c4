"""Requests and shown documents, on the same metadata as the notary's other tables.

Whoever uses this shows them to the notary as well: requester, matter, scope, who approved. Who does not want
that exchanges files.
"""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

access_requests = Table(
    "access_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),  # whose deposit
    Column("envelope_sha256", LargeBinary(32), nullable=False),  # the deposit
    # Who lodged it: one of the two.
    Column("member_id", ForeignKey("members.id"), index=True),
    Column("lodger_id", ForeignKey("organisations.id"), index=True),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
    Column("lodged_at", BigInteger, nullable=False),
)

# Approvals, refusals, withdrawals, looks and custody events: what a company chose to show.
shown_documents = Table(
    "shown_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    Column("envelope_sha256", LargeBinary(32), nullable=False, index=True),
    Column("request_id", ForeignKey("access_requests.id"), index=True),  # null: of no request
    Column("kind", String(32), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
    Column("shown_at", BigInteger, nullable=False),
)
