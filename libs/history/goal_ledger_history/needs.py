"""Which facts need others: a fact that names a thing needs the one that made it, so none can be left out alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.envelope import Fact

Thing = tuple[str, ...]


def needing(facts: Iterable[Fact], left_out: Collection[int]) -> dict[int, list[int]]:
    """By the seq of a fact that is left out the seqs of those that need it and are not; ``facts`` come in seq order."""
    made_by: dict[Thing, int] = {}
    found: defaultdict[int, list[int]] = defaultdict(list)
    for fact in facts:
        if fact.seq not in left_out:
            needed = {made_by[thing] for thing in _needed(fact) if thing in made_by}
            for seq in sorted(needed.intersection(left_out)):
                found[seq].append(fact.seq)
        made_by.update((thing, fact.seq) for thing in _made(fact))
    return dict(found)


def _made(fact: Fact) -> Iterator[Thing]:
    """The things that there are by this fact."""
    id = fact.stream_id
    match data := fact.data:
        case workspace.WorkspaceCreated():
            yield ("workspace",)
        case unit.UnitCreated():
            yield "unit", id
        case cycle.CyclePlanned():
            yield "cycle", id
        case feed.FeedRegistered():
            yield "feed", id
        case feed.ReadingRecorded() | feed.ReadingQuarantined():
            yield "reading", id, data.source, data.id
        case feed.CounterRestarted():
            yield "restart", id, data.at.isoformat()
        case person.PersonAdded():
            yield "person", id
        case person.LeaveBegun():
            yield "leave", id
        case workspace.MomentRecorded():
            yield "moment", data.name
        case objective.ObjectiveDrafted():
            yield "objective", id
        case _:
            yield from _made_in_goal(fact)


def _made_in_goal(fact: Fact) -> Iterator[Thing]:
    id = fact.stream_id
    match data := fact.data:
        case objective.ObjectiveActivated():
            yield "active", id
        case objective.ObjectivePaused():
            yield "pause", id
        case objective.ObjectiveClosed():
            yield "closing", id
        case objective.KeyResultAdded():
            yield "key-result", data.key_result
        case objective.KeyResultDropped():
            yield "dropped", data.key_result
        case objective.PartBound():
            yield "binding", data.key_result, data.part
        case objective.ObjectiveAligned():
            yield "link", id, data.parent
        case objective.CheckInRecorded():
            yield "check-in", data.check_in


def _needed(fact: Fact) -> Iterator[Thing]:
    """The things that it speaks of."""
    data, (kind, _, id) = fact.data, fact.stream.partition("/")
    yield ("workspace",)
    yield kind, id
    if kind == "feed":
        yield from _needed_in_feed(fact)
    elif kind == "objective":
        yield from _needed_in_goal(fact)
    elif isinstance(data, person.LeaveEnded):
        yield "leave", id
    elif isinstance(data, workspace.MomentCorrected | workspace.MomentRetracted):
        yield "moment", data.name
    elif isinstance(data, workspace.PolicySet) and data.scope != "workspace":
        yield tuple(data.scope.split("/", 1))
    elif isinstance(data, unit.UnitCreated | unit.UnitMoved) and data.parent is not None:
        yield "unit", data.parent.removeprefix("unit/")


def _needed_in_feed(fact: Fact) -> Iterator[Thing]:
    match data := fact.data:
        case (
            feed.ReadingReleased()
            | feed.ReadingRejected()
            | feed.ReadingCorrected()
            | feed.ReadingRetracted()
        ):
            yield "reading", fact.stream_id, data.source, data.id
        case feed.CounterRestartRetracted():
            yield "restart", fact.stream_id, data.at.isoformat()


def _needed_in_goal(fact: Fact) -> Iterator[Thing]:
    data, id = fact.data, fact.stream_id
    if (key_result := getattr(data, "key_result", None)) is not None:
        yield "key-result", key_result
    if (within := getattr(data, "cycle", None)) is not None:
        yield "cycle", within
    if (owner := getattr(data, "owner", None)) is not None and owner.startswith("unit/"):
        yield "unit", owner.removeprefix("unit/")
    match data:
        case objective.CheckInRecorded():
            yield "active", id
        case objective.CheckInCorrected() | objective.CheckInRetracted():
            yield "check-in", data.check_in
        case objective.ObjectiveReopened() | objective.ObjectiveArchived():
            yield "closing", id
        case objective.ObjectiveResumed():
            yield "pause", id
        case objective.KeyResultTakenUp():
            yield "dropped", data.key_result
        case objective.PartBound():
            yield "feed", data.feed
        case objective.PartUnbound():
            yield "binding", data.key_result, data.part
        case objective.ObjectiveAligned():
            yield tuple(data.parent.split("/", 1))
        case objective.ObjectiveUnaligned():
            yield "link", id, data.parent
