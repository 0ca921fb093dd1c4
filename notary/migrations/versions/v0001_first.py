"""The first schema: log, organisations and their keys, anchors and observations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "anchoring_status",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("waiting_for", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_anchoring_status")),
    )
    op.create_table(
        "anchors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("log_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint_note", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("publisher", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw_transaction", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("evidence_final", sa.LargeBinary(), nullable=True),
        sa.Column("last_error", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchors")),
        sa.UniqueConstraint("transaction_hash", name=op.f("uq_anchors_transaction_hash")),
    )
    op.create_index(op.f("ix_anchors_state"), "anchors", ["state"], unique=False)
    op.create_index(
        "uq_anchors_head",
        "anchors",
        ["chain_id", "genesis_hash", "log_id", "tree_size"],
        unique=True,
        sqlite_where=sa.text("state <> 'failed'"),
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.create_index(
        "uq_anchors_nonce",
        "anchors",
        ["chain_id", "genesis_hash", "publisher", "nonce"],
        unique=True,
        sqlite_where=sa.text("state <> 'failed'"),
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.create_table(
        "beacon_blocks",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "genesis_hash", "number", name=op.f("pk_beacon_blocks")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "entries",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("envelope_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_entries")),
        sa.UniqueConstraint("envelope_sha256", name=op.f("uq_entries_envelope_sha256")),
    )
    op.create_table(
        "entry_bundles",
        sa.Column("tile_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tile_index", name=op.f("pk_entry_bundles")),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "observations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("observer_keyid", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
    )
    op.create_index(
        "uq_observations_block_observer",
        "observations",
        ["chain_id", "genesis_hash", "block_hash", "observer_keyid"],
        unique=True,
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id_scheme", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("reenrol_allowed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_index("uq_organisations_identity", "organisations", ["id_scheme", "identifier"], unique=True)
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "tile_index", name=op.f("pk_tiles")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_api_keys_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_api_keys_key_sha256")),
    )
    op.create_index(op.f("ix_api_keys_organisation_id"), "api_keys", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_api_keys_prefix"), "api_keys", ["prefix"], unique=False)
    op.create_table(
        "company_keys",
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolment_index", sa.BigInteger(), nullable=False),
        sa.Column("revocation_index", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_index"], ["entries.leaf_index"], name=op.f("fk_company_keys_enrolment_index")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_company_keys_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revocation_index"], ["entries.leaf_index"], name=op.f("fk_company_keys_revocation_index")
        ),
        sa.PrimaryKeyConstraint("keyid", name=op.f("pk_company_keys")),
        sa.UniqueConstraint("enrolment_index", name=op.f("uq_company_keys_enrolment_index")),
        sa.UniqueConstraint("revocation_index", name=op.f("uq_company_keys_revocation_index")),
    )
    op.create_index(
        op.f("ix_company_keys_organisation_id"), "company_keys", ["organisation_id"], unique=False
    )
    op.create_index(
        "uq_company_keys_active",
        "company_keys",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("revocation_index IS NULL"),
        postgresql_where=sa.text("revocation_index IS NULL"),
    )
    op.create_table(
        "enrolments",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leaf_index"], ["entries.leaf_index"], name=op.f("fk_enrolments_leaf_index")
        ),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_enrolments")),
    )
    op.create_index(op.f("ix_enrolments_keyid"), "enrolments", ["keyid"], unique=False)
    op.create_table(
        "revocations",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leaf_index"], ["entries.leaf_index"], name=op.f("fk_revocations_leaf_index")
        ),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_keyid"), "revocations", ["keyid"], unique=False)
    op.create_table(
        "deposits",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["keyid"], ["company_keys.keyid"], name=op.f("fk_deposits_keyid")),
        sa.ForeignKeyConstraint(["leaf_index"], ["entries.leaf_index"], name=op.f("fk_deposits_leaf_index")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_deposits_organisation_id")
        ),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_deposits")),
    )
    op.create_index(op.f("ix_deposits_keyid"), "deposits", ["keyid"], unique=False)
    op.create_index(op.f("ix_deposits_organisation_id"), "deposits", ["organisation_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_deposits_organisation_id"), table_name="deposits")
    op.drop_index(op.f("ix_deposits_keyid"), table_name="deposits")
    op.drop_table("deposits")
    op.drop_index(op.f("ix_revocations_keyid"), table_name="revocations")
    op.drop_table("revocations")
    op.drop_index(op.f("ix_enrolments_keyid"), table_name="enrolments")
    op.drop_table("enrolments")
    op.drop_index(
        "uq_company_keys_active",
        table_name="company_keys",
        sqlite_where=sa.text("revocation_index IS NULL"),
        postgresql_where=sa.text("revocation_index IS NULL"),
    )
    op.drop_index(op.f("ix_company_keys_organisation_id"), table_name="company_keys")
    op.drop_table("company_keys")
    op.drop_index(op.f("ix_api_keys_prefix"), table_name="api_keys")
    op.drop_index(op.f("ix_api_keys_organisation_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("tiles")
    op.drop_index("uq_organisations_identity", table_name="organisations")
    op.drop_table("organisations")
    op.drop_index("uq_observations_block_observer", table_name="observations")
    op.drop_table("observations")
    op.drop_table("log_head")
    op.drop_table("entry_bundles")
    op.drop_table("entries")
    op.drop_table("checkpoints")
    op.drop_table("beacon_blocks")
    op.drop_index(
        "uq_anchors_nonce",
        table_name="anchors",
        sqlite_where=sa.text("state <> 'failed'"),
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.drop_index(
        "uq_anchors_head",
        table_name="anchors",
        sqlite_where=sa.text("state <> 'failed'"),
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.drop_index(op.f("ix_anchors_state"), table_name="anchors")
    op.drop_table("anchors")
    op.drop_table("anchoring_status")
