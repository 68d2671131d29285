"""The log as files: whole, continued, and never written over another history."""

import os
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from tests.support.proofs import Log
from tests.support.verifiers import run, soi_verify
from tests.support.village import Village
from tests.trace.test_published import WITNESSES, cosign
from trace.ledger import export as exporting
from trace.ledger import keys, rotation, store
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.export import CannotExport, export
from trace.ledger.note import Signer, sign_note
from trace.ledger.tiles import Tile
from village.db import write


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """An empty folder; the village's own lies beside it."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def more(count: int) -> None:
    """Entries of no batch, quickly."""
    with write(ledger=True) as session:
        store.append(session, [store.Draft("event", {"number": number}) for number in range(count)])


def checked(folder: Path, *more: str) -> tuple[int, str]:
    return run("log", folder, *more)


def test_what_is_exported_is_what_is_served_and_holds(
    village: Village, client: FlaskClient, app: Flask, mirror: Path
) -> None:
    village.packs(10)
    kept = cosign(*WITNESSES)
    vkey = client.get("/ledger/keys").text.strip()
    folder = mirror
    done = export(folder)
    found = files(folder)
    assert done.files == len(found)
    for name, data in found.items():
        if name != "anchors/index.txt":
            assert client.get(f"/ledger/{name}").data == data, name
    assert {f"checkpoints/{kept}", "checkpoint", "keys", "policy", f"tile/0/000.p/{kept}"} <= set(found)
    assert not list(folder.rglob("*.soi-draft"))
    status, said = checked(folder, "--key", vkey)
    assert status == 0 and "1 kept checkpoints" in said, said
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.rglob("*") if path.is_file())


def test_an_export_goes_on_from_where_it_was(village: Village, mirror: Path) -> None:
    sizes = []
    for count in (1, 250, 10, 300, 0):
        more(count) if count else None
        before = {path: path.stat().st_mtime_ns for path in mirror.rglob("*") if path.is_file()}
        done = export(mirror)
        sizes.append(done.size)
        unchanged = [path for path, then in before.items() if path.stat().st_mtime_ns == then]
        assert len(unchanged) >= len(before) - 2
        status, said = checked(mirror)
        assert status == 0, said
    assert done.files == 0 and done.before == done.size == sizes[-2]
    assert (mirror / "tile/0/001").stat().st_size == 256 * 32
    assert (mirror / "tile/1/000.p/2").stat().st_size == 64


def test_a_mirror_across_a_rotation_holds_with_the_first_key(
    village: Village, client: FlaskClient, mirror: Path
) -> None:
    first = client.get("/ledger/keys").text.strip()
    village.packs(10)
    export(mirror)
    rotation.begin()
    export(mirror)
    rotation.finish()
    village.packs(10)
    export(mirror)
    assert checked(mirror, "--key", first)[0] == 0
    assert len((mirror / "keys").read_text().splitlines()) == 2


def test_a_mirror_of_another_log_is_left_alone(village: Village, mirror: Path) -> None:
    for name, data in Log().tree().items():
        path = mirror / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    before = files(mirror)
    with pytest.raises(CannotExport, match="another log"):
        export(mirror)
    assert files(mirror) == before


def test_a_mirror_that_knows_more_or_another_history_is_left_alone(
    village: Village, mirror: Path
) -> None:
    signer = _ledger_key()
    more(5)
    export(mirror)
    size = store.ensure_born().size
    for told, expected in ((size + 4, "restored from a backup"), (size, "forked"), (size - 2, "forked")):
        (mirror / "checkpoint").write_text(_signed(signer, told))
        before = files(mirror)
        with pytest.raises(CannotExport, match=expected):
            export(mirror)
        assert files(mirror) == before


def _ledger_key() -> Signer:
    state = store.ensure_born()
    return keys.load(state.origin, (state.vkey,), state.custodian_vkey).ledger[0]


def _signed(signer: Signer, size: int) -> str:
    return sign_note(Checkpoint(signer.name, size, bytes(32)).format(), signer).format()


def test_a_folder_with_other_things_in_it_is_left_alone(village: Village, mirror: Path) -> None:
    (mirror / "letters").write_text("dear")
    with pytest.raises(CannotExport, match="letters"):
        export(mirror)
    assert sorted(os.listdir(mirror)) == ["letters"]


def test_a_tile_with_other_bytes_is_never_written_over(village: Village, mirror: Path) -> None:
    more(5)
    size = store.ensure_born().size
    tile = mirror / f"tile/0/000.p/{size}"
    tile.parent.mkdir(parents=True)
    tile.write_bytes(b"x" * 32 * size)
    with pytest.raises(CannotExport, match="other bytes"):
        export(mirror)
    assert tile.read_bytes() == b"x" * 32 * size
    assert not (mirror / "checkpoint").exists()


def test_an_export_that_was_cut_off_is_finished_by_the_next(
    village: Village, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more(600)
    put, left = exporting._Mirror.put, [4]

    def failing(self: exporting._Mirror, name: str, data: bytes, *, immutable: bool = False) -> None:
        if not left[0]:
            (self.folder / "half.soi-draft").write_bytes(data[:10])
            raise OSError(28, "No space left on device", name)
        left[0] -= 1
        put(self, name, data, immutable=immutable)

    monkeypatch.setattr(exporting._Mirror, "put", failing)
    with pytest.raises(OSError, match="No space"):
        export(mirror)
    assert not (mirror / "checkpoint").exists()
    monkeypatch.undo()
    export(mirror)
    assert checked(mirror)[0] == 0
    assert not list(mirror.rglob("*.soi-draft"))


def test_two_exports_at_once_do_not_meet(village: Village, mirror: Path) -> None:
    with exporting._locked(mirror), pytest.raises(CannotExport, match="under way"):
        export(mirror)
    export(mirror)


def test_stored_bytes_that_do_not_hash_to_the_checkpoint_are_not_published(
    village: Village, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more(5)
    true = store.tile

    def rotten(tile: Tile) -> bytes:
        data = bytearray(true(tile))
        data[10] ^= 1
        return bytes(data)

    monkeypatch.setattr(store, "tile", rotten)
    with pytest.raises(CannotExport, match="do not hash"):
        export(mirror)
    assert not (mirror / "checkpoint").exists()


def invoked(app: Flask, *arguments: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=["ledger", "export", *map(str, arguments)])


def test_the_command_says_what_it_did(village: Village, app: Flask, mirror: Path) -> None:
    more(3)
    done = invoked(app, mirror)
    assert done.exit_code == 0 and "4 new" in done.output
    again = invoked(app, mirror)
    assert again.exit_code == 0 and "has all 4 entries already" in again.output
    other = mirror.with_name("other")
    other.mkdir()
    (other / "x").write_text("x")
    refused = invoked(app, other)
    assert refused.exit_code == 1 and "Error:" in refused.output
    assert soi_verify.main(["log", str(mirror), "--quiet"]) == 0
