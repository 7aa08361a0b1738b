"""The Merkle tree: the vectors of RFC 6962 / Certificate Transparency, and properties."""

from __future__ import annotations

from hashlib import sha256

import pytest
from goal_ledger_ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    consistency_proof,
    inclusion_path,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from hypothesis import given
from hypothesis import strategies as st

# The entries and roots of Certificate Transparency's reference tests (merkletree/merkle_tree_test).
ENTRIES = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [sha256(b"\x00" + entry).digest() for entry in ENTRIES]

leaf = st.binary(min_size=32, max_size=32)


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as the RFC writes it down."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


def test_the_empty_tree_has_the_hash_of_nothing():
    assert (
        Frontier().root
        == EMPTY_ROOT
        == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_leaf_is_the_hash_of_a_zero_byte_and_the_entry(entry: bytes):
    assert leaf_hash(entry) == sha256(b"\x00" + entry).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size: int):
    assert root_of(HASHES[:size]).hex() == ROOTS[size - 1]


def test_an_inclusion_path_is_that_of_the_reference():
    assert [node.hex() for node in inclusion_proof(HASHES, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_a_consistency_path_is_that_of_the_reference():
    assert [node.hex() for node in consistency_proof(HASHES, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(leaf, max_size=70), st.data())
def test_a_frontier_grown_in_any_steps_gives_the_root_of_all_leaves(leaves: list[bytes], data: st.DataObject):
    frontier, at = Frontier(), 0
    while at < len(leaves):
        step = data.draw(st.integers(1, len(leaves) - at))
        frontier = frontier.append(leaves[at : at + step])
        frontier = Frontier.from_bytes(frontier.size, frontier.to_bytes())
        at += step
    assert frontier.root == recursive_root(leaves)
    assert frontier.size == len(leaves)


@given(st.lists(leaf, min_size=1, max_size=40, unique=True), st.data())
def test_an_inclusion_proof_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = inclusion_proof(leaves, index), root_of(leaves)
    assert verify_inclusion(leaves[index], index, len(leaves), proof, root)
    other = data.draw(st.integers(0, len(leaves) - 1).filter(lambda at: at != index or len(leaves) == 1))
    if other != index:
        assert not verify_inclusion(leaves[other], index, len(leaves), proof, root)
        assert not verify_inclusion(leaves[index], other, len(leaves), proof, root)
    assert not verify_inclusion(leaves[index], index, len(leaves), [*proof, root], root)


@given(st.lists(leaf, min_size=1, max_size=40, unique=True), st.data())
def test_a_consistency_proof_proves_a_prefix_and_nothing_else(leaves: list[bytes], data: st.DataObject):
    old = data.draw(st.integers(0, len(leaves)))
    proof = consistency_proof(leaves, old)
    old_root, root = root_of(leaves[:old]), root_of(leaves)
    assert verify_consistency(old, old_root, len(leaves), root, proof)
    if old:
        forked = [bytes([leaves[0][0] ^ 1]) + leaves[0][1:], *leaves[1:old]]
        assert not verify_consistency(old, root_of(forked), len(leaves), root, proof)
        swapped = bytes([root[0] ^ 1]) + root[1:]
        assert not verify_consistency(old, old_root, len(leaves), swapped, proof)


def test_a_frontier_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="2 nodes"):
        Frontier.from_bytes(3, b"\x00" * 32)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (4, 3), (1, 1), (0, 0)])
def test_a_leaf_outside_the_log_is_never_proven(index: int, size: int):
    with pytest.raises(IndexError, match=f"no leaf {index} in a log of {size}"):
        inclusion_path(index, size)
    for leaf in HASHES[:3]:
        assert verify_inclusion(leaf, index, size, [], leaf) is False
        assert (
            verify_inclusion(leaf, index, size, inclusion_proof(HASHES[:3], 2), root_of(HASHES[:3])) is False
        )


@pytest.mark.parametrize("size", range(1, 9))
def test_an_inclusion_proof_with_a_node_more_or_less_proves_nothing(size: int):
    leaves, root = HASHES[:size], root_of(HASHES[:size])
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert verify_inclusion(leaves[index], index, size, proof, root) is True
        above = node_hash(root, HASHES[7]), node_hash(HASHES[7], root)
        assert not any(verify_inclusion(leaves[index], index, size, [*proof, HASHES[7]], it) for it in above)
        if proof:
            assert verify_inclusion(leaves[index], index, size, proof[:-1], root) is False


@pytest.mark.parametrize(("old_size", "size"), [(-1, 3), (4, 3), (1, 0)])
def test_a_log_that_cannot_be_the_beginning_is_never_proven(old_size: int, size: int):
    with pytest.raises(IndexError, match=f"no earlier log of {old_size} in a log of {size}"):
        consistency_path(old_size, size)
    assert verify_consistency(old_size, EMPTY_ROOT, size, EMPTY_ROOT, []) is False


def test_what_needs_no_proof_takes_none():
    root = root_of(HASHES)
    assert consistency_path(0, 8) == consistency_path(8, 8) == []
    assert verify_consistency(0, EMPTY_ROOT, 8, root, []) and verify_consistency(8, root, 8, root, [])
    assert not verify_consistency(0, root, 8, root, [])
    assert not verify_consistency(0, EMPTY_ROOT, 8, root, [root])
    assert not verify_consistency(8, EMPTY_ROOT, 8, root, [])
    assert not verify_consistency(8, root, 8, root, [root])


def test_a_consistency_proof_with_a_node_more_or_less_proves_nothing():
    root = root_of(HASHES[:7])
    for old in range(1, 7):
        old_root, proof = root_of(HASHES[:old]), consistency_proof(HASHES[:7], old)
        assert verify_consistency(old, old_root, 7, root, proof)
        assert not verify_consistency(old, old_root, 7, root, [])
        assert not verify_consistency(old, old_root, 7, root, proof[:-1])
        above = node_hash(root, HASHES[7]), node_hash(HASHES[7], root)
        assert not any(verify_consistency(old, old_root, 7, it, [*proof, HASHES[7]]) for it in above)


def test_every_pair_of_sizes_and_every_leaf_up_to_33_is_proven():
    leaves = [sha256(b"\x00%d" % at).digest() for at in range(33)]
    roots = [root_of(leaves[:size]) for size in range(34)]
    for size in range(1, 34):
        for old in range(size + 1):
            proof = consistency_proof(leaves[:size], old)
            assert verify_consistency(old, roots[old], size, roots[size], proof)
        for index in range(size):
            proof = inclusion_proof(leaves[:size], index)
            assert verify_inclusion(leaves[index], index, size, proof, roots[size])
