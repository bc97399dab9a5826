"""Runs migrations on the connection that app.migrate hands over."""

from alembic import context

import app.accounts
import app.outbox.tables
import conversations.tables
import handoff.desk

# importing a room puts its tables into the shared metadata
assert app.accounts.accounts.metadata is app.outbox.tables.outbox.metadata is handoff.desk.presence.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=conversations.tables.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
