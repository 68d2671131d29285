"""The tree of the ledger, against the certificate-transparency vectors. Other implementations: tests/oracles."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.errors import ConsistencyFailed, InclusionFailed, LedgerFormatError, MissingNode
from trace.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeId,
    assemble,
    consistency_path,
    consistency_plan,
    frontier_nodes,
    frontier_of,
    inclusion_path,
    inclusion_plan,
    leaf_hash,
    node_hash,
    nodes_needed,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The leaves, roots and proofs of the certificate-transparency reference implementation.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
H1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
H23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
H4567 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
H4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
H45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
H67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
H0123 = CT_ROOTS[4]

SIZES = st.integers(1, 300)


class Store:
    """A log's nodes as the database would keep them, grown one leaf at a time."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.leaves = [leaf_hash(entry) for entry in entries]
        self.nodes = {NodeId(0, i): leaf for i, leaf in enumerate(self.leaves)}
        self.roots = [EMPTY_ROOT]
        self.edges = [Frontier()]
        for leaf in self.leaves:
            edge, complete = self.edges[-1].append(leaf)
            self.nodes |= {NodeId(node.level, node.number): node.hash for node in complete}
            self.edges.append(edge)
            self.roots.append(edge.root())

    def node(self, level: int, number: int) -> bytes:
        return self.nodes[NodeId(level, number)]


LOG = Store([b"entry %d" % i for i in range(301)])


def recursive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


def unhex(*texts: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(text) for text in texts)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    leaves = [leaf_hash(entry) for entry in CT_LEAVES[:size]]
    assert root_of(leaves).hex() == CT_ROOTS[size]
    assert Frontier().extend(leaves)[0].root().hex() == CT_ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []), (0, 2, [H1]), (2, 3, [CT_ROOTS[2]]), (1, 5, [CT_ROOTS[1], H23, H4]),
        (0, 8, [H1, H23, H4567]), (5, 8, [H4, H67, H0123]),
    ],
)  # fmt: skip
def test_inclusion_proofs_are_those_of_certificate_transparency(
    index: int, size: int, path: list[str]
) -> None:
    store = Store(CT_LEAVES)
    assert inclusion_path(index, size, store.node) == unhex(*path)
    verify_inclusion(store.leaves[index], index, size, unhex(*path), bytes.fromhex(CT_ROOTS[size]))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [H1, H23, H4567]), (6, 8, [H45, H67, H0123]), (2, 5, [H23, H4]), (4, 8, [H4567])],
)
def test_consistency_proofs_are_those_of_certificate_transparency(
    old: int, new: int, path: list[str]
) -> None:
    store = Store(CT_LEAVES)
    assert consistency_path(old, new, store.node) == unhex(*path)
    old_root, new_root = unhex(CT_ROOTS[old], CT_ROOTS[new])
    verify_consistency(old, new, old_root, new_root, unhex(*path))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_the_growing_edge_agrees_with_the_recursive_definition(entries: list[bytes], cut: int) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    first, below = Frontier().extend(leaves[:cut])
    edge, above = first.extend(leaves[cut:])
    assert edge.root() == root_of(leaves) == recursive_root(leaves)
    for level, number, value in below + above:
        assert value == recursive_root(leaves[number << level : (number + 1) << level])
    assert len(below + above) == sum(len(leaves) >> level for level in range(1, 8))


@settings(max_examples=60, deadline=None)
@given(SIZES)
def test_the_edge_can_be_rebuilt_from_stored_nodes(size: int) -> None:
    assert frontier_of(size, LOG.nodes) == LOG.edges[size]
    assert all(node in LOG.nodes for node in frontier_nodes(size))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_entry_can_be_shown_to_be_in_every_later_log(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, LOG.node)
    verify_inclusion(LOG.leaves[index], index, size, path, LOG.roots[size])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_log_can_be_shown_to_continue_every_earlier_one(data: st.DataObject) -> None:
    new = data.draw(SIZES)
    old = data.draw(st.integers(0, new))
    path = consistency_path(old, new, LOG.node)
    verify_consistency(old, new, LOG.roots[old], LOG.roots[new], path)


def test_all_small_proofs_hold_and_none_fits_another_place() -> None:
    for size in range(1, 18):
        for index in range(size):
            path = inclusion_path(index, size, LOG.node)
            for other in range(size):
                if other == index:
                    verify_inclusion(LOG.leaves[index], index, size, path, LOG.roots[size])
                else:
                    with pytest.raises(InclusionFailed):
                        verify_inclusion(LOG.leaves[index], other, size, path, LOG.roots[size])
        for old in range(size + 1):
            path = consistency_path(old, size, LOG.node)
            verify_consistency(old, size, LOG.roots[old], LOG.roots[size], path)
            for other in set(range(1, size + 1)) - {old}:
                with pytest.raises(ConsistencyFailed):
                    verify_consistency(other, size, LOG.roots[old], LOG.roots[size], path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_an_inclusion_proof(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    parts = [LOG.leaves[index], LOG.roots[size], *inclusion_path(index, size, LOG.node)]
    place, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[place] = flip(parts[place], bit)
    with pytest.raises(InclusionFailed):
        verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_a_consistency_proof(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    parts = [LOG.roots[old], LOG.roots[new], *consistency_path(old, new, LOG.node)]
    place, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[place] = flip(parts[place], bit)
    with pytest.raises(ConsistencyFailed):
        verify_consistency(old, new, parts[0], parts[1], parts[2:])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_proof_with_a_hash_too_many_or_too_few_fails(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    included = inclusion_path(old, new, LOG.node)
    consistent = consistency_path(old, new, LOG.node)
    for path in (included[:-1], included[1:], (*included, bytes(32)), (bytes(32), *included), included * 20):
        with pytest.raises(InclusionFailed):
            verify_inclusion(LOG.leaves[old], old, new, path, LOG.roots[new])
    for path in (consistent[:-1], consistent[1:], (*consistent, bytes(32)), (bytes(32), *consistent)):
        with pytest.raises(ConsistencyFailed):
            verify_consistency(old, new, LOG.roots[old], LOG.roots[new], path)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-1, 2**64), st.integers(-1, 2**64), st.lists(st.binary(min_size=31, max_size=33), max_size=70)
)
def test_invented_proofs_fail_without_a_crash(first: int, second: int, path: list[bytes]) -> None:
    with pytest.raises(InclusionFailed):
        verify_inclusion(bytes(32), first, second, path, bytes(32))
    if not 0 < first == second or path:
        with pytest.raises(ConsistencyFailed):
            verify_consistency(first, second, bytes(32), bytes(32), path)


def test_the_empty_log_and_the_log_of_one_are_special() -> None:
    one = LOG.leaves[0]
    assert Frontier().root() == root_of([]) == EMPTY_ROOT
    assert frontier_of(0, {}) == Frontier()
    verify_inclusion(one, 0, 1, [], one)
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    verify_consistency(0, 1, EMPTY_ROOT, one, [])
    verify_consistency(1, 1, one, one, [])
    with pytest.raises(InclusionFailed, match="no leaf 0"):
        verify_inclusion(one, 0, 0, [], EMPTY_ROOT)
    with pytest.raises(ConsistencyFailed, match="empty tree"):
        verify_consistency(0, 1, one, one, [])
    with pytest.raises(ConsistencyFailed, match="nothing to prove"):
        verify_consistency(0, 1, EMPTY_ROOT, one, [one])
    with pytest.raises(ConsistencyFailed, match="forked"):
        verify_consistency(1, 1, one, LOG.leaves[1], [])
    with pytest.raises(ConsistencyFailed, match="cannot continue"):
        verify_consistency(2, 1, LOG.roots[2], one, [])


def test_a_proof_asks_for_few_nodes_and_says_which_one_is_missing() -> None:
    plan = inclusion_plan(5, 300)
    assert len(nodes_needed(plan)) <= 12
    assert assemble(plan, LOG.nodes) == inclusion_path(5, 300, LOG.node)
    with pytest.raises(MissingNode, match="node 4 at level 0"):
        assemble(plan, {key: value for key, value in LOG.nodes.items() if key != NodeId(0, 4)})


def test_proofs_that_nobody_could_make_are_not_planned() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(InclusionFailed):
            inclusion_plan(index, size)
    with pytest.raises(ConsistencyFailed):
        consistency_plan(5, 4)


def test_an_edge_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(LedgerFormatError, match="edge hashes"):
        Frontier(3, (bytes(32),))
    with pytest.raises(LedgerFormatError, match="32 bytes"):
        Frontier(1, (bytes(31),))
    with pytest.raises(LedgerFormatError):
        Frontier(-1)
    with pytest.raises(LedgerFormatError, match="31 bytes"):
        Frontier().append(bytes(31))
