"""Labels on every paper: what is printed is read back, and no letter leaves its label."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from tests.trace.test_label_render import LABEL, LONG, needs_pdftoppm, rasterised
from trace.labels import fonts, making, raster
from trace.labels.design import LEAST_MODULE, code_for
from trace.labels.making import SAMPLE, Order
from trace.labels.papers import A4, Paper, papers
from trace.labels.symbol import QUIET_ZONE, size_of
from trace.labels.text import LabelText

ALL = list(papers().values())
SHEETS = [one for one in ALL if not one.roll]
ROLLS = [one for one in ALL if one.roll]
SERIALS = [f"{number:012}".translate(str.maketrans("012358", "ABCDEF")) for number in range(700)]
# The longest lot code, in the widest letters, on a lot whose every text is too long.
WIDE = replace(LONG, lot="W" * 20, address=f"https://soi.example.vn/01/09506000134352/10/{'W' * 20}")


def key(paper: Paper) -> str:
    return paper.key


def order(paper: Paper, *, label: LabelText = LABEL, form: str = "pdf", place: int = 1, count: int = 1) -> Order:
    return Order(label, paper, form, place, count, unit=True)


def made(wanted: Order, folder: Path) -> bytes:
    target = folder / f"run.{wanted.ending}"
    making.make(target, wanted, SERIALS[: wanted.count], lambda _done: None)
    assert [path.name for path in folder.iterdir()] == [target.name], "nothing unfinished is left"
    return target.read_bytes()


def addresses(count: int) -> list[str]:
    return [f"{LABEL.address}/21/{serial}" for serial in SERIALS[:count]]


@pytest.mark.parametrize("paper", SHEETS, ids=key)
def test_a_sheet_lies_in_the_middle_of_its_paper(paper: Paper) -> None:
    wide = 2 * paper.left + paper.across * paper.width + (paper.across - 1) * paper.gap_across
    high = 2 * paper.top + paper.down * paper.height + (paper.down - 1) * paper.gap_down
    assert (round(wide, 1), round(high, 1)) == A4


@pytest.mark.parametrize("paper", ALL, ids=key)
@pytest.mark.parametrize("label", [LABEL, WIDE], ids=["usual", "long"])
def test_no_word_leaves_its_label_or_touches_the_code(paper: Paper, label: LabelText) -> None:
    looks = making.drawn(order(paper, label=label))
    measure = raster.measure if paper.roll else fonts.width
    code = looks.code
    quiet = QUIET_ZONE * code.module
    left, right = code.x - quiet, code.x + code.side + quiet
    top, bottom = code.y - quiet, code.y + code.side
    assert code.x + code.side <= looks.width and code.y >= 0 and bottom <= looks.height
    for line in (*looks.lines, *([looks.serial] if looks.serial else [])):
        end = line.x + measure(line.text, line.face, line.size)
        above, below = line.y - 0.95 * line.size, line.y + 0.25 * line.size
        assert line.x >= 0 and end <= looks.width and above >= 0 and below <= looks.height, line.text
        beside = end <= left + 1 or line.x >= right - 1
        assert beside or below <= top + 1 or above >= bottom - 1, line.text


@pytest.mark.parametrize("paper", ALL, ids=key)
def test_the_usual_words_fit_and_a_unit_label_has_all_its_numbers(paper: Paper) -> None:
    looks = making.drawn(order(paper))
    assert looks.whole
    words = " ".join(line.text for line in looks.lines).replace("\u00a0", " ")
    for wanted in ("(01) 09506000134352", "(10) BL26M-7K3Q9", "NSX 20/11/2026", "HSD 20/11/2027", "500 g"):
        assert wanted in words
    assert looks.serial is not None and looks.serial.text == f"(21)\u00a0{SAMPLE}"
    # What the law wants besides has room on all but the smallest.
    assert ("100 % tinh bột" in words) is not paper.short
    assert making.drawn(order(paper, label=WIDE)).whole is (paper.key == "a4-99x68")


@pytest.mark.parametrize("paper", ALL, ids=key)
def test_a_code_has_the_strongest_correction_whose_modules_are_large_enough(paper: Paper) -> None:
    code = making.drawn(order(paper)).code
    assert code.level == "H"
    assert code.module / paper.dots_per_mm >= LEAST_MODULE
    assert code.side == code.module * size_of(code.version)


def test_a_smaller_room_has_a_weaker_correction_and_in_the_end_smaller_modules() -> None:
    address = addresses(1)[0]
    found = [code_for(address, 8 * millimetres, 8.0) for millimetres in (18.4, 17, 16, 12)]
    assert [(code.level, code.module) for code in found] == [("H", 3), ("Q", 3), ("M", 3), ("Q", 2)]


@needs_pdftoppm
@pytest.mark.parametrize("paper", [papers()[one] for one in ("a4-60x40", "a4-70x37", "a4-38x21")], ids=key)
def test_a_sheet_begins_at_its_first_free_label_and_every_code_is_read(paper: Paper, tmp_path: Path) -> None:
    count = paper.per_page + 1
    pdf = made(order(paper, place=4, count=count), tmp_path)
    sheet = rasterised(pdf, 200)
    first = zxingcpp.read_barcodes(sheet)
    second = zxingcpp.read_barcodes(rasterised(pdf, 200, 2))
    assert len(first) == paper.per_page - 3
    assert len(second) == 4
    assert {code.text for code in (*first, *second)} == set(addresses(count))
    # Nothing stands where labels were used before.
    across, high = (round(one / 25.4 * 200) for one in (paper.left + min(3, paper.across) * paper.width, paper.height))
    top = round(paper.top / 25.4 * 200)
    assert sheet.convert("L").crop((40, top + 9, across - 9, top + high - 9)).getextrema() == (255, 255)


@needs_pdftoppm
@pytest.mark.parametrize("paper", ROLLS, ids=key)
def test_a_roll_s_pages_are_the_printer_s_dots(paper: Paper, tmp_path: Path) -> None:
    wanted = order(paper, count=2)
    pdf = made(wanted, tmp_path)
    looks = making.drawn(wanted)
    dpi = paper.dots_per_mm * 25.4
    base = raster.base(looks)
    for page, (symbol, serial) in enumerate(making.labels(wanted, looks, SERIALS[:2]), start=1):
        printed = rasterised(pdf, dpi, page).convert("1")
        assert printed.size == (paper.wide, paper.high)
        assert printed.tobytes() == raster.finished(base, looks, symbol, serial).tobytes()
        assert [code.text for code in zxingcpp.read_barcodes(printed.convert("L"))] == [addresses(2)[page - 1]]


@pytest.mark.parametrize("paper", ROLLS, ids=key)
def test_what_goes_straight_to_a_thermal_printer_is_the_same_picture(paper: Paper, tmp_path: Path) -> None:
    sent = made(order(paper, form="escpos", count=2), tmp_path)
    assert sent.startswith(b"\x1b@")
    rows, at = b"", 2
    while at < len(sent):
        assert sent[at : at + 4] == b"\x1dv0\x00"
        wide, high = (int.from_bytes(sent[at + place : at + place + 2], "little") for place in (4, 6))
        assert 8 * wide == paper.wide
        rows += sent[at + 8 : at + 8 + wide * high]
        at += 8 + wide * high
    image = Image.frombytes("1", (paper.wide, 2 * paper.high), bytes(byte ^ 0xFF for byte in rows))
    found = sorted(zxingcpp.read_barcodes(image.convert("L")), key=lambda code: code.position.top_left.y)
    assert [code.text for code in found] == addresses(2)


@pytest.mark.parametrize("paper", ALL, ids=key)
def test_the_preview_is_the_page_that_will_be_printed(paper: Paper) -> None:
    place = min(3, paper.per_page)
    image = Image.open(io.BytesIO(making.preview(order(paper, place=place, count=2))))
    found = zxingcpp.read_barcodes(image.convert("L").resize((2 * image.width, 2 * image.height)))
    assert {code.text for code in found} == {f"{LABEL.address}/21/{SAMPLE}"}
    assert len(found) == (1 if paper.roll else 2)
    if not paper.roll:
        assert tuple(round(side / dots * 25.4) for side, dots in zip(image.size, image.info["dpi"], strict=True)) == A4


def test_a_large_run_comes_in_parts_of_a_tray_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    monkeypatch.setattr(making, "SHEETS", 2)
    paper = papers()["a4-99x68"]
    wanted = order(paper, place=2, count=40)
    assert wanted.ending == "zip"
    made(wanted, tmp_path)
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        pages = [packed.read(name).count(b"/Type /Page\n") for name in packed.namelist()]
        assert packed.namelist() == ["tem-001.pdf", "tem-002.pdf", "tem-003.pdf"]
    # The first part begins at the second label: 15, then 16, then the last 9 on two sheets.
    assert pages == [2, 2, 2]
