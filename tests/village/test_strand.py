"""The strand's geometry: what the scan page, the batch page and the recall graph draw."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village.web import strand

NODES: list[dict[str, object]] = [
    {"id": "field", "label": "Dong riềng"},
    {"id": "starch-a", "label": "Tinh bột A"},
    {"id": "starch-b", "label": "Tinh bột B", "state": "cut"},
    {"id": "noodles", "label": "Miến", "here": True},
    {"id": "pack", "label": "Gói 500 g"},
    {"id": "pack-kg", "label": "Gói 1 kg"},
]
EDGES = [
    ("field", "starch-a"),
    ("field", "starch-b"),
    ("starch-a", "noodles"),
    ("starch-b", "noodles"),
    ("noodles", "pack"),
    ("noodles", "pack-kg"),
]


def test_packs_stand_at_the_top_and_the_field_at_the_bottom() -> None:
    placed = {p.node.id: p for p in strand.graph(NODES, EDGES).nodes}
    assert placed["pack"].layer == placed["pack-kg"].layer == 0
    assert placed["field"].y == max(p.y for p in placed.values())
    assert placed["noodles"].node.here


def test_strands_to_a_lot_that_does_not_hold_are_loose() -> None:
    loose = {(t.parent, t.child) for t in strand.graph(NODES, EDGES).threads if t.loose}
    assert loose == {("field", "starch-b"), ("starch-b", "noodles")}


def test_no_lot_is_made_from_itself() -> None:
    with pytest.raises(ValueError, match="made from itself"):
        strand.graph([{"id": "a", "label": "A"}, {"id": "b", "label": "B"}], [("a", "b"), ("b", "a")])
    with pytest.raises(ValueError, match="not drawn"):
        strand.graph([{"id": "a", "label": "A"}], [("a", "b")])


def test_an_empty_graph_and_a_very_long_chain_are_drawn() -> None:
    assert strand.graph([], []).nodes == ()
    chain = [strand.Node(str(i), f"Mẻ {i}") for i in range(3000)]
    drawn = strand.graph(chain, [(str(i), str(i + 1)) for i in range(2999)])
    assert max(p.layer for p in drawn.nodes) == 2999


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])))
def test_boxes_never_overlap_and_parents_always_stand_below(pairs: set[tuple[int, int]]) -> None:
    drawn = strand.graph(
        [strand.Node(str(i), str(i)) for i in range(10)], [(str(a), str(b)) for a, b in sorted(pairs)]
    )
    place = {p.node.id: p for p in drawn.nodes}
    assert len(place) == 10
    for parent, child in pairs:
        assert place[str(parent)].y > place[str(child)].y + place[str(child)].height
    boxes = sorted((p.y, p.x, p.width) for p in drawn.nodes)
    for (y, x, width), (next_y, next_x, _) in pairwise(boxes):
        assert y != next_y or next_x >= x + width
    assert all(
        p.x >= 0 and p.x + p.width <= drawn.width and p.y + p.height <= drawn.height for p in drawn.nodes
    )


@pytest.mark.parametrize("shape", strand.SHAPES)
@pytest.mark.parametrize("index", [0, 1])
def test_rows_of_the_strand_join_without_a_seam(shape: str, index: int) -> None:
    own = [s.path for s in strand.line(shape, index) if not s.aside]
    ends = {tuple(re.findall(r"-?[\d.]+", path)[:2]) for path in own} | {
        tuple(re.findall(r"-?[\d.]+", path)[-2:]) for path in own
    }
    assert {("24", "0"), ("24", "100")} <= ends


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown strand shape"):
        strand.line("knotted", 0)


def test_the_short_strand_has_a_knot_for_each_stage_done_and_dots_for_the_rest() -> None:
    drawn = strand.mini(["whole", "doubt"], of=5)
    assert [k.state for k in drawn.knots] == ["whole", "doubt"]
    assert drawn.rest
    assert not strand.mini(["whole"] * 5, of=5).rest
    assert strand.mini([], of=3).line == ""
    assert all(k.x < drawn.width for k in drawn.knots)
