"""The tables of the anchorer, of the observers and of the beacon, on the notary's one MetaData.

Instants are unix seconds in UTC, digests raw bytes. A block is always named by chain id, genesis hash,
number and hash together: two chains may share a chain id, and a chain may be started anew under the same
name.
"""

from __future__ import annotations

from mizheng.notary.models import metadata
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

_LIVE = text("state <> 'failed'")

# The outbox. A row is written, signed and hashed before anything is sent: see anchoring/anchorer.py.
anchors = Table(
    "anchors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain", String(64), nullable=False),  # the profile's name
    Column("kind", String(16), nullable=False),  # ethereum, trial
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("log_id", LargeBinary(32), nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("checkpoint_note", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # prepared, sent, mined, final, failed
    Column("publisher", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("raw_transaction", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False, unique=True),
    Column("prepared_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Column("evidence", LargeBinary),  # mizheng/anchor/v1, taken when mined
    Column("evidence_final", LargeBinary),  # taken again when the block was final
    Column("last_error", String(64)),
    Column("updated_at", BigInteger, nullable=False),
    # The oldest and the newest in a state: a row holds two evidences, and none but one is to be read.
    Index("ix_anchors_order", "chain_id", "genesis_hash", "log_id", "state", "tree_size"),
    # Two processes that prepare at the same moment: the second insert fails and that process looks again.
    Index(
        "uq_anchors_nonce",
        "chain_id",
        "genesis_hash",
        "publisher",
        "nonce",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
    Index(
        "uq_anchors_head",
        "chain_id",
        "genesis_hash",
        "log_id",
        "tree_size",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
)

# What observers signed, byte for byte: one statement per block and observer.
observations = Table(
    "observations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("observer_keyid", String(64), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index(
        "uq_observations_block_observer",
        "chain_id",
        "genesis_hash",
        "block_hash",
        "observer_keyid",
        unique=True,
    ),
)

# What validators sealed: `mizheng/validator-seals/v1`, checked before it is stored.
validator_seals = Table(
    "validator_seals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("captured_at", BigInteger, nullable=False),
    Index("uq_validator_seals_block", "chain_id", "genesis_hash", "block_hash", unique=True),
)

# Final blocks that were handed out as "not before": a statement that names one needs its header in the
# bundle.
beacon_blocks = Table(
    "beacon_blocks",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("genesis_hash", LargeBinary(32), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

# Why an anchorer waits, for every process that answers a depositor; written only when it changes.
anchoring_status = Table(
    "anchoring_status",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("waiting_for", String(64)),
    Column("changed_at", BigInteger, nullable=False),
    Column("warnings", String(255)),  # codes of what does not hold anchoring up yet, with spaces between
    Column("balance", String(80)),  # wei, as decimal digits: more than 63 bits hold
)

# Everything that was ever signed, each before it was sent: the first transaction of an anchor, what replaced
# it while it was stuck, and what fills a gap in the nonces (anchor_id is null). Any one of those with the
# same nonce may be the one that a block takes: all are looked for.
anchor_transactions = Table(
    "anchor_transactions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("anchor_id", Integer, ForeignKey("anchors.id")),
    Column("number", Integer, nullable=False),  # of the anchor's, from 1
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("publisher", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("old_size", BigInteger, nullable=False),  # the contract's head that its proof begins with
    Column("raw_transaction", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False, unique=True),
    Column("gas_limit", BigInteger, nullable=False),
    Column("max_fee", BigInteger, nullable=False),  # wei for each unit of gas
    Column("max_priority_fee", BigInteger),  # null: with a gas price
    Column("signed_at", BigInteger, nullable=False),
    Column("block_number", BigInteger),  # where it was seen last
    Column("gas_used", BigInteger),
    Column("gas_price", BigInteger),
    # Two processes that replace at the same moment: the second insert fails.
    Index("uq_anchor_transactions_number", "anchor_id", "number", unique=True),
    Index("ix_anchor_transactions_nonce", "chain_id", "genesis_hash", "publisher", "nonce"),
    Index("ix_anchor_transactions_signed_at", "signed_at"),
)

# Final anchors whose block the chain has taken back, which no chain does: what was handed out as final is
# kept here, and nothing on that chain becomes final until the operator has looked.
final_reversals = Table(
    "final_reversals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("anchor_id", Integer, ForeignKey("anchors.id"), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("found_hash", LargeBinary(32)),  # what stands at that height now
    Column("evidence", LargeBinary, nullable=False),
    Column("noticed_at", BigInteger, nullable=False),
    Column("acknowledged_at", BigInteger),
    # Two processes that notice it at the same moment.
    Index("uq_final_reversals_block", "anchor_id", "block_hash", unique=True),
)

# Heads that a company wants anchored at once; counted against what it may ask for in a day.
urgent_requests = Table(
    "urgent_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Index("ix_urgent_requests_organisation", "organisation_id", "requested_at"),
)

# How each node of a chain is, as the process that anchors has seen it; for every process that is asked.
chain_nodes = Table(
    "chain_nodes",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("node", String(300), primary_key=True),  # host and port, never the whole URL
    Column("state", String(32), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
