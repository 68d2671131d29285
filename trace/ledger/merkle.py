"""The RFC 6962 Merkle tree: hashing, the growing edge, and proofs.

Everything takes and gives 32-byte SHA-256 hashes. A *complete* node (level, number) is the hash over the
leaves [number·2^level, (number+1)·2^level); such nodes never change once they exist, so storage keeps only
those. Proofs are made in two halves: a plan that lists the complete nodes needed (one query), and `assemble`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trace.ledger.encoding import MAX_SIZE
from trace.ledger.errors import ConsistencyFailed, InclusionFailed, LedgerFormatError, MissingNode

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_LONGEST_PATH = 64


class NodeId(NamedTuple):
    """Where a complete node stands: level 0 is the leaves, numbers count from the left."""

    level: int
    number: int


class Node(NamedTuple):
    """A complete node and its hash."""

    level: int
    number: int
    hash: bytes


Plan = tuple[tuple[NodeId, ...], ...]
"""For each hash of a proof, the complete nodes (left to right) that fold into it."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA256(0x00 ‖ entry), RFC 6962 §2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA256(0x01 ‖ left ‖ right), RFC 6962 §2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes, in linear time; EMPTY_ROOT for none."""
    if not leaf_hashes:
        return EMPTY_ROOT
    row = list(leaf_hashes)
    while len(row) > 1:
        # A node without a right neighbour rises unchanged, which is RFC 6962's split at a power of two.
        above = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = above + row[len(row) & ~1 :]
    return row[0]


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree (a compact range): all that is needed to append and to know the root.

    `hashes` are the roots of the complete subtrees that `size` decomposes into, largest (leftmost) first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_size(self.size)
        if len(self.hashes) != self.size.bit_count():
            raise LedgerFormatError(
                f"{self.size} leaves have {self.size.bit_count()} edge hashes, not {len(self.hashes)}"
            )
        if any(len(value) != HASH_BYTES for value in self.hashes):
            raise LedgerFormatError("an edge hash is not 32 bytes")

    def append(self, leaf: bytes) -> tuple["Frontier", tuple[Node, ...]]:
        """Add one leaf hash. Returns the new edge and the nodes above level 0 that became complete."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> tuple["Frontier", tuple[Node, ...]]:
        """Add leaf hashes in order. Returns the new edge and all nodes above level 0 that became complete."""
        size, edge, complete = self.size, list(self.hashes), list[Node]()
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise LedgerFormatError(f"a leaf hash has {len(leaf)} bytes, not 32")
            value, level, number = leaf, 0, size
            while number & 1:
                value = node_hash(edge.pop(), value)
                level, number = level + 1, number >> 1
                complete.append(Node(level, number, value))
            edge.append(value)
            size += 1
        return Frontier(size, tuple(edge)), tuple(complete)

    def root(self) -> bytes:
        """The tree's root hash; EMPTY_ROOT when nothing has been appended."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT


def frontier_nodes(size: int) -> tuple[NodeId, ...]:
    """The complete nodes that are the edge of a tree of this size, in the order of `Frontier.hashes`."""
    _check_size(size)
    return tuple(_cover(0, size))


def frontier_of(size: int, nodes: Mapping[NodeId, bytes]) -> Frontier:
    """Rebuild the edge of a tree of this size from stored nodes. Raises MissingNode."""
    return Frontier(size, tuple(_found(nodes, node) for node in frontier_nodes(size)))


def inclusion_plan(index: int, size: int) -> Plan:
    """What the inclusion proof of leaf `index` in a tree of `size` leaves is made of (RFC 6962 §2.1.1)."""
    _check_size(size)
    if not 0 <= index < size:
        raise InclusionFailed(f"there is no leaf {index} in a tree of {size} leaves")
    start, end, path = 0, size, list[tuple[NodeId, ...]]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(tuple(_cover(middle, end)))
            end = middle
        else:
            path.append(tuple(_cover(start, middle)))
            start = middle
    return tuple(reversed(path))


def consistency_plan(old: int, new: int) -> Plan:
    """What the consistency proof from `old` to `new` leaves is made of (RFC 6962 §2.1.2); from 0, nothing."""
    _check_size(old)
    _check_size(new)
    if old > new:
        raise ConsistencyFailed(f"a tree of {new} leaves cannot continue one of {old}")
    if old == 0:
        return ()
    start, end, whole, path = 0, new, True, list[tuple[NodeId, ...]]()
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(tuple(_cover(middle, end)))
            end = middle
        else:
            path.append(tuple(_cover(start, middle)))
            start, whole = middle, False
    if not whole:
        path.append(tuple(_cover(start, end)))
    return tuple(reversed(path))


def nodes_needed(plan: Plan) -> frozenset[NodeId]:
    """Every stored node that `assemble` will ask for."""
    return frozenset(node for step in plan for node in step)


def assemble(plan: Plan, nodes: Mapping[NodeId, bytes]) -> tuple[bytes, ...]:
    """The proof's hashes. Raises MissingNode if storage did not give a node that the plan needs."""
    return tuple(_fold([_found(nodes, node) for node in step]) for step in plan)


def inclusion_path(index: int, size: int, node: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """The inclusion proof, where `node(level, number)` looks up complete nodes one by one."""
    plan = inclusion_plan(index, size)
    return assemble(plan, {needed: node(*needed) for needed in nodes_needed(plan)})


def consistency_path(old: int, new: int, node: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """The consistency proof, where `node(level, number)` looks up complete nodes one by one."""
    plan = consistency_plan(old, new)
    return assemble(plan, {needed: node(*needed) for needed in nodes_needed(plan)})


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that leaf hash `leaf` is number `index` of the tree (size, root); RFC 9162 §2.1.3.2.

    Raises InclusionFailed with the reason; returning means that it holds.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InclusionFailed(f"there is no leaf {index} in a tree of {size} leaves")
    _check_hashes(InclusionFailed, [leaf, root], path)
    fn, sn, value = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise InclusionFailed(f"the path has {len(path)} hashes, more than leaf {index} of {size} needs")
        if fn & 1 or fn == sn:
            value = node_hash(sibling, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise InclusionFailed(f"the path has {len(path)} hashes, fewer than leaf {index} of {size} needs")
    if value != root:
        raise InclusionFailed(f"leaf {index} does not lead to the root of {size} leaves")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree (new, new_root) only appends to (old, old_root); RFC 9162 §2.1.4.2.

    From the empty tree and between equal sizes the path must be empty.
    Raises ConsistencyFailed with the reason; returning means that it holds.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ConsistencyFailed(f"a tree of {new} leaves cannot continue one of {old}")
    _check_hashes(ConsistencyFailed, [old_root, new_root], path)
    for size, root in ((old, old_root), (new, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ConsistencyFailed("the root of the empty tree is wrong")
    if old in (0, new):
        if path:
            raise ConsistencyFailed(
                f"from {old} to {new} leaves there is nothing to prove, but hashes were given"
            )
        if old == new and old_root != new_root:
            raise ConsistencyFailed(f"two different roots for the same size {new}: the log has forked")
        return
    _fold_consistency(old, new, old_root, new_root, path)


def _fold_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    # An old tree that is one complete subtree is its own first hash, which the proof leaves out.
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        raise ConsistencyFailed(f"no hashes were given from {old} to {new} leaves")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_value = new_value = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise ConsistencyFailed(f"more hashes than are needed from {old} to {new} leaves")
        if fn & 1 or fn == sn:
            old_value, new_value = node_hash(sibling, old_value), node_hash(sibling, new_value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_value = node_hash(new_value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ConsistencyFailed(f"fewer hashes than are needed from {old} to {new} leaves")
    if old_value != old_root:
        raise ConsistencyFailed(f"the proof does not lead to the old root of {old} leaves")
    if new_value != new_root:
        raise ConsistencyFailed(f"the proof does not lead to the new root of {new} leaves")


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise LedgerFormatError(f"a tree cannot have {size} leaves")


def _check_hashes(
    error: type[InclusionFailed] | type[ConsistencyFailed], ends: Sequence[bytes], path: Sequence[bytes]
) -> None:
    if len(path) > _LONGEST_PATH:
        raise error(f"a path of {len(path)} hashes is longer than any tree needs")
    if any(len(value) != HASH_BYTES for value in (*ends, *path)):
        raise error("a hash is not 32 bytes")


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _cover(start: int, end: int) -> Iterator[NodeId]:
    """The complete nodes of [start, end), left to right; `start` is aligned as in every RFC 6962 split."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield NodeId(level, start >> level)
        start += 1 << level


def _fold(hashes: Sequence[bytes]) -> bytes:
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def _found(nodes: Mapping[NodeId, bytes], node: NodeId) -> bytes:
    value = nodes.get(node)
    if value is None:
        raise MissingNode(f"node {node.number} at level {node.level} is not stored")
    return value
