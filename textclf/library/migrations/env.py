"""Run by Alembic: applies migrations on the connection that `textclf.library.database` gives."""

from __future__ import annotations

from alembic import context

from textclf.library.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
