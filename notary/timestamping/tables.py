"""The tables of time stamps and of their renewal, on the notary's one MetaData.

Instants are unix seconds in UTC. A token is kept as the authority made it, but for revocation lists that were
put beside its signature; nothing here is ever deleted.
"""

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

# One token of one authority over one checkpoint; checked before it is stored.
time_stamps = Table(
    "time_stamps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("authority", String(64), nullable=False),  # the name in notary.toml
    Column("tree_size", BigInteger, nullable=False),
    Column("text", LargeBinary, nullable=False),  # the checkpoint's note text
    Column("token", LargeBinary, nullable=False),  # ContentInfo, DER
    Column("stamped_at", BigInteger, nullable=False),  # by the token: genTime and accuracy
    Column("holds_until", BigInteger, nullable=False),  # when the first certificate of its chain ends
    Column("fetched_at", BigInteger, nullable=False),  # by the notary's clock
    Index("uq_time_stamps_authority_size", "authority", "tree_size", unique=True),
)

# RFC 4998: the chain of tokens that began with a time stamp. A later record holds the earlier one whole.
evidence_records = Table(
    "evidence_records",
    metadata,
    Column("time_stamp_id", ForeignKey("time_stamps.id"), primary_key=True, autoincrement=False),
    Column("record", LargeBinary, nullable=False),  # EvidenceRecord, DER
    Column("hash", String(16), nullable=False),  # of its last chain, by name
    Column("holds_until", BigInteger, nullable=False, index=True),
    Column("renewals", Integer, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
)

# How each authority answered last, for every process that is asked.
time_stamp_status = Table(
    "time_stamp_status",
    metadata,
    Column("authority", String(64), primary_key=True),
    Column("state", String(64), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
