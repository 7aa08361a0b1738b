"""What each change of a goal came to. It depends on nothing but the facts up to the change, so what was computed of
(epoch, seq, objective) stays good for ever and is kept in a bounded cache."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from goal_ledger_history.goalposts import GoalpostMove, goalpost_moves
from goal_ledger_history.scores_at import ScoresAt

from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal
from goal_ledger_projection.history.snapshots import Snapshot

KEPT_MOVES_MAX = 20_000
_Key = tuple[str, int, int, str, str | None]
"""Workspace, epoch, seq, objective, key result."""


class KnownMoves:
    """Moves kept in memory, over all workspaces; those longest unused go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, GoalpostMove] = OrderedDict()

    async def of(
        self, snapshot: Snapshot, history: ScoresAt, changes: Sequence[ChangeOfGoal]
    ) -> list[GoalpostMove]:
        """What each change came to. Those that one fact made are looked at together."""
        assert snapshot.position is not None
        log = (snapshot.workspace, snapshot.position.epoch)
        found: dict[_Key, GoalpostMove] = {}
        missing: defaultdict[tuple[int, datetime], list[ChangeOfGoal]] = defaultdict(list)
        for one in changes:
            key = (*log, one.seq, one.objective, one.key_result)
            if key in self._kept:
                found[key] = self._kept[key]
            else:
                missing[one.seq, one.at].append(one)
        for (seq, at), many in missing.items():
            moves = await goalpost_moves(history, seq, at, many)
            found |= {
                (*log, seq, one.objective, one.key_result): move
                for one, move in zip(many, moves, strict=True)
            }
        self._keep(found)
        return [found[*log, one.seq, one.objective, one.key_result] for one in changes]

    def _keep(self, found: Mapping[_Key, GoalpostMove]) -> None:
        for key, move in found.items():
            self._kept[key] = move
            self._kept.move_to_end(key)
        while len(self._kept) > KEPT_MOVES_MAX:
            self._kept.popitem(last=False)
