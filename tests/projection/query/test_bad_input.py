"""Whatever is asked, the answer is an answer or a problem document with a stable code; the process stays up."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest
from projection.query.story import TEN, Story

NASTY = [
    "",
    "\x00",
    "a\x00b",
    "ø" * 70,
    "%00",
    "' OR 1=1 --",
    "../../etc",
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "\u202e",
    "[]",
    "{}",
    "null",
    "1-999999999999999999",
    "9999999999-1",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
    "2999-12-31T23:59:59Z",
    "eyJhIjoxfQ",
    "WzEsMiwzXQ",
    "WyIxLTFfMjAyNjAxMDFUMDAwMDAwMDAwMDAwWl8xIiwxZTMwLCJ4Il0",
]
PATHS = [
    "/v1/objectives",
    "/v1/objectives/{}",
    "/v1/objectives/{}/timeline",
    "/v1/key-results/{}",
    "/v1/key-results/{}/progress",
    "/v1/alignment",
    "/v1/facts",
    "/v1/cycles",
    "/v1/units",
    "/v1/people",
    "/v1/moments",
    "/v1/feeds",
    "/v1/feeds/{}",
    "/v1/quarantine",
    "/v1/key-results",
    "/v1/check-ins",
    "/v1/check-ins/{}",
    "/v1/objectives/{}/comments",
    "/v1/objectives/o/kudos/{}",
    "/v1/systems/{}",
    "/v1/keys-issued",
    "/v1/identities/{}",
    "/v1/roles",
    "/v1/roles/person/{}",
    "/v1/policies/unit/{}",
    "/v1/nothing",
]
PARAMETERS = [
    "as_of",
    "known_at",
    "token",
    "wait_ms",
    "cycle",
    "unit",
    "owner",
    "status",
    "kind",
    "state",
    "q",
    "sort",
    "limit",
    "cursor",
    "root",
    "show",
    "depth",
    "stream",
    "type",
    "actor",
    "recorded_from",
    "effective_to",
    "after",
    "before",
    "order",
    "format",
    "from",
    "to",
    "points",
    "author",
    "objective",
    "key_result",
    "feed",
    "system",
    "holder",
    "role",
    "dropped",
    "unknown",
]


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_that_is_asked_is_an_error_of_ours(story: Story, seed: int) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    chance = random.Random(seed)
    for _ in range(150):
        path = chance.choice(PATHS).format(quote(chance.choice([*NASTY[1:], "o", "kr"]), safe=""))
        params: dict[str, Any] = {
            name: chance.choice([*NASTY, "o", "1"])
            for name in chance.sample(PARAMETERS, chance.randint(0, 2))
        }
        headers = {"Goal-Ledger-Position": "1-1"} if chance.random() < 0.5 else {}
        answer = await story.get(path, headers=headers, **params)
        assert answer.status_code in (200, 400, 403, 404, 410, 422, 503), (path, params, answer.text)
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "code", "detail"} <= answer.json().keys()
            assert answer.json()["code"] != "internal_error"


async def test_a_header_that_is_no_position_is_refused(story: Story) -> None:
    await story.arrive()
    for text in ("", "1", "x-y", "1-1-1", "0-1"):
        answer = await story.get("/v1/cycles", headers={"Goal-Ledger-Position": text})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_position"), text


async def test_other_methods_are_not_allowed(story: Story) -> None:
    await story.arrive()
    answer = await story.client.post(
        "/v1/objectives/o",
        headers={"Authorization": f"Bearer {story.issuer.token(story.workspace, 'sub-ada')}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_a_cursor_that_is_none_is_told_in_the_same_words_however_long_it_is(story: Story) -> None:
    await story.arrive()
    bad = ["x", "WzEsMiwzXQ", "9" * 400, "x" * 401, "x" * 8000, "W1tb" * 100]
    answers = [await story.get(path, cursor=text) for text in bad for path in ("/v1/objectives", "/v1/facts")]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(422, "bad_cursor")}
    assert len({one.json()["detail"] for one in answers}) == 1


async def test_an_address_with_a_slash_at_its_end_leads_nowhere(story: Story) -> None:
    await story.arrive()
    for path in ("/v1/objectives/", "/v1/facts/", "/health/live/"):
        answer = await story.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"], "location" in answer.headers) == (
            404,
            "not_found",
            False,
        )
