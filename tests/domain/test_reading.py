"""Readings: one fact each, seen once, plausible or quarantined, judged by people."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts.decision import ENDED, LIVE, QUARANTINED
from goal_ledger_contracts.envelope import Origin
from goal_ledger_contracts.feed import (
    FeedRedefined,
    FeedRegistered,
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingRejected,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.workspace import SystemRegistered, SystemRetired
from goal_ledger_domain import decide
from goal_ledger_domain.access import GrantRole
from goal_ledger_domain.reading import TakeReading, identity
from goal_ledger_domain.reading_review import CorrectReading, RejectReading, ReleaseReading, RetractReading
from support.given_when_then import START, Record, given, meta, on

ACME = "workspace/acme"
DAY = START - timedelta(days=20)
R = meta(reason="Looked into it")
SHOP = meta("system/webshop")
VISITORS, SALES, STOCK = "webshop.visitors", "webshop.sales", "webshop.stock"


def day(n: int) -> datetime:
    return DAY + timedelta(days=n)


def shop() -> Record:
    """A counter of visitors, an event count of sales, a gauge of the stock between 0 and 100."""
    return given(
        on(ACME, SystemRegistered("webshop", "Web shop"), SystemRegistered("crm", "CRM")),
        on(f"feed/{VISITORS}", FeedRegistered("webshop", "counter", "visitors"), at=day(-10)),
        on(f"feed/{SALES}", FeedRegistered("webshop", "event_count"), at=day(-10)),
        on(
            f"feed/{STOCK}",
            FeedRegistered("webshop", "gauge", "items", low=Decimal(0), high=Decimal(100)),
            at=day(-10),
        ),
    )


def take(feed: str = VISITORS, id: str = "r1", n: int = 0, value: object = 10, **more: Any) -> TakeReading:
    who = more.pop("meta", SHOP)
    return TakeReading(who, feed, "shop/web", id, day(n), Decimal(str(value)), **more)


def recorded(id: str = "r1", n: int = 0, value: object = 10, **more: Any) -> ReadingRecorded:
    given_ = {"mode": "absolute", "unit": "visitors"} | more
    return ReadingRecorded("shop/web", id, day(n), Decimal(str(value)), **given_)


def quarantined(why: str, like: ReadingRecorded) -> ReadingQuarantined:
    return ReadingQuarantined(
        like.source, like.id, like.time, like.value, like.mode, why, like.unit, like.sequence, like.backfill
    )


# Taken


def test_a_reading_is_one_fact_in_its_feeds_stream_effective_at_its_time() -> None:
    decision = shop().when(take()).then(recorded())
    assert decision.stream == f"feed/{VISITORS}"
    assert (decision.drafts[0].effective_at, decision.drafts[0].stated_at) == (day(0), None)
    assert [(c.identity, c.state) for c in decision.claims] == [(identity("shop/web", "r1"), LIVE)]
    assert [(p.at, p.value) for p in decision.points] == [(day(0), Decimal(10))]


def test_mode_and_unit_left_out_are_those_of_the_feed() -> None:
    shop().when(take(SALES)).then(recorded(mode="increment", unit=None))
    shop().when(take(STOCK)).then(recorded(unit="items"))


def test_where_it_came_from_is_noted_beside_it() -> None:
    origin = Origin("kafka", "progress.readings.acme.webshop", "g", 0, 17)
    assert shop().when(take(meta=replace(SHOP, origin=origin))).then(recorded()).drafts[0].origin == origin


def test_a_time_a_little_ahead_is_stored_as_recorded_with_the_stated_time_beside_it() -> None:
    record = shop()
    ahead = record.now + timedelta(minutes=5)
    asked = replace(take(SALES), time=ahead)
    draft = record.when(asked).then(_at(ahead)).drafts[0]
    assert (draft.effective_at, draft.stated_at) == (record.now + timedelta(minutes=1), ahead)


def _at(time: datetime) -> ReadingRecorded:
    return replace(recorded(mode="increment", unit=None), time=time)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"feed": "none"}, "unknown_feed", "feed"),
        ({"mode": "increment"}, "mode_mismatch", "mode"),
        ({"mode": "sum"}, "mode_mismatch", "mode"),
        ({"value": "NaN"}, "value_not_decimal", "value"),
        ({"value": "0.0000001"}, "value_not_decimal", "value"),
        ({"unit": "a\u202e"}, "text_has_control_characters", "unit"),
        ({"sequence": "1" * 65}, "text_too_long", "sequence"),
        ({"id": ""}, "reading_name_malformed", "id"),
        ({"n": -60_000}, "time_out_of_range", "time"),
        ({"id": "a\u202e"}, "reading_name_malformed", "id"),
        ({"id": "a\x00"}, "reading_name_malformed", "id"),
        ({"id": "å" * 257}, "reading_name_malformed", "id"),
    ],
)
def test_what_cannot_be_a_reading_is_refused(changed: dict[str, Any], code: str, field: str) -> None:
    shop().when(take(**changed)).then_refused(code, field)


def test_a_feed_of_another_system_is_refused_but_to_admins_and_importers() -> None:
    shop().when(take(meta=meta("system/crm"))).then_refused("feed_of_another_system", "feed")
    shop().when(take(meta=meta("person/ada"))).then(recorded())
    record = shop().told(GrantRole(meta(), "system/crm", "importer"))
    record.when(take(meta=meta("system/crm"))).then(recorded())


def test_a_retired_system_is_heard_no_more_but_for_what_it_said() -> None:
    record = shop().told(take()).given(on(ACME, SystemRetired("webshop")))
    record.when(take(id="r2", n=1)).then_refused("system_retired", "feed")
    record.when(take()).then_nothing_new()


# Seen once


def test_any_number_of_repeats_is_one_reading() -> None:
    record = shop().told(take())
    first = record.facts[-1]
    for again in (take(), take(mode="absolute", unit="visitors"), take(backfill=True)):
        assert record.when(again).then_nothing_new().same_as == first


@pytest.mark.parametrize(
    "changed", [{"n": 1}, {"value": 11}, {"unit": "sales"}, {"sequence": "7"}, {"feed": SALES}]
)
def test_the_same_identity_with_other_content_is_refused(changed: dict[str, Any]) -> None:
    shop().told(take()).when(take(**changed)).then_refused("id_taken", "id")


@pytest.mark.parametrize("said", [{"unit": " items "}, {"sequence": " 7 "}, {"unit": "e\u0301"}])
def test_a_repeat_word_for_word_is_one_reading_also_where_its_text_is_kept_in_a_cleaner_form(
    said: dict[str, Any],
) -> None:
    again = take(STOCK, **said)
    shop().told(again).when(again).then_nothing_new()


def test_source_and_id_are_compared_as_bytes() -> None:
    record = shop().told(take(id="e\u0301"))
    record.when(take(id="\u00e9")).then(recorded(id="\u00e9"))


def test_a_repeat_is_the_same_reading_after_a_correction_a_release_and_a_retraction() -> None:
    corrected = CorrectReading(R, VISITORS, "shop/web", "r1", day(0), Decimal(12))
    shop().told(take(), corrected).when(take()).then_nothing_new()
    shop().told(take(), RetractReading(R, VISITORS, "shop/web", "r1")).when(take()).then_nothing_new()
    released = shop().told(take(STOCK, value=101), ReleaseReading(R, STOCK, "shop/web", "r1"))
    released.when(take(STOCK, value=101)).then_nothing_new()


# Plausible or not


def test_a_wrong_unit_is_quarantined() -> None:
    like = recorded(unit="people")
    decision = shop().when(take(unit="people")).then(quarantined("wrong_unit", like))
    assert decision.claims[0].state == QUARANTINED
    assert decision.points == ()


def test_a_reading_from_the_future_is_quarantined_effective_now() -> None:
    record = shop()
    ahead = record.now + timedelta(minutes=6, seconds=1)
    draft = record.when(replace(take(SALES), time=ahead)).then(quarantined("future", _at(ahead))).drafts[0]
    assert (draft.effective_at, draft.stated_at) == (record.now + timedelta(minutes=1), ahead)


def test_back_fill_is_marked_and_not_judged_by_the_clock() -> None:
    record = shop()
    ahead = record.now + timedelta(hours=1)
    asked = replace(take(SALES), time=ahead, backfill=True)
    assert record.when(asked).then(replace(_at(ahead), backfill=True)).drafts[0].stated_at == ahead


@pytest.mark.parametrize("value", ["-0.000001", "100.000001"])
def test_a_value_beyond_the_limits_of_its_feed_is_quarantined(value: str) -> None:
    like = recorded(value=value, unit="items")
    shop().when(take(STOCK, value=value)).then(quarantined("out_of_limits", like))


def test_limits_are_inclusive() -> None:
    shop().when(take(STOCK, value=0)).then(recorded(value=0, unit="items"))
    shop().when(take(STOCK, value=100)).then(recorded(value=100, unit="items"))


def test_a_counter_is_compared_with_its_neighbours_in_time_not_in_arrival() -> None:
    record = shop().told(take(id="r1", n=1, value=10), take(id="r3", n=3, value=30))
    record.when(take(id="r2", n=2, value=20)).then(recorded("r2", 2, 20))
    record.when(take(id="r2", n=2, value=10)).then(recorded("r2", 2, 10))
    for wrong in (9, 31):
        like = recorded("r2", 2, wrong)
        record.when(take(id="r2", n=2, value=wrong)).then(quarantined("counter_backwards", like))


def test_a_quarantined_reading_is_no_neighbour_until_it_is_released() -> None:
    record = shop().told(take(id="r1", n=1, value=10), take(id="r2", n=2, value=5))
    record.when(take(id="r3", n=3, value=11)).then(recorded("r3", 3, 11))
    record.tell(ReleaseReading(R, VISITORS, "shop/web", "r2"))
    record.when(take(id="r4", n=4, value=6)).then(recorded("r4", 4, 6))


def test_neighbours_are_asked_for_unless_the_feed_was_no_counter_lately() -> None:
    world = shop().world
    assert decide.neighbours(take()) == decide.neighbours(take(), world) == ((f"feed/{VISITORS}", day(0)),)
    assert decide.neighbours(take(STOCK)) == ((f"feed/{STOCK}", day(0)),)
    assert decide.neighbours(take(STOCK), world) == decide.neighbours(take(SALES), world) == ()


def test_a_counter_starts_anew_where_its_feed_was_redefined() -> None:
    record = shop().told(take(id="r1", n=1, value=1000))
    record.given(on(f"feed/{VISITORS}", FeedRedefined("counter", "visitors"), at=day(2)))
    record.when(take(id="r2", n=3, value=5)).then(recorded("r2", 3, 5))
    late = take(id="r3", n=0, value=2000)
    record.when(late).then(quarantined("counter_backwards", recorded("r3", 0, 2000)))


def test_a_late_reading_keeps_the_definition_of_its_time() -> None:
    record = shop().given(on(f"feed/{STOCK}", FeedRedefined("gauge", "boxes"), at=day(2)))
    record.when(take(STOCK, n=1, value=101)).then(
        quarantined("out_of_limits", recorded(n=1, value=101, unit="items"))
    )
    record.when(take(STOCK, n=3, value=101)).then(recorded(n=3, value=101, unit="boxes"))


# Released or rejected


def waiting() -> Record:
    return shop().told(take(STOCK, value=101))


def test_a_quarantined_reading_is_released_with_a_reason_and_then_counts() -> None:
    asked = ReleaseReading(R, STOCK, "shop/web", "r1")
    decision = waiting().when(asked).then(ReadingReleased("shop/web", "r1"))
    assert [(c.state, c.keeps_content) for c in decision.claims] == [(LIVE, True)]
    waiting().when(replace(asked, meta=meta())).then_refused("reason_required")
    waiting().told(asked).when(replace(asked, meta=meta())).then_nothing_new()
    shop().told(take()).when(ReleaseReading(meta(), VISITORS, "shop/web", "r1")).then_nothing_new()


def test_it_is_rejected_with_a_reason_and_may_come_again_with_other_content() -> None:
    asked = RejectReading(R, STOCK, "shop/web", "r1")
    decision = waiting().when(asked).then(ReadingRejected("shop/web", "r1"))
    assert decision.claims[0].state == ENDED
    waiting().when(replace(asked, meta=meta())).then_refused("reason_required")
    record = waiting().told(asked)
    record.when(replace(asked, meta=meta())).then_nothing_new()
    record.when(ReleaseReading(R, STOCK, "shop/web", "r1")).then_refused("reading_rejected")
    record.when(take(STOCK, value=101)).then_nothing_new()
    record.when(take(STOCK, value=99)).then(recorded(value=99, unit="items"))


def test_only_a_quarantined_reading_is_rejected() -> None:
    asked = RejectReading(R, VISITORS, "shop/web", "r1")
    shop().told(take()).when(asked).then_refused("reading_not_quarantined")
    retracted = shop().told(take(), RetractReading(R, VISITORS, "shop/web", "r1"))
    retracted.when(asked).then_refused("reading_retracted")


# Corrected or retracted


def correct(n: int = 0, value: object = 12, **more: Any) -> CorrectReading:
    who = more.pop("meta", R)
    return CorrectReading(who, VISITORS, "shop/web", "r1", day(n), Decimal(str(value)), **more)


def test_a_reading_is_corrected_with_a_reason_to_its_whole_new_content() -> None:
    new = ReadingCorrected("shop/web", "r1", day(1), Decimal(12), "absolute", "visitors")
    decision = shop().told(take()).when(correct(n=1)).then(new)
    assert decision.drafts[0].effective_at == day(1)
    shop().told(take()).when(correct(meta=meta())).then_refused("reason_required")


def test_a_correction_to_what_it_is_is_nothing_new() -> None:
    shop().told(take()).when(correct(value=10, meta=meta())).then_nothing_new()
    shop().told(take(), correct()).when(correct(meta=meta())).then_nothing_new()
    back = shop().told(take(), correct()).when(correct(value=10))
    assert back.decision is not None and len(back.decision.drafts) == 1


def test_a_corrected_counter_is_a_neighbour_with_its_new_content() -> None:
    record = shop().told(take(value=10), correct(value=50))
    wrong = quarantined("counter_backwards", recorded("r2", 2, 20))
    record.when(take(id="r2", n=2, value=20)).then(wrong)
    record.tell(RetractReading(R, VISITORS, "shop/web", "r1"))
    record.when(take(id="r2", n=2, value=20)).then(recorded("r2", 2, 20))


def test_a_correction_is_sound() -> None:
    record = shop().told(take())
    record.when(correct(unit="people")).then_refused("reading_unit_mismatch", "unit")
    record.when(correct(mode="increment")).then_refused("mode_mismatch", "mode")
    record.when(correct(value="Infinity")).then_refused("value_not_decimal", "value")
    ahead = replace(correct(), time=record.now + timedelta(hours=1))
    record.when(ahead).then_refused("effective_at_ahead")


def test_a_reading_is_retracted_with_a_reason_and_once() -> None:
    asked = RetractReading(R, VISITORS, "shop/web", "r1")
    decision = shop().told(take()).when(asked).then(ReadingRetracted("shop/web", "r1"))
    assert decision.points[0].gone
    shop().told(take()).when(replace(asked, meta=meta())).then_refused("reason_required")
    shop().told(take(), asked).when(replace(asked, meta=meta())).then_nothing_new()
    shop().told(take(), asked).when(correct()).then_refused("reading_retracted")


def test_what_is_in_quarantine_is_released_or_rejected_first() -> None:
    for asked in (
        CorrectReading(R, STOCK, "shop/web", "r1", day(0), Decimal(1)),
        RetractReading(R, STOCK, "shop/web", "r1"),
    ):
        waiting().when(asked).then_refused("reading_quarantined")
        rejected = waiting().told(RejectReading(R, STOCK, "shop/web", "r1"))
        rejected.when(asked).then_refused("reading_rejected")


@pytest.mark.parametrize("command", [ReleaseReading, RejectReading, RetractReading])
def test_a_reading_that_was_never_taken_is_unknown(command: Any) -> None:
    shop().when(command(R, VISITORS, "shop/web", "r1")).then_refused("reading_unknown", "id")
    shop().told(take()).when(command(R, STOCK, "shop/web", "r1")).then_refused("reading_unknown", "id")
    shop().when(command(R, "none", "shop/web", "r1")).then_refused("unknown_feed", "feed")
