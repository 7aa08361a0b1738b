"""An auditor's dossier of a goal: one page of all that happened to it, the same at the same token, escaped, without address."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import structlog
from goal_ledger_contracts.envelope import leaf_hash, to_bytes
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    ChangeEndorsed,
    CommentAdded,
    KeyResultReworded,
    KeyResultWeightChanged,
    KudosGiven,
    MeasureChanged,
    ObjectiveClosed,
)
from projection.query.story import TEN, Story, d

NASTY = '<script>alert("x")</script><img src=//evil.invalid/a.png>'


class Seen(HTMLParser):
    """Tags, addresses and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("href", "src", "action", "srcset")
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def lived(story: Story) -> None:
    """A goal that was committed to, amended twice, endorsed once, checked in on, spoken of and closed."""
    story.goal("shop", ("visits", TEN), ("sales", TEN), owner="person/ada", description=NASTY)
    story.check_in("shop", "visits", "4", note="Half way")
    moved = story.tell(
        "objective/shop", MeasureChanged("visits", Increase(target=d("8"), baseline=d("0"))), reason=NASTY
    )
    story.tell("objective/shop", ChangeEndorsed(moved.event_id), actor="person/bo")
    story.tell("objective/shop", KeyResultWeightChanged("sales", d("3")), reason="Sales count")
    story.tell("objective/shop", KeyResultReworded("sales", "Sell ten"), reason="Clearer")
    story.tell(
        "objective/shop", CommentAdded("c-1", "objective/shop", text="Bravo & onwards"), actor="person/bo"
    )
    story.tell("objective/shop", KudosGiven("k-1", "objective/shop", text="Well done"), actor="person/bo")
    story.tell(
        "objective/shop",
        ObjectiveClosed("partial", d("0.3"), d("0.125"), retrospective="We learnt to count"),
        reason="The quarter is over",
    )


async def page(story: Story, **asked: Any) -> str:
    answer = await story.get("/v1/objectives/shop/dossier", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


async def test_it_tells_all_of_a_goal_and_nothing_is_taken_for_markup(story: Story) -> None:
    story.person("bo", "auditor")
    lived(story)
    await story.arrive()
    html = await page(story, who="bo")
    seen = Seen(html)
    for words in (
        "Title of shop",
        NASTY,
        "Half way",
        "MeasureChanged",
        "Sales count",
        "KeyResultReworded",
        "Bravo & onwards",
        "Well done",
        "We learnt to count",
        "The quarter is over",
        "grade 0.3, suggested 0.125",
        "Endorsed by",
        "target moved",
    ):
        assert words in seen.text, words
    assert not seen.tags & {"script", "img", "iframe", "object", "link", "form"}
    assert all(one.startswith("#") for one in seen.addresses)
    assert "url(" not in html
    assert "@import" not in html


async def test_its_numbers_and_effects_are_those_of_the_answers(story: Story) -> None:
    lived(story)
    await story.arrive()
    seen = Seen(await page(story)).text
    goal = (await story.ask("/v1/objectives/shop"))["objective"]
    assert (goal["score"], goal["score_committed"]) == ("0.5", "0.4")
    assert "Score as amended50.00 %Score as committed40.00 %" in seen.replace("% ", "%").replace(" S", "S")
    moves = (await story.ask("/v1/amendments", objective="shop"))["items"]
    assert len(moves) == 3
    for one in moves:
        effect = f"{d(one['effect']) * 100:+.2f}" if one["effect"] else "–"
        assert f"Effect on the score as amended: {effect} points" in seen
    assert f"as known at position 1-{story.facts[-1].seq}." in seen


async def test_the_record_has_the_hash_of_every_fact_of_the_goal(story: Story) -> None:
    lived(story)
    await story.arrive()
    html = await page(story)
    own = [fact for fact in story.facts if fact.stream == "objective/shop"]
    for fact in own:
        assert fact.event_id in html
        assert leaf_hash(to_bytes(fact)).hex() in html
    assert f"({len(own)} facts of the goal)" in html


async def test_the_same_token_gives_the_same_page(story: Story, reading: Any) -> None:
    lived(story)
    await story.arrive()
    token = (await story.ask("/v1/objectives/shop"))["token"]
    first = await page(story, token=token)
    story.check_in("shop", "sales", "9")
    await story.arrive()
    reading.clock.now += timedelta(days=3)
    assert await page(story, token=token) == first
    assert await page(story) != first


async def test_at_an_earlier_moment_it_tells_what_was_known_then(story: Story) -> None:
    lived(story)
    await story.arrive()
    drafted = next(fact.seq for fact in story.facts if fact.stream == "objective/shop")
    at = story.facts[drafted - 1].recorded_at.isoformat()
    seen = Seen(await page(story, known_at=f"1-{drafted}", as_of=at)).text
    assert "It has not been committed to" in seen
    assert "MeasureChanged" not in seen
    absent = await story.get("/v1/objectives/shop/dossier", known_at=f"1-{drafted - 1}")
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")


async def test_it_is_for_who_may_read_facts_and_is_noted(story: Story) -> None:
    story.person("bo", "auditor")
    story.person("cy", "owner")
    lived(story)
    await story.arrive()
    refused = await story.get("/v1/objectives/shop/dossier", "cy")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    with structlog.testing.capture_logs() as logged:
        await page(story, who="bo")
    (noted,) = [one for one in logged if one["event"] == "record read"]
    assert (noted["actor"], noted["path"]) == ("person/bo", "/v1/objectives/shop/dossier")
    assert noted["facts"] > 10


async def test_without_the_command_service_there_is_no_bundle(story: Story) -> None:
    lived(story)
    await story.arrive()
    answer = await story.get("/v1/objectives/shop/dossier", format="bundle")
    assert (answer.status_code, answer.json()["code"]) == (503, "proofs_out_of_reach")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("many", [130])
async def test_long_lists_are_there_to_their_end(story: Story, many: int) -> None:
    story.goal("shop", ("visits", TEN), owner="person/ada")
    for number in range(many):
        story.tell(
            "objective/shop", KeyResultWeightChanged("visits", d(str(number + 2))), reason=f"Reason {number}"
        )
    await story.arrive()
    html = await page(story)
    assert f"({many})" in Seen(html).text
    assert all(f"Reason {number}<" in html for number in range(many))
