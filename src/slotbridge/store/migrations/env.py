"""Run by alembic, with the connection and the transaction of whoever called it."""

from __future__ import annotations

from alembic import context

from slotbridge.store.tables import Table

# SQLite can alter little of a table; in batch mode alembic makes a new one and copies the rows.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
