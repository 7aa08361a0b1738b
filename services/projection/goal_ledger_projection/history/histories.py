"""A history for each snapshot, and what all histories of a process share: contexts, definitions, scores of closings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any

from goal_ledger_history.goals import Version
from goal_ledger_history.scores_at import ScoresAt

from goal_ledger_projection.history.context import Contexts
from goal_ledger_projection.history.definitions import DefinitionsInTables
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.history.values import ValuesInTables

KEPT_CLOSINGS_MAX = 20_000
_Keys = tuple[str, int, str, int]


class _Kept(MutableMapping[Version, Any]):
    """The scores kept of one workspace's closings in one epoch."""

    def __init__(self, all_kept: OrderedDict[_Keys, Any], workspace: str, epoch: int) -> None:
        self._all, self._workspace, self._epoch = all_kept, workspace, epoch

    def _key(self, version: Version) -> _Keys:
        return (self._workspace, self._epoch, *version)

    def __getitem__(self, version: Version) -> Any:
        return self._all[self._key(version)]

    def __setitem__(self, version: Version, kept: Any) -> None:
        self._all[self._key(version)] = kept
        while len(self._all) > KEPT_CLOSINGS_MAX:
            self._all.popitem(last=False)

    def __delitem__(self, version: Version) -> None:
        del self._all[self._key(version)]

    def __iter__(self) -> Iterator[Version]:
        return (key[2:] for key in self._all if key[:2] == (self._workspace, self._epoch))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Histories:
    """Makes histories; keeps what never changes."""

    def __init__(self, goals: KnownGoals, contexts: Contexts) -> None:
        self.goals, self.contexts = goals, contexts
        self._kept: OrderedDict[_Keys, Any] = OrderedDict()

    async def of(self, snapshot: Snapshot) -> ScoresAt:
        """The history that the snapshot holds."""
        assert snapshot.position is not None
        context = await self.contexts.at(snapshot)
        kept = _Kept(self._kept, snapshot.workspace, snapshot.position.epoch)
        definitions = DefinitionsInTables(snapshot, self.goals, context, kept)
        return ScoresAt(definitions, ValuesInTables(snapshot))
