"""Read model `check_ins`: every revision of every check-in.

A correction ends the revision before (`ended_seq`) and adds its own row; a retraction only ends. `author` is the person
whose word it is: the one named in an import, else the actor.

`body`: `{event_id, values: [{part, value} | {part, done}], reason?, note?, blockers?: [], evidence?: []}` and the data's
other members as stored; note, blockers and evidence are sealed (`{k, n, c}`), their JSON pointers are `/note`, `/blockers/<i>`, `/evidence/<i>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Numeric, Table, Text, func, literal
from sqlalchemy.dialects.postgresql import JSONB

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.changes import NULL, Changes, text
from goal_ledger_projection.read_models.fact import FactRead
from goal_ledger_projection.read_models.sql import microseconds

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
Index(
    "check_ins_last_words",
    check_ins.c.workspace,
    func.coalesce(check_ins.c.key_result, literal("/") + check_ins.c.objective),
    check_ins.c.effective_at.desc(),
    check_ins.c.seq.desc(),
)
"""The newest check-in on each key result, however many there are, and on each objective itself (a slash before its id)."""
Index(
    "check_ins_by_time",
    check_ins.c.workspace,
    check_ins.c.effective_at.desc(),
    check_ins.c.seq.desc(),
    postgresql_include=["ended_seq"],
    postgresql_where=check_ins.c.seq > 0,
)
"""All of a workspace, a page at a time; counted without a look at the rows. Only questions that say :data:`BY_TIME` can take it:
over empty tables the planner would take it for those about one goal too (`tests/projection/test_plans.py`)."""

COLUMNS = (
    "workspace",
    "check_in",
    "seq",
    "objective",
    "key_result",
    "effective_at",
    "recorded_at",
    "actor",
    "author",
    "status",
    "confidence",
    "method",
    "after_closing",
    "body",
    "ended_seq",
)

TYPES = ("CheckInRecorded", "CheckInCorrected", "CheckInRetracted")

ENDS = """
UPDATE check_ins r SET ended_seq = e.seq
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS e (workspace, check_in, seq)
CROSS JOIN LATERAL (SELECT o.ctid FROM check_ins o
                    WHERE o.workspace = e.workspace AND o.check_in = e.check_in AND o.seq < e.seq AND o.ended_seq IS NULL
                    ORDER BY o.seq OFFSET 0) o
WHERE r.ctid = o.ctid
"""


def fold(fact: FactRead, changes: Changes) -> None:
    """A revision of a check-in; it ends the one before."""
    data, body = fact.data, fact.body
    key = (fact.workspace, data["check_in"])
    if fact.type != "CheckInRecorded":
        changes.check_ins.end(key, fact.seq)
    if fact.type == "CheckInRetracted":
        return
    changes.check_ins.add(
        key,
        f"{fact.workspace}\t{key[1]}\t{fact.seq}\t{fact.id}\t{data.get('key_result', NULL)}\t"
        f"{body['effective_at']}\t{body['recorded_at']}\t{body['actor']}\t{_author(fact)}\t"
        f"{text(data.get('status'))}\t{data.get('confidence', NULL)}\t{text(data['method'])}\t"
        f"{'t' if data.get('after_closing') else 'f'}\t{_body(fact)}",
    )


def _body(fact: FactRead) -> str:
    """The data as stored, with the members beside it; its text is taken over, not written again."""
    beside = f'{{"event_id":"{fact.body["event_id"]}",'
    if "reason" in fact.body:
        beside += f'"reason":{dumps(fact.body["reason"], ensure_ascii=False)},'
    if "values" not in fact.data:
        beside += '"values":[],'
    return (beside + fact.data_text[1:]).replace("\\", "\\\\")


def _author(fact: FactRead) -> str:
    author = fact.data.get("author")
    if author is None:
        return str(fact.body["actor"])
    return text(author if "/" in author else f"person/{author}")


REVISIONS = "SELECT * FROM check_ins WHERE workspace = $1 AND check_in = $2 AND seq <= $3 ORDER BY seq"

IN_FORCE = (
    "workspace = $1",
    "seq <= $2",
    "(ended_seq IS NULL OR ended_seq > $2)",
    "effective_at <= $3",
)


ON_KEY_RESULT = "coalesce(key_result, '/' || objective) = {}"
"""As the index of the newest ones has it."""
BY_TIME = "seq > 0"
"""Of every row: for questions about no one goal."""


def count_of_check_ins(conditions: Sequence[str]) -> str:
    """How many there are for which all conditions hold."""
    return f"SELECT count(*) FROM check_ins WHERE {' AND '.join(conditions)}"


SINCE = "seq > {}"
"""Whose content was recorded after a seq."""


def count_by_objective(conditions: Sequence[str]) -> str:
    """How many there are on each objective and its key results."""
    where = " AND ".join(conditions)
    return f"SELECT objective, count(*) AS many FROM check_ins WHERE {where} GROUP BY objective"


def page_of_check_ins(conditions: Sequence[str], limit: int) -> str:
    """Those, the newest first."""
    return (
        f"SELECT * FROM check_ins WHERE {' AND '.join(conditions)} "
        f"ORDER BY effective_at DESC, seq DESC LIMIT {limit}"
    )


_EXPORTED = """
SELECT check_in, objective, key_result, author, actor, {effective_at}, {recorded_at},
       regexp_replace((body->'values')::text, '\\{{"part": ("[^"]*")\\}}', '{{"done": [], "part": \\1}}', 'g'),
       confidence, status, method, body->'note', body->'blockers', body->'evidence', body->>'reason', after_closing, seq,
       body->>'event_id'
FROM check_ins WHERE {conditions} ORDER BY effective_at, seq LIMIT {limit}
"""


def exported_check_ins(conditions: Sequence[str], limit: int) -> str:
    """Those, the oldest first, in the columns of the dataset `check-ins`; personal texts as they were sealed."""
    return _EXPORTED.format(
        effective_at=microseconds("effective_at"),
        recorded_at=microseconds("recorded_at"),
        conditions=" AND ".join(conditions),
        limit=limit,
    )
