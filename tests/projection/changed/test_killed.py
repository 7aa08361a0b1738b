"""Killed at any point, told again, or told by two: each change once, the same bytes; the newest state stays the newest."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_messaging import producer as producers
from goal_ledger_projection.changed.deriving import DerivedStep, Mark
from goal_ledger_projection.changed.marks import Marks
from goal_ledger_projection.changed.record import ToldChange
from goal_ledger_projection.changed.topic import ChangedTopic, WrittenByAnother
from history.lives import Life
from projection.changed.conftest import Side
from projection.query.asked_lives import told
from projection.query.story import TEN


class Killed(BaseException):
    """As SIGKILL does: nothing after it is done."""


async def test_killed_between_any_two_writes_it_tells_each_change_once_and_the_same_bytes(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(7, 60)
    await told(side.reading, life)
    side.telling.now = life.now + timedelta(days=40)
    await side.telling.tell_all()
    undisturbed = (await side.telling.told()).by_id
    await side.telling.forget()

    chance, tell, move = random.Random(7), ChangedTopic.tell, Marks.move

    async def told_in_part(topic: ChangedTopic, workspace: str, changes: Sequence[ToldChange]) -> None:
        if chance.random() < 0.2:
            await tell(topic, workspace, changes[: chance.randint(0, len(changes))])
            raise Killed
        await tell(topic, workspace, changes)

    async def not_marked(marks: Marks, workspace: str, before: Mark | None, step: DerivedStep) -> None:
        await move(marks, workspace, before, step)
        if chance.random() < 0.1:
            raise Killed

    monkeypatch.setattr(ChangedTopic, "tell", told_in_part)
    monkeypatch.setattr(Marks, "move", not_marked)
    kills = 0
    while True:
        try:
            await side.telling.tell_all()
            break
        except Killed:
            kills += 1
    assert kills > 3
    found = await side.telling.told()
    assert len(found.records) > len(undisturbed)
    assert found.by_id == undisturbed
    last = {f"{life.workspace}/{one['goal']}": one["after"] for one in found.of(life.workspace)}
    assert {key: ToldChange.read(value).after for key, value in found.compacted.items()} == last


async def test_a_topic_that_was_made_again_gets_the_present_state(side: Side) -> None:
    story = side.story()
    story.goal("o", ("kr", TEN))
    story.check_in("o", "kr", "4")
    await story.arrive()
    await side.telling.tell_all()
    before = await side.telling.told()
    admin = AIOKafkaAdminClient(bootstrap_servers=side.telling.kafka)
    await admin.start()
    await admin.delete_topics([side.telling.topic])
    await admin.close()
    await side.telling.tell_all()
    again = await side.telling.told()
    assert len(again.records) == 1
    assert again.compacted == before.compacted
    story.check_in("o", "kr", "5")
    await story.arrive()
    await side.telling.tell_all()
    assert [one["after"]["score"] for one in (await side.telling.told()).of(story.workspace)] == [
        "0.4",
        "0.5",
    ]


async def test_a_process_that_was_thought_dead_and_writes_once_more_is_written_over(side: Side) -> None:
    story = side.story()
    story.goal("o", ("kr", TEN))
    await story.arrive()
    await side.telling.tell_all()
    stale = (await side.telling.told()).records[-1]
    story.check_in("o", "kr", "4")
    await story.arrive()
    async with side.telling.life() as teller:
        while await teller.round():
            pass
        zombie = producers.reliable(side.telling.settings.kafka)
        await zombie.start()
        await zombie.send_and_wait(
            stale.topic,
            key=stale.key,
            value=stale.value,
            headers=list(stale.headers),
            partition=stale.partition,
        )
        await producers.discard(zombie)
        story.check_in("o", "kr", "5")
        await story.arrive()
        with pytest.raises(WrittenByAnother):
            while await teller.round():
                pass
    await side.telling.tell_all()
    found = await side.telling.told()
    assert [one["after"]["score"] for one in found.of(story.workspace)][-1] == "0.5"
    assert ToldChange.read(found.compacted[f"{story.workspace}/o"]).after["score"] == "0.5"  # type: ignore[index]


async def test_only_one_tells_at_a_time(side: Side) -> None:
    async with side.telling.life():
        with pytest.raises(AssertionError):
            await side.telling.tell_all()


async def test_what_an_epoch_that_is_over_had_told_is_taken_back_at_the_fact_that_began_the_next(
    side: Side,
) -> None:
    story = side.story()
    story.goal("o", ("kr", TEN))
    story.check_in("o", "kr", "4")
    await story.arrive()
    fork = len(story.facts)
    story.check_in("o", "kr", "7")
    story.goal("lost")
    await story.arrive()
    await side.telling.tell_all()

    del story.facts[fork:]
    story._versions["objective/o"] -= 1
    story.epoch, story._folded = 2, 0
    restored = story.tell(
        f"workspace/{story.workspace}", StoreRestored(fork, 2), actor="operator", reason="Disk lost"
    )
    position = await story.arrive()
    await side.telling.tell_all()
    last = [one for one in (await side.telling.told()).of(story.workspace) if one["position"] == position]
    assert {one["goal"]: one["after"] and one["after"]["score"] for one in last} == {"o": "0.4", "lost": None}
    assert {one["cause"]["event_id"] for one in last} == {str(restored.event_id)}
    story.check_in("o", "kr", "5")
    position = await story.arrive()
    await side.telling.tell_all()
    last = [one for one in (await side.telling.told()).of(story.workspace) if one["position"] == position]
    assert [(one["goal"], one["before"]["score"], one["after"]["score"]) for one in last] == [
        ("o", "0.4", "0.5")
    ]
