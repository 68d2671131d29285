"""One process of many writers; run as `python -m tests.support.crowd <mark> <threads> <stories>`.

Each thread records stories: a harvest, its starch, its sheets, each from what the one before left. What was recorded
is printed as JSON: (id, entry index, leaf hash) in the order of answering. Settings come from the environment.
"""

import json
import sys
import threading

from batches.stages.wanted import Make, Take
from tests.support.village import Village
from village.db import db
from village.ids import uuid7
from wsgi import create_app

STAGES = ("harvest", "settle", "steam", "rest")
EVENTS_A_STORY = len(STAGES)


def story(village: Village, mark: str) -> list[tuple[str, int, str]]:
    """Record one story's stages; what the answers said."""
    told: list[tuple[str, int, str]] = []
    batch, had = "", 0
    plan = (("tuber", 100_000), ("wet-starch", 25_000), ("sheets", 25_000), ("rested-sheets", 14_000))
    for number, (stage, (material, grams)) in enumerate(zip(STAGES, plan, strict=True)):
        answer = village.record(
            stage,
            id=uuid7(),
            inputs=(Take(batch, had),) if batch else (),
            outputs=(Make(village.product(material).id, grams),),
            days_ago=10 - number,
            note=mark,
        )
        told.append((answer["id"], answer["entry"]["index"], answer["entry"]["leaf_hash"]))
        batch, had = answer["batches"][0]["id"], grams
    return told


def main() -> None:
    """Wait for a line on stdin, so that all processes begin at once; then write."""
    mark, threads, stories = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    app = create_app()
    told: list[tuple[str, int, str]] = []
    faults: list[str] = []

    def write(name: str) -> None:
        try:
            with app.app_context():
                for _ in range(stories):
                    told.extend(story(Village(), name))
                    db.session.remove()
        except Exception as error:
            faults.append(repr(error))
            raise

    writers = [threading.Thread(target=write, args=(f"{mark}-{number}",)) for number in range(threads)]
    print("ready", flush=True)
    sys.stdin.readline()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    print(json.dumps({"told": told, "faults": faults}))


if __name__ == "__main__":
    main()
