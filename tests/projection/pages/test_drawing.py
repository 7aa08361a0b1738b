"""What the pages work out themselves: the clocks of an address, the tree of the map, the lines of a chart."""

from __future__ import annotations

import itertools
from typing import Any
from zoneinfo import ZoneInfo

from goal_ledger_projection.pages.chart import chart
from goal_ledger_projection.pages.map_of_goals import Branch, branches
from goal_ledger_projection.pages.week import weeks_of
from goal_ledger_projection.pages.when import When
from starlette.datastructures import QueryParams

OSLO = ZoneInfo("Europe/Oslo")


def test_a_date_is_the_end_of_that_local_day_also_when_the_clock_is_changed() -> None:
    asked = When("2026-03-29", "2026-07-01").asked(OSLO)
    assert asked == {"as_of": "2026-03-29T21:59:59.999999Z", "known_at": "2026-07-01T21:59:59.999999Z"}


def test_what_is_no_date_goes_to_the_api_as_it_is_written() -> None:
    assert When("2026-02-30", "1-60").asked(OSLO) == {"as_of": "2026-02-30", "known_at": "1-60"}


def test_a_token_stands_alone() -> None:
    when = When.of(QueryParams("token=t&as_of=2026-01-01"))
    assert (when.stated(), when.is_now) == ({"token": "t"}, False)


def _node(id: str, *key_results: str) -> dict[str, Any]:
    return {"id": id, "key_results": [{"id": one} for one in key_results]}


def _link(child: str, parent: str, mode: str = "contributes") -> dict[str, str]:
    return {"child": child, "parent": parent, "mode": mode}


def _shape(found: list[Branch]) -> list[Any]:
    return [(one.node["id"], one.mode, one.also, _shape(one.children)) for one in found]


def _count(found: list[Branch]) -> int:
    return sum(1 + _count(one.children) for one in found)


def test_a_goal_with_two_parents_stands_beneath_each() -> None:
    answer = {
        "nodes": [_node("a", "a1"), _node("b"), _node("c")],
        "links": [_link("c", "key-result/a1"), _link("c", "objective/b", "supports")],
        "roots": ["a", "b"],
    }
    assert _shape(branches(answer)) == [
        ("a", None, [], [("c", "contributes", ["b"], [])]),
        ("b", None, [], [("c", "supports", ["a"], [])]),
    ]
    assert _shape(branches(answer, "b")) == [("b", None, [], [("c", "supports", ["a"], [])])]


def test_what_hangs_on_a_goal_is_drawn_once_however_many_ways_lead_to_it() -> None:
    floors = [(f"{floor}a", f"{floor}b") for floor in range(10)]
    links = [
        _link(child, f"objective/{parent}")
        for above, below in itertools.pairwise(floors)
        for parent in above
        for child in below
    ]
    answer = {"nodes": [_node(id) for pair in floors for id in pair], "links": links, "roots": ["0a", "0b"]}

    assert _count(branches(answer)) <= len(answer["nodes"]) + len(links)


def test_of_a_large_map_the_first_levels_are_drawn_and_the_rest_is_named() -> None:
    nodes = [_node(str(one)) for one in range(40)]
    links = [_link(str(one), f"objective/{one - 1}") for one in range(1, 10)]
    answer = {"nodes": nodes, "links": links, "roots": ["0", *map(str, range(10, 40))]}

    drawn = branches(answer, drawn_max=20)

    assert (len(drawn), _count(drawn)) == (20, 21)
    assert (drawn[0].children[0].beneath, drawn[0].children[0].children) == (1, [])


def test_a_units_weeks_stand_beside_the_pilots_and_the_rest_the_newest_first() -> None:
    answer = {
        "periods": [{"start": "1"}, {"start": "2"}],
        "units": [{"unit": "a", "periods": ["a1", "a2"]}],
        "pilots": ["p1", "p2"],
        "rest": ["r1", "r2"],
    }
    newest = {"start": "2", "own": "a2", "pilots": "p2", "rest": "r2"}
    assert weeks_of(answer, "a")[0] == newest
    assert weeks_of(answer, "b") == []


def _point(at: str, score: str | None, expected: str | None) -> dict[str, Any]:
    return {"at": f"2026-01-0{at}T00:00:00.000000Z", "score": score, "expected": expected}


def test_a_score_holds_until_the_next_and_breaks_where_there_is_none() -> None:
    drawn = chart(
        [_point("1", None, "0"), _point("2", "0.5", None), _point("3", None, None), _point("4", "1", "1")]
    )
    assert drawn is not None
    assert drawn.score == "M238.7 93.0H433.3M628.0 12.0"
    assert drawn.expected == "M44.0 174.0L628.0 12.0"
    assert drawn.dots == ((238.7, 93.0), (628.0, 12.0))


def test_nothing_measured_is_no_chart() -> None:
    assert chart([_point("1", None, "0.1")]) is None
