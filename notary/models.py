"""The notary's tables, as SQLAlchemy Core objects on one MetaData.

Instants are unix seconds in UTC. Digests and keys in binary columns are raw bytes; key ids are hex, as
everywhere. Tables of the anchorer and of the observers stand in their own modules on this same `metadata`;
the migrations import those modules, so that one comparison covers all.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# The log. One row: whoever holds its lock is the one writer of the log.
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),  # the signed note, as served
    Column("updated_at", BigInteger, nullable=False),
    # Here whoever reads the log over found it damaged: no process signs until it is well again.
    Column("damaged_bundle", BigInteger),
)

# C2SP tlog-tiles: up to 256 hashes of 32 bytes; only the right-most tile of a level is shorter.
tiles = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile_index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# C2SP entry bundles: up to 256 entries, each u16be length and bytes.
entry_bundles = Table(
    "entry_bundles",
    metadata,
    Column("tile_index", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

# Which envelope stands at which place. Nothing else is needed to serve and to prove the log.
entries = Table(
    "entries",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("envelope_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # deposit, event, enrolment, revocation, …
)

# Signed checkpoints kept for good: one for every size that is anchored.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
)

# The keys of the log, one after the other: which tree sizes each of them may have signed.
log_keys = Table(
    "log_keys",
    metadata,
    Column("first_size", BigInteger, primary_key=True, autoincrement=False),
    Column("vkey", String(512), nullable=False, unique=True),
    Column("last_size", BigInteger),  # null: the present key
    # How the key came in the place of the one before it, as in `mizheng.verifier.logkeys`; null: the first.
    Column("change_note", LargeBinary),
    Column("change_proof", LargeBinary),
)

# The issuer's keys, the present one with the highest number.
issuer_keys = Table(
    "issuer_keys",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("public_key", LargeBinary, nullable=False, unique=True),  # SubjectPublicKeyInfo, DER
)

# What is published while witnesses are asked; no row: the head is, as soon as it is committed. One row.
published_head = Table(
    "published_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),  # with the log's signature alone
    Column("quorum", String(16), nullable=False),  # met, not-met, none
    Column("quorum_size", BigInteger, nullable=False),  # the largest published size that had a quorum
    Column("published_at", BigInteger, nullable=False),
    # The head that the witnesses are asked about now; null while there is none.
    Column("next_size", BigInteger),
    Column("next_root_hash", LargeBinary(32)),
    Column("next_checkpoint", LargeBinary),
    Column("next_since", BigInteger),
)

# Signature lines of witnesses, checked before they are stored.
cosignatures = Table(
    "cosignatures",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("vkey", String(512), primary_key=True),
    Column("line", LargeBinary, nullable=False),
    Column("cosigned_at", BigInteger, nullable=False),  # by the witness's clock
    Column("received_at", BigInteger, nullable=False, index=True),
)

# How each witness answered last, for every process that is asked.
witnesses = Table(
    "witnesses",
    metadata,
    Column("vkey", String(512), primary_key=True),
    Column("tree_size", BigInteger, nullable=False),  # what it cosigned last
    Column("state", String(32), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("id_scheme", String(32), nullable=False),
    Column("identifier", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    # Set by the operator after a company lost its key; taken away by the enrolment that uses it.
    Column("reenrol_allowed_at", BigInteger),
    Index("uq_organisations_identity", "id_scheme", "identifier", unique=True),
)

# What a company may ask of the notary; no row: as much as there is room for. Null: no such limit.
quotas = Table(
    "quotas",
    metadata,
    Column("organisation_id", ForeignKey("organisations.id"), primary_key=True, autoincrement=False),
    Column("per_day", BigInteger),  # new entries of the log in a UTC day
    Column("in_all", BigInteger),
    Column("per_minute", Integer),  # requests
    # Counted in the transaction that appends, from when the row is there.
    Column("day", BigInteger, nullable=False),  # since 1970, of `used_today`
    Column("used_today", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)

# Only SHA-256 of a key is kept; the prefix finds the row and names the key to people.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    Column("prefix", String(16), nullable=False, index=True),
    Column("key_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("disabled_at", BigInteger),
    # What it may be used for, with a blank between; null: everything, as before there were scopes.
    Column("scopes", String(64)),
)

# Signing keys of companies. Active: enrolled and not revoked; an organisation has at most one such key.
company_keys = Table(
    "company_keys",
    metadata,
    Column("keyid", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),  # SubjectPublicKeyInfo, DER
    Column("enrolment_index", ForeignKey("entries.leaf_index"), nullable=False, unique=True),
    Column("revocation_index", ForeignKey("entries.leaf_index"), unique=True),
    Index(
        "uq_company_keys_active",
        "organisation_id",
        unique=True,
        sqlite_where=text("revocation_index IS NULL"),
        postgresql_where=text("revocation_index IS NULL"),
    ),
)

deposits = Table(
    "deposits",
    metadata,
    Column("leaf_index", ForeignKey("entries.leaf_index"), primary_key=True, autoincrement=False),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("keyid", ForeignKey("company_keys.keyid"), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # A company's own, in their order.
    Index("ix_deposits_order", "organisation_id", "leaf_index"),
)

# That a company put a document on record, of which nothing is known here but the digest that the event names.
events = Table(
    "events",
    metadata,
    Column("leaf_index", ForeignKey("entries.leaf_index"), primary_key=True, autoincrement=False),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("keyid", ForeignKey("company_keys.keyid"), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # A company's own, in their order.
    Index("ix_events_order", "organisation_id", "leaf_index"),
)

# What the issuer signed, byte for byte as it stands in the log.
enrolments = Table(
    "enrolments",
    metadata,
    Column("leaf_index", ForeignKey("entries.leaf_index"), primary_key=True, autoincrement=False),
    Column("keyid", String(64), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
)

revocations = Table(
    "revocations",
    metadata,
    Column("leaf_index", ForeignKey("entries.leaf_index"), primary_key=True, autoincrement=False),
    Column("keyid", String(64), nullable=False, index=True),
    Column("envelope", LargeBinary, nullable=False),
)
