"""What may be done to a goal in the state that it and its cycle are in: the table of SPEC 4.

The right-most column that applies decides; without a cycle it is the goal's own state. :data:`TABLE` is the table;
:func:`need_may` is the only place that reads it. An activation is a deed of the row *define*; carrying over, archiving,
endorsing, comments and kudos are not in the table.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import assert_never

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.facts import FactData

from goal_ledger_domain import cycle
from goal_ledger_domain.access import is_admin
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.goal import Active, Archived, Closed, Drafted, Objective
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World


class Column(Enum):
    """Left to right."""

    DRAFT = "draft"
    ACTIVE = "active"
    LOCKED = "cycle locked"
    CLOSED = "closed"
    ARCHIVED = "archived, or cycle closed"


class Deed(Enum):
    DEFINE = "define, align"
    CHECK_IN = "check in"
    CORRECT = "correct, retract"
    CLOSE = "close"
    REOPEN = "reopen"


class Terms(Enum):
    FREE = "free"
    WITH_REASON = "with reason"
    ADMIN_WITH_REASON = "admin, with reason"
    DROP_ONLY = "drop only"
    BEFORE_THE_LOCK = "effective before the lock"
    BEFORE_THE_CLOSING = "effective before the closing, with reason, marked after closing"
    REFUSED = "refused"


_COLUMNS = (Column.DRAFT, Column.ACTIVE, Column.LOCKED, Column.CLOSED, Column.ARCHIVED)

_F, _R, _A, _X = Terms.FREE, Terms.WITH_REASON, Terms.ADMIN_WITH_REASON, Terms.REFUSED
_ROWS: dict[Deed, tuple[Terms, ...]] = {
    #               draft           active  cycle locked           closed                   archived, cycle closed
    Deed.DEFINE: (_F, _R, _A, _X, _X),
    Deed.CHECK_IN: (_X, _F, Terms.BEFORE_THE_LOCK, Terms.BEFORE_THE_CLOSING, _X),
    Deed.CORRECT: (_X, _R, _R, _R, _A),
    Deed.CLOSE: (Terms.DROP_ONLY, _F, _F, _X, _X),
    Deed.REOPEN: (_X, _X, _X, _R, _A),
}
TABLE: dict[tuple[Deed, Column], Terms] = {
    (deed, column): rule for deed, row in _ROWS.items() for column, rule in zip(_COLUMNS, row, strict=True)
}

_REFUSED: dict[Column, tuple[str, str]] = {
    Column.DRAFT: ("objective_is_draft", "{stream} is a draft."),
    Column.ACTIVE: ("objective_not_closed", "{stream} is not closed."),
    Column.LOCKED: ("objective_not_closed", "{stream} is not closed."),
    Column.CLOSED: ("objective_closed", "{stream} is closed."),
    Column.ARCHIVED: ("objective_archived", "{stream} is archived."),
}


def column(world: World, state: Objective) -> Column:
    """The right-most column that applies to the goal."""
    where = cycle.cycle_state(world, state.goal.cycle)
    match state:
        case Archived():
            return Column.ARCHIVED
        case _ if isinstance(where, cycle.Closed):
            return Column.ARCHIVED
        case Closed():
            return Column.CLOSED
        case _ if isinstance(where, cycle.Locked):
            return Column.LOCKED
        case Active():
            return Column.ACTIVE
        case Drafted():
            return Column.DRAFT
    assert_never(state)


def terms(world: World, state: Objective, deed: Deed) -> Terms:
    return TABLE[deed, column(world, state)]


def need_may(
    world: World, meta: Meta, state: Objective, deed: Deed, what: str, *, reason_once_active: bool = True
) -> Terms:
    """The rule that applies, met but for its times and outcomes, which belong to check-ins and closings.

    ``what`` is the deed in words: *rewording an objective*. ``reason_once_active``: the fact is marked † (SPEC 3).
    """
    where = column(world, state)
    applies = TABLE[deed, where]
    match applies:
        case Terms.REFUSED:
            raise _refused(state, where)
        case Terms.ADMIN_WITH_REASON:
            need_admin(world, meta, what)
            need_reason(meta, what)
        case Terms.WITH_REASON if deed is not Deed.DEFINE or reason_once_active:
            need_reason(meta, what)
        case Terms.BEFORE_THE_CLOSING:
            need_reason(meta, f"{what} after the closing")
    return applies


def _refused(state: Objective, where: Column) -> Refusal:
    stream = state.goal.stream
    if where is Column.ARCHIVED and not isinstance(state, Archived):
        sentence = f"{stream} is in the cycle {state.goal.cycle}, which is closed."
        return Refusal("goal_cycle_closed", sentence, cycle=state.goal.cycle)
    code, sentence = _REFUSED[where]
    return Refusal(code, sentence.format(stream=stream))


def need_admin(world: World, meta: Meta, what: str) -> None:
    """Refuses ``admin_only``. Importers may what admins may, save access."""
    if not is_admin(world, meta.actor):
        raise Refusal("admin_only", f"In this state only an admin may do this: {what}.")


def closing_of(state: Objective) -> datetime | None:
    """The instant of the closing of a goal that is closed or archived."""
    return state.closed_at if isinstance(state, Closed | Archived) else None


def changed(
    meta: Meta, situation: Situation, state: Objective, data: FactData, *, id: str | None = None
) -> Decision:
    """One fact in the objective's stream; ``id`` is of what was changed, by default the objective."""
    goal = state.goal
    fact = draft(meta, situation, goal.stream, data, after=goal.last_effective_at)
    return Decision(id or goal.id, goal.stream, (fact,))


def define(
    world: World,
    meta: Meta,
    situation: Situation,
    state: Objective,
    data: FactData,
    what: str,
    *,
    id: str | None = None,
    reason_once_active: bool = True,
) -> Decision:
    """A change of the definition, if the table of states allows it now."""
    need_may(world, meta, state, Deed.DEFINE, what, reason_once_active=reason_once_active)
    return changed(meta, situation, state, data, id=id)


def same(state: Objective, *, id: str | None = None) -> Decision:
    """The definition already is so."""
    return nothing_new(id or state.goal.id, state.goal.stream)
