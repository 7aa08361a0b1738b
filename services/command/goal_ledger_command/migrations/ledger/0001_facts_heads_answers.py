"""Facts, heads, epochs, answers to idempotency keys, identities, points, snapshots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    _facts()
    _heads()
    _answers()
    _identities()
    _snapshots()


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("recorded_at", instant, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="SHA-256(0x00 ‖ bytes): the leaf"),
        sa.Column("bytes", sa.LargeBinary, nullable=False, comment="canonical, never written again"),
        sa.Column("traceparent", sa.Text),
        sa.UniqueConstraint("workspace", "stream", "version", name="facts_stream"),
        sa.UniqueConstraint("workspace", "event_id", name="facts_event"),
    )
    op.create_index(
        "facts_shredding",
        "facts",
        ["workspace", "seq"],
        postgresql_where=sa.text("type = 'PersonShredded'"),
    )


def _heads() -> None:
    op.create_table(
        "heads",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column(
            "recorded_at", instant, nullable=False, comment="of the last fact; the next is never below"
        ),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("moved_at", instant, nullable=False, comment="by the database's clock"),
        postgresql_with={"fillfactor": "20"},
    )
    op.create_table(
        "epochs",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "fork_seq", sa.BigInteger, nullable=False, comment="the last fact kept from the epoch before"
        ),
        sa.Column("started_at", instant, nullable=False),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True, comment="HMAC of (actor, method, path, key)"),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="HMAC of the body"),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False, comment="above last_seq: no fact"),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("location", sa.Text),
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True, comment="Identity.digest"),
        sa.Column("seq", sa.BigInteger, nullable=False, comment="the fact with the present content"),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
    )
    op.create_table(
        "points",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("identity", sa.LargeBinary, primary_key=True),
        sa.Column("series", sa.Text, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Numeric, nullable=False),
    )
    op.create_index("points_by_time", "points", ["workspace", "series", "at", "seq"])


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("fold_version", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False, comment="its key in the keys database"),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="sealed: holds display names"),
    )
