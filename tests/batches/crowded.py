"""A season of a whole village, written past the services and the ledger: only for asking how long a page takes."""

import datetime as dt
import json
import random
import sqlite3
from pathlib import Path

STAGES = (
    ("harvest", "commission", None, "tuber", 1.0),
    ("settle", "transform", "tuber", "wet-starch", 0.25),
    ("steam", "transform", "wet-starch", "sheets", 1.15),
    ("rest", "transform", "sheets", "rested-sheets", 0.52),
    ("dry", "transform", "rested-sheets", "noodles", 0.87),
    ("pack", "pack", "noodles", "packs", 0.99),
    ("dispatch", "dispatch", "packs", None, 1.0),
)


def crowd(database: Path, events: int, households: int, begin: dt.datetime) -> None:
    """Add `events` events by `households` new households of the first cooperative, a story a day, from `begin` on."""
    dice = random.Random(1)
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous = OFF")
    connection.row_factory = sqlite3.Row
    one = {table: dict(connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()) for table in (
        "household", "site", "member", "event", "batch"
    )}  # fmt: skip
    products = dict(connection.execute("SELECT material, id FROM product WHERE process = 'mien-dong'").fetchall())
    coop = connection.execute("SELECT cooperative_id FROM batch LIMIT 1").fetchone()[0]
    tables = ("household", "event", "batch", "event_batch", "batch_edge")
    rows: dict[str, list[dict[str, object]]] = {table: [] for table in tables}
    homes = [f"home-{number:03d}" for number in range(households)]
    rows["household"] = [one["household"] | {"id": h, "name": f"Hộ thử {h}", "cooperative_id": coop} for h in homes]
    stories = events // len(STAGES)
    for story in range(stories):
        home, day, before = homes[story % households], story // households, ""
        grams = dice.randrange(500, 1500) * 1000
        for number, (stage, kind, _took, gave, share) in enumerate(STAGES):
            event, lot = f"e-{story}-{number}", f"b-{story}-{number}"
            when = (begin + dt.timedelta(days=day, hours=number)).strftime("%Y-%m-%d %H:%M:%S.%f")
            rows["event"].append(one["event"] | {
                "id": event, "kind": kind, "process": "mien-dong", "process_version": 1, "stage": stage,
                "occurred_at": when, "household_id": home, "entry_index": 10**6 + story * 10 + number,
                "warnings": "[]", "corrects": None, "corrected_by": None,
            })  # fmt: skip
            taken, grams = grams, round(grams * share * dice.uniform(0.97, 1.0)) if before else grams
            if before:
                rows["event_batch"].append(_part(event, "input", before, taken))
            if gave:
                rows["batch"].append(one["batch"] | {
                    "id": lot, "epc": lot, "gtin": "0", "lot": lot, "product_id": products[gave], "household_id": home,
                    "cooperative_id": coop, "process": "mien-dong", "process_version": 1, "material": gave,
                    "made_grams": grams, "left_grams": 0, "made_units": None, "left_units": None, "made_at": when,
                    "origins": json.dumps({"tuber": grams * 7}), "hold": "none", "void": 0, "outside": None,
                })  # fmt: skip
                rows["event_batch"].append(_part(event, "output", lot, grams))
                if before:
                    rows["batch_edge"].append({"child_id": lot, "parent_id": before, "event_id": event, "grams": taken})
            before = lot
    for table, many in rows.items():
        names = ", ".join(f'"{name}"' for name in many[0])
        marks = ", ".join(f":{name}" for name in many[0])
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", many)
    connection.commit()
    connection.close()


def _part(event: str, part: str, batch: str, grams: int) -> dict[str, object]:
    return {"event_id": event, "part": part, "position": 0, "batch_id": batch, "grams": grams, "units": None}
