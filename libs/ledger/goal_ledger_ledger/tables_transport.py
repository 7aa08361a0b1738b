"""The tables by which facts leave for Kafka and readings come in: marks, lease, signed heads, inbox.

None of them is in the way of an append: the relay's marks are rows of their own, not columns of ``heads``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from goal_ledger_ledger.tables import instant, ledger

__all__ = [
    "checkpoints",
    "emitters",
    "inbox_positions",
    "leases",
    "ledger",
    "outcomes",
    "partition_marks",
    "published",
    "receipt_marks",
    "settings",
    "tiles",
    "unsent_answers",
    "witnessed",
]

settings = Table(
    "settings",
    ledger,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="what an installation fixed once: facts_partitions",
)

leases = Table(
    "leases",
    ledger,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column(
        "term",
        BigInteger,
        nullable=False,
        comment="grows with each holder; marks move only in the present one",
    ),
    Column("until", instant, nullable=False, comment="by the database's clock"),
)

published = Table(
    "published",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column(
        "seq", BigInteger, nullable=False, comment="the last fact that Kafka acknowledged under this epoch"
    ),
    postgresql_with={"fillfactor": "50"},
)

partition_marks = Table(
    "partition_marks",
    ledger,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("topic_id", Text, nullable=False, comment="another id: the topic was made again"),
    Column(
        "next_offset", BigInteger, nullable=False, comment="after the last record acknowledged and marked"
    ),
    Column(
        "first_offset",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="from here on the partition holds all from seq 1: beginning later, it was cut",
    ),
    postgresql_with={"fillfactor": "50"},
)

receipt_marks = Table(
    "receipt_marks",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, comment="receipts of readings up to here were published"),
    postgresql_with={"fillfactor": "50"},
)

unsent_answers = Table(
    "unsent_answers",
    ledger,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True, comment="the answer's header key"),
    Column("record", LargeBinary, nullable=False, comment="key, value and headers"),
    Column("reason", Text, nullable=False, comment="what Kafka said, the last time"),
    Column("tried_at", instant, nullable=False),
    Index("unsent_answers_by_time", "tried_at"),
    comment="answers that Kafka refused: tried again now and then",
)

emitters = Table(
    "emitters",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    comment="registered systems: each has its three topics",
)

checkpoints = Table(
    "checkpoints",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("signed_at", instant, nullable=False),
    Column("note", Text, nullable=False, comment="C2SP signed note: the newest signed head"),
    Column("shown_seq", BigInteger, comment="with witnesses: the head that is shown, and goes into proofs"),
    Column("shown_root", LargeBinary),
    Column("shown_note", Text, comment="with its cosignatures"),
)

witnessed = Table(
    "witnessed",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True, comment="its verifier key"),
    Column("origin", Text, nullable=False, comment="the log under which it was asked"),
    Column("seq", BigInteger, nullable=False, comment="the size that it has seen"),
    Column("line", Text, comment="its cosignature of that size; null: seen, by its own word"),
    Column("stopped", Text, comment="store_behind_log or log_forked: writing stops in this epoch"),
    Column("told_at", instant, nullable=False),
)

tiles = Table(
    "tiles",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False, comment="over the tile: a hash of the level above"),
    Column("hashes", LargeBinary, nullable=False, comment="256 of 32 bytes"),
    comment="full tiles of the Merkle tree (C2SP tlog-tiles): written once, the same in every epoch",
)

inbox_positions = Table(
    "inbox_positions",
    ledger,
    Column("topic", Text, primary_key=True),
    Column("generation", Text, primary_key=True, comment="the topic's id: a topic made again starts at 0"),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    postgresql_with={"fillfactor": "50"},
)

outcomes = Table(
    "outcomes",
    ledger,
    Column("topic", Text, primary_key=True),
    Column("generation", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("workspace", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="duplicate, refused or unreadable"),
    Column("identity", LargeBinary, comment="Identity.digest of (source, id), where both could be read"),
    Column("source", Text),
    Column("id", Text),
    Column("feed", Text, comment="where it could be read; not kept before 0008"),
    Column("code", Text),
    Column("reason", Text),
    Column("event_id", Text, comment="of a duplicate: the fact that it repeats"),
    Column("position", Text),
    Column("recorded_at", instant, nullable=False),
    Column(
        "record",
        LargeBinary,
        comment="of an unreadable one: key, value and headers, until they are published",
    ),
    Column("published", Boolean, nullable=False, server_default=false()),
    Index("outcomes_unpublished", "recorded_at", postgresql_where=text("NOT published")),
    Index("outcomes_by_identity", "workspace", "identity", postgresql_where=text("identity IS NOT NULL")),
)
