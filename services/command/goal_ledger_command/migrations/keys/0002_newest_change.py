"""The newest change of the keys is found at once: it tells whether their database was set back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    changed = sa.text("greatest(created_at, coalesce(deleted_at, created_at))")
    op.create_index("text_keys_changed", "text_keys", [changed])
