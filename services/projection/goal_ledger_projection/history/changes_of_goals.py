"""The facts that changed goals after their activation (SPEC 9): a goal's own, links by which others contribute to it, and
the dates of its cycle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from goal_ledger_contracts.canonical import decimal_text
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import DatesChange, Link, LinkChange
from goal_ledger_history.commitment import only_found_baseline
from goal_ledger_history.goalposts import AMENDING, MOVES
from goal_ledger_history.goals import Version
from goal_ledger_history.protocols import Definitions

from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Row, Snapshot
from goal_ledger_projection.read_models.definitions import PASTS_OF_OBJECTIVES, PASTS_OF_SOME
from goal_ledger_projection.read_models.facts import KEY_RESULTS_OF

Json = dict[str, Any]
Pasts = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class ChangeOfGoal:
    """The fact ``seq`` changed the definition of a goal from ``at`` on, when the goal had been activated. ``owners``,
    ``cycles``: before and after. ``sides``: the definitions of the goal before and after. None: the
    diff is ``from_elsewhere``."""

    seq: int
    objective: str
    type: str
    at: datetime
    owners: frozenset[str]
    cycles: frozenset[str | None]
    key_result: str | None = None
    sides: tuple[Version, Version] | None = None
    from_elsewhere: tuple[Json, ...] = ()

    @property
    def is_move(self) -> bool:
        """It changes what the goal's score is computed from: a goalpost move."""
        return bool(self.from_elsewhere) or self.type in MOVES


async def changes_of_goals(
    snapshot: Snapshot,
    definitions: Definitions,
    known: KnownGoals,
    at: AsOf,
    objectives: Sequence[str] | None = None,
) -> list[ChangeOfGoal]:
    """Those known and in effect at the moment, the newest first. ``objectives``: of these alone."""
    pasts = await _pasts(snapshot, at.known_to, objectives)
    background = definitions.background
    holders = await _holders(
        snapshot, known, (one.parent for one in background.link_changes(at.known_to)), at
    )
    found = [
        *await _own(snapshot, definitions, pasts),
        *(_by_link(one, holders, pasts) for one in background.link_changes(at.known_to)),
        *(each for one in background.dates_changes(at.known_to) for each in _by_dates(one, pasts)),
    ]
    there = [one for one in found if one is not None and one.at <= at.true_at]
    return sorted(there, key=lambda one: (-one.seq, one.objective, one.key_result or ""))


async def _pasts(snapshot: Snapshot, known_to: int, objectives: Sequence[str] | None) -> Pasts:
    if objectives is None:
        rows = await snapshot.fetch(PASTS_OF_OBJECTIVES, known_to)
    else:
        rows = await snapshot.fetch(PASTS_OF_SOME, known_to, list(objectives))
    found: Pasts = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row)
    return found


async def _own(snapshot: Snapshot, definitions: Definitions, pasts: Pasts) -> list[ChangeOfGoal]:
    pairs = [
        (before, row)
        for past in pasts.values()
        for before, row in pairwise(past)
        if row["type"] in AMENDING and _is_activated(row, row["seq"])
    ]
    seqs = [row["seq"] for _, row in pairs]
    named = {row["seq"]: row["key_result"] for row in await snapshot.fetch(KEY_RESULTS_OF, seqs)}
    completing = await _completing(definitions, pairs, named)
    return [
        ChangeOfGoal(
            row["seq"],
            row["id"],
            row["type"],
            row["effective_at"],
            frozenset({before["owner"], row["owner"]}),
            frozenset({before["cycle"], row["cycle"]}),
            named[row["seq"]],
            ((row["id"], before["seq"]), (row["id"], row["seq"])),
        )
        for before, row in pairs
        if row["seq"] not in completing
    ]


async def _completing(
    definitions: Definitions, pairs: Sequence[tuple[Row, Row]], named: dict[int, str | None]
) -> set[int]:
    """The facts that only set a baseline that was still to be found: they complete a commitment and amend nothing."""
    measured = [(before, row) for before, row in pairs if row["type"] == "MeasureChanged"]
    goals = await definitions.goals({(one["id"], one["seq"]) for pair in measured for one in pair})
    found = set()
    for before, row in measured:
        id = named[row["seq"]] or ""
        sides = [goals[one["id"], one["seq"]].key_result(id) for one in (before, row)]
        if only_found_baseline(*sides):
            found.add(row["seq"])
    return found


async def _holders(
    snapshot: Snapshot, known: KnownGoals, parents: Iterable[str], at: AsOf
) -> dict[str, str | None]:
    """The objective of each parent of links."""
    found: dict[str, str | None] = {}
    for parent in set(parents):
        kind, _, id = parent.partition("/")
        found[parent] = id if kind == "objective" else await known.objective_of(snapshot, id, at.known_to)
    return found


def _by_link(one: LinkChange, holders: dict[str, str | None], pasts: Pasts) -> ChangeOfGoal | None:
    """Where it changes what contributes to the parent."""
    sides = [link for link in (one.before, one.after) if link is not None]
    past = pasts.get(holders[one.parent] or "")
    if past is None or not any(link.contributes for link in sides):
        return None
    kind, _, id = one.parent.partition("/")
    type = "ObjectiveUnaligned" if one.after is None else "ObjectiveAligned"
    field = f"children/{sides[0].child}"
    diff = {"field": field, "before": _link(one.before), "after": _link(one.after)}
    return _from_elsewhere(past, one.seq, one.at, type, id if kind == "key-result" else None, (diff,))


def _link(link: Link | None) -> Json | None:
    """As definitions show it."""
    if link is None:
        return None
    mode = "contributes" if link.contributes else "supports"
    return {"mode": mode, "weight": decimal_text(link.weight), "link": link.id}


def _by_dates(one: DatesChange, pasts: Pasts) -> Iterable[ChangeOfGoal]:
    """Of each active goal that was in the cycle."""
    diff = tuple(
        {"field": f"cycle/{edge}", "before": before.isoformat(), "after": after.isoformat()}
        for edge, before, after in (
            ("end", one.before.end, one.after.end),
            ("start", one.before.start, one.after.start),
        )
        if before != after
    )
    for past in pasts.values():
        found = _from_elsewhere(past, one.seq, one.at, "CycleDatesMoved", None, diff)
        if (
            found is not None
            and found.cycles == {one.cycle}
            and _then(past, one.seq, found.at)["stage"] == "active"
        ):
            yield found


def _from_elsewhere(
    past: Sequence[Row], seq: int, at: datetime, type: str, key_result: str | None, diff: tuple[Json, ...]
) -> ChangeOfGoal | None:
    """None: the goal had not been activated. One that was activated only later by its own time was changed then."""
    last = past[-1]
    if not _is_activated(last, seq):
        return None
    since = max(at, last["activated_at"])
    then = _then(past, seq, since)
    owners, cycles = frozenset({then["owner"]}), frozenset({then["cycle"]})
    return ChangeOfGoal(seq, last["id"], type, since, owners, cycles, key_result, from_elsewhere=diff)


def _is_activated(row: Row, seq: int) -> bool:
    return row["activated_seq"] is not None and row["activated_seq"] < seq


def _then(past: Sequence[Row], seq: int, at: datetime) -> Row:
    """The definition in effect."""
    return next(row for row in reversed(past) if row["seq"] <= seq and row["effective_at"] <= at)
