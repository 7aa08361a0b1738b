"""When something changed for a key result: the instants at which its series has a point.

Its values and readings in force, the definitions of its objective, the dates of its cycles, the policies in its scopes,
and the moments that open its windows; of one measured by other objectives, the same of all that were ever beneath it.
The database counts and thins them, so that a feed may have any number of readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_history.goals import Goal, KeyResult, Version

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Snapshot

_TIMES = """
WITH changed AS (
    SELECT at FROM unnest($5::timestamptz[]) AS a (at) WHERE at > $3 AND at < $4
    UNION
    SELECT v.effective_at FROM unnest($6::text[]) AS q (key_result)
    CROSS JOIN LATERAL (SELECT v.effective_at FROM value_rows v
                        WHERE v.workspace = $1 AND v.key_result = q.key_result AND v.seq <= $2
                          AND (v.ended_seq IS NULL OR v.ended_seq > $2)
                          AND v.effective_at > $3 AND v.effective_at < $4 OFFSET 0) v
    UNION
    SELECT r.time FROM unnest($7::text[]) AS q (feed)
    CROSS JOIN LATERAL (SELECT r.time FROM readings r
                        WHERE r.workspace = $1 AND r.feed = q.feed AND r.state = 0 AND r.seq <= $2
                          AND (r.ended_seq IS NULL OR r.ended_seq > $2)
                          AND r.time > greatest($3, $8) AND r.time < $4
                        ORDER BY r.time, r.seq OFFSET 0) r
), numbered AS (SELECT at, row_number() OVER (ORDER BY at) - 1 AS n, count(*) OVER () AS whole FROM changed)
SELECT at, whole FROM numbered
WHERE n = 0 OR whole <= $9 OR n * ($9 - 1) / greatest(whole - 1, 1) <> (n - 1) * ($9 - 1) / greatest(whole - 1, 1)
ORDER BY at
"""
"""Between two instants, without these; evenly spaced ones of them if they are more than asked for."""

_DEFINITIONS = """
SELECT o.id, d.seq, d.effective_at FROM unnest($2::text[]) AS o (id)
CROSS JOIN LATERAL (SELECT d.seq, d.effective_at FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = o.id AND d.seq <= $3
                    ORDER BY d.seq OFFSET 0) d
ORDER BY o.id, d.seq
"""


@dataclass(slots=True)
class Subjects:
    """What a key result's values come from: key results, feeds, and the instants of changes of other kinds."""

    key_results: set[str]
    feeds: set[str]
    instants: set[datetime]

    def add(self, more: Subjects) -> None:
        """These too."""
        self.key_results |= more.key_results
        self.feeds |= more.feeds
        self.instants |= more.instants


async def definitions_of(
    snapshot: Snapshot, goals: KnownGoals, ids: Iterable[str], seq: int
) -> list[tuple[Goal, datetime]]:
    """All definitions of these objectives up to `seq`, by objective the oldest first, and since when each holds."""
    rows = await snapshot.fetch(_DEFINITIONS, sorted(ids), seq)
    wanted: list[Version] = [(row["id"], row["seq"]) for row in rows]
    known = await goals.get(snapshot, wanted)
    return [(known[row["id"], row["seq"]], row["effective_at"]) for row in rows]


async def beneath(
    snapshot: Snapshot, goals: KnownGoals, context: Context, key_result: str, seq: int
) -> list[tuple[Goal, datetime]]:
    """All definitions of the objectives that were ever beneath the key result, by whatever link."""
    found: list[tuple[Goal, datetime]] = []
    seen: set[str] = set()
    edge = context.ever_aligned_with(f"key-result/{key_result}")
    while edge:
        seen |= edge
        defined = await definitions_of(snapshot, goals, edge, seq)
        found += defined
        parents = {f"objective/{id}" for id in edge}
        parents |= {f"key-result/{one.id}" for goal, _ in defined for one in goal.key_results}
        edge = {child for parent in parents for child in context.ever_aligned_with(parent)} - seen
    return found


def subjects(
    context: Context, definitions: Sequence[tuple[Goal, datetime]], seq: int, *only: str
) -> Subjects:
    """Of these definitions' key results, or of those named alone."""
    found = Subjects(set(), set(), set())
    moments = context.moments(seq)
    for goal, since in definitions:
        found.instants.add(since)
        found.instants.update(context.cycle_changes(goal.cycle, seq))
        scopes = context.scopes(goal.id, goal.owner, seq, None)
        found.instants.update(context.policy_changes(scopes, seq))
        for one in goal.key_results:
            if not only or one.id in only:
                _add(found, one, moments)
    return found


def _add(found: Subjects, one: KeyResult, moments: dict[str, datetime]) -> None:
    found.key_results.add(one.id)
    found.feeds.update(bound.feed for bound in one.bindings.values())
    for part in one.parts.values():
        opened = (
            None if part.window is None or part.window.moment is None else moments.get(part.window.moment)
        )
        if opened is not None:
            found.instants.add(opened)


async def changes_between(
    snapshot: Snapshot, of: Subjects, seq: int, existed: datetime, start: datetime, end: datetime, limit: int
) -> tuple[list[datetime], int]:
    """The instants between `start` and `end`, without these, at most `limit`, and how many were left out. Before it
    `existed`, the key result changed by values alone."""
    instants = [at for at in of.instants if at >= existed]
    columns = (instants, sorted(of.key_results), sorted(of.feeds), existed, limit)
    rows = await snapshot.fetch(_TIMES, seq, start, end, *columns)
    times = [row["at"] for row in rows][:limit]
    return times, (rows[0]["whole"] if rows else 0) - len(times)
