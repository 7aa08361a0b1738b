"""Answers that Kafka refused stand aside; where each partition of ledger.facts is whole from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "partition_marks",
        sa.Column(
            "first_offset",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="from here on the partition holds all from seq 1: beginning later, it was cut",
        ),
    )
    op.create_table(
        "unsent_answers",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True, comment="the answer's header key"),
        sa.Column("record", sa.LargeBinary, nullable=False, comment="key, value and headers"),
        sa.Column("reason", sa.Text, nullable=False, comment="what Kafka said, the last time"),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        comment="answers that Kafka refused: tried again now and then",
    )
    op.create_index("unsent_answers_by_time", "unsent_answers", ["tried_at"])
