"""Read model `definitions`: after every defining fact, the whole definition of that thing as one row.

Since `effective_at` never goes back within a stream (check-ins, readings and moments aside), the definition in effect
at (T, K) is the row with the greatest seq where `seq <= K and effective_at <= T`. Of a `moment`, `identity`, `key`,
`access`, `system` and `withheld` the greatest `seq <= K` alone. `ended_seq` is the seq of the thing's next row, null
for its latest: the present definitions are those with `ended_seq is null` (partial index `definitions_latest`).

kind (id): where its body is described
    workspace (the workspace), policy (scope), moment (name), access (holder), identity (issuer and subject, a space
    between), key (key id), system (system id), withheld (event id)   `workspace.py`
    unit `unit.py` · person `person.py` · cycle `cycle.py` · objective `objective.py` · feed `feed.py`

In all bodies: decimals are strings in canonical form, instants RFC 3339 UTC with microseconds, dates ISO; a member
without a value is left out or null. A personal text is `{k, n, c}` as it was sealed and stands beside the `event_id`
of its fact and is opened with the JSON pointer named there.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from goal_ledger_projection.metadata import read

definitions = Table(
    "definitions",
    read,
    Column("workspace", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ended_seq", BigInteger),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
)
Index(
    "definitions_latest",
    definitions.c.workspace,
    definitions.c.kind,
    definitions.c.id,
    postgresql_where=definitions.c.ended_seq.is_(None),
)
