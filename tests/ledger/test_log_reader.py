"""Facts and heads as readers of the log get them."""

from __future__ import annotations

from datetime import timedelta

from goal_ledger_ledger import log_reader as module
from goal_ledger_ledger.kept_tiles import KeptTiles
from goal_ledger_ledger.log_reader import LogReader
from goal_ledger_ledger.merkle import leaf_hash, verify_inclusion


async def test_facts_come_by_pages_in_order_with_their_bytes(databases, ledger, commands):
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(25)])
    feed, seqs, after = LogReader(databases.ledger), [], 0
    while page := await feed.facts_after(commands.workspace, after, limit=10):
        assert len(page) <= 10
        seqs += [fact.seq for fact in page]
        after = page[-1].seq
    assert seqs == list(range(1, 27))


async def test_a_page_ends_when_it_grows_too_large(databases, ledger, commands, monkeypatch):
    await ledger.submit_all([commands.unit(f"u{n}", "x" * 1000) for n in range(10)])
    monkeypatch.setattr(module, "MAX_PAGE_BYTES", 3000)
    page = await LogReader(databases.ledger).facts_after(commands.workspace, 1)
    assert len(page) == 3


async def test_a_head_names_the_root_under_which_every_fact_is_proven(databases, ledger, commands):
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(10)])
    feed = LogReader(databases.ledger)
    head = await feed.head(commands.workspace)
    assert head is not None and (head.epoch, head.seq) == (1, 11)
    stored = (await feed.facts_after(commands.workspace, 4, 1))[0]
    proof = await KeptTiles(databases.ledger).inclusion(commands.workspace, 5, head.seq)
    assert verify_inclusion(leaf_hash(stored.bytes), 4, head.seq, proof, head.root)


async def test_heads_that_moved_since_an_instant_are_listed(databases, ledger, commands):
    feed = LogReader(databases.ledger)
    head = await feed.head(commands.workspace)
    assert commands.workspace in [one.workspace for one in await feed.heads()]
    assert commands.workspace in [one.workspace for one in await feed.heads(head.moved_at)]
    later = head.moved_at + timedelta(microseconds=1)
    assert commands.workspace not in [one.workspace for one in await feed.heads(later)]
    assert await feed.head("no-such") is None
    assert [epoch.epoch for epoch in await feed.epochs(commands.workspace)] == [1]
