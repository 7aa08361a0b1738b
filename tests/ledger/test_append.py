"""The append: dense, chained, exactly once, one after another."""

from __future__ import annotations

import asyncio

import pytest
from goal_ledger_contracts.position import Position
from goal_ledger_ledger.submission import FactTooLarge, KeyReused, NotRecorded, UnknownWorkspace

from ledger.tiny import Commands, Refused


async def test_a_created_workspace_stands_at_its_first_fact(ledger, workspace, audit):
    answer = await ledger.submit(Commands(workspace).create())
    assert answer.position == Position(1, 1)
    assert [fact["type"] for fact in await audit.facts()] == ["WorkspaceCreated"]
    world, position = await ledger.read(workspace)
    assert (world.get("workspace", ""), position) == ("W", Position(1, 1))


async def test_an_unknown_workspace_is_refused_and_can_be_created_at_once(ledger, workspace, audit):
    commands = Commands(workspace)
    for _ in range(2):
        with pytest.raises(UnknownWorkspace):
            await ledger.submit(commands.unit("a"))
        with pytest.raises(UnknownWorkspace):
            await ledger.read(workspace)
    await ledger.submit(commands.create())
    await ledger.submit(commands.unit("a"))
    assert len(await audit.facts()) == 2


async def test_a_workspace_is_created_once_and_a_refused_creation_leaves_no_head(process, workspace, audit):
    one, two = await process(), await process()
    told = await asyncio.gather(
        *(ledger.submit(Commands(workspace).create()) for ledger in (one, two)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in told) == ["CommandAnswer", "Refused"]
    assert len(await audit.facts()) == 1


async def test_concurrent_commands_share_batches_and_come_out_dense_and_chained(ledger, commands, audit):
    before = ledger.counts.batches
    answers = await asyncio.gather(*(ledger.submit(commands.unit(f"u{n}")) for n in range(200)))
    assert [answer.position.seq for answer in answers] == list(range(2, 202))
    assert ledger.counts.batches - before < 10
    facts = await audit.facts()
    assert [fact["event_id"] for fact in facts[1:]] == [answer.facts[0].event_id for answer in answers]
    assert [fact["seq"] for fact in facts[1:]] == [answer.facts[0].seq for answer in answers]


async def test_each_command_is_decided_on_all_before_it_in_its_batch_too(ledger, commands, audit):
    answers = await asyncio.gather(*(ledger.submit(commands.add_to("n")) for _ in range(50)))
    assert [answer.version for answer in answers] == list(range(1, 51))
    assert [fact["data"]["name"] for fact in (await audit.facts())[1:]] == [str(n) for n in range(1, 51)]


async def test_a_refusal_reaches_its_submitter_alone_and_records_nothing(ledger, commands, audit):
    told = await asyncio.gather(
        *(ledger.submit(commands.unit(id)) for id in ("a", "b", "a", "c")), return_exceptions=True
    )
    assert [type(each).__name__ for each in told] == [
        "CommandAnswer",
        "CommandAnswer",
        "Refused",
        "CommandAnswer",
    ]
    with pytest.raises(Refused):
        await ledger.submit(commands.unit("a"))
    assert len(await audit.facts()) == 4


async def test_a_change_to_what_already_is_records_nothing_and_answers_the_version(ledger, commands, audit):
    first = await ledger.submit(commands.unit("a", once=False))
    again = await ledger.submit(commands.unit("a", once=False))
    assert (again.facts, again.version, again.position) == ((), first.version, first.position)
    assert len(await audit.facts()) == 2


async def test_a_fact_over_its_limit_is_refused_and_the_next_one_is_not(ledger, commands, audit):
    told = await asyncio.gather(
        ledger.submit(commands.unit("big", "x" * 300_000)),
        ledger.submit(commands.unit("a")),
        return_exceptions=True,
    )
    assert isinstance(told[0], FactTooLarge)
    assert told[1].position.seq == 2
    assert len(await audit.facts()) == 2


async def test_a_fact_of_65535_bytes_is_recorded_and_one_more_is_refused_with_its_size(
    ledger, commands, audit
):
    await ledger.submit(commands.unit("a", ""))
    without_text = await audit.value("SELECT length(bytes) FROM facts WHERE workspace = $1 AND seq = 2")
    await ledger.submit(
        commands.unit("b", "x" * (65_535 - without_text - 64))
    )  # a hash for the null of previous
    room = 65_535 - await audit.value("SELECT max(length(bytes)) FROM facts WHERE workspace = $1")
    await ledger.submit(commands.unit("c", "x" * (65_535 - without_text - 64 + room)))
    assert await audit.value("SELECT max(length(bytes)) FROM facts WHERE workspace = $1") == 65_535
    with pytest.raises(FactTooLarge, match="has 65536 bytes") as refused:
        await ledger.submit(commands.unit("d", "x" * (65_535 - without_text - 64 + room + 1)))
    assert refused.value.size_bytes == 65_536


async def test_a_caller_that_goes_away_cancels_nothing(ledger, commands, audit):
    gone = asyncio.create_task(ledger.submit(commands.unit("a")))
    await asyncio.sleep(0)
    gone.cancel()
    await ledger.submit(commands.unit("b"))
    assert [fact["stream"] for fact in (await audit.facts())[1:]] == ["unit/a", "unit/b"]


async def test_another_process_folds_what_was_recorded(process, ledger, commands):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    other = await process()
    world, position = await other.read(commands.workspace)
    assert world.get("person", "ola") == "Ola Nordmann"
    assert position == Position(1, 2)


async def test_the_same_identity_is_found_in_the_same_batch_and_later_and_in_another_process(
    process, ledger, commands, audit
):
    told = await asyncio.gather(*(ledger.submit(commands.check_in("c1", "note")) for _ in range(3)))
    other = await process()
    told.append(await ledger.submit(commands.check_in("c1", "note")))
    told.append(await other.submit(commands.check_in("c1", "note")))
    assert {(each.facts, each.version, each.position) for each in told} == {
        (told[0].facts, 1, Position(1, 2))
    }
    for each in (ledger, other):
        with pytest.raises(Refused):
            await each.submit(commands.check_in("c1", "other"))
    assert len(await audit.facts()) == 2


async def test_an_identity_ended_in_a_batch_or_before_is_known_as_ended(ledger, commands, audit):
    told = await asyncio.gather(
        ledger.submit(commands.check_in("c1")),
        ledger.submit(commands.retract("c1")),
        ledger.submit(commands.retract("c1")),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in told] == ["CommandAnswer", "CommandAnswer", "Refused"]
    with pytest.raises(Refused):
        await ledger.submit(commands.retract("c1"))
    again = await ledger.submit(commands.check_in("c1"))
    assert again.facts == told[0].facts
    assert len(await audit.facts()) == 3


async def test_a_closing_ledger_records_what_waits_and_takes_nothing_new(process, commands, audit):
    other = await process()
    waiting = [asyncio.create_task(other.submit(commands.unit(f"u{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    await other.close()
    assert all(task.done() for task in waiting)
    with pytest.raises(NotRecorded):
        await other.submit(commands.unit("late"))
    assert len(await audit.facts()) == 6


async def test_a_repeat_with_the_same_key_gives_the_same_answer(process, ledger, commands, audit):
    first = await ledger.submit(commands.unit("a", key="k"))
    await ledger.submit(commands.unit("b"))
    other = await process()
    for each in (ledger, other):
        again = await each.submit(commands.unit("a", key="k"))
        assert again.replayed and not first.replayed
        assert (again.id, again.version, again.facts, again.position, again.location) == (
            first.id,
            first.version,
            first.facts,
            first.position,
            "/units/a",
        )
        with pytest.raises(KeyReused):
            await each.submit(commands.unit("a", key="k", body="other"))
    assert len(await audit.facts()) == 3


async def test_a_refused_command_is_decided_anew_under_its_key(ledger, commands):
    await ledger.submit(commands.unit("a"))
    with pytest.raises(Refused):
        await ledger.submit(commands.unit("a", key="k"))
    renamed = await ledger.submit(commands.unit("a", "B", key="k", once=False))
    assert not renamed.replayed


async def test_a_success_without_a_fact_is_kept_under_its_key_too(ledger, commands, audit):
    await ledger.submit(commands.unit("a"))
    first = await ledger.submit(commands.unit("a", key="k", once=False))
    await ledger.submit(commands.unit("a", "B", once=False))
    again = await ledger.submit(commands.unit("a", key="k", once=False))
    assert (again.replayed, again.facts, again.version, again.position) == (True, (), 1, first.position)
    assert await audit.value("SELECT count(*) FROM answers WHERE workspace = $1") == 1


@pytest.mark.parametrize("processes", [1, 2])
async def test_racing_repeats_are_recorded_once_and_all_get_one_answer(process, commands, audit, processes):
    ledgers = [await process() for _ in range(processes)]
    for round in range(5):
        repeats = [commands.unit(f"u{round}", key=f"k{round}") for _ in range(20)]
        answers = await asyncio.gather(
            *(ledgers[n % processes].submit(repeat) for n, repeat in enumerate(repeats))
        )
        assert len({answer.facts for answer in answers}) == 1
        assert sum(not answer.replayed for answer in answers) == 1
    assert len(await audit.facts()) == 6


async def test_racing_repeats_without_a_fact_are_answered_alike_in_two_processes(
    process, ledger, commands, audit
):
    await ledger.submit(commands.unit("a"))
    ledgers = [ledger, await process()]
    answers = await asyncio.gather(
        *(ledgers[n % 2].submit(commands.unit("a", key=f"k{n // 4}", once=False)) for n in range(40))
    )
    assert {(answer.facts, answer.version) for answer in answers} == {((), 1)}
    assert await audit.value("SELECT count(*) FROM answers WHERE workspace = $1") == 10


async def test_a_counter_is_compared_with_its_neighbours_in_time_stored_or_in_the_batch(ledger, commands):
    seen: list[object] = []
    await ledger.submit(commands.reading("r10", 10, 100))
    await ledger.submit(commands.reading("r30", 30, 300))
    told = await ledger.submit_all(
        [
            commands.reading("r20", 20, 200, seen),
            commands.reading("r25", 25, 190, seen),
            commands.reading("r15", 15, 150, seen),
            commands.reading("r20b", 20, 210, seen),
            commands.reading("r21", 21, 220, seen),
        ]
    )
    assert [type(each).__name__ for each in told] == [
        "CommandAnswer",
        "Refused",
        "CommandAnswer",
        "CommandAnswer",
        "CommandAnswer",
    ]
    assert seen == [(100, 300), (200, 300), (100, 200), (200, 300), (210, 300)]


async def test_a_retracted_point_is_no_neighbour_even_within_one_batch(ledger, commands):
    seen: list[object] = []
    await ledger.submit(commands.reading("r10", 10, 100))
    await ledger.submit(commands.reading("r20", 20, 200))
    told = await ledger.submit_all([commands.retract_reading("r20"), commands.reading("r30", 30, 150, seen)])
    assert [type(each).__name__ for each in told] == ["CommandAnswer", "CommandAnswer"]
    assert seen == [(100, None)]


async def test_bulk_and_single_commands_go_together_and_singles_do_not_wait_for_all_of_the_bulk(
    ledger, commands, audit
):
    bulk = asyncio.create_task(ledger.submit_all([commands.check_in(f"c{n}") for n in range(3000)]))
    await asyncio.sleep(0)
    single = await ledger.submit(commands.unit("a"))
    assert not bulk.done()
    outcomes = await bulk
    seqs = [outcome.position.seq for outcome in outcomes]
    assert seqs == sorted(seqs)
    assert single.position.seq < seqs[-1]
    assert len(await audit.facts()) == 3002


async def test_a_bad_item_in_bulk_costs_no_other(ledger, commands):
    told = await ledger.submit_all([commands.unit(id) for id in ("a", "a", "b")])
    assert [type(each).__name__ for each in told] == ["CommandAnswer", "Refused", "CommandAnswer"]
