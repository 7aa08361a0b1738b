"""The keys of personal texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "text_keys",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, comment="under the master key; null: deleted for good"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "text_keys_deleted", "text_keys", ["workspace"], postgresql_where=sa.text("wrapped IS NULL")
    )
