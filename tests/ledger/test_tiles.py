"""Tiles: their names and widths as C2SP tlog-tiles gives them, and proofs from tiles equal to proofs from all leaves."""

from __future__ import annotations

from hashlib import sha256

import pytest
from goal_ledger_ledger.merkle import (
    LeafSpan,
    consistency_path,
    consistency_proof,
    inclusion_path,
    inclusion_proof,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from goal_ledger_ledger.tiles import (
    Tile,
    is_of,
    nodes_from,
    number_path,
    parse_level,
    parse_number_path,
    root_from,
    tiles_for,
    width_at,
)
from hypothesis import given
from hypothesis import strategies as st

LEAVES = [sha256(b"%d" % number).digest() for number in range(2000)]
sizes = st.integers(1, len(LEAVES))


def mth(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 over leaf hashes, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def tile_as_specified(tile: Tile) -> bytes:
    """The n-th tile at level l: MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]) for each i."""
    under = 256**tile.level
    first = tile.number * 256
    return b"".join(mth(LEAVES[i * under : (i + 1) * under]) for i in range(first, first + tile.width))


def read(tiles: list[Tile]) -> dict[Tile, bytes]:
    return {tile: tile_as_specified(tile) for tile in tiles}


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "000"),
        (67, 256, "067"),
        (999, 1, "999.p/1"),
        (1000, 256, "x001/000"),
        (1234067, 256, "x001/x234/067"),
        (1234067, 255, "x001/x234/067.p/255"),
    ],
)
def test_numbers_are_written_as_the_specification_writes_them(number: int, width: int, path: str) -> None:
    assert number_path(number, width) == path
    assert parse_number_path(path) == (number, width)


@given(st.integers(0, 10**18), st.integers(1, 256))
def test_every_number_is_read_back(number: int, width: int) -> None:
    assert parse_number_path(number_path(number, width)) == (number, width)


@pytest.mark.parametrize(
    "paths",
    (
        ["", "0", "67", "0067", "x000/067", "x001/67", "001/067", "x001", "067.p/0", "067.p/256", "067.p/01"],
        ["067.p/", "067.p", "067/", "/067", "-01", "x001/x067", "٠٦٧", "067\n", "x001/" * 7 + "001"],
    ),
)
def test_a_number_written_in_another_way_is_none(paths: list[str]) -> None:
    for path in paths:
        with pytest.raises(ValueError, match="number of a tile"):
            parse_number_path(path)


@pytest.mark.parametrize("text", ["", "00", "01", "64", "100", "-1", "x", "٣"])
def test_a_level_written_in_another_way_is_none(text: str) -> None:
    assert [parse_level("0"), parse_level("63")] == [0, 63]
    with pytest.raises(ValueError, match="not a level"):
        parse_level(text)


def test_a_tree_of_70000_has_the_tiles_of_the_specifications_example() -> None:
    assert [width_at(0, number, 70_000) for number in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_at(1, number, 70_000) for number in (0, 1, 2)] == [256, 17, 0]
    assert [width_at(2, number, 70_000) for number in (0, 1)] == [1, 0]
    assert [width_at(level, 0, 256) for level in range(3)] == [256, 1, 0]
    assert not is_of(Tile(0, 274, 1), 70_000)
    assert not is_of(Tile(0, 273, 113), 70_000)
    assert is_of(Tile(0, 273, 3), 70_000)


@given(sizes, st.data())
def test_inclusion_from_tiles_is_that_from_all_leaves(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size)
    proof = nodes_from(read(tiles_for(path, size)), path, size)
    assert proof == inclusion_proof(LEAVES[:size], index)
    assert verify_inclusion(LEAVES[index], index, size, proof, mth(LEAVES[:size]))


@given(sizes, st.data())
def test_consistency_from_tiles_is_that_from_all_leaves(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    path = consistency_path(old, size)
    proof = nodes_from(read(tiles_for(path, size)), path, size)
    assert proof == consistency_proof(LEAVES[:size], old)
    assert verify_consistency(old, root_of(LEAVES[:old]), size, mth(LEAVES[:size]), proof)


@given(sizes)
def test_the_root_follows_from_the_tiles_at_the_right_edge(size: int) -> None:
    assert root_from(read(tiles_for([LeafSpan(0, size)], size)), size) == mth(LEAVES[:size])


@given(st.integers(1, 10**9), st.data())
def test_a_proof_needs_at_most_two_tiles_of_each_level_and_one_partial(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    levels = 1 + (size.bit_length() - 1) // 8
    for path in (inclusion_path(index, size), consistency_path(old, size)):
        tiles = tiles_for(path, size)
        assert all(is_of(tile, size) for tile in tiles)
        for level in range(levels):
            of_level = [tile for tile in tiles if tile.level == level]
            assert len(of_level) <= 2
            assert sum(tile.width < 256 for tile in of_level) <= 1


def test_a_proof_from_a_tile_that_was_changed_does_not_verify() -> None:
    size, index = 1500, 700
    path = inclusion_path(index, size)
    tiles = tiles_for(path, size)
    for changed in tiles:
        held = read(tiles)
        held[changed] = bytes([held[changed][0] ^ 1]) + held[changed][1:]
        first = changed.number * 256 * 256**changed.level
        proof = nodes_from(held, path, size)
        counts = any(low <= first < high for low, high in path)
        assert verify_inclusion(LEAVES[index], index, size, proof, mth(LEAVES[:size])) is not counts
    assert len(tiles) >= 3
