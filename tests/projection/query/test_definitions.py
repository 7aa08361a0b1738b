"""Definitions as questions show them: descriptions, what was dropped and taken up, restarts, people who left."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta

import pytest
from goal_ledger_contracts.feed import (
    CounterRestarted,
    CounterRestartRetracted,
    FeedRedefined,
    FeedRegistered,
    ReadingRecorded,
)
from goal_ledger_contracts.measures import Increase, Ranged, Window, Zones
from goal_ledger_contracts.objective import (
    CarriedThing,
    KeyResultAdded,
    KeyResultDropped,
    KeyResultReworded,
    KeyResultTakenUp,
    ObjectiveCarriedOver,
    PartBound,
)
from goal_ledger_contracts.person import PersonAdded, PersonCameBack, PersonLeft
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.workspace import IdentityLinked, IdentityUnlinked, KeyIssued
from goal_ledger_scoring.aggregation import (
    FeedDefinition,
    Reading,
    combine,
    stretches,
    sum_up,
    with_restarts,
)
from goal_ledger_scoring.windows import Span
from projection.query.story import ISSUER, START, TEN, Story, d


async def test_a_key_result_shows_its_description_and_the_texts_of_its_zones(story: Story) -> None:
    zones = Zones(target="Most know us")
    measure = Ranged(d("0"), d("3"), d("7"), d("10"), zones=zones)
    story.goal("shop")
    story.tell("objective/shop", KeyResultAdded("known", "Known", measure, description="By the agency"))
    before = str(await story.arrive())
    story.tell("objective/shop", KeyResultReworded("known", "Known in town"))
    await story.arrive()
    shown = await story.ask("/v1/key-results/known", known_at=before)
    assert shown["key_result"]["description"] == "By the agency"
    assert shown["key_result"]["measure"]["zones"] == {"target": "Most know us"}
    now = await story.ask("/v1/key-results/known")
    assert (now["key_result"]["text"], now["key_result"]["description"]) == ("Known in town", None)
    timeline = await story.ask("/v1/objectives/shop/timeline")
    assert timeline["items"][-1]["changes"] == [
        {"field": "key_results/known/description", "before": "By the agency", "after": None},
        {"field": "key_results/known/text", "before": "Known", "after": "Known in town"},
    ]


async def test_a_key_result_taken_up_again_counts_with_all_that_was_said_before(story: Story) -> None:
    story.goal("shop", ("visits", TEN), ("sales", TEN))
    story.check_in("shop", "visits", "10")
    story.check_in("shop", "sales", "0")
    story.tell("objective/shop", KeyResultDropped("visits"), reason="Not ours")
    dropped = await story.arrive()
    story.tell("objective/shop", KeyResultTakenUp("visits"), reason="Ours after all")
    await story.arrive()
    then = await story.ask("/v1/objectives/shop", known_at=dropped)
    now = await story.ask("/v1/objectives/shop")
    assert (then["objective"]["score"], now["objective"]["score"]) == ("0", "0.5")
    visits = await story.ask("/v1/key-results/visits")
    assert (visits["key_result"]["dropped"], visits["key_result"]["score"]) == (False, "1")
    assert now["objective"]["score_difference"] == "0"


SEALED = Sealed("person/bob", "AAAAAAAAAAAAAAAA", "AAAA")


async def test_who_left_the_organisation_signs_in_no_more_until_coming_back(story: Story) -> None:
    story.tell("person/bob", PersonAdded(SEALED))
    story.person("bob")
    await story.arrive()
    assert (await story.get("/v1/objectives", "bob")).status_code == 200
    story.tell("person/bob", PersonLeft(), reason="Another job")
    await story.arrive()
    answer = await story.get("/v1/objectives", "bob")
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_linked")
    story.tell("person/bob", PersonCameBack(), reason="Back again")
    await story.arrive()
    assert (await story.get("/v1/objectives", "bob")).status_code == 200


async def test_goals_stay_and_show_an_owner_who_left(story: Story) -> None:
    story.tell("person/bob", PersonAdded(SEALED))
    story.goal("shop", owner="person/bob")
    there = await story.arrive()
    left = story.tell("person/bob", PersonLeft(), reason="Another job")
    await story.arrive()
    now = await story.ask("/v1/objectives/shop")
    then = await story.ask("/v1/objectives/shop", known_at=there)
    assert (now["objective"]["owner"], now["objective"]["owner_left"]) == ("person/bob", True)
    assert then["objective"]["owner_left"] is False
    assert [one["owner_left"] for one in (await story.ask("/v1/objectives"))["items"]] == [True]
    (bob,) = [one for one in (await story.ask("/v1/people"))["items"] if one["id"] == "bob"]
    assert bob["left_at"] == f"{left.effective_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    story.tell("person/bob", PersonCameBack(), reason="Back again")
    await story.arrive()
    assert (await story.ask("/v1/objectives/shop"))["objective"]["owner_left"] is False


async def test_an_identity_that_was_unlinked_is_nobody_until_it_is_linked_again(story: Story) -> None:
    story.person("bob")
    workspace = f"workspace/{story.workspace}"
    story.tell(workspace, IdentityUnlinked(ISSUER, "sub-bob", "bob"), reason="A shared account")
    await story.arrive()
    answer = await story.get("/v1/objectives", "bob")
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_linked")
    story.tell(workspace, IdentityLinked(ISSUER, "sub-bob", "carl"))
    await story.arrive()
    assert (await story.get("/v1/objectives", "bob")).status_code == 200


async def test_a_key_of_who_left_is_not_taken(story: Story) -> None:
    key = f"glk.{story.workspace}.k1.{'x' * 43}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    story.tell("person/bob", PersonAdded(SEALED))
    story.tell(f"workspace/{story.workspace}", KeyIssued("k1", "person/bob", digest))
    await story.arrive()
    header = {"Authorization": f"Bearer {key}"}
    assert (await story.get("/v1/objectives", None, header)).status_code == 200
    story.tell("person/bob", PersonLeft(), reason="Another job")
    await story.arrive()
    assert (await story.get("/v1/objectives", None, header)).status_code == 401


async def test_a_restart_of_a_counter_adds_up_what_was_counted_before_and_after(story: Story) -> None:
    hour = timedelta(hours=1)
    window = Window(start=START, end=START + 24 * hour)
    story.tell("feed/visits", FeedRegistered("shop", "counter"), at=START)
    story.goal("shop", ("more", Increase(target=d("156"), baseline=d("0"), window=window)))
    story.tell("objective/shop", PartBound("more", "value", "visits", "increase"))
    story.later(START + 20 * hour)
    for n, value in enumerate(("100", "150", "5", "30"), 1):
        at = START + n * hour
        reading = ReadingRecorded("/shop", f"r{n}", at, d(value), "absolute")
        story.tell("feed/visits", reading, at=at)
    before = await story.arrive()
    restarted = CounterRestarted(START + 3 * hour, d("2"))
    fact = story.tell("feed/visits", restarted, at=restarted.at, reason="Replaced")
    after = await story.arrive()

    async def value(**clocks: str) -> object:
        body = await story.ask("/v1/key-results/more", **clocks)
        return body["key_result"]["parts"][0]["value"]

    assert await value(known_at=before) == "-70"
    assert await value() == "78"
    early = {"as_of": (START + 2 * hour).isoformat().replace("+00:00", "Z")}
    assert await value(**early) == "50"
    (feed,) = (await story.ask("/v1/feeds"))["items"]
    assert feed["restarts"] == [
        {
            "at": f"{restarted.at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "base": "2",
            "event_id": fact.event_id,
            "reason": "Replaced",
        }
    ]
    period = {"to": (START + 5 * hour).isoformat().replace("+00:00", "Z")}
    points = (await story.ask("/v1/key-results/more/progress", **period))["points"]
    values = [one["values"]["value"] for one in points]
    assert [one for one in dict.fromkeys(values) if one is not None][-3:] == ["50", "53", "78"]
    story.tell("feed/visits", CounterRestartRetracted(restarted.at), reason="It went on")
    await story.arrive()
    assert (await value(), await value(known_at=after)) == ("-70", "78")
    assert (await story.ask("/v1/feeds"))["items"][0]["restarts"] == []


async def test_what_was_carried_over_shows_where_it_came_from_and_what_became_of_it(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    left = CarriedThing("links/objective/top", "left_behind", why="parent_closed")
    story.tell("objective/shop", ObjectiveCarriedOver("shop-2", "q2", (left,)))
    story.goal("shop-2", active=False, carried_from="shop")
    story.tell("objective/shop-2", KeyResultAdded("visits-2", "Visits", TEN, carried_from="visits"))
    await story.arrive()
    old = await story.ask("/v1/objectives/shop")
    assert old["objective"]["carried_into"]["things"] == [
        {"thing": "links/objective/top", "became": "left_behind", "why": "parent_closed"}
    ]
    new = await story.ask("/v1/key-results/visits-2")
    assert new["key_result"]["carried_from"] == "visits"


@pytest.mark.parametrize("seed", range(3))
async def test_the_database_adds_up_as_the_scoring_library_does_whatever_was_restarted(
    story: Story, seed: int
) -> None:
    drawn, hour = random.Random(seed), timedelta(hours=1)
    times = [START + n * hour for n in range(1, 40)]
    window = Window(start=START + 5 * hour, end=START + 35 * hour)
    story.tell("feed/visits", FeedRegistered("shop", "counter"), at=START)
    story.goal("shop", ("more", Increase(target=d("1000"), baseline=d("0"), window=window)))
    story.tell("objective/shop", PartBound("more", "value", "visits", "increase"))
    redefined = START + 20 * hour
    story.tell("feed/visits", FeedRedefined("counter", description="A new one"), at=redefined)
    told, restarts = [], []
    for n, at in enumerate(drawn.sample(times, 25)):
        value = d(str(drawn.randint(0, 500)))
        fact = story.tell("feed/visits", ReadingRecorded("/s", f"r{n}", at, value, "absolute"), at=at)
        told.append(Reading(at, fact.seq, value))
    for at in (*drawn.sample(times, 4), redefined):
        base = d(str(drawn.randint(0, 90)))
        story.tell("feed/visits", CounterRestarted(at, base), at=at)
        restarts.append((at, base))
    await story.arrive()
    story.tell("feed/visits", CounterRestartRetracted(restarts.pop(0)[0]))
    await story.arrive()
    defined = with_restarts(
        [FeedDefinition("counter", None), FeedDefinition("counter", None, redefined)], restarts
    )
    for asked in drawn.sample(times, 8):
        cut = stretches(defined, Span(window.start, window.end), "increase")
        wanted = combine("increase", [sum_up(told, one, None, asked) for one in cut]).value
        clocks = {"as_of": asked.isoformat().replace("+00:00", "Z")}
        body = await story.ask("/v1/key-results/more", **clocks)
        shown = body["key_result"]["parts"][0]["value"]
        assert (None if shown is None else d(shown)) == wanted, asked
