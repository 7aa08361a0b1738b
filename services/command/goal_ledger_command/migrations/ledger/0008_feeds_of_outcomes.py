"""A receipt names its feed, also that of a reading which left no fact."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "outcomes", sa.Column("feed", sa.Text, comment="where it could be read; not kept before 0008")
    )
