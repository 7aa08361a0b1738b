"""Run by Alembic: on the connection, and within the transaction, that ``migrate`` opened."""

from alembic import context

connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
