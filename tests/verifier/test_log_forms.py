"""What a log may come as: tiles as they are served, gzip, epochs after a restore, cosigned heads; and what is odd in each."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from goal_ledger_contracts.envelope import from_bytes, leaf_hash, to_bytes
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.workspace import LostHead, StoreRestored
from goal_ledger_ledger.merkle import root_of
from goal_ledger_ledger.tiles import WIDTH, Tile, width_at
from goal_ledger_verifier import main
from goal_ledger_verifier.notes import parse_head
from goal_ledger_verifier.report import Report

from verifier.signed import Signed, signed_life, verified

FACTS = 600


def tiles_of(leaves: list[bytes]) -> Iterator[tuple[Tile, list[bytes]]]:
    level, below = 0, leaves
    while below:
        for number in range((len(below) + WIDTH - 1) // WIDTH):
            width = width_at(level, number, len(leaves))
            yield Tile(level, number, width), below[number * WIDTH : number * WIDTH + width]
        whole = len(below) // WIDTH
        below = [root_of(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(whole)]
        level += 1


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def tiles(tmp_path: Path) -> tuple[Signed, Path]:
    """A log as a folder of tiles, the entries gzipped."""
    of, folder = signed_life(5, FACTS, head_every=200), tmp_path / "log"
    for tile, hashes in tiles_of([leaf_hash(line) for line in of.lines]):
        write(folder / tile.path, b"".join(hashes))
        if tile.level == 0:
            entries = of.lines[tile.number * WIDTH : tile.number * WIDTH + tile.width]
            bundle = b"".join(len(one).to_bytes(2) + one for one in entries)
            write(folder / tile.path.replace("tile/0", "tile/entries"), gzip.compress(bundle))
    write(folder / "checkpoint", of.heads[-1].encode())
    return of, folder


def checked(folder: Path, *words: str) -> Report:
    return main.verify(main.arguments([str(folder), *words]), lambda facts, share: None)


def codes(report: Report) -> list[tuple[str, int | None]]:
    return [(one.code, one.seq) for one in report.findings.kept]


def test_a_folder_of_tiles_is_checked_with_its_own_checkpoint(tiles: tuple[Signed, Path]) -> None:
    of, folder = tiles
    report = checked(folder, "--key", of.key)
    assert (report.exit_code, report.log.facts, report.remarks) == (0, len(of.lines), [])
    assert report.checked["of them signed by a key given"] == 1


def test_a_changed_hash_in_a_tile_is_named_by_its_fact(tiles: tuple[Signed, Path]) -> None:
    of, folder = tiles
    path = folder / "tile/0/001"
    content = path.read_bytes()
    path.write_bytes(content[:320] + bytes(32) + content[352:])
    assert codes(checked(folder, "--key", of.key)) == [("tile_differs", 267)]


def test_a_missing_bundle_and_an_older_checkpoint_are_named(
    tiles: tuple[Signed, Path], tmp_path: Path
) -> None:
    of, folder = tiles
    kept = tmp_path / "kept"
    kept.write_text(of.heads[-1])
    (folder / "checkpoint").write_text(of.heads[0])
    assert codes(checked(folder, "--key", of.key, "--head", str(kept))) == [("head_older_than_kept", None)]
    (folder / "tile/entries/001").unlink()
    found = codes(checked(folder, "--key", of.key, "--head", str(kept)))
    assert ("bundle_missing", 257) in found and ("head_beyond_log", 257) in found


def test_a_gzipped_log_is_read_as_the_plain_one(tmp_path: Path) -> None:
    of = signed_life(6)
    log, head = tmp_path / "log.jsonl.gz", tmp_path / "head"
    log.write_bytes(gzip.compress(b"".join(line + b"\n" for line in of.lines)))
    head.write_text(of.heads[-1])
    assert checked(log, "--key", of.key, "--head", str(head)).exit_code == 0


def test_heads_of_an_epoch_that_is_over_count_up_to_its_fork(tmp_path: Path) -> None:
    before = signed_life(7)
    fork = 60
    kept = Signed(before.workspace, before.lines[:fork])
    lost = parse_head(before.heads[-1], "")
    restored = _restored(kept, StoreRestored(fork, 2, (LostHead(lost.size, lost.root.hex()),)))
    after = replace(kept, lines=[*kept.lines, restored], epoch=2)
    heads = [before.heads[0], before.heads[-1], after.head(fork + 1)]
    report = verified(tmp_path, after.lines, before.key, heads)
    assert (report.findings.kept, report.log.epoch) == ([], 2)
    assert [one.fork for one in report.log.epochs] == [fork]
    (found,) = verified(tmp_path, after.lines, before.key, [before.heads[7]]).findings.kept
    assert (found.code, found.seq, found.upto) == ("head_lost", fork + 1, 80)
    wrong = replace(kept, lines=[*kept.lines, _restored(kept, StoreRestored(fork - 1, 1))])
    (found,) = verified(tmp_path, wrong.lines, before.key, []).findings.kept
    assert (found.code, found.seq) == ("epoch_wrong", fork + 1)


def _restored(kept: Signed, data: StoreRestored) -> bytes:
    """The first fact of an epoch, in the workspace's stream."""
    facts = [from_bytes(line) for line in kept.lines]
    stream = f"workspace/{kept.workspace}"
    last = max((one for one in facts if one.stream == stream), key=lambda one: one.seq)
    return to_bytes(
        replace(
            facts[-1],
            event_id=uuid7(),
            seq=len(facts) + 1,
            stream=stream,
            version=last.version + 1,
            data=data,
            actor="operator",
            previous=leaf_hash(kept.lines[last.seq - 1]).hex(),
            origin=None,
        )
    )


def test_a_log_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([str(tmp_path / "acme.jsonl")])
    said = f"goal-ledger-verify: {tmp_path / 'acme.jsonl'}: there is no such file or folder\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, said)
