"""What was changed in goals after their activation: `GET /v1/goalpost-moves`."""

from __future__ import annotations

from datetime import UTC, date, datetime

from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    ChangeEndorsed,
    KeyResultAdded,
    KeyResultDropped,
    MeasureChanged,
    MovedToCycle,
)
from projection.query.story import TEN, Story, d

PATH = "/v1/goalpost-moves"
FIVE = Increase(target=d("5"), baseline=d("0"))


def quarters(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.tell("cycle/q2", CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30)))


async def test_a_lower_target_eases_and_tells_its_effect_who_and_why(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "2")
    lower = story.tell("objective/shop", MeasureChanged("visits", FIVE), reason="Too far")
    await story.arrive()

    told = await story.ask(PATH)

    (move,) = told["items"]
    assert (move["event_id"], move["actor"], move["reason"]) == (
        str(lower.event_id),
        "person/ada",
        "Too far",
    )
    assert (move["direction"], move["effect"], move["effect_committed"]) == ("eased", "0.2", "0")
    assert move["flags"] == ["self_approved"]
    (change,) = move["changes"]
    assert change["field"] == "key_results/visits/measure"
    assert (change["before"]["target"], change["after"]["target"]) == ("10", "5")


async def test_what_was_defined_before_the_activation_is_no_move(story: Story) -> None:
    story.goal("shop", ("visits", TEN), active=False)
    story.tell("objective/shop", MeasureChanged("visits", FIVE))
    await story.arrive()

    assert (await story.ask(PATH))["items"] == []


async def test_an_endorsement_by_another_person_stands_behind_a_move_one_s_own_does_not(
    story: Story,
) -> None:
    story.goal("shop", ("visits", TEN))
    higher = Increase(target=d("20"), baseline=d("0"))
    move = story.tell("objective/shop", MeasureChanged("visits", higher), reason="We can")
    story.tell("objective/shop", ChangeEndorsed(str(move.event_id)))
    before = await story.arrive()
    story.tell("objective/shop", ChangeEndorsed(str(move.event_id)), actor="person/bo")
    await story.arrive()

    (own,) = (await story.ask(PATH, known_at=before))["items"]
    (endorsed,) = (await story.ask(PATH))["items"]
    assert (own["direction"], own["flags"], own["endorsed_by"]) == ("tightened", ["self_approved"], [])
    assert (endorsed["flags"], endorsed["endorsed_by"]) == ([], ["person/bo"])


async def test_dropped_while_red_late_in_the_cycle(story: Story) -> None:
    quarters(story)
    story.goal("shop", ("visits", TEN), ("sales", TEN), cycle="q1")
    story.later(datetime(2026, 3, 20, tzinfo=UTC))
    story.check_in("shop", "visits", "1", status="at_risk")
    story.check_in("shop", "sales", "9", status="on_track")
    story.tell("objective/shop", KeyResultDropped("visits"), reason="No use")
    story.tell("objective/shop", KeyResultAdded("new", "New", TEN), reason="Better")
    await story.arrive()

    added, dropped = (await story.ask(PATH, cycle="q1"))["items"]

    assert (dropped["direction"], dropped["effect"]) == ("eased", "0.4")
    assert dropped["flags"] == ["late", "after_red", "self_approved", "dropped_while_red"]
    assert (added["direction"], added["effect"]) == ("neutral", "0")


async def test_another_cycle_extends_the_deadline(story: Story) -> None:
    quarters(story)
    story.goal("shop", ("visits", TEN), cycle="q1")
    story.tell("objective/shop", MovedToCycle("q2"), reason="Later")
    await story.arrive()

    (move,) = (await story.ask(PATH, objective="shop"))["items"]

    assert (move["direction"], move["effect"]) == ("eased", None)
    assert move["flags"] == ["self_approved", "deadline_extended"]
    for asked in ({"objective": "none"}, {"cycle": "none"}):
        assert (await story.get(PATH, **asked)).json()["code"] == "choice_unknown"


async def test_moves_come_page_by_page(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    for target in ("9", "8", "7"):
        measure = Increase(target=d(target), baseline=d("0"))
        story.tell("objective/shop", MeasureChanged("visits", measure), reason="Lower")
    await story.arrive()

    first = await story.ask(PATH, limit=2)
    second = await story.ask(PATH, limit=2, cursor=first["next_cursor"])

    assert (first["total"], len(first["items"]), len(second["items"])) == (3, 2, 1)
    assert first["items"][0]["seq"] > second["items"][0]["seq"]
    assert second["next_cursor"] is None
