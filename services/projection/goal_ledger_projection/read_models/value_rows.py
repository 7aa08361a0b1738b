"""Read model `value_rows`: every value ever checked in, for asking on both clocks.

A row is a value of one part of a key result, as one check-in fact gave it. In force at (T, K): the first by
(effective_at desc, seq desc) with `effective_at <= T`, `seq <= K` and `ended_seq is null or ended_seq > K`. Rows are
append-only but for `ended_seq`, which a correction or retraction of the check-in sets.

`unit` and `measure_seq` are those of the key result's measure when the value was recorded (unit null: none, or the part
was unknown then; `measure_seq` the seq of the fact that set that measure). `done` is a checklist's complete list.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from goal_ledger_projection.metadata import read

value_rows = Table(
    "value_rows",
    read,
    Column("workspace", Text, primary_key=True),
    Column("check_in", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Text, primary_key=True),
    Column("objective", Text, nullable=False),
    Column("key_result", Text, nullable=False),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("ended_seq", BigInteger),
    Column("value", Numeric),
    Column("done", ARRAY(Text)),
    Column("unit", Text),
    Column("measure_seq", BigInteger),
)
Index(
    "value_rows_in_force",
    value_rows.c.workspace,
    value_rows.c.key_result,
    value_rows.c.part,
    value_rows.c.effective_at.desc(),
    value_rows.c.seq.desc(),
)
