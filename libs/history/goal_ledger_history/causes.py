"""What kind of change a fact made to a score, in SPEC's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goal_ledger_contracts import objective, workspace
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import parts_of

FIRST_MEASURED, NO_LONGER_MEASURED, WINDOW_CLOSED = "first_measured", "no_longer_measured", "window_closed"
VALUE, CORRECTION, RELEASED = "value", "correction", "released"
TARGET, BASELINE, REDEFINED = "target_moved", "baseline_moved", "measure_redefined"
WEIGHT, REALIGNED, CYCLE, POLICY = "weight_changed", "realigned", "cycle_moved", "policy_changed"

_CAUSES = {
    "CheckInRecorded": VALUE,
    "ReadingRecorded": VALUE,
    "ReadingQuarantined": VALUE,
    "ReadingReleased": RELEASED,
    "KeyResultAdded": "key_result_added",
    "KeyResultDropped": "key_result_dropped",
    "KeyResultTakenUp": "key_result_taken_up",
    "KeyResultWeightChanged": WEIGHT,
    "ObjectiveUnaligned": REALIGNED,
    "PutInCycle": CYCLE,
    "MovedToCycle": CYCLE,
    "CyclePlanned": CYCLE,
    "CycleDatesMoved": CYCLE,
    "PolicySet": POLICY,
    "UnitCreated": POLICY,
    "UnitMoved": POLICY,
    "ObjectiveAssigned": POLICY,
    "WorkspaceCreated": POLICY,
    "ObjectiveActivated": "activated",
    "ObjectiveClosed": "closed",
    "ObjectiveReopened": "reopened",
    "ObjectiveArchived": "archived",
    "ObjectiveDrafted": "drafted",
}
CAUSES = (
    *(FIRST_MEASURED, NO_LONGER_MEASURED, WINDOW_CLOSED, CORRECTION, "moment", TARGET, BASELINE, REDEFINED),
    *sorted({*_CAUSES.values()} | {REALIGNED}),
)
"""All there are."""


def is_of_value(fact: Fact) -> bool:
    """A check-in, a reading or a moment: by it a key result may come to be measured."""
    return type(fact.data).__name__.startswith(("CheckIn", "Reading", "Moment"))


def subject_of(fact: Fact) -> str:
    """What it is about: a key result, a moment, a policy's scope, or its stream."""
    data = fact.data
    match data:
        case workspace.PolicySet():
            return f"policy/{data.scope}"
        case workspace.MomentRecorded() | workspace.MomentCorrected() | workspace.MomentRetracted():
            return f"moment/{data.name}"
    key_result = getattr(data, "key_result", None)
    return fact.stream if key_result is None else f"key-result/{key_result}"


def cause_of(fact: Fact, facts: Sequence[Fact], *, known_already: bool) -> str:
    """``facts``: those before it tell what it changed. ``known_already``: it takes effect, it is not learnt; then the
    content of a correction is a value like any other."""
    name = type(fact.data).__name__
    if name.startswith("Moment"):
        return "moment"
    if name in ("CheckInCorrected", "ReadingCorrected"):
        return VALUE if known_already else CORRECTION
    if name.startswith(("CheckIn", "Reading")):
        return _CAUSES.get(name, CORRECTION)
    if isinstance(fact.data, objective.ObjectiveAligned):
        return WEIGHT if _had_link(fact, facts) else REALIGNED
    if isinstance(fact.data, objective.MeasureChanged):
        return _of_measure(fact, facts)
    return _CAUSES.get(name, REDEFINED)


def _had_link(fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether the objective was aligned with the same parent in the same way."""
    for one in reversed([one for one in facts if one.seq < fact.seq and one.stream == fact.stream]):
        if getattr(one.data, "parent", None) == fact.data.parent:
            return isinstance(one.data, objective.ObjectiveAligned) and one.data.mode == fact.data.mode
    return False


def _of_measure(fact: Fact, facts: Sequence[Fact]) -> str:
    """By what of the measure is no longer as it was."""
    before = next(
        one.data.measure
        for one in reversed(facts)
        if one.seq < fact.seq
        and isinstance(one.data, objective.KeyResultAdded | objective.MeasureChanged)
        and one.data.key_result == fact.data.key_result
    )
    then, now = _members(before), _members(fact.data.measure)
    moved = {name.rpartition("/")[2] for name in then.keys() | now.keys() if then.get(name) != now.get(name)}
    if moved & {"kind", "unit", "window", "steps"} or then.keys() != now.keys():
        return REDEFINED
    return BASELINE if moved == {"baseline"} else TARGET


def _members(measure: Any) -> dict[str, Any]:
    """The members of its parts, by part and name."""
    found: dict[str, Any] = {
        "kind": measure.kind,
        "window": (getattr(measure, "combine", None), getattr(measure, "n", None)),
    }
    for part, simple in parts_of(measure).items():
        found[f"{part}/kind"] = simple.kind
        found |= {f"{part}/{name}": getattr(simple, name) for name in simple.__dataclass_fields__}
    return found
