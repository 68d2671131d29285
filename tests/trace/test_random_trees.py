"""Random trees: every proof of every size up to some hundred holds, nothing tampered with does, tiles hold it all."""

import random
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace.test_merkle import Store, flip
from trace.ledger.errors import ConsistencyFailed, InclusionFailed
from trace.ledger.merkle import (
    NodeId,
    consistency_path,
    frontier_nodes,
    frontier_of,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from trace.ledger.tiles import ENTRIES, Tile, decode_entries, decode_hashes, encode_entries, encode_hashes, tiles_at

SEEDS = st.integers(0, 2**32)
ALL = 320
MOST = 1500


@cache
def grown(seed: int, size: int) -> tuple[Store, list[bytes]]:
    """A tree over random entries of random lengths."""
    chance = random.Random(seed)
    entries = [chance.randbytes(chance.choice((0, 1, 31, 32, 33, 64, 65, 300))) for _ in range(size)]
    return Store(entries), entries


def test_every_proof_of_every_size_holds() -> None:
    store, _ = grown(6962, ALL)
    for size in range(1, ALL + 1):
        root = store.roots[size]
        for index in range(size):
            path = inclusion_path(index, size, store.node)
            assert len(path) <= (size - 1).bit_length()
            verify_inclusion(store.leaves[index], index, size, path, root)
        for old in range(size + 1):
            path = consistency_path(old, size, store.node)
            verify_consistency(old, size, store.roots[old], root, path)


def _tampered(data: st.DataObject, path: Sequence[bytes], other: bytes) -> tuple[bytes, ...]:
    """A path that differs: a bit, a hash too many or too few, two that changed places."""
    ways = ["bit", "drop", "add", "other"] if path else ["add"]
    way = data.draw(st.sampled_from([*ways, "swap"] if len(set(path)) > 1 else ways))
    changed = list(path)
    at = data.draw(st.integers(0, len(path) - (way != "add")))
    if way == "bit":
        changed[at] = flip(changed[at], data.draw(st.integers(0, 255)))
    elif way == "drop":
        del changed[at]
    elif way == "add":
        changed.insert(at, other)
    elif way == "other":
        changed[at] = other
    else:
        to = next(number for number in range(len(path)) if changed[number] != changed[at])
        changed[at], changed[to] = changed[to], changed[at]
    return tuple(changed)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.data())
def test_a_tampered_inclusion_proof_never_holds(seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 90))
    store, _ = grown(seed % 8, 90)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, store.node)
    leaf, root, other = store.leaves[index], store.roots[size], leaf_hash(b"another")
    verify_inclusion(leaf, index, size, path, root)
    for forged in (
        (leaf, index, size, _tampered(data, path, other), root),
        (other, index, size, path, root),
        (leaf, index, size, path, other),
        (leaf, index, size, path, store.roots[size - 1]),
        (leaf, data.draw(st.integers(0, 2**64).filter(lambda wrong: wrong != index)), size, path, root),
    ):
        with pytest.raises(InclusionFailed):
            verify_inclusion(*forged)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.data())
def test_a_tampered_consistency_proof_never_holds(seed: int, data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 90))
    old = data.draw(st.integers(1, new - 1))
    store, _ = grown(seed % 8, 90)
    path = consistency_path(old, new, store.node)
    first, second, other = store.roots[old], store.roots[new], leaf_hash(b"another")
    verify_consistency(old, new, first, second, path)
    for forged in (
        (old, new, first, second, _tampered(data, path, other)),
        (old, new, other, second, path),
        (old, new, first, other, path),
        (old, new, second, first, path),
        (new, old, second, first, path),
        (old, new, first, store.roots[new - 1], path),
    ):
        with pytest.raises(ConsistencyFailed):
            verify_consistency(*forged)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, MOST))
def test_tiles_of_any_size_lead_back_to_the_root(seed: int, size: int) -> None:
    store, entries = grown(seed % 2, MOST)
    published = {
        tile.format(): encode_entries(entries[tile.start : tile.start + tile.width])
        if tile.level == ENTRIES
        else encode_hashes([store.nodes[node] for node in tile.nodes])
        for tile in tiles_at(size)
    }
    read = {Tile.parse(path): data for path, data in published.items()}
    bundles = [decode_entries(data, tile.width) for tile, data in read.items() if tile.level == ENTRIES]
    told = [entry for bundle in bundles for entry in bundle]
    assert told == entries[:size]
    hashes = {
        node: value
        for tile, data in read.items()
        if tile.level != ENTRIES
        for node, value in zip(tile.nodes, decode_hashes(data, tile.width), strict=True)
    }
    assert root_of([leaf_hash(entry) for entry in told]) == store.roots[size]
    assert root_of([hashes[NodeId(0, index)] for index in range(size)]) == store.roots[size]
    # The short way: the right edge alone, each of its nodes from the highest tile that has it.
    edge = {node: _from_tiles(node, hashes) for node in frontier_nodes(size)}
    assert frontier_of(size, edge).root() == store.roots[size]


def _from_tiles(node: NodeId, hashes: dict[NodeId, bytes]) -> bytes:
    level = node.level // 8 * 8
    width = 1 << (node.level - level)
    return root_of([hashes[NodeId(level, node.number * width + number)] for number in range(width)])
