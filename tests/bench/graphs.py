"""A village's graph of lots, as large as asked, straight into the tables: what a bench walks through.

Stories are those of a season: harvests, starch settled of them, blends across houses, noodles, packs; one and a half
steps of ancestry for each lot. Beside them stands one purchase of starch from which a hundred thousand lots came.
Events and the entries that they stand in are rows without a ledger: nothing here is proven, only found.
"""

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from trace.gs1.digital_link import CANONICAL

START = dt.datetime(2026, 11, 1)
AT_ONCE = 20_000
INSPECTED, FAILED = 20, 400
"""Of so many noodle lots one was inspected, and of so many inspections one failed."""


@dataclass(frozen=True)
class Place:
    """The rows of the settled village that all lots refer to."""

    site: str
    household: str
    cooperative: str
    member: str
    products: dict[str, tuple[str, str]]
    """Id and GTIN by material."""


@dataclass
class Graph:
    """What was made, and where a walk may begin."""

    lots: int = 0
    edges: int = 0
    events: int = 0
    packs: list[str] = field(default_factory=list)
    harvests: list[str] = field(default_factory=list)
    giant: str = ""
    giant_last: str = ""


COLUMNS = {
    "batch": (
        "id", "epc", "gtin", "lot", "product_id", "household_id", "cooperative_id", "site_id", "process",
        "process_version", "material", "made_grams", "left_grams", "origins", "made_at", "hold", "hold_reason",
        "outside", "void",
    ),
    "event": (
        "id", "kind", "process", "process_version", "stage", "name_vi", "name_en", "story_vi", "story_en", "picture",
        "occurred_at", "offset_minutes", "recorded_at", "site_id", "household_id", "member_id", "entry_index",
        "readings", "warnings", "photos", "facts", "note", "passed",
    ),
    "event_batch": ("event_id", "part", "position", "batch_id", "grams"),
    "batch_edge": ("child_id", "parent_id", "event_id", "grams"),
}  # fmt: skip


class Writer:
    """Gathers rows and puts them into the tables by the thousand, past the library, which would take hours."""

    def __init__(self, connection: Connection, place: Place, first_entry: int = 10, seed: int = 4) -> None:
        self.connection, self.place, self.first_entry = connection, place, first_entry
        self.random = random.Random(seed)
        self.graph = Graph()
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}

    def lot(self, material: str, parents: Iterable[str], stage: str, kind: str) -> str:
        """One lot, made of its parents."""
        number = self.graph.lots = self.graph.lots + 1
        batch, grams = _id(0, number), self.random.randrange(50_000, 500_000)
        product, gtin = self.place.products[material]
        when = _time(number)
        code = f"B{number:09d}"
        outside = "Na Rì" if kind == "buy" else None
        self._rows["batch"].append(
            (
                batch, f"{CANONICAL}/01/{gtin}/10/{code}", gtin, code, product, self.place.household,
                self.place.cooperative, self.place.site, "mien-dong", 2, material, grams, grams // 10, "{}", when,
                "none", "", outside, False,
            )
        )  # fmt: skip
        event = self.event(kind, stage, when, None)
        self._rows["event_batch"].append((event, "output", 0, batch, grams))
        for position, parent in enumerate(parents):
            share = self.random.randrange(1_000, 90_000)
            self._rows["event_batch"].append((event, "input", position, parent, share))
            self._rows["batch_edge"].append((batch, parent, event, share))
            self.graph.edges += 1
        if material == "noodles" and number % INSPECTED == 0:
            looked = self.event("inspect", "inspect", when, self.random.randrange(FAILED) > 0)
            self._rows["event_batch"].append((looked, "about", 0, batch, None))
        if len(self._rows["event_batch"]) >= AT_ONCE:
            self.flush()
        return batch

    def event(self, kind: str, stage: str, when: str, passed: bool | None) -> str:
        """One event."""
        number = self.graph.events = self.graph.events + 1
        event = _id(1, number)
        self._rows["event"].append(
            (
                event, kind, "mien-dong", 2, stage, stage, stage, "", "", "", when, 420, when, self.place.site,
                self.place.household, self.place.member, self.first_entry + number, "[]", "[]", "[]", "{}", "", passed,
            )
        )  # fmt: skip
        return event

    def flush(self) -> None:
        """Put down what was gathered."""
        driver: Any = self.connection.connection.driver_connection
        for table, rows in self._rows.items():
            if self.connection.dialect.name == "sqlite":
                marks = ", ".join("?" * len(COLUMNS[table]))
                driver.executemany(f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks})", rows)
            else:
                with driver.cursor().copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            rows.clear()


def grow(connection: Connection, place: Place, lots: int, giant: int, first_entry: int = 10) -> Graph:
    """Make `lots` lots, of which `giant` came from one purchase; their entries' numbers come after `first_entry`."""
    _unchecked(connection)
    writer = Writer(connection, place, first_entry)
    _giant(writer, giant)
    while writer.graph.lots < lots:
        _story(writer)
    writer.flush()
    connection.execute(text("ANALYZE"))
    return writer.graph


def _unchecked(connection: Connection) -> None:
    """No entries stand behind these events, so nobody may look for them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET session_replication_role = replica"))
    else:
        # Before the transaction begins: within one it does nothing.
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        connection.execute(text("SELECT 1"))


def _story(writer: Writer) -> None:
    """A few houses' work of some days: 28 lots, 43 steps."""
    pick = writer.random
    harvests = [writer.lot("tuber", (), "harvest", "commission") for _ in range(6)]
    starch = [writer.lot("wet-starch", pick.sample(harvests, 2), "settle", "transform") for _ in range(6)]
    blends = [writer.lot("wet-starch", pick.sample(starch, 3), "merge", "merge") for _ in range(3)]
    noodles = [writer.lot("noodles", pick.sample(blends, 2), "steam", "transform") for _ in range(4)]
    noodles += [writer.lot("noodles", pick.sample(noodles, 2), "merge", "merge")]
    packs = [writer.lot("packs", pick.sample(noodles, 1 + number % 2), "pack", "pack") for number in range(8)]
    if len(writer.graph.packs) < 20_000:
        writer.graph.packs.append(pick.choice(packs))
        writer.graph.harvests.append(pick.choice(harvests))


def _giant(writer: Writer, lots: int) -> None:
    """One purchase, split into a thousand, blended again with each other many times over: all of it is one family."""
    pick, graph = writer.random, writer.graph
    graph.giant = writer.lot("wet-starch", (), "buy-wet-starch", "buy")
    parts = [writer.lot("wet-starch", (graph.giant,), "split", "split") for _ in range(min(1000, lots // 10))]
    made = list(parts)
    for number in range(lots - len(parts)):
        parents = pick.sample(made[-2000:], 1 + number % 2)
        made.append(writer.lot("noodles" if number % 3 else "wet-starch", parents, "merge", "merge"))
    graph.giant_last = writer.lot("noodles", made[-2000:], "merge", "merge")


def _time(number: int) -> str:
    return f"{START + dt.timedelta(seconds=number):%Y-%m-%d %H:%M:%S}.000000"


def _id(kind: int, number: int) -> str:
    """As a UUID of version 7 looks, in the order of making."""
    return f"01a2{kind:04x}-{number >> 16 & 0xFFFF:04x}-7000-8000-{number:012x}"


def walk(graph: Graph, count: int) -> Iterator[tuple[str, str]]:
    """`count` pairs of a pack and a harvest, spread over the whole village."""
    step = max(1, len(graph.packs) // count)
    return zip(graph.packs[::step][:count], graph.harvests[::step][:count], strict=True)
