"""What the witnesses have seen and cosigned, and the head that is shown: the newest one that they made good."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "witnessed",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.Text, primary_key=True, comment="its verifier key"),
        sa.Column("origin", sa.Text, nullable=False, comment="the log under which it was asked"),
        sa.Column("seq", sa.BigInteger, nullable=False, comment="the size that it has seen"),
        sa.Column("line", sa.Text, comment="its cosignature of that size; null: seen, by its own word"),
        sa.Column("stopped", sa.Text, comment="store_behind_log or log_forked: writing stops in this epoch"),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
    for column in (
        sa.Column(
            "shown_seq", sa.BigInteger, comment="with witnesses: the head that is shown, and goes into proofs"
        ),
        sa.Column("shown_root", sa.LargeBinary),
        sa.Column("shown_note", sa.Text, comment="with its cosignatures"),
    ):
        op.add_column("checkpoints", column)
