"""When something changed for a key result: the instants at which its series has a point.

Its values and readings in force, the definitions of its objective, the dates of its cycles, the policies in its scopes,
and the moments that open its windows; of one measured by other objectives, the same of all that were ever beneath it.
Readings are counted by their sums; where they are many, only the last of each step of time is looked up, so that a feed
may have any number of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from goal_ledger_history.goals import Goal, KeyResult, Version

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Row, Snapshot
from goal_ledger_projection.history.stretches import ACCEPTED_THEN, TICK, newest, oldest
from goal_ledger_projection.history.summed import counted

_VALUES = """
SELECT DISTINCT v.effective_at AS at FROM unnest($2::text[]) AS q (key_result)
CROSS JOIN LATERAL (SELECT v.effective_at FROM value_rows v
                    WHERE v.workspace = $1 AND v.key_result = q.key_result AND v.seq <= $3
                      AND (v.ended_seq IS NULL OR v.ended_seq > $3)
                      AND v.effective_at > $4 AND v.effective_at < $5 OFFSET 0) v
"""
_OF_FEEDS = """
FROM (SELECT f.feed, $3::bigint AS k, t.* FROM unnest($2::text[]) AS f (feed)
      CROSS JOIN unnest($4::timestamptz[], $5::timestamptz[]) WITH ORDINALITY AS t (since, until, n)) q
"""
_READINGS = f"""
SELECT DISTINCT r.time AS at {_OF_FEEDS}
CROSS JOIN LATERAL (SELECT r.time FROM readings r WHERE {ACCEPTED_THEN} AND r.time >= q.since AND r.time <= q.until
                    ORDER BY r.time, r.seq OFFSET 0) r
"""
_FIRST_READING = (
    f"SELECT min(f.time) AS at {_OF_FEEDS} CROSS JOIN LATERAL ({oldest('r.time', ACCEPTED_THEN)}) f"
)
_LAST_IN_STEPS = f"""
SELECT q.n, max(l.time) AS at {_OF_FEEDS} CROSS JOIN LATERAL ({newest("r.time", ACCEPTED_THEN)}) l GROUP BY q.n
"""

EACH_MAX = 2_000
"""Up to so many readings each is looked at, and points are evenly spaced among all changes; beyond, in time."""
_HOUR = timedelta(hours=1)

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


@dataclass(frozen=True, slots=True)
class _Period:
    """Readings of these feeds in `[since, last]` as known at `seq`."""

    feeds: list[str]
    seq: int
    since: datetime
    last: datetime

    async def asked(self, snapshot: Snapshot, statement: str, *steps: list[datetime]) -> Sequence[Row]:
        return await snapshot.fetch(statement, self.feeds, self.seq, *(steps or ([self.since], [self.last])))


async def changes_between(
    snapshot: Snapshot, of: Subjects, seq: int, existed: datetime, start: datetime, end: datetime, limit: int
) -> tuple[list[datetime], int]:
    """The instants between `start` and `end`, without these, at most `limit`, and how many changes were left out. Before
    it `existed`, the key result changed by values alone."""
    values = await snapshot.fetch(_VALUES, sorted(of.key_results), seq, start, end)
    others = {at for at in of.instants if at >= existed and start < at < end} | {row["at"] for row in values}
    fed = _Period(sorted(of.feeds), seq, max(start, existed) + TICK, end - TICK)
    readings = await counted(snapshot, fed.feeds, fed.since, fed.last, seq)
    if readings > EACH_MAX:
        spaced = await _spaced_in_time(snapshot, sorted(others), fed, limit)
        return spaced, len(others) + readings - len(spaced)
    times = sorted({*others, *(row["at"] for row in await fed.asked(snapshot, _READINGS))})
    shown = _spaced_by_rank(times, limit)
    return shown, len(times) - len(shown)


def _spaced_by_rank(times: list[datetime], limit: int) -> list[datetime]:
    """The first, the last, and evenly spaced ones between them."""
    if len(times) <= limit:
        return times
    steps, gaps = limit - 1, len(times) - 1
    return [at for n, at in enumerate(times) if n == 0 or n * steps // gaps != (n - 1) * steps // gaps][
        :limit
    ]


async def _spaced_in_time(
    snapshot: Snapshot, others: list[datetime], fed: _Period, limit: int
) -> list[datetime]:
    """The first change, and the last one in each of evenly long steps from there to the end."""
    if limit < 1:
        return []
    first_reading = (await fed.asked(snapshot, _FIRST_READING))[0]["at"]
    first = min([first_reading, *others[:1]])
    ends = _steps(first, fed.last, limit - 1)
    begins = [at + TICK for at in (first, *ends)][: len(ends)]
    last = {row["n"] - 1: row["at"] for row in await fed.asked(snapshot, _LAST_IN_STEPS, begins, ends)}
    found = {first}
    for n, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        before = bisect_right(others, end)
        in_step = [at for at in (last.get(n), *others[before - 1 : before]) if at is not None and at >= begin]
        found.update(in_step and [max(in_step)])
    return sorted(found)


def _steps(first: datetime, last: datetime, count: int) -> list[datetime]:
    """The last instants of evenly long steps: of hours, where they are longer, so that no hour's sums are cut."""
    step = (last - first) / max(count, 1)
    ends = [first + step * n for n in range(1, count)]
    if step >= _HOUR:
        ends = [end.replace(minute=0, second=0, microsecond=0) - TICK for end in ends]
    return [*(end for end in ends if first < end < last), *([last] if count and last > first else [])]
