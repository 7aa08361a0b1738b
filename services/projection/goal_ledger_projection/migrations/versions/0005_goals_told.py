"""What `goals.changed` has been told: how far, each goal's last record, and where the topic's partitions end."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS public.goals_told_to (
            workspace text PRIMARY KEY,
            epoch integer NOT NULL,
            seq bigint NOT NULL,
            looked_at timestamptz NOT NULL
        ) WITH (fillfactor = 20)
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS public.goals_told (
            workspace text NOT NULL,
            goal text NOT NULL,
            record bytea NOT NULL,
            PRIMARY KEY (workspace, goal)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS public.goals_told_offsets (
            partition integer PRIMARY KEY,
            topic_id text NOT NULL,
            next_offset bigint NOT NULL
        ) WITH (fillfactor = 20)
        """
    )


def downgrade() -> None:
    for table in ("goals_told_offsets", "goals_told", "goals_told_to"):
        op.execute(f"DROP TABLE public.{table}")
