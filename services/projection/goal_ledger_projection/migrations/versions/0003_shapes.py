"""Each version knows its shape; of each shape one version is live.

Processes of the release before know no shapes: they ask `public.projections`, which from here on is a view of the
versions that have been live longest, so that they go on beside those of this release until they are stopped.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

FIRST_SHAPE = "first"
"""Of all versions made before versions knew their shape."""


def upgrade() -> None:
    op.execute("ALTER TABLE public.projections RENAME TO projection_versions")
    op.execute(f"ALTER TABLE public.projection_versions ADD shape text NOT NULL DEFAULT '{FIRST_SHAPE}'")
    op.execute("ALTER TABLE public.projection_versions ALTER shape DROP DEFAULT")
    op.execute("DROP INDEX public.projections_one_live")
    op.execute("CREATE UNIQUE INDEX projections_one_live ON public.projection_versions (shape) WHERE live")
    op.execute(
        """
        CREATE VIEW public.projections AS
        SELECT name, live, made_at, live_since FROM public.projection_versions
        WHERE shape = (SELECT shape FROM public.projection_versions WHERE live ORDER BY live_since, name LIMIT 1)
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW public.projections")
    op.execute(f"DELETE FROM public.projection_versions WHERE shape <> '{FIRST_SHAPE}'")
    op.execute("DROP INDEX public.projections_one_live")
    op.execute("ALTER TABLE public.projection_versions DROP shape")
    op.execute("CREATE UNIQUE INDEX projections_one_live ON public.projection_versions (live) WHERE live")
    op.execute("ALTER TABLE public.projection_versions RENAME TO projections")
