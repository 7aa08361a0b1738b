"""Imports in pieces: what was sent, sealed, and how far it has come."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _of_an_import() -> list[Any]:
    return [
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("import_id", sa.Text, primary_key=True),
    ]


def upgrade() -> None:
    op.create_table(
        "imports",
        *_of_an_import(),
        sa.Column("key_id", sa.Text, nullable=False, comment="its key in the keys database"),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False, comment="the time zone that its days are of"),
        sa.Column("steps_done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False, comment="by the database's clock"),
    )
    op.create_table(
        "import_pieces",
        *_of_an_import(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "digest", sa.LargeBinary, nullable=False, comment="HMAC of the piece under the import's key"
        ),
        sa.Column("bytes", sa.Integer, nullable=False, comment="how many were sent"),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="sealed"),
    )
    op.create_table(
        "import_outcomes",
        *_of_an_import(),
        sa.Column(
            "after", sa.Integer, primary_key=True, autoincrement=False, comment="so many steps came before"
        ),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="sealed: the reports of some steps"),
    )
