"""The check-ins of a workspace by time: their index, in every version whose shape has it.

Until then a shape was a digest of the indexes too. It is one of columns and keys alone from here on, so that an index more
is a migration and not a rebuild: the versions of that shape are named anew.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

WITH_INDEXES, WITHOUT = "2-928a39b75f8e", "2-7665b2a9cc7d"
"""One shape, as it was named before and as it is named from here on."""


def upgrade() -> None:
    for version in _versions(WITH_INDEXES, WITHOUT):
        op.execute(
            f"""
            CREATE INDEX IF NOT EXISTS check_ins_by_time ON {version}.check_ins
            (workspace, effective_at DESC, seq DESC) INCLUDE (ended_seq) WHERE seq > 0
            """
        )
    _name_anew(WITH_INDEXES, WITHOUT)


def downgrade() -> None:
    for version in _versions(WITHOUT):
        op.execute(f"DROP INDEX {version}.check_ins_by_time")
    _name_anew(WITHOUT, WITH_INDEXES)


def _name_anew(old: str, new: str) -> None:
    op.execute(f"UPDATE public.projection_versions SET shape = '{new}' WHERE shape = '{old}'")


def _versions(*shapes: str) -> list[str]:
    found = text("SELECT name FROM public.projection_versions WHERE shape = ANY (:shapes) ORDER BY name")
    return [name for (name,) in op.get_bind().execute(found, {"shapes": list(shapes)})]
