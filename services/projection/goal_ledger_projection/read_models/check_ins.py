"""Read model `check_ins`: every revision of every check-in.

A correction ends the revision before (`ended_seq`) and adds its own row; a retraction only ends. `author` is the person
whose word it is: the one named in an import, else the actor.

`body`: `{event_id, values: [{part, value} | {part, done}], reason?, note?, blockers?: [], evidence?: []}`; note, blockers
and evidence are sealed (`{k, n, c}`), their JSON pointers are `/note`, `/blockers/<i>`, `/evidence/<i>`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from goal_ledger_projection.metadata import read

check_ins = Table(
    "check_ins",
    read,
    Column("workspace", Text, primary_key=True),
    Column("check_in", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("objective", Text, nullable=False),
    Column("key_result", Text),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("ended_seq", BigInteger),
    Column("actor", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("status", Text),
    Column("confidence", Numeric),
    Column("method", Text, nullable=False),
    Column("after_closing", Boolean, nullable=False),
    Column("body", JSONB, nullable=False),
)
Index(
    "check_ins_by_objective",
    check_ins.c.workspace,
    check_ins.c.objective,
    check_ins.c.effective_at.desc(),
    check_ins.c.seq.desc(),
)
