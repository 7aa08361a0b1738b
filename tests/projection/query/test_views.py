"""Lists, timeline, progress, alignment, facts, feeds: what they show, and that they have the shapes they declare."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from goal_ledger_contracts import envelope
from goal_ledger_contracts.cycle import CycleOpened, CyclePlanned
from goal_ledger_contracts.feed import FeedRegistered, ReadingQuarantined, ReadingRecorded
from goal_ledger_contracts.measures import Aligned, Increase
from goal_ledger_contracts.objective import (
    CheckInCorrected,
    CommentAdded,
    KeyResultWeightChanged,
    KudosGiven,
    MeasureChanged,
    ObjectiveAligned,
    ObjectiveClosed,
    ObjectiveReworded,
    PartBound,
    PartValue,
)
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import LeadNamed, UnitCreated
from goal_ledger_contracts.workspace import KeyIssued, MomentRecorded, Policy, PolicySet, SystemRegistered
from goal_ledger_messaging import asyncapi
from goal_ledger_projection.api import (
    alignment,
    amendments,
    attribution,
    calibration,
    changes_since,
    check_ins,
    commitments,
    cycle_summary,
    explain,
    exports,
    facts,
    feeds,
    goalpost_moves,
    grid,
    habits,
    holders,
    key_results,
    lineage,
    moments,
    objective,
    objectives,
    organisation,
    owed,
    participation,
    policies,
    progress,
    remarks,
    restatements,
    silent,
    timeline,
)
from projection.query.story import START, TEN, Story, d

SHAPES: dict[str, Any] = {
    "/v1/objectives": objectives.ObjectiveList,
    "/v1/objectives/top": objective.ObjectiveAnswer,
    "/v1/objectives/shop": objective.ObjectiveAnswer,
    "/v1/objectives/old": objective.ObjectiveAnswer,
    "/v1/objectives/top/explain": explain.ExplainAnswer,
    "/v1/objectives/shop/explain": explain.ExplainAnswer,
    "/v1/objectives/old/explain": explain.ExplainAnswer,
    "/v1/key-results/fed/explain": explain.ExplainAnswer,
    "/v1/key-results/of-all/explain": explain.ExplainAnswer,
    "/v1/objectives/shop/timeline": timeline.TimelineAnswer,
    "/v1/key-results/visits": key_results.KeyResultAnswer,
    "/v1/key-results/of-all": key_results.KeyResultAnswer,
    "/v1/key-results/visits/progress": progress.ProgressAnswer,
    "/v1/key-results/fed/progress": progress.ProgressAnswer,
    "/v1/key-results/of-all/progress": progress.ProgressAnswer,
    "/v1/alignment": alignment.AlignmentAnswer,
    "/v1/facts": facts.FactsAnswer,
    "/v1/cycles": organisation.CyclesAnswer,
    "/v1/moments": moments.MomentsAnswer,
    "/v1/units": organisation.UnitsAnswer,
    "/v1/people": organisation.PeopleAnswer,
    "/v1/cycles/q1": organisation.CycleAnswer,
    "/v1/moments/launch": moments.MomentAnswer,
    "/v1/units/web": organisation.UnitAnswer,
    "/v1/people/ada": organisation.PersonAnswer,
    "/v1/feeds": feeds.FeedsAnswer,
    "/v1/feeds/f": feeds.FeedAnswer,
    "/v1/quarantine": feeds.QuarantineAnswer,
    "/v1/key-results": key_results.KeyResultsAnswer,
    "/v1/check-ins": check_ins.CheckInsAnswer,
    "/v1/check-ins/c1": check_ins.CheckInAnswer,
    "/v1/objectives/shop/comments": remarks.CommentsAnswer,
    "/v1/objectives/shop/comments/well": remarks.CommentAnswer,
    "/v1/objectives/shop/kudos": remarks.CommentsAnswer,
    "/v1/objectives/shop/kudos/thanks": remarks.KudosAnswer,
    "/v1/systems": holders.SystemsAnswer,
    "/v1/systems/shop": holders.SystemAnswer,
    "/v1/keys-issued": holders.KeysAnswer,
    "/v1/keys-issued/k1": holders.KeyAnswer,
    "/v1/identities": holders.IdentitiesAnswer,
    "/v1/identities/ada": holders.PersonsIdentitiesAnswer,
    "/v1/roles": holders.RolesAnswer,
    "/v1/roles/person/ada": holders.HoldersRolesAnswer,
    "/v1/owed": owed.OwedAnswer,
    "/v1/silent": silent.SilentAnswer,
    "/v1/participation": participation.ParticipationAnswer,
    "/v1/cycles/q1/summary": cycle_summary.CycleSummaryAnswer,
    "/v1/grid?every=P1W&from=2026-01-12T00:00:00Z": grid.GridAnswer,
    "/v1/objectives/shop/attribution?from_as_of=2026-01-12T00:00:00Z": attribution.AttributionAnswer,
    "/v1/key-results/visits/attribution?from_as_of=2026-01-12T00:00:00Z": attribution.AttributionAnswer,
    "/v1/habits?cycle=q1": habits.HabitsAnswer,
    "/v1/calibration?cycle=q1": calibration.CalibrationAnswer,
    "/v1/objectives/shop/lineage": lineage.LineageAnswer,
    "/v1/exports": exports.ExportsAnswer,
    "/v1/goalpost-moves": goalpost_moves.GoalpostMovesAnswer,
    "/v1/amendments": amendments.AmendmentsAnswer,
    "/v1/commitments": commitments.CommitmentsAnswer,
    "/v1/restatements?since=1-25_20260301T000000000000Z_3": restatements.RestatementsAnswer,
    "/v1/changes-since?since=2026-01-06T00:00:00Z": changes_since.ChangesSinceAnswer,
    "/v1/policies": policies.PoliciesAnswer,
    "/v1/policies/workspace": policies.PolicyAnswer,
    "/v1/policies/unit/web": policies.PolicyAnswer,
}


def an_organisation(story: Story) -> None:
    """Two levels, a cycle, a feed, a closed goal."""
    story.tell("unit/all", UnitCreated("All"))
    story.tell("unit/web", UnitCreated("Web", "all"), LeadNamed("ada"))
    sealed = Sealed("person/ada", "AAAAAAAAAAAAAAAA", "AAAA")
    story.tell("person/ada", PersonAdded(sealed), UnitJoined("web"))
    story.tell(f"workspace/{story.workspace}", MomentRecorded("launch", START))
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)), CycleOpened())
    story.tell("feed/f", FeedRegistered("shop", "gauge", interval="P1D"))
    story.goal("top", ("of-all", Aligned()), cycle="q1", kind="aspirational")
    story.goal("shop", ("visits", TEN), ("fed", TEN), owner="unit/web", cycle="q1", kind="committed")
    story.tell("objective/shop", ObjectiveAligned("l1", "key-result/of-all", "contributes"), reason="Fits")
    story.tell("objective/shop", PartBound("fed", "value", "f", "last"), reason="Machine")
    story.goal("alone", owner="person/ada", active=False)
    story.goal("old", ("k-old", TEN))
    story.tell("objective/old", ObjectiveClosed("missed", d("0"), d("0")))
    for n in range(3):
        at = START + timedelta(days=n + 1)
        story.later(at)
        story.check_in("shop", "visits", str(2 * n + 1), at=at, id=f"c{n}", status="on_track", note=sealed)
        story.tell("feed/f", ReadingRecorded("s", f"r{n}", at, d(str(n)), "absolute"), at=at)
    story.tell("feed/f", ReadingQuarantined("s", "q", START, d("99"), "absolute", "out_of_limits"), at=START)
    story.tell(f"workspace/{story.workspace}", SystemRegistered("shop", "The shop"))
    story.tell(f"workspace/{story.workspace}", KeyIssued("k1", "system/shop", "0" * 64))
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(grace_days=3)))
    story.tell(f"workspace/{story.workspace}", PolicySet("unit/web", 1, Policy(cadence_weeks=2)))
    story.tell("objective/shop", CommentAdded("well", "objective/shop", None, sealed))
    story.tell("objective/shop", KudosGiven("thanks", "check-in/c1"))


async def test_every_answer_has_the_shape_that_openapi_declares(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    for path, shape in SHAPES.items():
        address, _, query = path.partition("?")
        body = await story.ask(address, **dict(parse_qsl(query)))
        shape.model_validate(body)
        assert body.get("items") != [], path
    declared = (await story.client.get("/openapi.json")).json()
    in_json = [
        path
        for path, methods in declared["paths"].items()
        if "application/json"
        in methods.get("get", {"responses": {"200": {}}})["responses"]["200"].get("content", {})
    ]
    assert len(in_json) <= len(SHAPES)
    for path in in_json:
        methods = declared["paths"][path]
        for status in ("200", "304", "400", "401", "403", "422", "503"):
            assert status in methods["get"]["responses"], (path, status)
        assert {"as_of", "known_at", "token", "wait_ms"} <= {
            one["name"] for one in methods["get"]["parameters"]
        }


async def test_objectives_are_found_by_what_they_are(story: Story) -> None:
    an_organisation(story)
    await story.arrive()

    async def found(**params: Any) -> list[str]:
        return [one["id"] for one in (await story.ask("/v1/objectives", **params))["items"]]

    assert await found() == ["alone", "old", "shop", "top"]
    assert await found(cycle="q1", sort="-id") == ["top", "shop"]
    assert await found(unit="all") == ["old", "shop", "top"]
    assert await found(unit="web") == await found(owner="unit/web") == ["shop"]
    assert await found(state="draft") == ["alone"]
    assert await found(kind="committed") == ["shop"]
    assert await found(status="missed") == ["old"]
    assert await found(q="TEXT OF vis") == ["shop"]
    story.tell("objective/old", ObjectiveReworded("Bl\u00e5b\u00e6r"))
    await story.arrive()
    assert await found(q="bla\u030ab\u00e6r") == ["old"]
    facts = await story.ask("/v1/facts", q="Bla\u030ab\u00e6r")
    assert [one["type"] for one in facts["items"]] == ["ObjectiveReworded"]
    assert await found(sort="-score") == ["shop", "top", "alone", "old"]


async def test_pages_follow_a_cursor_at_the_clocks_of_the_first(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    first = await story.ask("/v1/objectives", limit=3)
    assert (first["total"], len(first["items"])) == (4, 3)
    story.goal("aaa")
    await story.arrive()
    second = await story.ask("/v1/objectives", limit=3, cursor=first["next_cursor"])
    assert [one["id"] for one in second["items"]] == ["top"]
    assert (second["position"], second["next_cursor"]) == (first["position"], None)
    for cursor, other in (("x", {}), (first["next_cursor"], {"sort": "-id"})):
        answer = await story.get("/v1/objectives", limit=3, cursor=cursor, **other)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


async def test_the_version_is_the_streams_for_if_match(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    versions = {fact.stream: fact.version for fact in story.facts}
    assert (await story.ask("/v1/objectives/shop"))["objective"]["version"] == versions["objective/shop"]
    listed = {one["id"]: one["version"] for one in (await story.ask("/v1/objectives"))["items"]}
    assert listed == {id: versions[f"objective/{id}"] for id in listed}
    assert (await story.ask("/v1/key-results/visits"))["version"] == versions["objective/shop"]
    assert (await story.ask("/v1/cycles"))["items"][0]["version"] == versions["cycle/q1"]


async def test_the_timeline_shows_what_each_fact_changed_from_and_to(story: Story) -> None:
    an_organisation(story)
    story.tell("objective/shop", ObjectiveReworded("A better title"), reason="Clearer")
    story.tell("objective/shop", KeyResultWeightChanged("visits", d("2")), reason="Matters")
    story.tell("objective/shop", MeasureChanged("visits", Increase(d("20"), d("0"))), reason="More")
    corrected = CheckInCorrected("c2", "visits", (PartValue("value", d("9")),))
    story.tell("objective/shop", corrected, at=START + timedelta(days=3), reason="Mistyped")
    await story.arrive()
    items = (await story.ask("/v1/objectives/shop/timeline", limit=500))["items"]
    assert [one["seq"] for one in items] == [f.seq for f in story.facts if f.stream == "objective/shop"]
    reworded, weight, measure, last = items[-4:]
    assert reworded["changes"] == [{"field": "title", "before": "Title of shop", "after": "A better title"}]
    assert weight["changes"] == [{"field": "key_results/visits/weight", "before": "1", "after": "2"}]
    assert measure["changes"][0]["before"]["target"] == "10"
    assert measure["changes"][0]["after"]["target"] == "20"
    assert last["changes"] == [{"field": "values/value", "before": "5", "after": "9"}]
    assert (last["reason"], last["after_activation"], items[0]["after_activation"]) == (
        "Mistyped",
        True,
        False,
    )
    recorded = next(one for one in items if one["data"].get("check_in") == "c1")
    assert recorded["changes"] == [{"field": "values/value", "before": "1", "after": "3"}]
    assert recorded["data"]["note"] == "[sealed]"


async def test_timeline_pages_hold_together(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    whole = (await story.ask("/v1/objectives/shop/timeline", limit=500))["items"]
    pieces: list[Any] = []
    cursor: str | None = None
    while True:
        page = await story.ask(
            "/v1/objectives/shop/timeline", limit=2, **({"cursor": cursor} if cursor else {})
        )
        pieces += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pieces == whole


async def test_progress_is_what_the_same_question_answers_at_each_instant(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    for name in ("visits", "fed", "of-all"):
        points = (await story.ask(f"/v1/key-results/{name}/progress"))["points"]
        assert len(points) >= 4
        assert [one["at"] for one in points] == sorted({one["at"] for one in points})
        for point in points:
            then = (await story.ask(f"/v1/key-results/{name}", as_of=point["at"]))["key_result"]
            for member in ("raw", "score", "score_committed", "expected", "state"):
                assert point[member] == then[member], (name, point["at"], member)
    thinned = await story.ask("/v1/key-results/visits/progress", points=2)
    assert (len(thinned["points"]), thinned["thinned"]) == (2, True)


async def test_alignment_shows_the_whole_or_what_is_above_and_below_a_root(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    whole = await story.ask("/v1/alignment")
    assert [one["id"] for one in whole["nodes"]] == ["alone", "old", "shop", "top"]
    assert [(one["child"], one["parent"]) for one in whole["links"]] == [("shop", "key-result/of-all")]
    assert (whole["roots"], whole["unaligned"]) == (["alone", "old", "top"], ["alone", "old"])
    scores = {one["id"]: one["score"] for one in whole["nodes"]}
    assert scores == {"alone": None, "old": None, "shop": "0.35", "top": "0.35"}

    async def nodes(**params: Any) -> list[str]:
        return [one["id"] for one in (await story.ask("/v1/alignment", **params))["nodes"]]

    assert await nodes(root="top") == ["shop", "top"]
    assert await nodes(root="top", depth=0) == ["top"]
    assert await nodes(root="shop", show="ancestors") == ["shop", "top"]
    assert await nodes(root="shop") == ["shop"]
    assert (await story.get("/v1/alignment", root="nope")).status_code == 404


async def test_the_trees_numbers_are_those_of_each_objective(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    for node in (await story.ask("/v1/alignment"))["nodes"]:
        one = (await story.ask(f"/v1/objectives/{node['id']}"))["objective"]
        for member in ("score", "score_committed", "expected", "gap", "status", "status_computed", "counted"):
            assert node[member] == one[member], (node["id"], member)
        assert [k["status"] for k in node["key_results"]] == [k["status"] for k in one["key_results"]]


async def test_facts_are_found_and_can_be_had_as_the_bytes_that_were_hashed(story: Story) -> None:
    an_organisation(story)
    await story.arrive()

    async def seqs(**params: Any) -> list[int]:
        return [one["seq"] for one in (await story.ask("/v1/facts", **params))["items"]]

    everything = [fact.seq for fact in story.facts]
    assert await seqs(limit=1000) == everything
    assert await seqs(limit=1000, order="desc") == everything[::-1]
    assert await seqs(stream="cycle/q1") == [f.seq for f in story.facts if f.stream == "cycle/q1"]
    assert await seqs(type="CycleOpened,CyclePlanned") == await seqs(stream="cycle/q1")
    assert await seqs(actor="operator") == [1]
    assert await seqs(after=3, before=6) == [4, 5]
    assert await seqs(q="Title of alone") == [f.seq for f in story.facts if f.stream == "objective/alone"][:1]
    day = (START + timedelta(days=2)).isoformat()
    assert await seqs(recorded_from=day) == [f.seq for f in story.facts if f.recorded_at.isoformat() >= day]
    assert (await story.get("/v1/facts", type="Nonsense")).status_code == 422
    lines = (await story.get("/v1/facts", format="jsonl", limit=1000)).content.splitlines()
    assert lines == [envelope.to_bytes(fact) for fact in story.facts]
    page: httpx2.Response = await story.get("/v1/facts", format="jsonl", limit=5)
    cursor = page.headers["Goal-Ledger-Next-Cursor"]
    following = await story.get("/v1/facts", format="jsonl", limit=1000, cursor=cursor)
    assert page.content.splitlines() + following.content.splitlines() == lines
    assert json.loads(lines[0])["type"] == "WorkspaceCreated"


async def test_feeds_show_their_last_reading_and_what_waits(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    feed = (await story.ask("/v1/feeds"))["items"][0]
    assert (feed["in_quarantine"], feed["fresh"]) == (1, False)
    assert (feed["last_reading"]["value"], feed["quarantine"][0]["value"]) == ("2", "99")
    then = await story.ask("/v1/feeds", as_of=(START + timedelta(days=2, hours=1)).isoformat())
    assert (then["items"][0]["fresh"], then["items"][0]["last_reading"]["id"]) == (True, "r1")


async def test_the_organisation_is_shown_as_it_was(story: Story) -> None:
    an_organisation(story)
    await story.arrive()
    units = {one["id"]: one for one in (await story.ask("/v1/units"))["items"]}
    assert (units["web"]["parent"], units["web"]["lead"], units["web"]["people"]) == ("all", "ada", ["ada"])
    cycle = (await story.ask("/v1/cycles"))["items"][0]
    assert (cycle["stage"], cycle["starts_at"]) == ("open", "2025-12-31T23:00:00.000000Z")
    assert (await story.ask("/v1/people"))["items"][0]["display_name"] == "[sealed]"
    assert (await story.ask("/v1/units", as_of=datetime(2026, 1, 1, tzinfo=UTC).isoformat()))["items"] == []


async def test_the_topics_are_described_beside_the_routes(story: Story) -> None:
    answer = await story.client.get("/asyncapi.json")
    assert (answer.status_code, answer.content) == (200, asyncapi.document())
