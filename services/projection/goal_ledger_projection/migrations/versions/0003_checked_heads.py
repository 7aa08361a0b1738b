"""How far the rows were found to be the command service's log, in every version that there is."""

from __future__ import annotations

from alembic import op

from goal_ledger_projection.tables import projections

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for version in _versions():
        op.execute(
            f"""
            CREATE TABLE IF NOT EXISTS {version}.checked_heads (
                workspace text PRIMARY KEY,
                epoch integer NOT NULL,
                seq bigint NOT NULL,
                frontier bytea NOT NULL,
                checked_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )


def downgrade() -> None:
    for version in _versions():
        op.execute(f"DROP TABLE {version}.checked_heads")


def _versions() -> list[str]:
    rows = op.get_bind().execute(projections.select().with_only_columns(projections.c.name))
    return [name for (name,) in rows]
