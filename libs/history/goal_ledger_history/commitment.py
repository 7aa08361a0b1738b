"""The commitment of a goal: its definition folded up to the first activation, completed by baselines found later.

A baseline still to be found when the goal was activated is set by a later change of the measure. That completes the
commitment and is no amendment (SPEC 5). Only the baseline is taken over: a target or unit changed with it is an
amendment, and a baseline from which the committed target would not be a way to go completes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from goal_ledger_contracts import wire
from goal_ledger_contracts.measures import Compound, Decrease, Increase, Measure, Reach, Simple, parts_of
from goal_ledger_scoring.measures import baseline_missing

from goal_ledger_history.goals import Goal, KeyResult, Version
from goal_ledger_history.protocols import Definitions


async def complete_all(
    definitions: Definitions, defined: Iterable[Goal], found: Mapping[Version, Goal]
) -> dict[str, Goal]:
    """The completed commitments, by objective, of those goals whose commitment lacked a baseline.

    ``defined``: each by the definition it is scored by; ``found``: their definitions at the activation among others.
    """
    lacking = {
        goal.id: (goal, committed)
        for goal in defined
        if goal.activated_seq is not None
        and goal.seq > goal.activated_seq
        and lacks_baseline(committed := found[goal.id, goal.activated_seq])
    }
    if not lacking:
        return {}
    versions = await definitions.measured_since(
        (id, committed.seq, goal.seq) for id, (goal, committed) in lacking.items()
    )
    later = await definitions.goals(versions)
    return {
        id: completed(committed, [later[version] for version in versions if version[0] == id])
        for id, (_, committed) in lacking.items()
    }


def lacks_baseline(goal: Goal) -> bool:
    """Whether a part of a key result has its baseline still to be found."""
    return any(baseline_missing(part) for one in goal.key_results for part in one.parts.values())


def completed(committed: Goal, later: Sequence[Goal]) -> Goal:
    """The commitment with the baselines that were first found in the definitions after it, oldest first."""
    key_results = tuple(_completed(one, later) for one in committed.key_results)
    return replace(committed, key_results=key_results)


async def completing(definitions: Definitions, defined: Goal) -> dict[str, list[int]]:
    """The facts that found baselines that the commitment lacked, by key result."""
    if defined.activated_seq is None:
        return {}
    start = (defined.id, defined.activated_seq)
    committed = (await definitions.goals([start]))[start]
    if not lacks_baseline(committed):
        return {}
    versions = await definitions.measured_since([(*start, defined.seq)])
    later = await definitions.goals(versions)
    found: dict[str, list[int]] = {}
    for version in versions:
        before, committed = committed, completed(committed, [later[version]])
        for one, then in zip(committed.key_results, before.key_results, strict=True):
            if one.measure != then.measure:
                found.setdefault(one.id, []).append(version[1])
    return found


def only_found_baseline(before: KeyResult | None, after: KeyResult | None) -> bool:
    """Whether a change of a measure did no more than to set a baseline that was still to be found."""
    if before is None or after is None or before.measure == after.measure:
        return False
    return _filled(before, after).measure == after.measure


def _completed(one: KeyResult, later: Sequence[Goal]) -> KeyResult:
    for goal in later:
        if not any(baseline_missing(part) for part in one.parts.values()):
            break
        then = goal.key_result(one.id)
        if then is not None:
            one = _filled(one, then)
    return one


def _filled(one: KeyResult, then: KeyResult) -> KeyResult:
    parts = {
        id: _with_baseline(part, then.parts.get(id)) if baseline_missing(part) else part
        for id, part in one.parts.items()
    }
    if parts == one.parts:
        return one
    measure = _measure_of(one.measure, parts)
    if measure == then.measure:
        return replace(
            one,
            measure=measure,
            measure_seq=then.measure_seq,
            parts=then.parts,
            body=_with_measure(one, measure),
        )
    return replace(one, measure=measure, parts=parts_of(measure), body=_with_measure(one, measure))


def _with_baseline(part: Simple, then: Simple | None) -> Simple:
    """The part with the other's baseline, where that is of the same kind and unit and leaves a way to its target."""
    if type(then) is not type(part) or not isinstance(part, Increase | Decrease | Reach):
        return part
    assert isinstance(then, Increase | Decrease | Reach)
    if then.baseline is None or then.unit != part.unit or not _is_a_way(part, then.baseline):
        return part
    return replace(part, baseline=then.baseline)


def _is_a_way(part: Increase | Decrease | Reach, baseline: Decimal) -> bool:
    if isinstance(part, Increase):
        return baseline < part.target
    return baseline > part.target if isinstance(part, Decrease) else baseline != part.target


def _measure_of(measure: Measure, parts: Mapping[str, Simple]) -> Measure:
    if isinstance(measure, Compound):
        return replace(measure, parts=tuple(replace(one, measure=parts[one.id]) for one in measure.parts))
    (simple,) = parts.values()
    return simple


def _with_measure(one: KeyResult, measure: Measure) -> dict[str, object]:
    return {**one.body, "measure": wire.encode(measure) | {"kind": measure.kind}}
