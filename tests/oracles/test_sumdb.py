"""Go's sumdb library, which knows nothing of us, reads the published log: its checkpoint, its tiles, its entries."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.oracles.hands import Oracle
from tests.support import receipts
from tests.support.serving import serving
from trace.ledger import keys, store
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.merkle import leaf_hash, root_of
from trace.ledger.models import LedgerEntry
from trace.ledger.note import Signer, parse_note, sign_note
from trace.ledger.tiles import decode_entries, encode_entries, encode_hashes, tiles_at
from village.db import db, write

pytestmark = pytest.mark.slow_once

ENTRIES = 600


def _grow(first: int, count: int) -> None:
    drafts = [
        store.Draft("event", {"n": n, "who": "chị Lò Thị Mảy"}, (f"urn:soi:{n % 7}",))
        for n in range(first, first + count)
    ]
    with write(ledger=True) as session:
        store.append(session, drafts)


@pytest.fixture
def grown(app: Flask, tmp_path: Path) -> Path:
    """A log of full tiles and partial ones; in the folder, its keys and the checkpoint of when it was younger."""
    _grow(0, 300)
    (tmp_path / "older").write_text(store.ensure_born().checkpoint)
    _grow(300, ENTRIES - 300)
    (tmp_path / "vkeys").write_text(store.ensure_born().vkey + "\n")
    db.session.remove()
    return tmp_path


def _export(app: Flask, folder: Path) -> Path:
    """The log as static files."""
    done = app.test_cli_runner().invoke(args=["ledger", "export", "--quiet", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def _read(sumdb: Path, base: str | Path, kept: Path, *older: Path) -> subprocess.CompletedProcess[str]:
    command = [str(sumdb), "log", str(base), str(kept / "vkeys"), *map(str, older)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_go_reads_the_whole_served_log(app: Flask, grown: Path, sumdb: Path) -> None:
    state = store.ensure_born()
    db.session.remove()
    with serving(app.extensions["soi"], workers=1) as served:
        said = _said(_read(sumdb, f"{served.url}/ledger", grown, grown / "older"))
    head = Checkpoint.parse(parse_note(state.checkpoint).text)
    assert (said["origin"], said["size"]) == (state.origin, ENTRIES + 1)
    assert Checkpoint(said["origin"], said["size"], head.root) == head
    assert head.format().split("\n")[2] == said["root"]
    assert said["included"] == ENTRIES + 1
    assert said["consistent"] == [1, 2, 3, 64, 255, 256, 257, 300, 600, 601]
    assert said["continues"] == [301]
    # Full tiles and partial ones, hashes and entries.
    assert said["read"] == [
        "checkpoint",
        "tile/0/000", "tile/0/001", "tile/0/002.p/89",
        "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/89",
    ]  # fmt: skip


def test_go_reads_an_export_and_the_mirror_that_follows_it(app: Flask, grown: Path, sumdb: Path) -> None:
    mirror = _export(app, grown / "mirror")
    assert _said(_read(sumdb, mirror, grown, grown / "older"))["included"] == ENTRIES + 1
    (grown / "newer").write_text(store.ensure_born().checkpoint)
    _grow(ENTRIES, 200)
    _export(app, mirror)
    said = _said(_read(sumdb, mirror, grown, grown / "older", grown / "newer"))
    assert (said["included"], said["continues"]) == (ENTRIES + 201, [301, ENTRIES + 1])


def test_go_opens_every_receipt(app: Flask, grown: Path, gopher: Oracle) -> None:
    vkey = store.ensure_born().vkey
    bodies = list(db.session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.index)))
    for index in range(0, ENTRIES + 1, 13):
        receipt = receipts.receipt(index).format().encode()
        answer = gopher.ask("receipt", vkeys=[vkey], entries=[bodies[index]], receipt=receipt)
        assert answer == {"index": index, "holds": True}
        wrong = gopher.ask("receipt", vkeys=[vkey], entries=[bodies[index - 1]], receipt=receipt)
        assert "invalid transparency proof" in wrong["error"]


def _flip(name: str, at: int) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 1
        (folder / name).write_bytes(data)

    return flip


def _swap_entries(folder: Path) -> None:
    path = folder / "tile/entries/001"
    entries = list(decode_entries(path.read_bytes(), 256))
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(encode_entries(entries))


def _shorten(folder: Path) -> None:
    path = folder / "tile/0/002.p/89"
    path.write_bytes(path.read_bytes()[:-32])


def _longer(folder: Path) -> None:
    path = folder / "checkpoint"
    path.write_text(path.read_text().replace(f"\n{ENTRIES + 1}\n", f"\n{ENTRIES + 2}\n"))


def _unsign(folder: Path) -> None:
    text = parse_note((folder / "checkpoint").read_text()).text
    stranger = Signer.from_seed(text.split("\n")[0], bytes(32))
    (folder / "checkpoint").write_text(sign_note(text, stranger).format())


TILE = "downloaded inconsistent tile|invalid transparency proof"
"""Debian's tlog does not hold every tile against its parent; what it lets through, the proof over it shows."""

TAMPERINGS: list[tuple[Callable[[Path], None], str]] = [
    (_flip("tile/0/000", 0), TILE),
    (_flip("tile/0/000", 255 * 32 + 31), TILE),
    (_flip("tile/0/002.p/89", 88 * 32), TILE),
    (_flip("tile/1/000.p/2", 33), TILE),
    (_flip("tile/entries/000", 100), "do not lead to the checkpoint's root"),
    (_flip("tile/entries/002.p/89", 0), "the bundle ends within an entry"),
    (_swap_entries, "do not lead to the checkpoint's root"),
    (_shorten, "tile/0/002.p/89 has 2816 bytes"),
    (_longer, "invalid signature"),
    (_unsign, "note has no verifiable signatures"),
]


def test_go_finds_whatever_was_changed_in_a_copy(app: Flask, grown: Path, sumdb: Path) -> None:
    copy = _export(app, grown / "copy")
    assert _said(_read(sumdb, copy, grown))["included"] == ENTRIES + 1
    for number, (tamper, reason) in enumerate(TAMPERINGS):
        whole = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
        tamper(copy)
        done = _read(sumdb, copy, grown)
        assert (done.returncode, done.stdout) == (1, ""), number
        assert re.search(reason, done.stderr), (number, done.stderr)
        for path, data in whole.items():
            path.write_bytes(data)
    (copy / "tile/1/000.p/2").unlink()
    assert "no such file" in _read(sumdb, copy, grown).stderr


def test_go_refuses_a_log_that_was_written_anew_under_the_same_key(app: Flask, grown: Path, sumdb: Path) -> None:
    """The copy holds in itself; only whoever kept an older checkpoint can tell."""
    copy = _export(app, grown / "copy")
    state = store.ensure_born()
    signer = keys.load(state.origin, (state.vkey,), state.custodian_vkey).ledger[0]
    bodies = list(db.session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.index)))
    bodies[5] = bodies[5].replace(b'"n":4', b'"n":9')
    leaves = [leaf_hash(body) for body in bodies]
    for tile in tiles_at(len(bodies)):
        part = slice(tile.start, tile.start + tile.width)
        above = [root_of(leaves[n * 256 : (n + 1) * 256]) for n in range(len(leaves) // 256)]
        data = encode_entries(bodies[part]) if tile.level < 0 else encode_hashes((leaves, above)[tile.level][part])
        (copy / tile.format()).write_bytes(data)
    head = Checkpoint(state.origin, len(bodies), root_of(leaves))
    (copy / "checkpoint").write_text(sign_note(head.format(), signer).format())

    assert _said(_read(sumdb, copy, grown))["included"] == ENTRIES + 1
    done = _read(sumdb, copy, grown, grown / "older")
    assert done.returncode == 1
    assert f"the log of {ENTRIES + 1} does not continue that of 301: invalid transparency proof" in done.stderr
