"""What Alembic runs: always online, on the connection and in the transaction that it is handed."""

from alembic import context
from mizheng.notary.access import tables as access_tables
from mizheng.notary.auditing import tables as audit_tables
from mizheng.notary.certificates import tables as certificate_tables
from mizheng.notary.chain import tables
from mizheng.notary.mailbox import tables as mailbox_tables
from mizheng.notary.models import metadata
from mizheng.notary.people import tables as people_tables
from mizheng.notary.timestamping import tables as timestamp_tables
from mizheng.notary.webhooks import tables as webhook_tables

# The tables in modules of their own stand on the same metadata once these are imported.
assert tables.anchors.metadata is metadata  # noqa: S101
assert access_tables.access_requests.metadata is metadata  # noqa: S101
assert audit_tables.audit_log.metadata is metadata  # noqa: S101
assert certificate_tables.certificates.metadata is metadata  # noqa: S101
assert people_tables.members.metadata is metadata  # noqa: S101
assert mailbox_tables.mailbox_items.metadata is metadata  # noqa: S101
assert timestamp_tables.time_stamps.metadata is metadata  # noqa: S101
assert webhook_tables.webhooks.metadata is metadata  # noqa: S101

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
