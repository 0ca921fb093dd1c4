"""What Alembic runs: always online, on the connection and in the transaction that it is handed."""

from alembic import context
from mizheng.notary.chain import tables
from mizheng.notary.models import metadata

# The anchorer's and the observers' tables stand on the same metadata once their module is imported.
assert tables.anchors.metadata is metadata  # noqa: S101

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
