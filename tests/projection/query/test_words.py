"""The last word on a key result: the newest check-in in force, however old; what it stated holds to the next due date."""

from __future__ import annotations

from datetime import timedelta

from goal_ledger_contracts.objective import CheckInRetracted
from projection.query.story import START, TEN, Story, d


async def test_the_last_word_is_found_among_many_and_on_both_clocks(story: Story) -> None:
    story.goal("o", ("kr", TEN), ("other", TEN))
    for day in range(40):
        at = START + timedelta(days=day)
        story.later(at)
        story.check_in("o", "kr", str(day % 7), confidence=d("0.2"), at=at)
    last = story.check_in("o", "kr", "8", status="at_risk", confidence=d("0.4"), id="last")
    whole = story.check_in("o", None, status="behind", confidence=d("0.6"))
    before = await story.arrive()
    story.tell("objective/o", CheckInRetracted("last"), reason="a mistake")
    await story.arrive()

    then = (await story.ask("/v1/objectives/o", known_at=before, as_of=whole.effective_at.isoformat()))[
        "objective"
    ]
    kr, other = then["key_results"]
    assert (kr["confidence"], kr["status_stated"]) == ("0.4", "at_risk")
    assert kr["last_check_in_at"] == last.effective_at.isoformat(timespec="microseconds").replace(
        "+00:00", "Z"
    )
    assert (other["confidence"], other["last_check_in_at"]) == (None, None)
    assert (then["confidence"], then["status_stated"]) == ("0.6", "behind")

    now = (await story.ask("/v1/objectives/o"))["objective"]
    assert [one["confidence"] for one in now["key_results"]] == ["0.2", None]
    assert [one["status_stated"] for one in now["key_results"]] == [None, None]
    assert (now["confidence"], now["status_stated"]) == ("0.6", None)
    listed = (await story.ask("/v1/objectives"))["items"]
    assert [one["confidence"] for one in listed] == ["0.6"]
