"""Pictures as files: what is taken out of them, what is refused, how they are kept."""

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.pictures import bomb, chunk, picture, told, with_segment
from trace.photos import exif, pixels
from trace.photos.bare import Refused, bare
from trace.photos.store import Busy, Store, take_in
from village.clock import VN
from village.settings import ROOT

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
SECRET = b"<script>alert('Nha chi Lan')</script>"
PLAIN = picture()
DIRTY = {
    "exif": told(),
    "comment": with_segment(PLAIN, 0xFE, SECRET),
    "xmp": with_segment(PLAIN, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
    "iptc": with_segment(PLAIN, 0xED, b"Photoshop 3.0\0" + SECRET),
    "another's profile": with_segment(PLAIN, 0xE2, b"ICC_PROFILE\0\x01\x01" + b"\0" * 128 + SECRET),
    "a second picture": with_segment(PLAIN, 0xE2, b"MPF\0" + SECRET),
    "a page behind it": PLAIN + SECRET,
    "a video behind it": PLAIN + b"\0\0\0\x18ftypmp42" + SECRET * 100,
    "a thumbnail": PLAIN[:4] + (19).to_bytes(2) + PLAIN[6:18] + b"\x01\x01abc" + PLAIN[20:],
    "png text": picture(kind="PNG")[:33] + chunk(b"tEXt", b"Author\0" + SECRET) + picture(kind="PNG")[33:],
    "png exif": told("PNG"),
    "png tail": picture(kind="PNG") + SECRET,
    "webp exif": told("WEBP"),
    "webp tail": picture(kind="WEBP") + SECRET,
}


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
@pytest.mark.parametrize("name", DIRTY)
def test_nothing_but_the_picture_is_left(name: str) -> None:
    data = DIRTY[name]
    with pytest.raises(Refused, match="photo-not-clean"):
        pixels.read(data)
    found, _ = pixels.cleaned(data)
    assert SECRET not in found.body and b"Hang May Anh" not in found.body and len(found.body) < len(data)
    before, after = (Image.open(BytesIO(one)).convert("RGB").tobytes() for one in (data, found.body))
    assert before == after, "not one pixel changed"
    assert pixels.read(found.body) == found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_clean_picture_stays_as_it_is(kind: str) -> None:
    data = picture(kind=kind)
    found = pixels.read(data)
    assert (found.body, found.width, found.height, found.mime) == (data, 64, 48, f"image/{kind.lower()}")


@pytest.mark.parametrize("more", [{"progressive": True}, {"subsampling": 0}, {"quality": 20}, {"keep_rgb": True}])
def test_a_jpeg_of_any_make_stays_as_it_is(more: dict[str, Any]) -> None:
    data = picture(**more)
    assert pixels.read(data).body == data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_taken_sideways_stands_upright_without_its_exif(kind: str, orientation: int) -> None:
    found, _ = pixels.cleaned(told(kind, orientation))
    assert (found.width, found.height) == ((64, 48) if orientation < 5 else (48, 64))
    assert exif.orientation(bare(found.body).exif) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_when_and_where_are_read_once(kind: str) -> None:
    found = exif.told(bare(told(kind)).exif, VN, NOW)
    assert found == exif.Told(dt.datetime(2026, 11, 20, 6, 30, tzinfo=VN), 22.35833, 103.58333)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    "data", [b"", b"MM\0*", b"II*\0\xff\xff\xff\x7f", b"Exif\0\0", b"MM\0*\0\0\0\x08\xff\xff" + b"\x87\x69" * 40]
)
def test_exif_that_makes_no_sense_tells_nothing(data: bytes) -> None:
    assert exif.told(data, VN, NOW) == exif.NOTHING and exif.orientation(data) == 1


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 0.0), (91.0, 10.0), (10.0, 181.0), (float("nan"), 1.0), (1.0, float("inf")), (1.0, None)]
)
def test_a_place_that_is_nowhere_is_left_out(lat: float, lon: float | None) -> None:
    assert exif.place(lat, lon) == (None, None)


def test_a_camera_that_lost_its_clock_is_not_believed() -> None:
    assert exif.sensible(dt.datetime(1980, 1, 1, tzinfo=VN), NOW) is None
    assert exif.sensible(NOW + dt.timedelta(days=2), NOW) is None


@pytest.mark.parametrize("name", ["exif", "comment", "xmp", "iptc", "another's profile", "a second picture"])
def test_the_phone_takes_out_what_the_server_would_refuse(tmp_path: Path, name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    (tmp_path / "in.jpg").write_bytes(DIRTY[name])
    script = (
        f"import {{ bare }} from {json.dumps(str(ROOT / 'static/js/field/bare.js'))};"
        "import { readFileSync, writeFileSync } from 'node:fs';"
        "writeFileSync('out.jpg', Buffer.concat(bare(new Uint8Array(readFileSync('in.jpg')))));"
    )
    subprocess.run([node, "--input-type=module", "-e", script], cwd=tmp_path, check=True)
    assert pixels.read((tmp_path / "out.jpg").read_bytes()).width == 64


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FRAMES = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green")]


def _moving() -> bytes:
    out = BytesIO()
    FRAMES[0].save(out, "WEBP", save_all=True, append_images=FRAMES[1:], duration=100)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "not-a-picture"),
        (SVG, "not-a-picture"),
        (b"<!doctype html><script>alert(1)</script>", "not-a-picture"),
        (b"GIF89a" + SVG, "not-a-picture"),
        (b"%PDF-1.7", "not-a-picture"),
        (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", "photo-is-heic"),
        (b"\xff\xd8\xff\xd9", "not-a-picture"),
        (b"\xff\xd8\xff" + SVG, "photo-cut-short"),
        (PLAIN[: len(PLAIN) // 2], "photo-cut-short"),
        (PLAIN[:-2], "photo-cut-short"),
        (PLAIN[:300] + b"\xff\xd9", "photo-cut-short"),
        (picture(kind="PNG")[:-20], "photo-cut-short"),
        (picture(kind="WEBP")[:-20], "photo-cut-short"),
        (_moving(), "photo-moves"),
        (bomb(20_000, 20_000), "photo-too-many-pixels"),
        (bomb(12_001, 8), "photo-too-many-pixels"),
        (PLAIN[:2] + PLAIN[2:-2] * 2 + b"\xff\xd9", "not-a-picture"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(data: bytes, slug: str) -> None:
    for look in (pixels.read, pixels.cleaned):
        with pytest.raises(Refused) as refused:
            look(data)
        assert refused.value.slug == slug


def test_a_bomb_is_small_and_costs_nothing() -> None:
    data = bomb(20_000, 20_000)
    assert len(data) < 64 * 1024


def test_every_cut_of_a_picture_is_refused_in_one_way() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = picture(16, 16, kind)
        for end in range(len(data)):
            with pytest.raises(Refused):
                pixels.read(data[:end])


def test_a_smaller_one_is_made_of_any_kind() -> None:
    see_through = BytesIO()
    Image.new("RGBA", (600, 20), (0, 0, 0, 0)).save(see_through, "PNG")
    for data, mime in ((picture(900, 300), "image/jpeg"), (see_through.getvalue(), "image/png")):
        for wanted in ("image/webp", "image/jpeg"):
            small = Image.open(BytesIO(pixels.small(data, mime, 480, wanted)))
            assert (small.width, f"image/{(small.format or '').lower()}") == (480, wanted)
    flat = Image.open(BytesIO(pixels.small(see_through.getvalue(), "image/png", 480, "image/jpeg"))).convert("L")
    assert flat.getextrema() == (255, 255), "what is see-through stands on white"


@pytest.mark.parametrize("name", ["../secret", "a" * 63, "A" * 64, "a" * 64 + "\n", ".", "", "a" * 32 + "/" + "a" * 31])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    for use in (store.path, store.has, store.remove, lambda sha: store.part("0" * 36, sha)):
        with pytest.raises(ValueError):
            use(name)
    with pytest.raises(ValueError):
        store.part("../../" + "0" * 30, "a" * 64)


def test_a_file_that_was_touched_is_no_longer_intact(tmp_path: Path) -> None:
    store = Store(tmp_path)
    sha256 = store.put(PLAIN)
    assert store.intact(sha256) and store.put(PLAIN) == sha256
    store.path(sha256).write_bytes(PLAIN[:-1] + b"?")
    assert not store.intact(sha256)
    store.put(PLAIN)
    assert store.intact(sha256), "the same picture sent again heals it"
    store.remove(sha256)
    assert not store.has(sha256) and not store.intact(sha256)


def test_one_part_grows_in_one_place_at_a_time(tmp_path: Path) -> None:
    store, owner, name = Store(tmp_path), "0" * 36, "a" * 64
    with store.growing(owner, name) as (fd, have):
        assert (have, take_in(fd, have, 9, BytesIO(b"0123456789").read)) == (0, 9)
        with pytest.raises(Busy), store.growing(owner, name):
            pass
    assert store.unfinished(owner) == (1, 9)


def test_what_arrived_before_a_connection_broke_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    pieces = iter([b"abc", b"de"])

    def read(_most: int) -> bytes:
        try:
            return next(pieces)
        except StopIteration:
            raise TimeoutError from None

    with pytest.raises(TimeoutError), store.growing("0" * 36, "a" * 64) as (fd, have):
        take_in(fd, have, 100, read)
    assert store.part("0" * 36, "a" * 64).read_bytes() == b"abcde"


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r}); sys.modules.pop("trace", None)
from pathlib import Path
from trace.photos.store import Store, take_in
def read(most):
    data = sys.stdin.buffer.read(min(most, 4096))
    if data.startswith(b"KILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    return data
with Store(Path({folder!r})).growing("0" * 36, "a" * 64) as (fd, have):
    take_in(fd, have, 1 << 20, read)
"""


@pytest.mark.processes
def test_a_server_killed_in_the_middle_leaves_a_part_to_go_on_from(tmp_path: Path) -> None:
    sent = os.urandom(3 * 4096)
    script = KILLED.format(root=str(ROOT), folder=str(tmp_path))
    died = subprocess.run([sys.executable, "-c", script], input=sent + b"KILL" + b"x" * 4092, check=False)
    assert died.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    with store.growing("0" * 36, "a" * 64) as (_fd, have):
        assert have == len(sent)
    assert store.part("0" * 36, "a" * 64).read_bytes() == sent
    assert not list(tmp_path.glob("kept/*/*"))


def _put(folder: str, data: bytes, times: int) -> None:
    for _ in range(times):
        Store(Path(folder)).put(data)


@pytest.mark.processes
def test_two_processes_keep_the_same_file_at_once(tmp_path: Path) -> None:
    data = os.urandom(200_000)
    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=_put, args=(str(tmp_path), data, 20)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
        assert one.exitcode == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [hashlib.sha256(data).hexdigest()]
    assert files[0].read_bytes() == data
