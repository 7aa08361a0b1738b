"""The newest check-in on each key result: its index, in every version of the first shape."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for version in _versions():
        op.execute(
            f"""
            CREATE INDEX IF NOT EXISTS check_ins_last_words ON {version}.check_ins
            (workspace, coalesce(key_result, '/' || objective), effective_at DESC, seq DESC)
            """
        )


def downgrade() -> None:
    for version in _versions():
        op.execute(f"DROP INDEX {version}.check_ins_last_words")


def _versions() -> list[str]:
    return [name for (name,) in op.get_bind().execute(text("SELECT name FROM public.projections"))]
