"""Whether an actor may: the table of permissions, asked about a target on the folded state.

A command is decided upon with its own row, on the same fold as the command itself: :func:`authorise_command`. Reads
ask :func:`authorise` with a permission of their own. Roles come from facts alone (``access.roles``), but for *operator*
(the operator's command line) and *service* (a token of the service key set), which the caller states.

It fails closed: a role with a relation to its targets allows nothing on a target that is not there. To whom the role
gives the permission at all, a command's finder says that it is unknown, in the decider's words; to all others that it is
not allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.permission import OF_EVERY_PERSON, Permission, Relation, needed, ways

from goal_ledger_domain.access import held_by
from goal_ledger_domain.decider import Command
from goal_ledger_domain.deciders import rule_of
from goal_ledger_domain.feed import feed_state
from goal_ledger_domain.goal import Objective
from goal_ledger_domain.person import units_of
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import Retired
from goal_ledger_domain.target import References
from goal_ledger_domain.unit_tree import leads_over, units_above
from goal_ledger_domain.world import World


def may(world: World, actor: str, held: Iterable[str], permission: Permission, *targets: str) -> bool:
    """Whether the roles allow it on each of the targets; without any: whether they allow it everywhere."""
    if permission in OF_EVERY_PERSON and actor.startswith("person/"):
        return True
    return _holds(world, actor, ways(permission, held), targets)


def authorise(world: World, actor: str, held: Iterable[str], permission: Permission, *targets: str) -> None:
    """Refuses ``not_allowed``, also a system that is retired."""
    _need_not_retired(world, actor, permission)
    if not may(world, actor, held, permission, *targets):
        raise _not_allowed(permission)


def authorise_somewhere(world: World, actor: str, held: Iterable[str], permission: Permission) -> None:
    """Whether the roles allow it on some target; on which is for the caller to ask. Refuses ``not_allowed``."""
    _need_not_retired(world, actor, permission)
    if not ways(permission, held):
        raise _not_allowed(permission)


def authorise_command(world: World, command: Command, situation: Situation) -> None:
    """Whether the command's actor may ask for it. Refuses ``not_allowed``, and what the target's finder refuses."""
    rule, actor = rule_of(command), command.meta.actor
    _need_not_retired(world, actor, rule.may)
    found = ways(rule.may, held_by(world, actor))
    if Relation.ANY in found:
        return
    if not found or not _holds(world, actor, found, rule.on.find(world, command, situation)):
        raise _not_allowed(rule.may)


def authorise_reading(world: World, command: TakeReading, situation: Situation) -> None:
    """:func:`authorise_command`, asked once for an actor and a feed as long as the state stays the same."""
    asked = (command.meta.actor, command.feed)
    if asked not in situation.remembered:
        authorise_command(world, command, situation)
        situation.remembered[asked] = True


def _need_not_retired(world: World, actor: str, permission: Permission) -> None:
    kind, _, id = actor.partition("/")
    if kind == "system" and isinstance(world.get("system", id), Retired):
        raise Refusal("not_allowed", f"The system {id} is retired.", permission=permission.value)


def _not_allowed(permission: Permission) -> Refusal:
    return Refusal("not_allowed", f"This needs {needed(permission)}.", permission=permission.value)


def _holds(world: World, actor: str, relations: frozenset[Relation], targets: References) -> bool:
    """Whether the actor has one of the relations to every target. To none at all, it has none but *any*."""
    if Relation.ANY in relations:
        return True
    return bool(targets) and all(
        any(_HOLDS[one](world, actor, target) for one in relations) for target in targets
    )


def _owner(world: World, target: str) -> tuple[str | None, Objective | None]:
    """(owner, objective) of a goal, or of one to be; (None, None) if there is no such goal."""
    kind, _, id = target.partition("/")
    if kind in ("unit", "person"):
        return target, None
    state: Objective | None = world.get("objective", id) if kind == "objective" else None
    return (None, None) if state is None else (state.goal.owner, state)


def _own_feed(world: World, actor: str, target: str) -> bool:
    kind, _, name = target.partition("/")
    feed = feed_state(world, name) if kind == "feed" else None
    return feed is not None and actor == f"system/{feed.system}"


def _owns(world: World, actor: str, target: str) -> bool:
    owner, _ = _owner(world, target)
    return owner is not None and (owner == actor or _leads(world, actor, owner))


def _leads(world: World, actor: str, owner: str) -> bool:
    (holder, _, person), (kind, _, unit) = actor.partition("/"), owner.partition("/")
    return holder == "person" and kind == "unit" and leads_over(world, person, unit)


def _works_on(world: World, actor: str, target: str) -> bool:
    owner, state = _owner(world, target)
    if owner is None:
        return False
    if state is None:
        return owner == actor or _is_within(world, actor, owner)
    of_key_results = (one.owner for one in state.goal.key_results.values() if one.owner)
    involved = (owner, *state.goal.contributors, *of_key_results)
    return actor in involved or any(_is_within(world, actor, one) for one in involved)


def _is_within(world: World, actor: str, reference: str) -> bool:
    """Whether the actor is a person in the unit, or in one above it."""
    kind, _, unit = reference.partition("/")
    if kind != "unit" or not actor.startswith("person/"):
        return False
    own = units_of(world, actor.partition("/")[2])
    return bool(own) and not own.isdisjoint(units_above(world, unit))


def _works_on_or_owns(world: World, actor: str, target: str) -> bool:
    return _works_on(world, actor, target) or _owns(world, actor, target)


_HOLDS: dict[Relation, Callable[[World, str, str], bool]] = {
    Relation.OWN_FEED: _own_feed,
    Relation.WORKS_ON: _works_on,
    Relation.OWNS: _owns,
    Relation.WORKS_ON_OR_OWNS: _works_on_or_owns,
}
