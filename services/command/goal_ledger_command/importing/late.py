"""What comes after the closing of a goal that it belongs to: readings of the goal's feeds, moments of its windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from goal_ledger_contracts.decision import Draft
from goal_ledger_contracts.feed import ReadingRecorded
from goal_ledger_contracts.measures import parts_of
from goal_ledger_contracts.workspace import MomentRecorded
from goal_ledger_domain.goal import Archived, Closed, KeyResult
from goal_ledger_domain.world import World


class Lateness:
    """Of one piece of an import: when the last goal that a feed or a moment belongs to was closed."""

    def __init__(self) -> None:
        self._closings: dict[str, datetime] | None = None

    def of(self, world: World, drafts: Iterable[Draft]) -> bool:
        """Whether a closing would have counted what is recorded only now."""
        return any(self._is_late(world, draft) for draft in drafts)

    def _is_late(self, world: World, draft: Draft) -> bool:
        data = draft.data
        if isinstance(data, ReadingRecorded):
            name, at = draft.stream, data.time
        elif isinstance(data, MomentRecorded):
            name, at = f"moment/{data.name}", data.at
        else:
            return bool(getattr(data, "after_closing", False))
        if self._closings is None:
            self._closings = _closings(world)
        closed_at = self._closings.get(name)
        return closed_at is not None and at <= closed_at


def _closings(world: World) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for _, state in world.all("objective"):
        if isinstance(state, Closed | Archived) and state.was_active:
            for name in (name for one in state.goal.undropped() for name in _rests_on(one)):
                found[name] = max(state.closed_at, found.get(name, state.closed_at))
    return found


def _rests_on(one: KeyResult) -> Iterator[str]:
    for binding in one.bindings.values():
        yield f"feed/{binding.feed}"
    for part in parts_of(one.measure).values():
        if part.window is not None and part.window.moment is not None:
            yield f"moment/{part.window.moment}"
