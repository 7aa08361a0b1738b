"""The tables of the two databases of the command service: ``ledger`` (facts, heads, answers) and ``keys`` (text keys).

Every key begins with the workspace, so that both databases shard by it. Tables of relay and intake are declared in
``tables_transport.py``, those of imports in ``tables_imports.py``, on the same metadata.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

ledger = MetaData()
keys = MetaData()

instant = DateTime(timezone=True)

facts = Table(
    "facts",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("recorded_at", instant, nullable=False),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256(0x00 ‖ bytes): the leaf"),
    Column("bytes", LargeBinary, nullable=False, comment="canonical, never written again"),
    Column("traceparent", Text),
    UniqueConstraint("workspace", "stream", "version", name="facts_stream"),
    UniqueConstraint("workspace", "event_id", name="facts_event"),
    Index("facts_shredding", "workspace", "seq", postgresql_where=text("type = 'PersonShredded'")),
    Index(
        "facts_judging",
        *("workspace", "stream", "seq"),
        postgresql_where=text("type IN ('ReadingQuarantined', 'ReadingReleased', 'ReadingRejected')"),
    ),
)

heads = Table(
    "heads",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recorded_at", instant, nullable=False, comment="of the last fact; the next is never below"),
    Column("frontier", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("moved_at", instant, nullable=False, comment="by the database's clock"),
    # The hot row of a workspace: room for its next versions on its page, and no other index (HOT updates).
    postgresql_with={"fillfactor": "20"},
)

epochs = Table(
    "epochs",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("fork_seq", BigInteger, nullable=False, comment="the last fact kept from the epoch before"),
    Column("started_at", instant, nullable=False),
)

answers = Table(
    "answers",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True, comment="HMAC of (actor, method, path, key)"),
    Column("body", LargeBinary, nullable=False, comment="HMAC of the body"),
    Column("id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_seq", BigInteger, nullable=False, comment="above last_seq: no fact"),
    Column("last_seq", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("location", Text),
)

identities = Table(
    "identities",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True, comment="Identity.digest"),
    Column("seq", BigInteger, nullable=False, comment="the fact with the present content"),
    Column("state", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
)

points = Table(
    "points",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("identity", LargeBinary, primary_key=True),
    Column("series", Text, nullable=False),
    Column("at", instant, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("value", Numeric, nullable=False),
    Index("points_by_time", "workspace", "series", "at", "seq"),
)

snapshots = Table(
    "snapshots",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("fold_version", Text, nullable=False),
    Column("key_id", Text, nullable=False, comment="its key in the keys database"),
    Column("made_at", instant, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed: holds display names"),
)

text_keys = Table(
    "text_keys",
    keys,
    Column("workspace", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("wrapped", LargeBinary, comment="under the master key; null: deleted for good"),
    Column("created_at", instant, nullable=False),
    Column("deleted_at", instant),
    Index("text_keys_deleted", "workspace", postgresql_where=text("wrapped IS NULL")),
    Index("text_keys_changed", text("greatest(created_at, coalesce(deleted_at, created_at))")),
)
