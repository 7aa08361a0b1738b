"""Read model `definitions`: after every defining fact, the whole definition of that thing as one row.

Since `effective_at` never goes back within a stream (check-ins, readings and moments aside), the definition in effect
at (T, K) is the row with the greatest seq where `seq <= K and effective_at <= T`. Of a `moment`, `restarts`, `identity`,
`key`, `access`, `system` and `withheld` the greatest `seq <= K` alone. `ended_seq` is the seq of the thing's next row, null
for its latest: the present definitions are those with `ended_seq is null` (partial index `definitions_latest`).

kind (id): where its body is described
    workspace (the workspace), policy (scope), moment (name), access (holder), identity (issuer and subject, a space
    between), key (key id), system (system id), withheld (event id)   `workspace.py`
    unit `unit.py` · person, leaver, leaves `person.py` · cycle `cycle.py` · objective `objective.py` · feed, restarts `feed.py`

In all bodies: decimals are strings in canonical form, instants RFC 3339 UTC with microseconds, dates ISO; a member
without a value is left out or null. A personal text is `{k, n, c}` as it was sealed and stands beside the `event_id`
of its fact and is opened with the JSON pointer named there.
"""

from __future__ import annotations

from json import JSONEncoder

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models import cycle, feed, objective, person, unit, workspace
from goal_ledger_projection.read_models.changes import Changes, DefinitionKey, text
from goal_ledger_projection.read_models.defines import DefinesByType
from goal_ledger_projection.read_models.fact import FactRead, JsonObject

LINKING = ("ObjectiveAligned", "ObjectiveUnaligned")

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
_CHANGED = definitions.c.body["changed"]["type"].astext
Index(
    "definitions_links",
    definitions.c.workspace,
    definitions.c.id,
    definitions.c.seq,
    postgresql_where=_CHANGED.in_(LINKING),
)
"""Where an objective's links changed: the queries read the whole history of alignment from these rows."""
Index(
    "definitions_key_results",
    definitions.c.workspace,
    definitions.c.body["key_results"][-1]["id"].astext,
    postgresql_where=_CHANGED == "KeyResultAdded",
)
"""Which objective a key result was added to."""

COLUMNS = ("workspace", "kind", "id", "seq", "effective_at", "body", "ended_seq")


ENDS = """
UPDATE definitions r SET ended_seq = e.ended_seq
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS e (workspace, kind, id, seq, ended_seq)
WHERE r.workspace = e.workspace AND r.kind = e.kind AND r.id = e.id AND r.seq = e.seq
"""

LATEST = """
SELECT k.workspace, k.kind, k.id, r.seq, r.body
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, kind, id)
CROSS JOIN LATERAL (SELECT r.seq, r.body FROM definitions r
                    WHERE r.workspace = k.workspace AND r.kind = k.kind AND r.id = k.id ORDER BY r.seq DESC LIMIT 1) r
"""


DEFINING: DefinesByType = {
    **workspace.DEFINES,
    **unit.DEFINES,
    **person.DEFINES,
    **cycle.DEFINES,
    **feed.DEFINES,
    **objective.DEFINES,
}
"""What each type of fact defines; a type that is not here defines nothing."""

CONTEXT_KINDS = ("workspace", "policy", "moment", "cycle", "feed", "restarts", "unit", "leaver", "leaves")
"""Kinds of things that the arithmetic of every goal may depend on, and all links between goals besides."""
CONTEXT_FACTS = [
    *LINKING,
    *(type_ for type_, many in DEFINING.items() if any(one.kind in CONTEXT_KINDS for one in many)),
]
"""Types of facts that change one of these."""

_write = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def touched(fact: FactRead) -> list[DefinitionKey]:
    """The definitions that the fact changes."""
    return [(fact.workspace, one.kind, one.id_of(fact)) for one in DEFINING.get(fact.type, ())]


def fold(fact: FactRead, changes: Changes) -> None:
    """The whole new definition of each thing that the fact defines."""
    for one in DEFINING.get(fact.type, ()):
        id = one.id_of(fact)
        key = (fact.workspace, one.kind, id)
        before = changes.latest.get(key)
        body = one.evolve(None if before is None else before[1], fact)
        if before is not None:
            changes.definitions.end((*key, before[0]), fact.seq)
        columns = (fact.workspace, one.kind, text(id), str(fact.seq), fact.effective_at, _json(body))
        changes.definitions.add((*key, fact.seq), "\t".join(columns))
        changes.latest[key] = (fact.seq, body)


def _json(body: JsonObject) -> str:
    return _write(body).replace("\\", "\\\\")


EVER_DEFINED = (
    "SELECT id FROM definitions WHERE workspace = $1 AND kind = $2 AND id = $3 AND seq <= $4 LIMIT 1"
)

EVER_OF_KIND = "SELECT DISTINCT id FROM definitions WHERE workspace = $1 AND kind = $2 AND seq <= $3"

OF_KIND = """
SELECT DISTINCT ON (id) id, body FROM definitions
WHERE workspace = $1 AND kind = $2 AND seq <= $3 AND effective_at <= $4 ORDER BY id, seq DESC
"""

ONE_OF_KIND = """
SELECT body FROM definitions
WHERE workspace = $1 AND kind = $2 AND id = $3 AND seq <= $4 AND effective_at <= $5 ORDER BY seq DESC LIMIT 1
"""

RESTORED = "SELECT body->'restored' AS restored FROM definitions WHERE workspace = $1 AND kind = 'workspace' AND ended_seq IS NULL"

SHREDDED = """
SELECT 'person/' || w.id AS key FROM unnest($2::text[]) AS w (id)
CROSS JOIN LATERAL (SELECT d.body FROM definitions d WHERE d.workspace = $1 AND d.kind = 'person' AND d.id = w.id
                    ORDER BY d.seq DESC LIMIT 1) d
WHERE d.body['shredded'] = 'true'::jsonb
"""

WITHHELD_TEXTS = """
SELECT w.id, d.body->'pointers' AS pointers FROM unnest($2::text[]) AS w (id)
CROSS JOIN LATERAL (SELECT d.body FROM definitions d WHERE d.workspace = $1 AND d.kind = 'withheld' AND d.id = w.id
                    ORDER BY d.seq DESC LIMIT 1) d
"""

_PAST = """d.id, d.seq, d.effective_at, d.body['changed'] ->> 'type' AS type, d.body ->> 'owner' AS owner,
       d.body ->> 'cycle' AS cycle, d.body ->> 'stage' AS stage, (d.body ->> 'activated_seq')::bigint AS activated_seq,
       (d.body ->> 'activated_at')::timestamptz AS activated_at"""
PASTS_OF_OBJECTIVES = f"""
SELECT {_PAST} FROM definitions d WHERE d.workspace = $1 AND d.kind = 'objective' AND d.seq <= $2 ORDER BY d.id, d.seq
"""
"""Who owned each objective, in which cycle and state it was, after every fact that changed its definition."""
PASTS_OF_SOME = f"""
SELECT d.* FROM unnest($3::text[]) AS w (id)
CROSS JOIN LATERAL (SELECT {_PAST} FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = w.id AND d.seq <= $2
                    ORDER BY d.workspace, d.kind, d.id, d.seq) d
ORDER BY d.id, d.seq
"""
"""The same of these objectives."""

OF_OBJECTIVE_BETWEEN = """
SELECT seq, body FROM definitions WHERE workspace = $1 AND kind = 'objective' AND id = $2
  AND seq <= $4 AND seq >= coalesce((SELECT max(seq) FROM definitions WHERE workspace = $1 AND kind = 'objective'
                                     AND id = $2 AND seq < $3), 0)
ORDER BY seq
"""

EVERY_VERSION_OF_KIND = """
SELECT id, effective_at, body FROM definitions WHERE workspace = $1 AND kind = $2 AND seq <= $3 AND effective_at <= $4
ORDER BY id, seq
"""
