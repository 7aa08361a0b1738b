"""Units, people, systems, feeds, cycles, policies, moments and readings: the steps of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.feed import FeedRedefined
from goal_ledger_contracts.workspace import Policy
from goal_ledger_domain import cycle as cycles
from goal_ledger_domain import feed as feeds
from goal_ledger_domain import moment as moments
from goal_ledger_domain import person as people
from goal_ledger_domain import reading as readings
from goal_ledger_domain import reading_review, unit_tree
from goal_ledger_domain import restart as restarts
from goal_ledger_domain import system as systems
from goal_ledger_domain import unit as units
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import lookups, neighbours
from goal_ledger_domain.decider import Command
from goal_ledger_domain.policy import Revision, SetPolicy, in_force
from goal_ledger_domain.workspace import REST, last_effective_at
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import (
    CycleRow,
    FeedDefinition,
    FeedRow,
    Happened,
    MomentRow,
    PersonRow,
    PolicyRow,
    ReadingRow,
    RestartRow,
    Seat,
    SystemRow,
    UnitRow,
    WorkspaceRow,
    at_of,
    reason_of,
)
from goal_ledger_command.importing.steps import (
    ImportStep,
    Missing,
    Phase,
    Rank,
    kept,
    not_before,
    timed,
)
from goal_ledger_command.importing.when import Day, plain


def workspace_steps(row: WorkspaceRow) -> Iterator[ImportStep]:
    if row.time_zone is None:
        return

    def missing(world: World, _: Situation, meta: Meta) -> Command | None:
        if in_force(world, "person/-").time_zone == row.time_zone:
            return None
        present: Revision | None = world.get("policy", "workspace")
        policy = replace(present.policy if present else Policy(), time_zone=row.time_zone)
        return SetPolicy(_early(world, meta, "workspace"), "workspace", policy)

    yield ImportStep(Phase.WORKSPACE, missing)


def _early(world: World, meta: Meta, scope: str) -> Meta:
    """As early as that scope of the workspace's stream allows, so that its later rows may lie in the past too."""
    last = last_effective_at(world, scope)
    stated = meta.effective_at
    return replace(meta, effective_at=last if stated is None else max(stated, last))


def unit_steps(row: UnitRow) -> Iterator[ImportStep]:
    def step(missing: Missing, phase: Phase = Phase.UNITS) -> ImportStep:
        return ImportStep(phase, missing, row.since)

    def created(world: World, _: Situation, meta: Meta) -> Command | None:
        before: unit_tree.Unit | None = world.get("unit", row.id)
        if before is None:
            return units.CreateUnit(meta, row.id, row.name, row.parent)
        return units.RenameUnit(not_before(meta, before.last_effective_at), row.id, row.name)

    def moved(world: World, _: Situation, meta: Meta) -> Command | None:
        before = unit_tree.unit(world, row.id)
        return units.MoveUnit(not_before(meta, before.last_effective_at), row.id, row.parent)

    yield step(created)
    if "parent" in row.model_fields_set:
        yield step(moved)

    def closed(world: World, _: Situation, meta: Meta) -> Command | None:
        before = unit_tree.unit(world, row.id)
        return units.CloseUnit(kept(meta, before.last_effective_at), row.id)

    if row.closed is not None:
        yield ImportStep(
            Phase.ENDINGS, closed, row.closed.at, row.closed.reason, within="closed", is_stated=True
        )
    yield from _people_in_unit(row)


def _people_in_unit(row: UnitRow) -> Iterator[ImportStep]:
    """Lead and pilot waves, once people are there."""

    def led(world: World, _: Situation, meta: Meta) -> Command | None:
        before = unit_tree.unit(world, row.id)
        return units.NameLead(not_before(meta, before.last_effective_at), row.id, row.lead)

    def joined(wave: str, world: World, _: Situation, meta: Meta) -> Command | None:
        before = unit_tree.unit(world, row.id)
        return units.JoinPilotWave(not_before(meta, before.last_effective_at), row.id, wave)

    if "lead" in row.model_fields_set:
        yield ImportStep(Phase.ORGANISATION, led, row.since, sort=_SORTS.index("unit"))
    for wave in row.waves:
        yield ImportStep(Phase.ORGANISATION, partial(joined, wave), row.since, sort=_SORTS.index("unit"))


def person_steps(row: PersonRow) -> Iterator[ImportStep]:
    def added(world: World, _: Situation, meta: Meta) -> Command | None:
        before = world.get("person", row.id)
        if before is None:
            return people.AddPerson(meta, row.id, row.display_name)
        return people.RenamePerson(not_before(meta, before.last_effective_at), row.id, row.display_name)

    def joined(unit: str, world: World, _: Situation, meta: Meta) -> Command | None:
        before = people.person(world, row.id)
        if unit in before.units:
            return None
        return people.JoinUnit(not_before(meta, before.last_effective_at), row.id, unit)

    def left(world: World, _: Situation, meta: Meta) -> list[Command]:
        before, stated = people.person(world, row.id), {seat.unit for seat in seats}
        return [people.LeaveUnit(meta, row.id, unit) for unit in sorted(before.units - stated)]

    def gone(world: World, _: Situation, meta: Meta) -> Command | None:
        return people.LeaveOrganisation(kept(meta, people.person(world, row.id).last_effective_at), row.id)

    looked_up = lookups(people.AddPerson(Meta(actor="", correlation_id="", causation_id=""), row.id, ""))
    yield ImportStep(Phase.ORGANISATION, added, row.since, lookups=looked_up, is_stated=True)
    seats = [Seat(unit=one) if isinstance(one, str) else one for one in row.units]
    for seat in sorted(seats, key=lambda seat: (seat.since or row.since or _BEGINNING, seat.unit)):
        missing, since = partial(joined, seat.unit), seat.since or row.since
        yield ImportStep(Phase.ORGANISATION, missing, since, is_stated=seat.since is not None)
    if "units" in row.model_fields_set:
        yield ImportStep(Phase.ORGANISATION, left)
    if row.left is not None:
        yield ImportStep(Phase.ENDINGS, gone, row.left.at, row.left.reason, within="left")


def system_steps(row: SystemRow) -> Iterator[ImportStep]:
    def registered(world: World, _: Situation, meta: Meta) -> Command | None:
        if isinstance(world.get("system", row.id), systems.Retired) and row.retired is not None:
            return None
        return systems.RegisterSystem(_early(world, meta, REST), row.id, row.name)

    def retired(world: World, _: Situation, meta: Meta) -> Command | None:
        return systems.RetireSystem(not_before(meta, last_effective_at(world, REST)), row.id)

    yield ImportStep(Phase.ORGANISATION, registered, sort=_SORTS.index("system"))
    if row.retired is not None:
        yield ImportStep(
            Phase.ENDINGS, retired, row.retired.at, row.retired.reason, within="retired", is_stated=True
        )


_DEFINITION = tuple(field.name for field in fields(FeedRedefined))


def _definition(row: FeedDefinition) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _DEFINITION}


def feed_steps(row: FeedRow) -> Iterator[ImportStep]:
    def registered(world: World, _: Situation, meta: Meta) -> Command | None:
        before = feeds.feed_state(world, row.name)
        if before is None or before.system != row.system:
            return feeds.RegisterFeed(meta, row.name, row.system, **_definition(row))
        if row.redefinitions or len(before.segments) > 1:
            return None
        later = not_before(meta, before.last_effective_at)
        asked = feeds.RedefineFeed(later, row.name, **_definition(row))
        return None if feeds.is_defined_so(before, asked) else asked

    def redefined(definition: FeedDefinition, world: World, _: Situation, meta: Meta) -> Command | None:
        before, wanted = feeds.feed(world, row.name), FeedRedefined(**_definition(definition))
        if any(segment.definition == wanted for segment in before.segments[1:]):
            return None
        return feeds.RedefineFeed(kept(meta, before.last_effective_at), row.name, **_definition(definition))

    sort = _SORTS.index("feed")
    yield ImportStep(Phase.ORGANISATION, registered, row.since, sort=sort)
    for n, one in sorted(enumerate(row.redefinitions), key=lambda numbered: numbered[1].at or _END):
        step = ImportStep(
            Phase.ORGANISATION, partial(redefined, one), one.at, one.reason, sort=sort, is_stated=True
        )
        step.within = f"redefinitions/{n}"
        yield step
    for number, restarted in enumerate(row.restarts):
        yield _restart(f"restarts/{number}", row.name, restarted)


def _restart(within: str, feed: str, row: RestartRow) -> ImportStep:
    at = plain(row.at)
    asked = restarts.RestartCounter(_NOBODY, feed, at, row.base)

    def restarted(_: World, __: Situation, meta: Meta) -> Command | None:
        return replace(asked, meta=meta)

    step = ImportStep(Phase.TIMED, restarted, None, row.reason, row.order, at, Rank.MOMENT, within=within)
    step.lookups, step.neighbours = lookups(asked), neighbours(asked)
    return step


def cycle_steps(row: CycleRow) -> Iterator[ImportStep]:
    def planned(world: World, _: Situation, meta: Meta) -> Command | None:
        before = cycles.cycle_state(world, row.id)
        plan = None if before is None else before.plan
        if plan is None or (plan.name, plan.parent) != (row.name, row.parent):
            first = row.first_dates or row
            return cycles.PlanCycle(meta, row.id, row.name, first.start, first.end, row.parent)
        return None if row.moved is not None else moved(world, _, meta)

    def moved(world: World, _: Situation, meta: Meta) -> Command | None:
        plan = cycles.cycle(world, row.id).plan
        return cycles.MoveCycleDates(kept(meta, plan.last_effective_at), row.id, row.start, row.end)

    def opened(world: World, _: Situation, meta: Meta) -> Command | None:
        before = cycles.cycle(world, row.id)
        later = not_before(meta, before.plan.last_effective_at)
        if isinstance(before, cycles.Planned):
            return cycles.OpenCycle(later, row.id)
        if row.stage == "open" and not isinstance(before, cycles.Open):
            return cycles.ReopenCycle(replace(later, effective_at=None), row.id)
        return None

    def locked(world: World, _: Situation, meta: Meta) -> Command | None:
        before = cycles.cycle(world, row.id)
        if isinstance(before, cycles.Closed) and row.stage == "closed":
            return None
        return cycles.LockCycle(kept(meta, before.plan.last_effective_at), row.id)

    def closed(world: World, _: Situation, meta: Meta) -> Command | None:
        before = cycles.cycle(world, row.id)
        return cycles.CloseCycle(kept(meta, before.plan.last_effective_at), row.id)

    at, why, sort = at_of(row.planned), reason_of(row.planned), _SORTS.index("cycle")
    yield ImportStep(Phase.ORGANISATION, planned, at, why, sort=sort)
    before_opening = row.stage != "planned" and _is_before(row.moved, row.opened)
    if row.moved is not None and before_opening:
        at = row.moved.at or at
        yield ImportStep(Phase.ORGANISATION, moved, at, row.moved.reason, within="moved", sort=sort)
    if row.stage != "planned":
        at = at_of(row.opened) or at
        yield ImportStep(Phase.ORGANISATION, opened, at, reason_of(row.opened), within="opened", sort=sort)
    if row.moved is not None and not before_opening:
        yield timed(Rank.CHANGE, moved, row.moved, within="moved")
    if row.locked is not None or row.stage == "locked":
        yield _at_the_end_of_its_day(timed(Rank.CYCLE, locked, row.locked, within="locked"))
    if row.stage == "closed":
        yield _at_the_end_of_its_day(timed(Rank.CYCLE, closed, row.closed, within="closed"))


def _is_before(one: Happened | None, other: Happened | None) -> bool:
    """Whether both say when, and the one was first."""
    if one is None or other is None:
        return False
    if one.order is not None and other.order is not None:
        return one.order < other.order
    return one.at is not None and other.at is not None and one.at < other.at


def _at_the_end_of_its_day(step: ImportStep) -> ImportStep:
    """Of a day, goals may be checked in and closed first."""
    if isinstance(step.at, Day):
        step.comes_at = step.at.ends
    return step


def policy_steps(row: PolicyRow) -> Iterator[ImportStep]:
    def missing(world: World, _: Situation, meta: Meta) -> Command | None:
        last = last_effective_at(world, row.scope)
        policy = Policy(**row.policy.model_dump())
        present: Revision | None = world.get("policy", row.scope)
        if present is not None and row.scope == "workspace" and policy.time_zone is None:
            policy = replace(policy, time_zone=present.policy.time_zone)
        if present is not None and present.policy == policy:
            return None
        return SetPolicy(not_before(meta, last), row.scope, policy)

    at = row.effective_at
    yield ImportStep(Phase.POLICIES, missing, at, row.reason, comes_at=at, is_stated=True)


def moment_steps(row: MomentRow) -> Iterator[ImportStep]:
    at = plain(row.at)

    def missing(world: World, _: Situation, meta: Meta) -> Command | None:
        if world.get("moment", row.name) is None:
            return moments.RecordMoment(meta, row.name, at)
        return moments.CorrectMoment(meta, row.name, at)

    looked_up = (moments.identity(row.name),)
    yield ImportStep(Phase.TIMED, missing, None, row.reason, row.order, at, Rank.MOMENT, lookups=looked_up)


def reading_steps(row: ReadingRow) -> Iterator[ImportStep]:
    known_as, at = readings.identity(row.source, row.id), plain(row.time)
    content = (row.feed, row.source, row.id, at, row.value, row.unit, row.mode)

    def taken(world: World, situation: Situation, meta: Meta) -> Command | None:
        found = situation.found.get(known_as)
        counts = found is not None and found.subject in (readings.RECORDED, readings.RELEASED)
        latest = situation.found.get(reading_review.correction(row.source, row.id)) or found
        if counts and latest is not None and not _says(latest.fact.data, row):
            return reading_review.CorrectReading(meta, *content)
        if counts:
            return None
        return readings.TakeReading(meta, *content, sequence=row.sequence, backfill=True)

    def released(world: World, situation: Situation, meta: Meta) -> Command | None:
        found = situation.found.get(known_as)
        if found is None or found.subject != readings.WAITING:
            return None
        return reading_review.ReleaseReading(meta, row.feed, row.source, row.id)

    asked = lookups(reading_review.CorrectReading(_NOBODY, *content))
    around: tuple[tuple[str, datetime], ...] = ((f"feed/{row.feed}", at),)
    step = ImportStep(Phase.TIMED, taken, order=row.order, comes_at=at, rank=Rank.READING)
    step.lookups, step.neighbours = asked, around
    yield step
    if row.released is not None:
        yield timed(Rank.READING, released, row.released, default_at=at, lookups=(known_as,))


_NOBODY = Meta(actor="", correlation_id="", causation_id="")
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_SORTS = ("person", "unit", "system", "feed", "cycle")
"""What comes first of the organisation: leads are people, feeds are of systems."""


def _says(data: Any, row: ReadingRow) -> bool:
    """What the row leaves out says nothing against the reading."""
    return (
        (data.time, data.value) == (row.time, row.value)
        and row.unit in (None, data.unit)
        and row.mode in (None, data.mode)
    )
