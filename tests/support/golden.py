"""The golden files under tests/golden/story: what was once published must hold for ever.

`python -m tests.support.golden` writes those that are missing. It never writes one anew: a difference is a change of a
frozen format, which the tests report.
"""

from pathlib import Path

from tests.support.proofs import document, story
from trace.ledger.canonical import parse

FOLDER = Path(__file__).parents[1] / "golden"


def made() -> dict[str, bytes]:
    """Today's bytes of every golden file of the story, by name."""
    told = story(seed=1, ancestors=5)
    log = told.log
    files = {f"mirror/{name}": data for name, data in log.tree().items()}
    files |= {
        "lot.soi-proof": document(log.lot_proof(told.lot)),
        "lot-early.soi-proof": document(log.lot_proof(told.ancestors[0], told.early)),
        "checkpoint-early": told.early.encode(),
    }
    for index, entry in enumerate(log.entries):
        record = parse(entry)
        what = record["type"] if record["event"] is None else str(record["event"]["soi:stage"])
        files[f"receipts/{index:02}-{what}.tlog-proof"] = log.receipt(index).encode()
    return files


if __name__ == "__main__":
    for name, data in made().items():
        path = FOLDER / "story" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            print(path)
