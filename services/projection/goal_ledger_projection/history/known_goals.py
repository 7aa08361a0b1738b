"""The definitions of objectives, each parsed once from its row.

A row of `definitions` never changes, so what was parsed of (epoch, objective, seq) stays good for ever and is kept in a
bounded cache. A key result that an amendment did not touch is the same object in the committed and the present
definition, so that its score is computed once.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal

from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.measures import Measure, Simple, parts_of
from goal_ledger_history.goals import Binding, Closing, Goal, KeyResult, Version

from goal_ledger_projection.history.context import pauses
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.fact import JsonObject

PARSED_AT_A_TIME = 50
"""Definitions: after these, other requests get a turn."""

_BODIES = """
SELECT w.id, w.seq, d.body FROM unnest($2::text[], $3::bigint[]) AS w (id, seq)
CROSS JOIN LATERAL (SELECT d.body FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = w.id AND d.seq = w.seq
                    ORDER BY d.workspace, d.kind, d.id, d.seq LIMIT 1) d
"""
_ADDED = """
SELECT id, seq FROM definitions
WHERE workspace = $1 AND body['changed'] ->> 'type' = 'KeyResultAdded' AND (body['key_results'][-1]) ->> 'id' = $2
ORDER BY seq LIMIT 1
"""


class KnownGoals:
    """Definitions kept in memory, over all workspaces; those longest unused go first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, int, str, int], Goal] = OrderedDict()
        self._holders: OrderedDict[tuple[str, int, str], Version] = OrderedDict()
        self._measures: OrderedDict[tuple[str, int, str, int], tuple[Measure, dict[str, Simple]]] = (
            OrderedDict()
        )

    async def objective_of(self, snapshot: Snapshot, key_result: str, seq: int) -> str | None:
        """The objective that a key result was added to, by the facts up to `seq`."""
        assert snapshot.position is not None
        key = (snapshot.workspace, snapshot.position.epoch, key_result)
        added = self._holders.get(key)
        if added is None:
            row = await snapshot.first(_ADDED, key_result)
            if row is None:
                return None
            added = self._holders[key] = (row["id"], row["seq"])
            while len(self._holders) > self._limit:
                self._holders.popitem(last=False)
        return added[0] if added[1] <= seq else None

    async def get(self, snapshot: Snapshot, versions: Iterable[Version]) -> dict[Version, Goal]:
        """The definitions of these versions, from memory or from the snapshot."""
        assert snapshot.position is not None
        epoch = snapshot.position.epoch
        found: dict[Version, Goal] = {}
        missing: list[Version] = []
        workspace = snapshot.workspace
        for version in versions:
            goal = self._kept.get((workspace, epoch, *version))
            if goal is None:
                missing.append(version)
            else:
                found[version] = goal
        if missing:
            ids, seqs = [id for id, _ in missing], [seq for _, seq in missing]
            for n, row in enumerate(await snapshot.fetch(_BODIES, ids, seqs), 1):
                if n % PARSED_AT_A_TIME == 0:
                    await asyncio.sleep(0)
                goal = self.parse(workspace, epoch, row["id"], row["seq"], json.loads(row["body"]))
                found[goal.id, goal.seq] = self._kept[workspace, epoch, goal.id, goal.seq] = goal
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
            while len(self._measures) > 4 * self._limit:
                self._measures.popitem(last=False)
        return found

    def parse(self, workspace: str, epoch: int, id: str, seq: int, body: JsonObject) -> Goal:
        """A definition from its row's body."""
        activated_at = body.get("activated_at")
        key_results = tuple(self._key_result(workspace, epoch, one) for one in body["key_results"])
        return Goal(
            id=id,
            seq=seq,
            stage=body["stage"],
            owner=body["owner"],
            cycle=body.get("cycle"),
            activated_seq=body.get("activated_seq"),
            activated_at=None if activated_at is None else parse_instant(activated_at),
            closing=_closing(body),
            key_results=key_results,
            is_fed=any(one.bindings for one in key_results),
            has_windows=any(part.window for one in key_results for part in one.parts.values()),
            body=body,
            pauses=pauses(body.get("pauses") or ()),
        )

    def _key_result(self, workspace: str, epoch: int, body: JsonObject) -> KeyResult:
        key = (workspace, epoch, body["id"], body["measure_seq"])
        known = self._measures.get(key)
        if known is None:
            measure: Measure = wire.decode(Measure, body["measure"])
            known = self._measures[key] = (measure, parts_of(measure))
        bindings = {
            part: Binding(one["feed"], one["aggregation"], one["seq"])
            for part, one in body["bindings"].items()
        }
        return KeyResult(
            id=body["id"],
            text=body["text"],
            weight=Decimal(body["weight"]),
            owner=body.get("owner"),
            dropped=body["dropped"],
            measure=known[0],
            measure_seq=body["measure_seq"],
            parts=known[1],
            bindings=bindings,
            body=body,
        )


def _closing(body: JsonObject) -> Closing | None:
    if body["stage"] not in ("closed", "archived") or not body["closings"]:
        return None
    last = body["closings"][-1]
    return Closing(last["seq"], parse_instant(last["at"]), last["outcome"])
