"""Read model `readings`: what the feeds' systems reported, and from which seq on it counts.

In force at K: `seq <= K and (ended_seq is null or ended_seq > K)`; counted are those with state LIVE. A reading that was
quarantined has a row with state QUARANTINED from its own seq; its release ends that row and adds a LIVE one that counts
from the release's seq, at the stated `time`; its rejection only ends it. A correction ends the row and adds its new
content, in the state the reading had; a retraction only ends. `recorded_seq` is the fact that holds the content.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Numeric, SmallInteger, Table, Text

from goal_ledger_projection.metadata import read

LIVE, QUARANTINED = 0, 1

readings = Table(
    "readings",
    read,
    Column("workspace", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("ended_seq", BigInteger),
    Column("value", Numeric, nullable=False),
    Column("unit", Text),
    Column("mode", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("recorded_seq", BigInteger, nullable=False),
)
Index("readings_by_time", readings.c.workspace, readings.c.feed, readings.c.time, readings.c.seq)
Index(
    "readings_in_quarantine",
    readings.c.workspace,
    readings.c.feed,
    readings.c.source,
    readings.c.id,
    postgresql_where=(readings.c.state == QUARANTINED) & readings.c.ended_seq.is_(None),
)
