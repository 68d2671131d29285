"""Random trees: our roots and proofs beside those of Go's tlog and of pymerkle."""

import base64
import functools

import pymerkle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracles.hands import Oracle
from tests.trace.test_merkle import CT_LEAVES, CT_ROOTS, Store
from trace.ledger.merkle import consistency_path, inclusion_path, root_of, verify_consistency, verify_inclusion

FOREST = st.lists(st.binary(max_size=40), min_size=1, max_size=80)
# The oracles are the same for all examples.
many = functools.partial(settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _hashes(texts: list[str] | None) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text) for text in texts or [])


def test_go_has_the_roots_of_certificate_transparency(gopher: Oracle) -> None:
    said = gopher.ask("tree", entries=CT_LEAVES)
    assert [root.hex() for root in _hashes(said["roots"])] == CT_ROOTS[1:]


@many(max_examples=60)
@given(entries=FOREST)
def test_go_makes_the_same_roots_and_proofs_for_any_entries(gopher: Oracle, entries: list[bytes]) -> None:
    said = gopher.ask("tree", entries=entries)
    ours, size = Store(entries), len(entries)
    assert _hashes(said["roots"]) == tuple(ours.roots[1:])
    for index in range(size):
        assert _hashes(said["inclusion"][index]) == inclusion_path(index, size, ours.node)
        assert _hashes(said["consistency"][index]) == consistency_path(index + 1, size, ours.node)


@pytest.mark.parametrize("size", [255, 256, 257, 300, 511, 512, 513])
def test_go_makes_the_same_proofs_around_full_tiles(gopher: Oracle, size: int) -> None:
    entries = [b"entry %d" % number for number in range(size)]
    said, ours = gopher.ask("tree", entries=entries), Store(entries)
    assert _hashes(said["roots"]) == tuple(ours.roots[1:])
    for index in range(0, size, 17):
        assert _hashes(said["inclusion"][index]) == inclusion_path(index, size, ours.node)
        assert _hashes(said["consistency"][index]) == consistency_path(index + 1, size, ours.node)


@many(max_examples=40)
@given(entries=FOREST, data=st.data())
def test_pymerkle_makes_the_same_trees_and_each_accepts_the_others_proofs(
    entries: list[bytes], data: st.DataObject
) -> None:
    theirs, ours, size = pymerkle.InmemoryTree(algorithm="sha256"), Store(entries), len(entries)
    theirs.append_entries(entries)
    assert [theirs.get_root(number) for number in range(1, size + 1)] == ours.roots[1:]
    assert ours.roots[-1] == root_of(ours.leaves)
    for _ in range(4):
        number = data.draw(st.integers(1, size))
        # Theirs counts leaves from one and writes the leaf in front of the path.
        proof = theirs.prove_inclusion(number, size)
        path = tuple(bytes.fromhex(one) for one in proof.serialize()["path"][1:])
        assert path == inclusion_path(number - 1, size, ours.node)
        verify_inclusion(ours.leaves[number - 1], number - 1, size, path, theirs.get_root(size))
        pymerkle.verify_inclusion(ours.leaves[number - 1], ours.roots[size], proof)
        # Their consistency proofs have another form than RFC 6962's, but they hold between our roots.
        pymerkle.verify_consistency(ours.roots[number], ours.roots[size], theirs.prove_consistency(number, size))
        ours_path = consistency_path(number, size, ours.node)
        verify_consistency(number, size, theirs.get_root(number), theirs.get_root(size), ours_path)
