"""Members and how they log in, on the same metadata as the notary's other tables.

A member's `name` is the only personal data here, beside what an OpenID provider calls him; it may be a
pseudonym of his own. Everything else, and the audit log, knows him by the notary's pseudonym. Of codes and
session tokens only SHA-256 is kept.
"""

from mizheng.notary.models import metadata
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

_IS_NOTARYS = text("role = 'system-admin' OR role = 'security-admin' OR role = 'audit-admin'")

members = Table(
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pseudonym", String(16), nullable=False, unique=True),
    Column("organisation_id", ForeignKey("organisations.id"), index=True),  # null: not of a company
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

member_roles = Table(
    "member_roles",
    metadata,
    Column("member_id", ForeignKey("members.id"), primary_key=True),
    Column("role", String(32), primary_key=True),
    Column("granted_at", BigInteger, nullable=False),
    # 三员分立: whatever writes here, nobody has two of the notary's own three.
    Index(
        "uq_member_roles_notarys",
        "member_id",
        unique=True,
        sqlite_where=_IS_NOTARYS,
        postgresql_where=_IS_NOTARYS,
    ),
)

# One-time links by which somebody makes himself the member that was made for him.
invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("code_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

# Accounts at OpenID providers: one is one member's.
identities = Table(
    "identities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("issuer", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    Index("uq_identities_subject", "issuer", "subject", unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("method", String(16), nullable=False),  # see `mizheng.notary.people.sessions`
    Column("is_strong", Boolean, nullable=False),  # two factors
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("logout_url", Text),  # where the provider's session is ended; null: there is none
)

# What a login or an enrolment waits for: bound to one browser, for minutes, used once.
ceremonies = Table(
    "ceremonies",
    metadata,
    Column("token_sha256", LargeBinary(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("data", Text, nullable=False),  # JSON: challenge, nonce, verifier, invitation
    Column("expires_at", BigInteger, nullable=False, index=True),
)
