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
from goal_ledger_projection.read_models.changes import NULL, Changes, text, texts
from goal_ledger_projection.read_models.fact import FactRead, JsonObject
from goal_ledger_projection.read_models.objective import key_result

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

COLUMNS = (
    "workspace",
    "check_in",
    "seq",
    "part",
    "objective",
    "key_result",
    "effective_at",
    "value",
    "done",
    "unit",
    "measure_seq",
    "ended_seq",
)

ENDS = """
UPDATE value_rows r SET ended_seq = e.seq
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS e (workspace, check_in, seq)
CROSS JOIN LATERAL (SELECT o.ctid FROM value_rows o
                    WHERE o.workspace = e.workspace AND o.check_in = e.check_in AND o.seq < e.seq AND o.ended_seq IS NULL
                    ORDER BY o.seq, o.part OFFSET 0) o
WHERE r.ctid = o.ctid
"""


def fold(fact: FactRead, changes: Changes) -> None:
    """The values that a check-in gives; one corrected or retracted ends those it gave before."""
    data = fact.data
    check_in = data["check_in"]
    key = (fact.workspace, check_in)
    if fact.type != "CheckInRecorded":
        changes.value_rows.end(key, fact.seq)
    if fact.type == "CheckInRetracted" or "values" not in data or "key_result" not in data:
        return
    objective = changes.definition(fact, "objective", fact.id)
    defined = None if objective is None else key_result(objective, data["key_result"])
    measure_seq = NULL if defined is None else str(defined["measure_seq"])
    for value in data["values"]:
        part = value["part"]
        changes.value_rows.add(
            key,
            f"{fact.workspace}\t{check_in}\t{fact.seq}\t{part}\t{fact.id}\t{data['key_result']}\t"
            f"{fact.effective_at}\t{value.get('value', NULL)}\t{_done(value)}\t"
            f"{text(unit_of(defined, part))}\t{measure_seq}",
        )


def _done(value: JsonObject) -> str:
    # an empty list is not written in a fact: neither value nor steps means that no step is done
    return NULL if "value" in value else texts(value.get("done", []))


def unit_of(defined: JsonObject | None, part: str) -> str | None:
    """The unit of a part of a key result's measure, as defined now."""
    if defined is None:
        return None
    measure = defined["measure"]
    if measure["kind"] != "compound":
        unit: str | None = measure.get("unit")
        return unit
    return next((one["measure"].get("unit") for one in measure["parts"] if one["id"] == part), None)


OF_KEY_RESULTS = """
SELECT w.key_result, v.* FROM unnest($2::text[]) AS w (key_result)
CROSS JOIN LATERAL (SELECT v.part, v.effective_at, v.seq, v.ended_seq, v.value, v.done FROM value_rows v
                    WHERE v.workspace = $1 AND v.key_result = w.key_result AND v.seq <= $3
                    ORDER BY v.part, v.effective_at DESC, v.seq DESC OFFSET 0) v
ORDER BY v.effective_at, v.seq
"""
