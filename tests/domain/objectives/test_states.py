"""The table of states (SPEC 4), every cell tried: what may be done to a goal in each state of it and its cycle."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import BOSS, IMPORTER, active_goal, because, closed, draft_goal, drafted
from goal_ledger_contracts.cycle import CycleClosed, CycleLocked, CycleOpened, CyclePlanned
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    MovedToCycle,
    ObjectiveArchived,
    ObjectiveReopened,
    PartValue,
    PutInCycle,
)
from goal_ledger_domain import state_table
from goal_ledger_domain.alignment import Align
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn
from goal_ledger_domain.key_result import AddKeyResult, DropKeyResult
from goal_ledger_domain.lifecycle import CloseObjective, ReopenObjective
from goal_ledger_domain.objective import AssignObjective, MoveToCycle, RewordObjective
from support.given_when_then import START, Record, meta, on

IN_Q1 = {"cycle": "q1"}
COUNTED = (PartValue("value", Decimal(250)),)


def checked_in(record: Record) -> Record:
    """With a check-in that is true from the start."""
    start = meta(effective_at=START)
    return record.told(RecordCheckIn(start, "c1", key_result="visitors", values=COUNTED))


def draft() -> Record:
    return draft_goal(**IN_Q1)


def active() -> Record:
    return checked_in(active_goal(**IN_Q1))


def locked() -> Record:
    return active().given(on("cycle/q1", CycleLocked()))


def ended() -> Record:
    return active().given(closed())


def closed_in_locked_cycle() -> Record:
    return locked().given(closed())


def archived() -> Record:
    return ended().given(on("objective/web-shop", ObjectiveArchived()))


def cycle_closed() -> Record:
    return closed_in_locked_cycle().given(on("cycle/q1", CycleClosed()))


def archived_in_closed_cycle() -> Record:
    return cycle_closed().given(on("objective/web-shop", ObjectiveArchived()))


def draft_in_locked_cycle() -> Record:
    return checked_in(draft().given(on("cycle/q1", CycleLocked())))


def active_without_cycle() -> Record:
    return checked_in(active_goal())


STATES = {
    "draft": [draft],
    "active": [active, active_without_cycle],
    "cycle locked": [locked, draft_in_locked_cycle],
    "closed": [ended, closed_in_locked_cycle],
    "archived, or cycle closed": [archived, cycle_closed, archived_in_closed_cycle],
}

TABLE = {
    "define, align": {
        "draft": "free",
        "active": "with reason",
        "cycle locked": "admin, with reason",
        "closed": "refused",
        "archived, or cycle closed": "refused",
    },
    "check in": {
        "draft": "refused",
        "active": "free",
        "cycle locked": "effective before the lock",
        "closed": "effective before the closing, with reason, marked after closing",
        "archived, or cycle closed": "refused",
    },
    "correct, retract": {
        "draft": "–",
        "active": "with reason",
        "cycle locked": "with reason",
        "closed": "with reason, grade untouched",
        "archived, or cycle closed": "admin, with reason",
    },
    "close": {
        "draft": "drop only",
        "active": "free",
        "cycle locked": "free",
        "closed": "–",
        "archived, or cycle closed": "–",
    },
    "reopen": {
        "draft": "–",
        "active": "–",
        "cycle locked": "–",
        "closed": "with reason",
        "archived, or cycle closed": "admin, with reason",
    },
}

DEEDS: dict[str, list[Any]] = {
    "define, align": [
        lambda m: RewordObjective(m, "web-shop", "Another title"),
        lambda m: AssignObjective(m, "web-shop", "person/bo"),
        lambda m: AddKeyResult(m, "web-shop", "fresh", "One more", Increase(Decimal(1), Decimal(0))),
        lambda m: Align(m, "web-shop", "l1", "objective/company"),
    ],
    "check in": [
        lambda m: RecordCheckIn(m, "c2", key_result="visitors", values=COUNTED),
        lambda m: RecordCheckIn(m, "c2", objective="web-shop", status="behind"),
    ],
    "correct, retract": [
        lambda m: CorrectCheckIn(m, "c1", confidence=Decimal("0.3")),
        lambda m: RetractCheckIn(m, "c1"),
    ],
    "close": [
        lambda m: CloseObjective(m, "web-shop", "missed"),
        lambda m: CloseObjective(m, "web-shop", "dropped"),
    ],
    "reopen": [lambda m: ReopenObjective(m, "web-shop", "q2")],
}

CELLS = [
    pytest.param(state, rule, ask, id=f"{deed} – {state.__name__} – {rule}")
    for deed, row in TABLE.items()
    for column, rule in row.items()
    for state in STATES[column]
    for ask in DEEDS[deed]
]


def company(record: Record) -> Record:
    return record.given(drafted("company"))


def goes(record: Record, asked: Any) -> bool:
    outcome = record.when(asked)
    return outcome.refusal is None and outcome.decision is not None and bool(outcome.decision.drafts)


def fact_of(record: Record, asked: Any) -> Any:
    decision = record.when(asked).decision
    assert decision is not None
    return decision.drafts[0].data


@pytest.mark.parametrize(("state", "rule", "ask"), CELLS)
def test_every_cell_of_the_table_is_so(state: Any, rule: str, ask: Any) -> None:
    record = company(state())
    CELL[rule](record, ask)


def free(record: Record, ask: Any) -> None:
    assert goes(record, ask(meta()))


def with_reason(record: Record, ask: Any) -> None:
    record.when(ask(meta())).then_refused("reason_required", "reason")
    assert goes(record, ask(because()))


def with_reason_grade_untouched(record: Record, ask: Any) -> None:
    with_reason(record, ask)
    record.tell(ask(because()))
    assert [f.type for f in record.facts].count("ObjectiveClosed") == 1


def admin_with_reason(record: Record, ask: Any) -> None:
    record.when(ask(because())).then_refused("admin_only")
    for admin in (BOSS, IMPORTER, "operator"):
        record.when(ask(meta(admin))).then_refused("reason_required", "reason")
        assert goes(record, ask(because(actor=admin)))


def refused(record: Record, ask: Any) -> None:
    for who in (meta(), because(), because(actor=BOSS), because(actor="operator")):
        assert record.when(ask(who)).refusal is not None


def drop_only(record: Record, ask: Any) -> None:
    if ask(meta()).outcome == "dropped":
        assert goes(record, ask(meta()))
    else:
        record.when(ask(because())).then_refused("draft_can_only_be_dropped", "outcome")


def instant_of(record: Record, fact_type: str) -> Any:
    return next(f.effective_at for f in record.facts if f.type == fact_type)


def before_the_lock(record: Record, ask: Any) -> None:
    lock = instant_of(record, "CycleLocked")
    record.when(ask(meta())).then_refused("after_lock", "effective_at")
    record.when(ask(meta(effective_at=lock))).then_refused("after_lock", "effective_at")
    just_before = meta(effective_at=lock - timedelta(microseconds=1))
    assert fact_of(record, ask(just_before)).after_closing is False


def before_the_closing(record: Record, ask: Any) -> None:
    closing = instant_of(record, "ObjectiveClosed")
    just_before = closing - timedelta(microseconds=1)
    record.when(ask(because())).then_refused("after_closing", "effective_at")
    record.when(ask(because(effective_at=closing))).then_refused("after_closing", "effective_at")
    record.when(ask(meta(effective_at=just_before))).then_refused("reason_required", "reason")
    assert fact_of(record, ask(because(effective_at=just_before))).after_closing is True


CELL = {
    "free": free,
    "with reason": with_reason,
    "with reason, grade untouched": with_reason_grade_untouched,
    "admin, with reason": admin_with_reason,
    "refused": refused,
    "–": refused,
    "drop only": drop_only,
    "effective before the lock": before_the_lock,
    "effective before the closing, with reason, marked after closing": before_the_closing,
}


def test_the_table_in_the_code_has_the_same_cells() -> None:
    of_the_code = {
        (deed.value, column.value): terms.value for (deed, column), terms in state_table.TABLE.items()
    }
    of_the_spec = {
        (deed, column): {"–": "refused", "with reason, grade untouched": "with reason"}.get(rule, rule)
        for deed, row in TABLE.items()
        for column, rule in row.items()
    }
    assert of_the_code == of_the_spec


def test_a_goal_cannot_be_moved_out_of_or_into_a_closed_cycle() -> None:
    cycle_closed().when(MoveToCycle(because(actor=BOSS), "web-shop", "q2")).then_refused("goal_cycle_closed")
    into_closed = active().given(on("cycle/q2", CycleClosed()))
    into_closed.when(MoveToCycle(because(actor=BOSS), "web-shop", "q2")).then_refused("cycle_closed")


def test_only_an_admin_moves_a_goal_into_a_locked_cycle() -> None:
    record = active().given(on("cycle/q2", CycleLocked()))
    record.when(MoveToCycle(because(), "web-shop", "q2")).then_refused("admin_only")
    assert goes(record, MoveToCycle(because(actor=BOSS), "web-shop", "q2"))


def test_a_correction_cannot_carry_a_check_in_past_the_lock_or_the_closing() -> None:
    late = because(effective_at=locked().now)
    locked().when(CorrectCheckIn(late, "c1", status="behind")).then_refused("after_lock")
    ended().when(CorrectCheckIn(late, "c1", status="behind")).then_refused("after_closing")


def test_a_correction_after_the_closing_is_marked() -> None:
    assert fact_of(ended(), CorrectCheckIn(because(), "c1", status="behind")).after_closing is True


def test_dropping_a_key_result_needs_a_reason_even_in_a_draft() -> None:
    draft().when(DropKeyResult(meta(), "visitors")).then_refused("reason_required")
    assert goes(draft(), DropKeyResult(because(), "visitors"))


def test_there_is_nothing_to_reopen_in_a_goal_that_was_never_closed() -> None:
    for state in (draft, active, locked):
        state().when(ReopenObjective(because(actor=BOSS), "web-shop")).then_refused("objective_not_closed")


def test_reopening_once_more_is_nothing_new() -> None:
    for state in (ended, archived, lambda: draft().told(CloseObjective(meta(), "web-shop", "dropped"))):
        reopened = state().told(ReopenObjective(because(actor=BOSS), "web-shop"))
        reopened.when(ReopenObjective(because(actor=BOSS), "web-shop")).then_nothing_new()


def test_a_goal_of_a_closed_cycle_is_reopened_in_an_open_one_that_is_named() -> None:
    for state in (cycle_closed, archived_in_closed_cycle):
        for own in (None, "q1"):
            asked = ReopenObjective(because(actor=BOSS), "web-shop", own)
            state().when(asked).then_refused("reopening_needs_cycle", "cycle")
        asked = ReopenObjective(because(actor=BOSS), "web-shop", "q2")
        state().when(asked).then(ObjectiveReopened(), MovedToCycle("q2"))
        record = state().told(asked)
        record.when(asked).then_nothing_new()
        assert goes(record, CloseObjective(meta(), "web-shop", "missed"))


def test_the_cycle_to_go_on_in_is_open() -> None:
    planned = on("cycle/q3", CyclePlanned("Q3", date(2026, 7, 1), date(2026, 9, 30)))
    for given, code in (
        (planned, "cycle_not_open"),
        (planned + on("cycle/q3", CycleOpened(), CycleLocked()), "cycle_locked"),
        (planned + on("cycle/q3", CycleOpened(), CycleClosed()), "cycle_closed"),
    ):
        asked = ReopenObjective(because(actor=BOSS), "web-shop", "q3")
        cycle_closed().given(given).when(asked).then_refused(code, "cycle")
    cycle_closed().when(ReopenObjective(because(actor=BOSS), "web-shop", "q9")).then_refused("unknown_cycle")


def test_a_goal_without_a_cycle_may_be_put_in_one_when_it_is_reopened() -> None:
    record = active_without_cycle().told(CloseObjective(meta(), "web-shop", "missed"))
    record.when(ReopenObjective(because(), "web-shop", "q2")).then(ObjectiveReopened(), PutInCycle("q2"))
    record.when(ReopenObjective(because(), "web-shop")).then(ObjectiveReopened())
