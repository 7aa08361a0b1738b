"""Relay and intake: lease, marks, signed heads, emitters, inbox positions, outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

instant = sa.DateTime(timezone=True)
HALF_FULL = {"fillfactor": "50"}


def upgrade() -> None:
    _lease_and_marks()
    _emitters_and_heads()
    _inbox()


def _lease_and_marks() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        comment="what an installation fixed once: facts_partitions",
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column(
            "term",
            sa.BigInteger,
            nullable=False,
            comment="grows with each holder; marks move only in the present one",
        ),
        sa.Column("until", instant, nullable=False, comment="by the database's clock"),
    )
    op.create_table(
        "published",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "seq",
            sa.BigInteger,
            nullable=False,
            comment="the last fact that Kafka acknowledged under this epoch",
        ),
        postgresql_with=HALF_FULL,
    )
    op.create_table(
        "partition_marks",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("topic_id", sa.Text, nullable=False, comment="another id: the topic was made again"),
        sa.Column(
            "next_offset",
            sa.BigInteger,
            nullable=False,
            comment="after the last record acknowledged and marked",
        ),
        postgresql_with=HALF_FULL,
    )
    op.create_table(
        "receipt_marks",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "seq", sa.BigInteger, nullable=False, comment="receipts of readings up to here were published"
        ),
        postgresql_with=HALF_FULL,
    )


def _emitters_and_heads() -> None:
    op.create_table(
        "emitters",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("system", sa.Text, primary_key=True),
        comment="registered systems: each has its three topics",
    )
    op.create_table(
        "checkpoints",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", instant, nullable=False),
        sa.Column("note", sa.Text, nullable=False, comment="C2SP signed note: the newest signed head"),
    )


def _inbox() -> None:
    op.create_table(
        "inbox_positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column(
            "generation", sa.Text, primary_key=True, comment="the topic's id: a topic made again starts at 0"
        ),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        postgresql_with=HALF_FULL,
    )
    op.create_table(
        "outcomes",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("generation", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, comment="duplicate, refused or unreadable"),
        sa.Column(
            "identity", sa.LargeBinary, comment="Identity.digest of (source, id), where both could be read"
        ),
        sa.Column("source", sa.Text),
        sa.Column("id", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("event_id", sa.Text, comment="of a duplicate: the fact that it repeats"),
        sa.Column("position", sa.Text),
        sa.Column("recorded_at", instant, nullable=False),
        sa.Column(
            "record",
            sa.LargeBinary,
            comment="of an unreadable one: key, value and headers, until they are published",
        ),
        sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "outcomes_unpublished", "outcomes", ["recorded_at"], postgresql_where=sa.text("NOT published")
    )
    op.create_index(
        "outcomes_by_identity",
        "outcomes",
        ["workspace", "identity"],
        postgresql_where=sa.text("identity IS NOT NULL"),
    )
