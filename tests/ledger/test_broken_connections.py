"""A connection that breaks while a batch is on its way: what is answered is what is so.

The back end is killed for real (pg_terminate_backend), before the statement, while it waits, and after the commit with
the answer still on its way; or the answer is lost by a connection closed on our side.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from goal_ledger_ledger import append
from goal_ledger_ledger.submission import NotRecorded, OutcomeUnknown


async def kill(databases, application: str) -> int:
    """Kill every back end of one process; how many there were."""
    admin = await asyncpg.connect(databases.admin_url)
    try:
        rows = await admin.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", application
        )
        return len(rows)
    finally:
        await admin.close()


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch):
    """Lets a test step in at the write: ``before`` and ``after`` it, each time."""

    class Steps:
        before: Any = None
        after: Any = None
        writes = 0

    steps = Steps()
    real = append.write

    async def write(raw, folded, batch):
        steps.writes += 1
        if steps.before is not None:
            await steps.before(raw)
        batch.sent = True
        moved = await real(raw, folded, batch)
        if steps.after is not None:
            await steps.after(raw)
        return moved

    monkeypatch.setattr(append, "write", write)
    return steps


async def lose(raw) -> None:
    raise ConnectionResetError("the network is gone")


async def test_a_batch_committed_before_the_connection_broke_is_found_and_answered(
    process, commands, audit, writing
):
    ledger = await process()

    async def once(raw) -> None:
        writing.after = None
        await lose(raw)

    writing.after = once
    answers = await asyncio.gather(*(ledger.submit(commands.unit(f"u{n}", key=f"k{n}")) for n in range(5)))
    facts = await audit.facts()
    assert [fact["event_id"] for fact in facts[1:]] == [answer.facts[0].event_id for answer in answers]
    assert writing.writes == 1
    assert ledger.counts.unknown_commits == 1
    await ledger.submit(commands.unit("after"))
    assert len(await audit.facts()) == 7


async def test_a_batch_that_was_not_committed_is_decided_and_written_again(
    process, databases, commands, audit, writing
):
    ledger = await process()
    await ledger.read(commands.workspace)

    async def once(raw) -> None:
        writing.before = None
        assert await kill(databases, "ledger-2") > 0

    writing.before = once
    answer = await ledger.submit(commands.unit("a"))
    assert writing.writes == 2
    assert [fact["event_id"] for fact in (await audit.facts())[1:]] == [answer.facts[0].event_id]


async def test_a_first_attempt_that_still_runs_is_waited_for_and_recorded_once(
    process, databases, commands, audit, writing
):
    """The statement waits behind a lock; the client's side is cut; then the lock is let go and the statement commits."""
    ledger = await process()
    await ledger.read(commands.workspace)
    blocker = await asyncpg.connect(databases.ledger_url)
    held = blocker.transaction()
    await held.start()
    await blocker.execute("SELECT FROM heads WHERE workspace = $1 FOR UPDATE", commands.workspace)

    async def cut(raw) -> None:
        writing.before = None
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, raw._transport.abort)
        loop.call_later(0.6, lambda: asyncio.ensure_future(held.rollback()))

    writing.before = cut
    answer = await ledger.submit(commands.unit("a"))
    await ledger.submit(commands.unit("b"))
    await blocker.close()
    facts = await audit.facts()
    assert [fact["stream"] for fact in facts[1:]] == ["unit/a", "unit/b"]
    assert facts[1]["event_id"] == answer.facts[0].event_id


async def test_back_ends_killed_all_the_time_lose_and_double_nothing(process, databases, commands, audit):
    ledger = await process()
    stop = asyncio.Event()

    async def killer() -> None:
        while not stop.is_set():
            await asyncio.sleep(0.05)
            await kill(databases, "ledger-2")

    killing = asyncio.create_task(killer())
    told = []
    for round in range(40):
        told += await asyncio.gather(
            *(ledger.submit(commands.unit(f"u{round}-{n}")) for n in range(10)), return_exceptions=True
        )
    stop.set()
    await killing
    answered = [each for each in told if not isinstance(each, Exception)]
    assert {type(each) for each in told if isinstance(each, Exception)} <= {NotRecorded, OutcomeUnknown}
    facts = await audit.facts()
    recorded = [fact["event_id"] for fact in facts[1:]]
    assert len({fact["stream"] for fact in facts}) == len(facts)
    assert {answer.facts[0].event_id for answer in answered} <= set(recorded)
    unknown = sum(isinstance(each, OutcomeUnknown) for each in told)
    assert len(answered) <= len(recorded) <= len(answered) + unknown


async def test_when_the_commit_cannot_be_found_out_that_is_what_is_said(
    process, commands, audit, writing, monkeypatch
):
    ledger = await process()
    monkeypatch.setattr(append, "RESOLVE_WITHIN_S", 0.0)
    writing.after = lose
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(commands.unit("a", key="k"))
    writing.after = None
    again = await ledger.submit(commands.unit("a", key="k"))
    assert again.replayed
    assert len(await audit.facts()) == 2


async def test_a_database_that_is_away_records_nothing_and_says_so(
    databases, process, commands, audit, monkeypatch
):
    from goal_ledger_ledger import store

    ledger = await process()
    await ledger.read(commands.workspace)

    async def refuse(engine, same):
        raise store.Unreachable("refused")

    with monkeypatch.context() as away:
        away.setattr(store, "_open", refuse)
        with pytest.raises(NotRecorded):
            await ledger.submit(commands.unit("a"))
    await ledger.submit(commands.unit("a"))
    assert len(await audit.facts()) == 2


async def test_a_batch_the_database_refuses_is_run_again_one_command_at_a_time(
    process, commands, audit, writing, monkeypatch
):
    ledger = await process()
    taken = (await ledger.submit(commands.unit("first"))).facts[0].event_id
    bad = commands.unit("bad")

    def decide(world, situation):
        from dataclasses import replace

        decision = bad.decide(world, situation)
        return replace(decision, drafts=(replace(decision.drafts[0], event_id=taken),))

    from dataclasses import replace

    told = await asyncio.gather(
        ledger.submit(commands.unit("a")),
        ledger.submit(replace(bad, decide=decide)),
        ledger.submit(commands.unit("b")),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in told] == [
        "CommandAnswer",
        "UniqueViolationError",
        "CommandAnswer",
    ]
    assert len(await audit.facts()) == 4


async def test_without_the_keys_database_texts_are_not_recorded_and_the_rest_is(
    process, commands, audit, monkeypatch
):
    from goal_ledger_ledger import keyring, store

    ledger = await process()
    await ledger.submit(commands.check_in("c0", "known key"))

    def away(engine):
        raise store.Unreachable("the keys are away")

    monkeypatch.setattr(keyring, "raw_connection", away)
    told = await asyncio.gather(
        ledger.submit(commands.unit("a")),
        ledger.submit(commands.check_in("c1", "a text")),
        ledger.submit(commands.check_in("c2")),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in told] == ["CommandAnswer", "NotRecorded", "CommandAnswer"]
    assert len(await audit.facts()) == 4


async def test_a_connection_that_cannot_be_handed_back_after_the_commit_doubles_nothing(
    process, commands, audit, monkeypatch
):
    from sqlalchemy.ext.asyncio import AsyncConnection

    ledger = await process()
    await ledger.read(commands.workspace)
    real = AsyncConnection.close

    async def close(self):
        await real(self)
        raise RuntimeError("cannot be handed back")

    monkeypatch.setattr(AsyncConnection, "close", close)
    await ledger.submit(commands.unit("a"))
    monkeypatch.undo()
    assert len(await audit.facts()) == 2


async def test_any_failure_after_the_statement_was_sent_is_a_doubt_and_is_resolved(
    process, commands, audit, writing
):
    ledger = await process()

    async def once(raw) -> None:
        writing.after = None
        raise RuntimeError("a bug behind the write")

    writing.after = once
    await ledger.submit(commands.unit("a"))
    assert ledger.counts.unknown_commits == 1
    assert len(await audit.facts()) == 2
