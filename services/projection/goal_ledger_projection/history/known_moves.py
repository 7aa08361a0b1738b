"""What each change of a goal came to. It depends on nothing but the facts up to the change, so what was computed of
(epoch, seq, objective) stays good for ever and is kept in a bounded cache."""

from __future__ import annotations

from collections import OrderedDict

from goal_ledger_history.goalposts import GoalpostMove, goalpost_move
from goal_ledger_history.scores_at import ScoresAt

from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal
from goal_ledger_projection.history.snapshots import Snapshot

KEPT_MOVES_MAX = 20_000


class KnownMoves:
    """Moves kept in memory, over all workspaces; those longest unused go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int, str, str | None], GoalpostMove] = OrderedDict()

    async def of(self, snapshot: Snapshot, history: ScoresAt, change: ChangeOfGoal) -> GoalpostMove:
        """What the change came to."""
        assert snapshot.position is not None
        name = (change.seq, change.objective, change.key_result)
        key = (snapshot.workspace, snapshot.position.epoch, *name)
        found = self._kept.get(key)
        if found is None:
            found = await goalpost_move(
                history, change.objective, change.seq, change.at, change.type, change.key_result
            )
            self._kept[key] = found
            while len(self._kept) > KEPT_MOVES_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found
