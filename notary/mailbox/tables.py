"""The table of the mailbox, on the notary's one MetaData; the ciphertexts lie in files (`files`).

Of an item the notary knows who left it, how large it is, until when it is kept, and its digest; for whom,
only where the sender said so. Instants are unix seconds in UTC, digests raw bytes.
"""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table

mailbox_items = Table(
    "mailbox_items",
    metadata,
    Column("id", String(32), primary_key=True),  # 16 random bytes, hex
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    # SCHEME:IDENTIFIER as the sender said it; whether there is such a company is not looked at.
    Column("addressee", String(200)),
    Column("token_sha256", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    # open: not all of it is there; kept; withdrawn; expired. The last two have no ciphertext any more.
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),  # when a part of an open one came last
    Column("expires_at", BigInteger, nullable=False),
    Column("withdrawal", LargeBinary),  # as the sender signed it
    Column("acceptance", LargeBinary),  # encrypted by the recipient to the sender
    Index("ix_mailbox_items_organisation_id", "organisation_id", "created_at"),
    Index("ix_mailbox_items_addressee", "addressee", "created_at"),
    Index("ix_mailbox_items_expires_at", "expires_at"),
)
