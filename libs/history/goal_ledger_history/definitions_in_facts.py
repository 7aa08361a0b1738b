"""What was defined, answered from facts in memory (``protocols.Definitions``)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, MutableMapping, Sequence, Set
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.envelope import Fact
from goal_ledger_scoring.aggregation import FeedDefinition

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import (
    NONE_LATER,
    Background,
    CounterRestarts,
    CycleDates,
    FeedAsDefined,
    LeavesOfPerson,
    Link,
    NamedMoment,
    PolicyRevision,
    UnitPlace,
    Versions,
    WorkspaceBegun,
)
from goal_ledger_history.goal_fold import defined_by
from goal_ledger_history.goals import Goal, PausedTimes, Version, begun, ended
from goal_ledger_history.protocols import KEY_RESULT_CHANGES, KeyResultChange


class DefinitionsInFacts:
    """Those of the facts taken, which come in seq order."""

    def __init__(self, later: Set[int] = NONE_LATER) -> None:
        """``later``: as of :class:`Background`."""
        self.background = Background(later)
        self._later = later
        self.kept: MutableMapping[Version, Any] = {}
        self._goals: dict[str, Versions[Goal]] = {}
        self._links: defaultdict[str, dict[str, Link]] = defaultdict(dict)
        self._feeds: dict[str, FeedAsDefined] = {}
        self._leaves: dict[str, PausedTimes] = {}
        self._restarts: defaultdict[str, dict[datetime, Decimal]] = defaultdict(dict)
        self._measured: defaultdict[str, list[int]] = defaultdict(list)
        self._changes: defaultdict[str, list[KeyResultChange]] = defaultdict(list)

    def take(self, fact: Fact) -> None:
        """One fact more. One that defines nothing of these is passed over."""
        if fact.stream.startswith("objective/"):
            self._take_objectives(fact)
            return
        name, thing = self._thing(fact)
        if thing is not None:
            self.background.add(name, fact.seq, fact.effective_at, thing)

    def _thing(self, fact: Fact) -> tuple[str, object]:
        match data := fact.data:
            case workspace.WorkspaceCreated():
                return fact.stream_id, WorkspaceBegun(data.time_zone)
            case workspace.PolicySet():
                return data.scope, PolicyRevision(data.revision, str(fact.event_id), data.policy)
            case workspace.MomentRecorded() | workspace.MomentCorrected():
                return data.name, NamedMoment(data.at)
            case workspace.MomentRetracted():
                return data.name, NamedMoment(None)
            case cycle.CyclePlanned() | cycle.CycleDatesMoved():
                return fact.stream_id, CycleDates(data.start, data.end)
            case unit.UnitCreated() | unit.UnitMoved():
                parent = data.parent
                return fact.stream_id, UnitPlace(None if parent is None else parent.removeprefix("unit/"))
            case person.LeaveBegun() | person.LeaveEnded():
                return fact.stream_id, self._leave(fact)
            case feed.CounterRestarted() | feed.CounterRestartRetracted():
                return fact.stream_id, self._restart(fact)
            case feed.FeedRegistered() | feed.FeedRedefined():
                return fact.stream_id, self._feed(fact)
        return fact.stream_id, None

    def _feed(self, fact: Fact) -> FeedAsDefined:
        data, before = fact.data, self._feeds.get(fact.stream_id)
        since = None if before is None else fact.effective_at
        definitions = () if before is None else before.definitions
        made = FeedAsDefined(
            (*definitions, FeedDefinition(data.kind, data.unit, since)), data.unit, data.interval
        )
        self._feeds[fact.stream_id] = made
        return made

    def _leave(self, fact: Fact) -> LeavesOfPerson:
        change = begun if isinstance(fact.data, person.LeaveBegun) else ended
        known = change(self._leaves.get(fact.stream_id, ()), fact.effective_at)
        self._leaves[fact.stream_id] = known
        return LeavesOfPerson(known)

    def _restart(self, fact: Fact) -> CounterRestarts:
        known = self._restarts[fact.stream_id]
        known.pop(fact.data.at, None)
        if isinstance(fact.data, feed.CounterRestarted):
            known[fact.data.at] = fact.data.base
        return CounterRestarts(tuple(sorted(known.items())))

    def _take_objectives(self, fact: Fact) -> None:
        versions = self._goals.setdefault(fact.stream_id, Versions(later=self._later))
        before = versions.things[-1] if versions.things else None
        made = defined_by(before, fact)
        if made is None:
            return
        versions.add(fact.seq, fact.effective_at, made)
        if (kind := type(fact.data).__name__) in KEY_RESULT_CHANGES:
            change = KeyResultChange(fact.seq, fact.stream_id, kind, fact.data.key_result)
            self._changes[fact.stream_id].append(change)
        match fact.data:
            case objective.ObjectiveAligned() | objective.ObjectiveUnaligned():
                self._take_link(fact)
            case objective.MeasureChanged():
                self._measured[fact.stream_id].append(fact.seq)

    def _take_link(self, fact: Fact) -> None:
        data, links = fact.data, self._links[fact.stream_id]
        links.pop(data.parent, None)
        if isinstance(data, objective.ObjectiveAligned):
            contributes = data.mode == "contributes"
            links[data.parent] = Link(
                data.link, fact.stream_id, data.parent, contributes, data.weight, fact.seq
            )
        self.background.add_links(fact.stream_id, fact.seq, fact.effective_at, list(links.values()))

    async def versions_at(self, at: AsOf, ids: Sequence[str] | None) -> list[Version]:
        found = []
        for id in self._goals if ids is None else ids:
            versions = self._goals.get(id)
            seq = None if versions is None else versions.seq_at(at.known_to, at.true_at)
            if seq is not None:
                found.append((id, seq))
        return found

    async def versions_after(self, id: str, seq: int, known_to: int) -> list[Version]:
        versions = self._goals.get(id)
        return [] if versions is None else [(id, one) for one in versions.seqs if seq < one <= known_to]

    async def measured_since(self, spans: Iterable[tuple[str, int, int]]) -> list[Version]:
        return [(id, seq) for id, after, upto in spans for seq in self._measured[id] if after < seq <= upto]

    async def goals(self, versions: Iterable[Version]) -> dict[Version, Goal]:
        return {(id, seq): self._version(id, seq) for id, seq in versions}

    def _version(self, id: str, seq: int) -> Goal:
        versions = self._goals[id]
        return versions.things[bisect_right(versions.seqs, seq) - 1]

    async def key_result_changes(self, ids: Iterable[str], known_to: int) -> list[KeyResultChange]:
        return sorted(one for id in set(ids) for one in self._changes.get(id, ()) if one.seq <= known_to)

    def is_newest(self, at: AsOf) -> bool:
        return False
