"""What of a workspace's queues goes into the next batch."""

from __future__ import annotations

import multiprocessing
import uuid
from dataclasses import replace

from goal_ledger_contracts.ids import uuid7
from goal_ledger_ledger.batch import BATCH_MAX_FACTS
from goal_ledger_ledger.line import LEAST_PLACES, Group, Line, Waiting

from ledger.tiny import Commands

COMMANDS = Commands("w")


def line(singles: int, bulk: int) -> Line:
    made = Line(None)  # type: ignore[arg-type]
    made.singles.extend(Waiting(COMMANDS.unit(f"s{n}")) for n in range(singles))
    group = Group(bulk, None)  # type: ignore[arg-type]
    made.bulk.extend(Waiting(COMMANDS.unit(f"b{n}"), None, group, n) for n in range(bulk))
    return made


def taken(waiting: list[Waiting]) -> tuple[int, int]:
    """(single commands, bulk)."""
    bulk = sum(one.group is not None for one in waiting)
    return len(waiting) - bulk, bulk


def test_bulk_fills_what_single_commands_leave():
    assert taken(line(10, 10_000).take()) == (10, BATCH_MAX_FACTS - 10)
    assert taken(line(10_000, 0).take()) == (BATCH_MAX_FACTS, 0)


def test_single_commands_leave_half_of_the_batch_to_bulk():
    assert taken(line(10_000, 10_000).take()) == (BATCH_MAX_FACTS // 2, BATCH_MAX_FACTS // 2)


def test_an_exclusive_command_is_alone_in_its_batch():
    made = line(2, 5)
    made.singles.insert(1, Waiting(replace(COMMANDS.unit("x"), exclusive=True)))
    assert [taken(made.take()) for _ in range(3)] == [(1, 5), (1, 0), (1, 0)]


def test_what_was_not_decided_stays_first_and_the_next_batch_is_as_large_as_was_managed():
    made = line(0, 1000)
    waiting = made.take()
    made.put_back(waiting[100:], 100)
    assert [one.index for one in made.take()] == list(range(100, 200))
    made.put_back([], 100)
    assert len(made.take()) == 125
    made.put_back(waiting[:1], 1)
    assert len(made.take()) == LEAST_PLACES


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
