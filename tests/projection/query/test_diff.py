"""What differs between two answers to a question: `GET /v1/diff`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import KeyResultAdded, MeasureChanged
from goal_ledger_projection.api.diff import DiffAnswer
from history.lives import Life
from projection.query.asked_lives import told
from projection.query.conftest import Reading
from projection.query.story import TEN, Story, d

PATH = "/v1/diff"
LIVES = range(2)
OF_EACH = 2
"""So many things of each kind are asked about."""


def applied(body: Any, changes: list[dict[str, Any]]) -> Any:
    """A JSON patch as RFC 6902 says, and nothing more."""
    whole = {"": deepcopy(body)}
    for one in changes:
        match one["op"]:
            case "move":
                _put(whole, one["path"], _taken(whole, one["from"]))
            case "remove":
                _taken(whole, one["path"])
            case "replace":
                _taken(whole, one["path"])
                _put(whole, one["path"], one["value"])
            case "add":
                _put(whole, one["path"], one["value"])
    return whole[""]


def _at(whole: Any, pointer: str) -> tuple[Any, Any]:
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]
    for step in steps:
        whole = whole[int(step)] if isinstance(whole, list) else whole[step]
    return whole, int(last) if isinstance(whole, list) else last


def _taken(whole: Any, pointer: str) -> Any:
    holder, last = _at(whole, pointer)
    return holder.pop(last)


def _put(whole: Any, pointer: str, value: Any) -> None:
    holder, last = _at(whole, pointer)
    if isinstance(holder, list):
        assert last <= len(holder)
        holder.insert(last, value)
    else:
        holder[last] = value


def _instances(template: str, life: Life) -> list[str]:
    """Addresses of a view, of things that the life has."""
    goals = [goal.id for goal in life.goals]
    key_results = [id for goal in life.goals for id in goal.key_results]
    of_what = {
        **{"objectives": goals, "key-results": key_results, "check-ins": sorted(life.check_ins)},
        **{"cycles": ["q1"], "units": ["web"], "feeds": ["g"], "moments": ["launch"], "people": ["ada"]},
        **{"policies": ["workspace"], "roles": ["ada"], "identities": ["ada"], "systems": ["shop"]},
    }
    first, _, rest = template.removeprefix("/v1/").partition("/{")
    if not rest:
        return [template + _ALSO.get(template, "")]
    tail = rest.partition("}")[2] + _ALSO.get(template, "")
    return [f"/v1/{first}/{id}{tail}" for id in of_what.get(first, ["none"]) if "{" not in tail]


_ALSO = {
    "/v1/objectives": "?limit=200&sort=-score",
    "/v1/grid": "?every=P4W&from=2026-01-05T08:00:00Z",
    "/v1/key-results/{id}/attribution": "?from_as_of=2026-01-01T00:00:00Z",
    "/v1/objectives/{id}/attribution": "?from_as_of=2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize("seed", LIVES)
async def test_the_changes_make_the_second_body_of_the_first(reading: Reading, seed: int) -> None:
    life = Life(seed, 48)
    asked = await told(reading, life)
    offered = (await asked.get(PATH, of="/v1/nope", **{"from": "x"})).json()["allowed"]
    half = len(life.facts) // 2
    then = life.facts[half - 1].recorded_at.isoformat()
    early = (await asked.get("/v1/alignment", as_of=then, known_at=f"1-{half}")).json()["token"]
    late = (await asked.get("/v1/alignment", as_of=life.now.isoformat())).json()["token"]
    compared: set[str] = set()
    for template in offered:
        for view in _instances(template, life)[:OF_EACH]:
            bodies = [await asked.get(view, token=token) for token in (early, late)]
            answer = await asked.get(PATH, of=view, to=late, **{"from": early})
            if {one.status_code for one in bodies} != {200}:
                assert answer.status_code in (404, 422), (view, answer.text)
                continue
            before, after = (one.json() for one in bodies)
            assert answer.status_code == 200, (view, answer.text)
            DiffAnswer.model_validate(answer.json())
            assert applied(before, answer.json()["changes"]) == after, (seed, view)
            compared.add(template)
    assert len(compared) > 20
    assert {"/v1/alignment", "/v1/objectives/{id}", "/v1/key-results/{id}/explain"} <= compared


async def _two_tokens(story: Story, of: str) -> tuple[str, str]:
    story.goal("shop", ("visits", TEN), cycle=None)
    story.check_in("shop", "visits", "2")
    await story.arrive()
    first = (await story.ask(of))["token"]
    story.check_in("shop", "visits", "5", id="better")
    story.tell("objective/shop", MeasureChanged("visits", Increase(d("20"), d("0"))), reason="More")
    story.tell("objective/shop", KeyResultAdded("sales", "Ten sales", TEN), reason="Also")
    await story.arrive()
    return first, (await story.ask(of))["token"]


async def test_a_change_names_the_thing_and_its_member(story: Story) -> None:
    first, last = await _two_tokens(story, "/v1/objectives/shop")

    answer = await story.ask(PATH, of="/v1/objectives/shop", to=last, **{"from": first})

    changes = {(one["thing"], one["field"]): one for one in answer["changes"]}
    value = changes["key-result/visits", "parts/value/value"]
    assert (value["op"], value["before"], value["value"]) == ("replace", "2", "5")
    assert value["path"] == "/objective/key_results/0/parts/0/value"
    target = changes["key-result/visits", "measure/target"]
    assert (target["before"], target["value"]) == ("10", "20")
    assert changes["objective/shop", "score"]["before"] == "0.2"
    assert (changes["key-result/sales", None]["op"], answer["from"]["token"]) == ("add", first)
    assert changes[None, "position"]["value"] == answer["position"] == answer["to"]["position"]


async def test_without_a_later_side_it_is_that_of_the_plain_clocks_and_its_token_gives_the_bytes(
    story: Story,
) -> None:
    first, last = await _two_tokens(story, "/v1/alignment")

    now = await story.get(PATH, of="/v1/alignment", **{"from": first})
    story.check_in("shop", "visits", "9")
    await story.arrive()
    again = await story.get(PATH, of="/v1/alignment", token=now.json()["token"], **{"from": first})
    both = await story.get(PATH, of="/v1/alignment", to=last, token=last, **{"from": first})

    assert again.content == now.content
    assert both.json()["changes"] == now.json()["changes"]
    assert both.json()["token"] == last


async def test_the_same_side_twice_has_no_changes(story: Story) -> None:
    _, last = await _two_tokens(story, "/v1/objectives")
    assert (await story.ask(PATH, of="/v1/objectives", to=last, **{"from": last}))["changes"] == []


async def test_what_cannot_be_compared_is_refused_with_a_code_and_the_choices(story: Story) -> None:
    first, last = await _two_tokens(story, "/v1/objectives/shop")
    other = last.rpartition("_")[0] + "_0-other"
    shop = "/v1/objectives/shop"
    wrong: list[tuple[dict[str, str], int, str, str | None]] = [
        ({"of": shop, "from": last, "to": first}, 422, "sides_reversed", "from"),
        ({"of": shop, "from": other, "to": last}, 422, "calculation_differs", "from"),
        ({"of": shop, "from": first, "to": other}, 422, "calculation_differs", "to"),
        ({"of": shop, "from": "x"}, 422, "bad_token", "from"),
        ({"of": shop, "from": first, "to": "x"}, 422, "bad_token", "to"),
        ({"of": shop, "from": first, "to": last, "as_of": "-P1D"}, 422, "invalid", "to"),
        ({"of": shop}, 422, "invalid", "from"),
        ({"from": first}, 422, "invalid", "of"),
        ({"of": "/v1/wishes", "from": first}, 422, "view_unknown", "of"),
        ({"of": "/v1/facts", "from": first}, 422, "view_unknown", "of"),
        ({"of": "/v1/diff?of=x", "from": first}, 422, "view_unknown", "of"),
        ({"of": f"{shop}?as_of=-P1D", "from": first}, 422, "invalid", "of"),
        ({"of": f"{shop}?colour=red", "from": first}, 422, "unknown_parameter", "of"),
        ({"of": "/v1/objectives?limit=many", "from": first}, 422, "invalid", "of"),
        ({"of": "/v1/objectives?status=red", "from": first}, 422, "choice_unknown", "of"),
        ({"of": "/v1/objectives/none", "from": first}, 404, "not_found", "of"),
    ]
    for asked, status, code, field in wrong:
        refused = (await story.get(PATH, **asked)).json()
        assert (refused["status"], refused["code"], refused.get("field")) == (status, code, field), asked
    unknown = (await story.get(PATH, of="/v1/wishes", **{"from": first})).json()
    assert "/v1/key-results/{id}" in unknown["allowed"]
    missing = (await story.get(PATH, of="/v1/key-results/sales", to=last, **{"from": first})).json()
    assert (missing["code"], missing["side"]) == ("not_found", "from")


async def test_changes_of_amendments_and_commitments_are_told_by_their_goal(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    await story.arrive()
    before = (await story.ask("/v1/cycles"))["token"]
    story.check_in("shop", "visits", "2")
    story.tell("objective/shop", MeasureChanged("visits", Increase(d("5"), d("0"))), reason="Too far")
    await story.arrive()

    for of in ("/v1/amendments", "/v1/commitments"):
        changes = (await story.ask(PATH, of=of, **{"from": before}))["changes"]
        assert "objective/shop" in {one["thing"] for one in changes}, of
