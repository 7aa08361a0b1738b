"""What of a workspace's queues goes into the next batch."""

from __future__ import annotations

import multiprocessing
import uuid
from asyncio import Future
from dataclasses import replace

from goal_ledger_contracts.ids import uuid7
from goal_ledger_ledger.batch import BATCH_MAX_FACTS
from goal_ledger_ledger.line import LEAST_PLACES, Bulk, Line, Single
from goal_ledger_ledger.submission import NotRecorded, Submission

from ledger.tiny import Commands

COMMANDS = Commands("w")
NOTHING = NotRecorded("nothing")


def line(singles: int, bulk: int) -> Line:
    made = Line(None)  # type: ignore[arg-type]
    made.singles.extend(single(f"s{n}") for n in range(singles))
    if bulk:
        made.bulk.append(Bulk([COMMANDS.check_in(f"b{n}") for n in range(bulk)], Future()))
    return made


def single(id: str, exclusive: bool = False) -> Single:
    return Single(replace(COMMANDS.unit(id, key="k"), exclusive=exclusive), Future())


def taken(submissions: list[Submission]) -> tuple[int, int]:
    """(single commands, bulk)."""
    bulk = sum(one.mark is None for one in submissions)
    return len(submissions) - bulk, bulk


async def test_bulk_fills_what_single_commands_leave():
    assert taken(line(10, 10_000).take()) == (10, BATCH_MAX_FACTS - 10)
    assert taken(line(10_000, 0).take()) == (BATCH_MAX_FACTS, 0)


async def test_single_commands_leave_half_of_the_batch_to_bulk():
    assert taken(line(10_000, 10_000).take()) == (BATCH_MAX_FACTS // 2, BATCH_MAX_FACTS // 2)


async def test_an_exclusive_command_is_alone_in_its_batch():
    made = line(2, 5)
    made.singles.insert(1, single("x", exclusive=True))
    batches = []
    while made.waiting:
        batches.append(made.take())
        made.settle([NOTHING] * len(batches[-1]))
    assert [taken(one) for one in batches] == [(1, 5), (1, 0), (1, 0)]


async def test_an_exclusive_command_in_the_midst_of_bulk_is_alone_too():
    made = line(0, 0)
    made.bulk.append(Bulk([COMMANDS.unit("a"), replace(COMMANDS.unit("b"), exclusive=True)], Future()))
    made.bulk.append(Bulk([COMMANDS.unit("c")], Future()))
    sizes = []
    while made.waiting:
        sizes.append(len(made.take()))
        made.settle([NOTHING] * sizes[-1])
    assert sizes == [1, 1, 1]


async def test_what_was_not_decided_stays_first_and_the_next_batch_is_as_large_as_was_managed():
    made = line(0, 1000)
    bulk = made.bulk[0]
    made.take()
    made.settle([NOTHING] * 100)
    assert made.take() == bulk.submissions[100:200]
    made.settle([NOTHING] * 100)
    assert len(made.take()) == 125
    made.settle([NOTHING])
    assert len(made.take()) == LEAST_PLACES


async def test_a_request_is_answered_when_the_last_of_it_is_settled_and_each_in_its_order():
    made, answers = line(2, 3), [NotRecorded(str(number)) for number in range(5)]
    first, second, bulk = made.singles[0], made.singles[1], made.bulk[0]
    assert taken(made.take()) == (2, 3)
    made.settle(answers[:1])
    assert first.future.exception() is answers[0] and not second.future.done()
    assert taken(made.take()) == (1, 3)
    made.settle(answers[1:4])
    assert second.future.exception() is answers[1] and not bulk.future.done()
    assert taken(made.take()) == (0, 1)
    made.settle(answers[4:])
    assert bulk.future.result() == answers[2:] and not made.waiting


async def test_what_follows_a_batch_of_bulk_is_told_before_it_is_settled_and_then_taken():
    made = line(0, 1100)
    bulk = made.bulk[0].submissions
    made.take()
    following = made.following(400)
    assert following == bulk[400:900]
    made.settle([NOTHING] * 400)
    assert made.take() is following
    made.settle([NOTHING] * 500)
    assert made.take() == bulk[900:]


async def test_less_than_half_a_batch_does_not_follow_but_waits_for_more():
    made = line(0, 700)
    made.take()
    assert made.following(500) == ()
    made.settle([NOTHING] * 500)
    assert len(made.take()) == 200


async def test_what_follows_goes_on_with_the_next_request():
    made = line(0, 400)
    made.bulk.append(Bulk([COMMANDS.check_in(f"c{n}") for n in range(400)], Future()))
    assert len(made.take()) == 500
    assert made.following(300) == made.bulk[0].submissions[300:] + made.bulk[1].submissions


async def test_what_followed_is_void_if_another_number_is_settled():
    made = line(0, 1500)
    bulk = made.bulk[0].submissions
    made.take()
    following = made.following(500)
    made.settle([NOTHING] * 499)
    taken = made.take()
    assert taken is not following and taken[0] is bulk[499]


async def test_nothing_follows_while_single_commands_wait():
    made = line(1, 1500)
    made.take()
    assert made.following(500) == ()
    made.settle([NOTHING] * 500)
    made.take()
    following = made.following(500)
    made.singles.append(single("late"))
    made.settle([NOTHING] * 500)
    assert made.take() is following
    assert made.following(len(following)) == ()
    made.settle([NOTHING] * len(following))
    assert taken(made.take()) == (1, 1)


def test_ids_are_uuids_of_version_7_and_sort_as_they_were_made():
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant, str(uuid.UUID(one)) == one) for one in ids} == {
        (7, uuid.RFC_4122, True)
    }


def test_a_forked_process_draws_other_ids():
    uuid7()
    with multiprocessing.get_context("fork").Pool(1) as child:
        theirs, ours = child.apply(uuid7), uuid7()
    assert theirs[-16:] != ours[-16:]
