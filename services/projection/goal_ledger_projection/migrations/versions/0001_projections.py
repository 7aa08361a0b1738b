"""The registry of projection versions, and the first version, live.

A change to the tables of a version is not a migration: a rebuild makes the next version beside the live one.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import func

from goal_ledger_projection.projections import make_version
from goal_ledger_projection.tables import projections, registry

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    registry.create_all(connection)
    make_version(connection, "read_v1")
    connection.execute(
        projections.update().where(projections.c.name == "read_v1").values(live=True, live_since=func.now())
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA read_v1 CASCADE")
    registry.drop_all(op.get_bind())
