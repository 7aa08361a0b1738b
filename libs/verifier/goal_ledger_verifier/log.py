"""Checks a whole log: joins what its blocks say of themselves, in bounded memory, in as many processes as are given.

Kept are the tree's frontier, for each stream its last version and hash, of each event id a hash, and for each head and
proof asked about a root or a leaf hash. The facts themselves pass through.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from goal_ledger_contracts import wire
from goal_ledger_contracts.workspace import StoreRestored

from goal_ledger_verifier.block import Block, Examined, StreamEnd, TextUse, broken, examine, out_of_order
from goal_ledger_verifier.canonical_lines import Json
from goal_ledger_verifier.event_ids import EventIds
from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.log_files import LogFiles, TileFolder, blocks
from goal_ledger_verifier.members import Row
from goal_ledger_verifier.tree import TILE, Frontier, folded, perfect_root


class Epoch(NamedTuple):
    """``fork``: the last fact kept of the epochs before. ``lost``: (size, root in hex) of the heads named as lost."""

    number: int
    fork: int
    lost: frozenset[tuple[int, str]]


@dataclass(slots=True)
class CheckedLog:
    """What a log comes to. ``roots`` by size and ``leaves`` by place: those asked for."""

    place: str
    facts: int = 0
    root: bytes = b""
    workspace: str = ""
    streams: int = 0
    texts: int = 0
    erased: int = 0
    """Of these, the texts of persons who were shredded."""
    shredded: dict[str, int] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    first_recorded_at: str = ""
    last_recorded_at: str = ""
    roots: dict[int, bytes] = field(default_factory=dict)
    leaves: dict[int, bytes] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """The present one, as far as the facts say."""
        return self.epochs[-1].number if self.epochs else 1

    def kept_of(self, epoch: int) -> int:
        """The last seq that an earlier epoch and the present one have in common."""
        return min((one.fork for one in self.epochs if one.number > epoch), default=self.facts)


def check_log(
    files: LogFiles,
    findings: Findings,
    sizes: Iterable[int],
    leaves: Iterable[int],
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda facts, bytes_read: None,
) -> CheckedLog:
    """Check every fact of the log; ``sizes`` and ``leaves``: where roots and leaf hashes are wanted. Raises CannotRead."""
    joined = _Joined(files, findings)
    read = [0]
    with_tiles = isinstance(files, TileFolder)
    jobs = _jobs(
        blocks(files.facts(lambda done: read.__setitem__(0, done))), sorted(sizes), sorted(leaves), with_tiles
    )
    for examined in _examined(jobs, processes):
        joined.add(examined)
        progress(joined.log.facts, read[0])
    joined.finish()
    return joined.log


def _jobs(
    found: Iterator[list[bytes]], sizes: Sequence[int], leaves: Sequence[int], with_tiles: bool
) -> Iterator[Block]:
    first = 1
    for lines in found:
        last = first + len(lines) - 1
        asked = sizes[bisect_left(sizes, first) : bisect_right(sizes, last)]
        wanted = leaves[bisect_left(leaves, first) : bisect_right(leaves, last)]
        yield Block(first, lines, asked, wanted, with_tiles)
        first = last + 1


def _examined(jobs: Iterator[Block], processes: int) -> Iterator[Examined]:
    if processes == 1:
        yield from map(examine, jobs)
        return
    under_way: deque[Future[Examined]] = deque()
    with ProcessPoolExecutor(processes) as pool:
        for job in jobs:
            under_way.append(pool.submit(examine, job))
            if len(under_way) > 2 * processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


class _Joined:
    """The blocks so far."""

    def __init__(self, files: LogFiles, findings: Findings) -> None:
        self.log = CheckedLog(files.place)
        self._files, self._findings = files, findings
        self._tree, self._event_ids = Frontier(), EventIds()
        self._ends: dict[str, StreamEnd] = {}
        self._last: Row | None = None
        self._sealed_with: dict[str, TextUse] = {}
        self._texts_under: Counter[str] = Counter()
        self._levels: list[list[bytes]] = [[]]

    def add(self, block: Examined) -> None:
        """The next one."""
        log, low = self.log, self.log.facts
        for size, nodes in block.roots.items():
            log.roots[size] = folded([*self._tree.nodes, *nodes])
        log.leaves |= block.leaves
        self._compare_leaves(block, low)
        self._tree.add_block(block.facts, block.nodes)
        log.facts += block.facts
        log.texts += block.texts
        self._sealed_with |= block.sealed_with
        self._texts_under += block.texts_under
        self._event_ids.add(block.event_ids)
        self._found(block.findings)
        if block.rows is not None:
            self._join(block, *block.rows)
        for fact in block.told:
            self._take(fact)

    def _join(self, block: Examined, first: Row, last: Row) -> None:
        if self._last is not None:
            self._found(out_of_order(self._last, first))
        else:
            self._begin(first)
        for stream, then in block.begins.items():
            end = self._ends.get(stream)
            if then.version != (end[1] if end else 0) + 1 or then.previous != (end[2].hex() if end else None):
                self._found(broken(stream, end, then))
        self._ends |= block.ends
        self._last, self.log.last_recorded_at = last, last.recorded_at

    def _begin(self, first: Row) -> None:
        self.log.workspace, self.log.first_recorded_at = first.workspace, first.recorded_at
        if first.seq != 1:
            detail = f"the log begins with {first.seq}"
            self._found([Finding("seq_wrong", detail, "", first.seq, None, first.event_id, first.stream)])

    def _take(self, fact: Json) -> None:
        if fact["type"] == "PersonShredded":
            self.log.shredded.setdefault(fact["stream"], fact["seq"])
        elif fact["type"] == "StoreRestored":
            self._take_epoch(fact)

    def _take_epoch(self, fact: Json) -> None:
        seq = fact["seq"]
        try:
            told: StoreRestored = wire.decode(StoreRestored, fact["data"])
        except ValueError as wrong:
            self._found([_of("not_a_fact", str(wrong)[:200], fact)])
            return
        if told.fork_seq != seq - 1 or told.epoch <= self.log.epoch:
            detail = f"epoch {told.epoch} after {self.log.epoch}, {told.fork_seq} named as the last fact kept"
            self._found([_of("epoch_wrong", detail, fact)])
        lost = frozenset((one.seq, one.root) for one in told.lost_heads)
        self.log.epochs.append(Epoch(told.epoch, told.fork_seq, lost))

    def finish(self) -> None:
        """After the last block."""
        self.log.root, self.log.streams = self._tree.root, len(self._ends)
        self.log.erased = sum(self._texts_under[one] for one in self.log.shredded)
        self._found(self._files.findings, "")
        for key_id, use in self._sealed_with.items():
            shredded = self.log.shredded.get(key_id)
            if shredded is not None and use.seq > shredded:
                detail = f"{key_id} was shredded by fact {shredded}"
                self._found([Finding("text_after_shredding", detail, "", use[0], None, use[1], use[2])])
        for first, second in self._event_ids.twice():
            self._found([Finding("event_id_twice", f"also that of fact {first + 1}", seq=second + 1)])
        self._compare_levels()

    def _found(self, found: Iterable[Finding], place: str | None = None) -> None:
        where = self._files.place if place is None else place
        self._findings.add(*(_at(one, where) for one in found))

    def _compare_leaves(self, block: Examined, low: int) -> None:
        """The tiles of level 0 with the facts' hashes."""
        if not isinstance(self._files, TileFolder):
            return
        self._levels[0] += block.tiles
        for at in range(0, block.facts, TILE):
            hashes = block.hashes[32 * at : 32 * (at + TILE)]
            self._compare_tile(self._files, 0, (low + at) // TILE, hashes)

    def _compare_levels(self) -> None:
        """The tiles above: each hash is the root of a whole tile below."""
        if not isinstance(self._files, TileFolder):
            return
        level, hashes = 1, self._levels[0]
        while hashes:
            for at in range(0, len(hashes), TILE):
                self._compare_tile(self._files, level, at // TILE, b"".join(hashes[at : at + TILE]))
            whole = len(hashes) // TILE * TILE
            hashes = [perfect_root(hashes[at : at + TILE]) for at in range(0, whole, TILE)]
            level += 1

    def _compare_tile(self, files: TileFolder, level: int, number: int, hashes: bytes) -> None:
        read = files.tile(level, number)
        if read is None or hashes.startswith(read[1]):
            return
        pairs = range(0, max(len(read[1]), len(hashes)), 32)
        first = next(at for at in pairs if read[1][at : at + 32] != hashes[at : at + 32]) // 32
        leaves = TILE**level
        low = (number * TILE + first) * leaves + 1
        upto = low + leaves - 1 if level else None
        self._found([Finding("tile_differs", f"its hash {first}", read[0], low, upto)])


def _at(one: Finding, place: str) -> Finding:
    return one if one.place or not place else Finding(one.code, one.detail, place, *_rest(one))


def _rest(one: Finding) -> tuple[int | None, int | None, str | None, str | None]:
    return one.seq, one.upto, one.event_id, one.stream


def _of(code: str, detail: str, fact: Json) -> Finding:
    return Finding(code, detail, "", fact["seq"], None, fact["event_id"], fact["stream"])
