"""Runs migrations on the connection that app.migrate hands over."""

from alembic import context

import app.accounts
import conversations.tables
import handoff.desk

assert app.accounts.accounts is not None and handoff.desk.presence is not None  # they fill the shared metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=conversations.tables.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
