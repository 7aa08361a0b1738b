"""A counter that began anew: what adds up, what is judged again, and how a restart is taken back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.feed import (
    CounterRestarted,
    CounterRestartRetracted,
    FeedRedefined,
    FeedRegistered,
    ReadingReleased,
)
from goal_ledger_contracts.workspace import SystemRegistered
from goal_ledger_domain.feed import RedefineFeed
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.reading_review import RejectReading, ReleaseReading
from goal_ledger_domain.restart import InQuarantine, RestartCounter, RetractRestart
from support.given_when_then import START, Record, given, meta, on

R = meta(reason="The counter was replaced")
VISITORS, STOCK = "visitors", "stock"


def day(n: int) -> datetime:
    return START - timedelta(days=20 - n)


def read(n: int, value: int, feed: str = VISITORS) -> TakeReading:
    return TakeReading(meta("system/shop"), feed, "/shop", f"r{n}", day(n), Decimal(value))


def shop(*values: int) -> Record:
    """A counter that was read every day from day 1 on."""
    return given(
        on("workspace/acme", SystemRegistered("shop", "Shop")),
        on(f"feed/{VISITORS}", FeedRegistered("shop", "counter", "visitors"), at=day(0)),
        on(f"feed/{STOCK}", FeedRegistered("shop", "gauge"), at=day(0)),
    ).told(*[read(n, value) for n, value in enumerate(values, 1)])


def restart(n: int, base: int = 0, waiting: tuple[int, ...] = (), **more: Any) -> RestartCounter:
    known = tuple(InQuarantine("/shop", f"r{one}", day(one)) for one in waiting)
    return RestartCounter(more.pop("meta", R), VISITORS, day(n), Decimal(base), known)


def released(n: int) -> ReadingReleased:
    return ReadingReleased("/shop", f"r{n}")


def why(record: Record, asked: TakeReading) -> str | None:
    decision = record.when(asked).decision
    assert decision is not None
    return getattr(decision.drafts[0].data, "why", None)


def test_a_counter_is_restarted_with_a_reason_and_that_is_effective_then() -> None:
    record = shop(100)
    record.when(restart(2, meta=meta())).then_refused("reason_required", "reason")
    decision = record.when(restart(2, 7)).then(CounterRestarted(day(2), Decimal(7)))
    assert decision.drafts[0].effective_at == day(2)


def test_from_the_restart_on_the_count_goes_on_from_its_base() -> None:
    record = shop(100).told(restart(3, 7))
    assert why(record, read(2, 90)) == "counter_backwards"
    assert why(record, read(3, 6)) == "counter_backwards"
    assert why(record, read(3, 7)) is None
    record.tell(read(5, 40))
    assert why(record, read(4, 41)) == "counter_backwards"
    assert why(record, read(2, 5_000)) is None


def test_readings_that_wait_because_the_counter_went_backwards_are_judged_again() -> None:
    record = shop(100, 5, 12, 8, 30)
    asked = restart(2, 0, (2, 3, 4, 5))
    record.when(asked).then(CounterRestarted(day(2), Decimal(0)), released(2), released(3), released(5))
    record.told(asked)
    record.when(asked).then_nothing_new()
    assert why(record, read(6, 29)) == "counter_backwards"
    assert why(record, read(6, 31)) is None


def test_only_what_lies_from_the_restart_on_and_within_its_count_is_judged_again() -> None:
    record = shop(100, 5, 12, 30).told(restart(4))
    record.when(restart(3, 0, (2, 3, 4))).then(CounterRestarted(day(3), Decimal(0)), released(3))


def test_what_was_judged_by_a_person_meanwhile_is_left_alone() -> None:
    record = shop(100, 5, 12)
    known = meta(reason="Looked into it")
    record.told(RejectReading(known, VISITORS, "/shop", "r2"), ReleaseReading(known, VISITORS, "/shop", "r3"))
    record.when(restart(2, 0, (2, 3))).then(CounterRestarted(day(2), Decimal(0)))


def test_the_same_restart_again_judges_what_still_waits() -> None:
    record = shop(100, 5, 12).told(restart(2))
    record.when(restart(2, 0, (2, 3))).then(released(2), released(3))


def test_a_restart_is_retracted_and_may_be_recorded_again_otherwise() -> None:
    record = shop(100).told(restart(2, 7))
    record.when(restart(2, 8)).then_refused("id_taken", "at")
    record.when(RetractRestart(R, VISITORS, day(3))).then_refused("unknown_restart", "at")
    record.when(RetractRestart(meta(), VISITORS, day(2))).then_refused("reason_required", "reason")
    record.when(RetractRestart(R, VISITORS, day(2))).then(CounterRestartRetracted(day(2)))
    record.told(RetractRestart(R, VISITORS, day(2)))
    record.when(RetractRestart(R, VISITORS, day(2))).then_nothing_new()
    assert why(record, read(3, 9)) == "counter_backwards"
    record.when(restart(2, 8)).then(CounterRestarted(day(2), Decimal(8)))


def test_only_a_counter_is_restarted() -> None:
    record = shop(100)
    record.when(RestartCounter(R, STOCK, day(2))).then_refused("feed_not_counter", "at")
    record.when(RestartCounter(R, "none", day(2))).then_refused("unknown_feed", "feed")
    ahead = RestartCounter(R, VISITORS, record.now + timedelta(days=1))
    record.when(ahead).then_refused("effective_at_ahead", "at")


def test_what_was_read_from_the_restart_on_is_not_below_its_base() -> None:
    record = shop(100, 110)
    for n in (1, 2):
        record.when(restart(n, 111)).then_refused("base_above_reading", "base")
    record.when(restart(2, 110)).then(CounterRestarted(day(2), Decimal(110)))


def test_a_redefinition_starts_the_count_anew_without_a_base() -> None:
    record = (
        shop(100)
        .told(restart(2, 50))
        .given(on(f"feed/{VISITORS}", FeedRedefined("counter", "visits"), at=day(3)))
    )
    assert why(record, read(4, 5)) is None


def test_the_same_definition_again_is_refused_and_says_that_a_restart_is_meant() -> None:
    refusal = shop().when(RedefineFeed(R, VISITORS, "counter", "visitors")).then_refused("nothing_redefined")
    assert "restart" in refusal.sentence
