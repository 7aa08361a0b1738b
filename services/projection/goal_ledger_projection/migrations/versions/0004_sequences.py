"""The sequence numbers of readings, in every version that there is, filled from its facts."""

from __future__ import annotations

from alembic import op

from goal_ledger_projection.tables import projections

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for version in _versions():
        op.execute(
            f"""
            CREATE TABLE IF NOT EXISTS {version}.sequences (
                workspace text, feed text, source text, number numeric, seq bigint,
                CONSTRAINT sequences_pkey PRIMARY KEY (workspace, feed, source, number, seq)
            )
            """
        )
        op.execute(
            f"""
            INSERT INTO {version}.sequences (workspace, feed, source, number, seq)
            SELECT workspace, substr(stream, 6), data->>'source', (data->>'sequence')::numeric, seq
            FROM (SELECT workspace, stream, seq, convert_from(bytes, 'UTF8')::jsonb->'data' AS data
                  FROM {version}.facts
                  WHERE type IN ('ReadingRecorded', 'ReadingQuarantined')
                    AND position(convert_to('"sequence":', 'UTF8') IN bytes) > 0
                  OFFSET 0) f
            WHERE data->>'sequence' ~ '^[0-9]{{1,64}}$'
            ON CONFLICT DO NOTHING
            """
        )


def downgrade() -> None:
    for version in _versions():
        op.execute(f"DROP TABLE {version}.sequences")


def _versions() -> list[str]:
    rows = op.get_bind().execute(projections.select().with_only_columns(projections.c.name))
    return [name for (name,) in rows]
