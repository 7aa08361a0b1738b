"""Checks a block of facts by itself, in any process: bytes, members, seq, chains within it, texts, its part of the tree.

What a block cannot know, it says: how each stream begins and ends in it, so that whoever joins the blocks (``log.py``)
follows every chain across them and needs no more memory than there are streams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from goal_ledger_verifier.canonical_lines import AT_ONCE, Json, read, read_all
from goal_ledger_verifier.findings import Finding
from goal_ledger_verifier.members import Row, rows_of, what_is_wrong
from goal_ledger_verifier.texts import PERSONAL, is_sealed, texts_of
from goal_ledger_verifier.tree import TILE, leaf_hash, perfect_root, perfect_roots, roots_at

TOLD = frozenset({"WorkspaceCreated", "StoreRestored", "PersonShredded"})
"""The facts that the whole log is checked by."""


class StreamEnd(NamedTuple):
    """A stream's last fact in the block."""

    seq: int
    version: int
    leaf: bytes


class FirstOf(NamedTuple):
    """A stream's first fact in the block."""

    seq: int
    event_id: str
    version: int
    previous: str | None


class TextUse(NamedTuple):
    """The last text sealed with a key."""

    seq: int
    event_id: str
    stream: str


@dataclass(frozen=True, slots=True)
class Block:
    """Facts in the order of the log, the first at place ``first``. ``sizes``: of the log, at which roots are wanted;
    ``leaves``: places whose leaf hashes are; ``with_links``: what depends on what is asked for too."""

    first: int
    lines: Sequence[bytes]
    sizes: Sequence[int] = ()
    leaves: Sequence[int] = ()
    with_tiles: bool = False


@dataclass(slots=True)
class Examined:
    """``roots``: the perfect subtrees of the block up to each size; ``hashes``: all leaf hashes, and ``tiles`` the roots
    of whole tiles of them, where asked for."""

    facts: int
    nodes: list[bytes]
    roots: dict[int, list[bytes]]
    leaves: dict[int, bytes]
    hashes: bytes = b""
    tiles: list[bytes] = field(default_factory=list)
    rows: tuple[Row, Row] | None = None
    """The first and the last that could be read."""
    begins: dict[str, FirstOf] = field(default_factory=dict)
    ends: dict[str, StreamEnd] = field(default_factory=dict)
    event_ids: list[str] = field(default_factory=list)
    sealed_with: dict[str, TextUse] = field(default_factory=dict)
    texts: int = 0
    texts_under: Counter[str] = field(default_factory=Counter)
    """By key: how many are sealed with it."""
    told: list[Json] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def examine(block: Block) -> Examined:
    """All that can be said of the block alone."""
    leaves = [leaf_hash(line) for line in block.lines]
    low = block.first - 1
    found = Examined(
        len(leaves),
        perfect_roots(leaves),
        {low + size: nodes for size, nodes in roots_at(leaves, (one - low for one in block.sizes)).items()},
        {place: leaves[place - block.first] for place in block.leaves},
    )
    if block.with_tiles:
        found.hashes = b"".join(leaves)
        whole = len(leaves) // TILE * TILE
        found.tiles = [perfect_root(leaves[at : at + TILE]) for at in range(0, whole, TILE)]
    for at in range(0, len(leaves), AT_ONCE):
        _examine_piece(block.first + at, block.lines[at : at + AT_ONCE], leaves[at : at + AT_ONCE], found)
    return found


def _examine_piece(first: int, lines: Sequence[bytes], leaves: Sequence[bytes], found: Examined) -> None:
    """So few facts that they are still in the processor's cache when they are written again: that halves the time."""
    facts = read_all(lines)
    rows = None if facts is None else rows_of(facts)
    if facts is None or rows is None:
        facts, rows, leaves = _one_by_one(first, lines, leaves, found)
    if rows:
        _take(facts, rows, leaves, found)


def _one_by_one(
    first: int, lines: Sequence[bytes], leaves: Sequence[bytes], found: Examined
) -> tuple[list[Json], list[Row], list[bytes]]:
    """What can be read of lines in which something is odd, which is named."""
    facts, rows, kept = [], [], []
    for place, (line, leaf) in enumerate(zip(lines, leaves, strict=True), first):
        fact, why = read(line)
        if fact is None:
            found.findings.append(Finding("not_json", str(why), seq=place))
            continue
        row = rows_of([fact])
        if row is None:
            found.findings.append(Finding("not_a_fact", what_is_wrong(fact), seq=place))
            continue
        if why is not None:
            found.findings.append(_finding("not_canonical", why, row[0]))
        facts.append(fact)
        rows += row
        kept.append(leaf)
    return facts, rows, kept


def _take(facts: list[Json], rows: list[Row], leaves: Sequence[bytes], found: Examined) -> None:
    before = [found.rows[1]] if found.rows else []
    found.findings += _order([*before, *rows])
    found.rows = (found.rows or (Row(*rows[0]),))[0], Row(*rows[-1])
    found.event_ids += [row[4] for row in rows]
    found.findings += follow(rows, leaves, found.begins, found.ends)
    types = {row[7] for row in rows}
    if not types.isdisjoint(TOLD):
        found.told += [fact for fact in facts if fact["type"] in TOLD]
    if not types.isdisjoint(PERSONAL):
        for fact, row in zip(facts, rows, strict=True):
            if row[7] in PERSONAL:
                found.findings += _texts(fact, Row(*row), found)


def _order(rows: Sequence[Row]) -> Iterator[Finding]:
    """That seqs are dense, times do not run backwards, and all is of one workspace."""
    workspace, seqs = rows[0][6], [row[0] for row in rows]
    recorded = [row[5] for row in rows]
    dense = seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    if dense and recorded == sorted(recorded) and {workspace} == {row[6] for row in rows}:
        return
    for before, row in pairwise(rows):
        yield from out_of_order(Row(*before), Row(*row))


def out_of_order(before: Row, row: Row) -> Iterator[Finding]:
    """What is wrong between two facts that stand side by side."""
    if row.seq != before.seq + 1:
        yield _finding("seq_wrong", f"after {before.seq} comes {row.seq}", row)
    if row.recorded_at < before.recorded_at:
        yield _finding("recorded_at_wrong", f"{row.recorded_at} after {before.recorded_at}", row)
    if row.workspace != before.workspace:
        yield _finding("workspace_differs", f"{row.workspace[:40]!r} among {before.workspace[:40]!r}", row)


def follow(
    rows: Iterable[Row], leaves: Iterable[bytes], begins: dict[str, FirstOf], ends: dict[str, StreamEnd]
) -> list[Finding]:
    """Follow each stream's chain through the rows; what goes before the block is left open."""
    found = []
    for (seq, stream, version, previous, event_id, *_), leaf in zip(rows, leaves, strict=True):
        end = ends.get(stream)
        if end is None:
            begins[stream] = FirstOf(seq, event_id, version, previous)
        elif version != end[1] + 1 or previous != end[2].hex():
            found += broken(stream, end, FirstOf(seq, event_id, version, previous))
        ends[stream] = (seq, version, leaf)  # type: ignore[assignment]
    return found


def broken(stream: str, end: StreamEnd | None, then: FirstOf) -> list[Finding]:
    """What is wrong between a stream's end, or nothing, and the fact that follows."""
    after, version, leaf = (0, 0, None) if end is None else (end[0], end[1], end[2].hex())
    found = []
    if then.version != version + 1:
        detail = f"version {then.version} after {version} (fact {after})"
        found.append(Finding("version_wrong", detail, "", then.seq, None, then.event_id, stream))
    if then.previous != leaf:
        detail = f"`previous` is not the hash of fact {after}" if after else "a first fact has no `previous`"
        found.append(Finding("previous_wrong", detail, "", then.seq, None, then.event_id, stream))
    return found


def _texts(fact: Json, row: Row, found: Examined) -> Iterator[Finding]:
    for pointer, text, owner in texts_of(fact):
        found.texts += 1
        if not is_sealed(text):
            yield _finding("text_in_clear", f"data{pointer}", row)
            continue
        found.texts_under[text["k"]] += 1
        found.sealed_with[text["k"]] = TextUse(row.seq, row.event_id, row.stream)
        if text["k"] != owner:
            yield _finding("text_key_wrong", f"data{pointer}: {text['k'][:80]}, not {owner}", row)


def _finding(code: str, detail: str, row: Row) -> Finding:
    return Finding(code, detail, "", row[0], None, row[4], row[1])
