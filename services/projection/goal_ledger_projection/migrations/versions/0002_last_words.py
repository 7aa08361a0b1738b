"""The newest check-in on each key result: its index, in every version that there is."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from goal_ledger_projection.projections import index_made
from goal_ledger_projection.tables import projections

revision = "0002"
down_revision = "0001"

INDEX = "check_ins_last_words"


def upgrade() -> None:
    connection = op.get_bind()
    for (version,) in connection.execute(projections.select().with_only_columns(projections.c.name)):
        connection.execute(text(f"SET LOCAL search_path TO {version}"))
        connection.execute(text(index_made("check_ins", INDEX)))
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))


def downgrade() -> None:
    connection = op.get_bind()
    for (version,) in connection.execute(projections.select().with_only_columns(projections.c.name)):
        connection.execute(text(f"DROP INDEX {version}.{INDEX}"))
