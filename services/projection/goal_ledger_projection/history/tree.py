"""Every objective of a workspace at one moment, computed from the tree before it where that is sound.

If the tree before was of the present then, and this is of the present now, the facts in between tell which objectives
have other definitions or values; all others keep theirs, save those with windows or feeds, whose values move with time.
Their scores are then the same objects, and only expected scores and statuses are computed anew. If units, cycles,
policies, moments, feeds or links changed, or too much else, all is computed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.gathering import Gathering
from goal_ledger_history.last_check_ins import LastCheckIns
from goal_ledger_history.plan import Plan
from goal_ledger_history.scores_at import ScoresAt, feeds_of
from goal_ledger_history.statuses import LastReadings, Standing, Statuses, check_ins_between
from goal_ledger_scoring.roll_up import Memory, Scored, score_tree

from goal_ledger_projection.history.changes_since import touched_since
from goal_ledger_projection.history.snapshots import Snapshot

IN_ITS_OWN_THREAD_FROM = 200
"""Objectives: from here on the arithmetic runs in a thread, so that small questions are answered meanwhile."""


@dataclass(slots=True)
class Tree:
    """How every objective stands, and what the next tree can take over."""

    moment: AsOf
    seq: int
    """The newest fact that was seen."""
    present: bool
    standings: dict[str, Standing]
    plans: dict[str, Plan]
    said: LastCheckIns
    amended: Memory = field(default_factory=dict)
    as_committed: Memory = field(default_factory=dict)
    written: dict[str, object] = field(default_factory=dict)
    """What answers wrote of its goals, for them to use again (`alignment.py`)."""


async def whole_tree(snapshot: Snapshot, history: ScoresAt, at: AsOf, before: Tree | None = None) -> Tree:
    """How every objective stands. `before`: a tree of the same workspace and epoch."""
    present = history.definitions.is_newest(at)
    touched = None
    if before is not None and before.present and present and before.moment.true_at <= at.true_at:
        touched = await touched_since(snapshot, before.seq)
    if before is None or touched is None:
        before, touched, plans = None, None, await history.plans(at, None)
        stale = set(plans)
    else:
        fresh = await history.plans(at, sorted(touched), with_counted=False)
        plans = {id: plan.moved_to(at) for id, plan in before.plans.items()}
        plans.update(fresh)
        stale = {*fresh, *(id for id, plan in plans.items() if plan.moves_with_time)}
    assert snapshot.position is not None
    made = Tree(at, snapshot.position.seq, present, {}, plans, {})
    await _score(history, _Renewal(made, before, stale, touched))
    return made


@dataclass(slots=True)
class _Renewal:
    """`stale`: the goals whose inputs are asked for; `touched`: those with facts since `before` (None: all)."""

    made: Tree
    before: Tree | None
    stale: set[str]
    touched: set[str] | None


async def _score(history: ScoresAt, of: _Renewal) -> None:
    gathering = Gathering(history.background)
    of.made.said = await _inputs_and_check_ins(history, gathering, of)
    await gathering.fetch(history.values)
    if of.before is not None:
        of.made.amended, of.made.as_committed = dict(of.before.amended), dict(of.before.as_committed)
        of.made.written = of.before.written
    fed = await history.values.last_readings(feeds_of(of.made.plans.values()))
    if len(of.made.plans) > IN_ITS_OWN_THREAD_FROM:
        await asyncio.to_thread(_compute, history, gathering, of, fed)
    else:
        _compute(history, gathering, of, fed)


def _compute(history: ScoresAt, gathering: Gathering, of: _Renewal, fed: LastReadings) -> None:
    made, plans, before = of.made, of.made.plans, of.before
    scored: Scored = {}
    amended = score_tree({id: plan.amended for id, plan in plans.items()}, scored, made.amended)
    for id in of.stale:
        if plans[id].as_committed is plans[id].amended:
            made.as_committed[id] = made.amended[id]
    committed = score_tree({id: plan.as_committed for id, plan in plans.items()}, scored, made.as_committed)
    history.keep(plans, amended, committed)
    unchanged: dict[str, Standing] = {}
    if before is not None and of.touched is not None:
        touched = of.touched
        made.said.update((key, one) for key, one in before.said.items() if key[0] not in touched)
        unchanged = {id: one for id, one in before.standings.items() if id not in of.stale}
    statuses = Statuses(history.background, gathering, made.said, fed)
    made.standings = {
        id: statuses.standing(plan, amended[id], committed[id], unchanged.get(id))
        for id, plan in plans.items()
    }


async def _inputs_and_check_ins(history: ScoresAt, gathering: Gathering, of: _Renewal) -> LastCheckIns:
    """The inputs of the stale goals, put together while the database looks for what was said of those touched. Closed
    ones may ask the database themselves, so they come after."""
    plans = of.made.plans
    asked = plans.values() if of.touched is None else [plans[id] for id in of.touched if id in plans]
    between = [check_ins_between(plan) for plan in asked]
    listening = asyncio.create_task(history.values.check_ins_between(between))
    await asyncio.sleep(0)
    try:
        for id in of.stale:
            if not plans[id].is_closed:
                await history.give_inputs(gathering, plans[id])
    finally:
        said = await listening
    for id in of.stale:
        if plans[id].is_closed:
            await history.give_inputs(gathering, plans[id])
    return said
