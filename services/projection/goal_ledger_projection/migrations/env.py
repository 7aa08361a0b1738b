"""Alembic's entry: runs the revisions on the connection that `projections.migrate` hands over."""

from __future__ import annotations

from alembic import context

from goal_ledger_projection.tables import registry

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=registry,
    version_table="alembic_version",
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
