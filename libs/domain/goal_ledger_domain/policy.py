"""Policies: rules set for the workspace, a unit or an objective, in revisions, so that a past status is explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.workspace import Policy, PolicySet

from goal_ledger_domain import limits, text, values
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.unit_tree import unit, units_above
from goal_ledger_domain.workspace import known_time_zone, last_effective_at, touch, workspace
from goal_ledger_domain.world import World

ROLL_UPS = ("key_results", "aligned", "both")
FIELDS = tuple(f.name for f in fields(Policy))

RANGES: dict[str, tuple[int, int]] = {
    "on_track_points": (0, 100),
    "behind_points": (0, 100),
    "cadence_weeks": (1, 52),
    "anchor_weekday": (1, 7),
    "grace_days": (0, 60),
    "max_key_results": (1, limits.KEY_RESULTS_MAX_ITEMS),
    "max_active_objectives": (1, 1000),
}
"""Least and greatest of each number in a policy. Weekdays count from Monday, 1, as ISO 8601 does."""


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """The whole policy of ``scope`` (``workspace``, ``unit/<id>``, ``objective/<id>``): what is None is inherited."""

    meta: Meta
    scope: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Revision:
    revision: int
    policy: Policy


def evolve(world: World, fact: Fact) -> None:
    set_: PolicySet = fact.data
    world.put("policy", set_.scope, Revision(set_.revision, set_.policy))
    touch(world, fact, set_.scope)


def in_force(world: World, owner: str, objective: str | None = None) -> Policy:
    """The policy for a goal of that owner: its own scope, else the owning unit and those above it, the workspace.

    A goal of a person has its own scope and the workspace's: people may be in several units.
    """
    found: dict[str, object] = {}
    for scope in _scopes(world, owner, objective):
        state: Revision | None = world.get("policy", scope)
        for name in FIELDS if state else ():
            stated = getattr(state.policy, name)  # type: ignore[union-attr]
            if stated is not None:
                found.setdefault(name, stated)
    found.setdefault("time_zone", workspace(world).time_zone)
    return Policy(**found)  # type: ignore[arg-type]


def _scopes(world: World, owner: str, objective: str | None) -> Iterator[str]:
    if objective is not None:
        yield f"objective/{objective}"
    kind, _, id = owner.partition("/")
    if kind == "unit":
        yield from (f"unit/{above}" for above in units_above(world, id))
    yield "workspace"


def _set(world: World, command: SetPolicy, situation: Situation) -> Decision:
    here = workspace(world)
    _need_scope(world, command.scope)
    policy = _valid(command.policy)
    present: Revision | None = world.get("policy", command.scope)
    if policy == (present.policy if present else Policy()):
        return nothing_new(command.scope, here.stream)
    need_reason(command.meta, "setting a policy")
    data = PolicySet(command.scope, present.revision + 1 if present else 1, policy)
    return Decision(
        command.scope,
        here.stream,
        (draft(command.meta, situation, here.stream, data, after=last_effective_at(world, command.scope)),),
    )


def _need_scope(world: World, scope: str) -> None:
    if scope == "workspace":
        return
    kind, id = text.reference(scope, "scope", "unit", "objective")
    if kind == "unit":
        unit(world, id, "scope")
    elif world.get("objective", id) is None:
        raise Refusal("unknown_objective", f"There is no objective {id}.", field="scope")


def _valid(policy: Policy) -> Policy:
    if policy.time_zone is not None:
        known_time_zone(policy.time_zone, "policy/time_zone")
    if policy.roll_up is not None:
        text.choice(policy.roll_up, "policy/roll_up", ROLL_UPS)
    for name, (least, greatest) in RANGES.items():
        stated = getattr(policy, name)
        if stated is not None:
            _need_range(stated, name, least, greatest)
    behind, on_track = policy.behind_points, policy.on_track_points
    if behind is not None and on_track is not None and behind < on_track:
        sentence = "behind_points is below on_track_points."
        raise Refusal("bands_reversed", sentence, field="policy/behind_points")
    return policy


def _need_range(stated: Decimal | int, name: str, least: int, greatest: int) -> None:
    if isinstance(stated, Decimal):
        values.value(stated, f"policy/{name}")
    if not least <= stated <= greatest:
        raise Refusal(
            "number_out_of_range",
            f"{name} is from {least} to {greatest}.",
            field=f"policy/{name}",
            least=least,
            greatest=greatest,
        )


DECIDER = Decider(
    commands={
        SetPolicy: Rule(_set, may=Permission.ORGANISE, on=WORKSPACE, shows="policy"),
    },
    folds=dict.fromkeys((PolicySet,), evolve),
)
