"""The strand's geometry: where the noodle runs, for the stage list, the small summary and the lot graph.

Pure: numbers in, SVG path data out. The templates (`macros/strand.html`) draw what these return; colours are the style
sheet's. Hand `TEMPLATE_GLOBALS` to the Jinja environment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

SHAPES = ("straight", "parts", "twists")
STATES = ("whole", "cut", "doubt", "corrected")

CELL_WIDTH, CELL_HEIGHT = 144, 52
GAP_X, GAP_Y = 16, 62
MARGIN = 6

_LEFT = "M24 0 C24 22 19 28 19 50 S24 78 24 100"
_RIGHT = "M24 0 C24 22 29 28 29 50 S24 78 24 100"


@dataclass(frozen=True)
class Stroke:
    """One run of noodle; drawn later means lying above. `aside` marks a neighbour batch's strand."""

    path: str
    aside: bool = False


@dataclass(frozen=True)
class Node:
    """A lot to draw. `under` is the small second line; `here` marks the lot the page is about."""

    id: str
    label: str
    under: str = ""
    href: str = ""
    state: str = "whole"
    here: bool = False


@dataclass(frozen=True)
class Placed:
    """A lot with its place; `x`, `y` are the box's top left corner, in pixels."""

    node: Node
    x: int
    y: int
    layer: int
    width: int = CELL_WIDTH
    height: int = CELL_HEIGHT

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Thread:
    """A strand from a parent lot up to its child; `loose` when either end does not hold."""

    parent: str
    child: str
    path: str
    loose: bool


@dataclass(frozen=True)
class Graph:
    """A lot graph laid out: packs at the top, parents below, in a box of `width` × `height` pixels."""

    width: int
    height: int
    nodes: tuple[Placed, ...]
    threads: tuple[Thread, ...]


@dataclass(frozen=True)
class Knot:
    """A knot on the short horizontal strand: `x` is its middle."""

    x: int
    state: str
    path: str


@dataclass(frozen=True)
class Mini:
    """The short horizontal strand: done stages as knots on the noodle, what is still to come as dots."""

    width: int
    height: int
    line: str
    rest: str
    knots: tuple[Knot, ...]


def line(shape: str, index: int) -> tuple[Stroke, ...]:
    """The strand beneath the knot at `index`, in a 48 × 100 box that the page stretches to the row's height.

    Every shape enters and leaves at x = 24, upright, so that rows join without a seam. `parts` sends a second strand
    up and away (a batch that was split), `twists` brings a second one in from the side (a blend).
    """
    bow = _LEFT if index % 2 else _RIGHT
    if shape == "parts":
        return (Stroke("M24 100 C24 74 43 70 43 46 C43 26 38 20 40 4", aside=True), Stroke(bow))
    if shape == "twists":
        other = "M24 0 C24 10 34 12 34 24 S14 38 14 50 S34 64 36 78 S46 92 46 100"
        own = "M24 0 C24 10 14 12 14 24 S34 38 34 50 S16 66 16 78 S24 92 24 100"
        return (
            Stroke(other, aside=True),
            Stroke(own),
            Stroke("M24.5 36.5 C21 39.5 14 43 14 50 C14 55 19 58 23 60.5", aside=True),
        )
    if shape != "straight":
        raise ValueError(f"unknown strand shape {shape!r}: one of {', '.join(SHAPES)}")
    return (Stroke(bow),)


def mini(states: Sequence[str], of: int | None = None) -> Mini:
    """A strand in one line of text: a knot for each of `states`, oldest first, and dots up to `of` stages."""
    step, height = 26, 30
    total = max(len(states), of or 0)
    knots = []
    for index, state in enumerate(states):
        x = 18 + index * step
        over = f"M{x - 10} 15 C{x - 2} 15 {x + 9} 15 {x + 9} 9"
        loop = f"{over} C{x + 9} 2 {x - 9} 2 {x - 9} 9 C{x - 9} 15 {x + 2} 15 {x + 10} 15"
        knots.append(Knot(x, state, loop))
    end = 18 + (len(states) - 1) * step if states else 4
    path = f"M4 15 L{end + 12} 15" if states else ""
    rest = f"M{end + 16} 15 L{18 + (total - 1) * step + 12} 15" if total > len(states) else ""
    return Mini(width=36 + max(total - 1, 0) * step, height=height, line=path, rest=rest, knots=tuple(knots))


def graph(nodes: Iterable[Node | Mapping[str, object]], edges: Iterable[tuple[str, str]]) -> Graph:
    """Lay out a small lot graph; `edges` are (parent id, child id).

    A lot's layer is its longest way to a lot that nothing was made from, so packs stand at the top and a field at the
    bottom. Within a layer lots stand near their children (barycentre sweeps). An edge to an unknown lot or a cycle is a
    `ValueError`: lots are never made from themselves.
    """
    known = {node.id: node for node in (n if isinstance(n, Node) else _node(n) for n in nodes)}
    pairs = list(dict.fromkeys(edges))
    children: dict[str, list[str]] = {key: [] for key in known}
    parents: dict[str, list[str]] = {key: [] for key in known}
    for parent, child in pairs:
        if parent not in known or child not in known:
            raise ValueError(f"edge {parent} → {child} names a lot that is not drawn")
        children[parent].append(child)
        parents[child].append(parent)
    rows = _ordered_rows(_layers(children), parents, children)
    widest = max((len(row) for row in rows), default=0)
    width = 2 * MARGIN + max(widest * (CELL_WIDTH + GAP_X) - GAP_X, 0)
    places: dict[str, Placed] = {}
    for layer, row in enumerate(rows):
        used = len(row) * (CELL_WIDTH + GAP_X) - GAP_X
        for slot, key in enumerate(row):
            x = (width - used) // 2 + slot * (CELL_WIDTH + GAP_X)
            places[key] = Placed(known[key], x, MARGIN + layer * (CELL_HEIGHT + GAP_Y), layer)
    threads = tuple(_thread(places[parent], places[child]) for parent, child in pairs)
    height = 2 * MARGIN + max(len(rows) * (CELL_HEIGHT + GAP_Y) - GAP_Y, 0)
    return Graph(width, height, tuple(places.values()), threads)


def _node(values: Mapping[str, object]) -> Node:
    return Node(
        id=str(values["id"]),
        label=str(values["label"]),
        under=str(values.get("under") or ""),
        href=str(values.get("href") or ""),
        state=str(values.get("state") or "whole"),
        here=bool(values.get("here")),
    )


def _layers(children: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Each lot's longest distance to a lot without children. Depth first without recursion: a chain may be long."""
    layer: dict[str, int] = {}
    entered: set[str] = set()
    for start in children:
        stack = [start]
        while stack:
            key = stack[-1]
            if key in layer:
                stack.pop()
                continue
            waiting = [child for child in children[key] if child not in layer]
            if not waiting:
                layer[key] = 1 + max((layer[child] for child in children[key]), default=-1)
                stack.pop()
            elif key in entered:
                raise ValueError(f"lot {key} is made from itself")
            else:
                entered.add(key)
                stack.extend(waiting)
    return layer


def _ordered_rows(
    layer: Mapping[str, int], parents: Mapping[str, Sequence[str]], children: Mapping[str, Sequence[str]]
) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for key in children:
        rows[layer[key]].append(key)
    place = {key: _slot(slot, len(row)) for row in rows for slot, key in enumerate(row)}
    for _ in range(3):
        for row, relatives in [(r, children) for r in rows[1:]] + [(r, parents) for r in reversed(rows[:-1])]:
            wished = {key: _mean([place[k] for k in relatives[key]], place[key]) for key in row}
            row.sort(key=wished.__getitem__)
            place.update((key, _slot(slot, len(row))) for slot, key in enumerate(row))
    return rows


def _slot(slot: int, of: int) -> float:
    return slot / (of - 1) if of > 1 else 0.5


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _thread(parent: Placed, child: Placed) -> Thread:
    """Up from the parent's top edge to the child's bottom edge, upright at both ends."""
    top, bottom = child.y + child.height, parent.y
    bend = (bottom - top) // 2
    bends = f"{parent.middle} {bottom - bend} {child.middle} {top + bend}"
    path = f"M{parent.middle} {bottom} C{bends} {child.middle} {top}"
    broken = {"cut", "recalled"}
    return Thread(
        parent.node.id, child.node.id, path, parent.node.state in broken or child.node.state in broken
    )


TEMPLATE_GLOBALS: dict[str, Callable[..., object]] = {
    "strand_line": line,
    "strand_mini": mini,
    "strand_graph": graph,
}
