import io
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trace.labels import fonts
from trace.labels.layout import Paragraph, fit, wrap
from trace.labels.qr import matrix
from trace.labels.render import label_pdf, label_png, label_svg, sheet_pdf
from trace.labels.text import LabelText

LABEL = LabelText(
    name="Miến dong Bình Lư",
    net_grams=500,
    lot="BL26M-7K3Q9",
    produced=date(2026, 11, 20),
    expires=date(2027, 11, 20),
    producer="Hợp tác xã Nà Đa (ví dụ)",
    producer_address="bản Nà Đa, xã Bình Lư, tỉnh Lai Châu",
    ingredients="100 % tinh bột dong riềng",
    gtin="09506000134352",
    address="https://soi.example.vn/01/09506000134352/10/BL26M-7K3Q9",
    usage="Ngâm nước lạnh 10 phút trước khi nấu. Để nơi khô, thoáng.",
)
LONG = replace(
    LABEL,
    name="Miến dong sợi nhỏ phơi nắng truyền thống " * 4,
    producer="Hợp tác xã Nông nghiệp và Thương mại " * 5,
    ingredients="Nghiêngngảnghiêngngả" * 20,
    address=LABEL.address + "/21/00000000000000000001",
)
needs_pdftoppm = pytest.mark.skipif(
    not shutil.which("pdftoppm"), reason="pdftoppm (poppler-utils) is missing"
)


def rasterised(pdf: bytes, dpi: float, page: int = 1) -> Image.Image:
    command = ["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), "-png", "-singlefile", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=60)
    return Image.open(io.BytesIO(done.stdout))


@pytest.mark.parametrize("label", [LABEL, LONG], ids=["usual", "long"])
def test_a_phone_reads_the_picture_back(label: LabelText) -> None:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(label_png(label))))
    assert [code.text for code in found] == [label.address]
    assert found[0].ec_level == "M"


@needs_pdftoppm
@pytest.mark.parametrize("label", [LABEL, LONG], ids=["usual", "long"])
def test_a_phone_reads_the_printed_label_at_the_resolution_of_a_thermal_printer(label: LabelText) -> None:
    page = rasterised(label_pdf(label), 203)
    assert (round(page.width / 203 * 25.4), round(page.height / 203 * 25.4)) == (60, 40)
    assert [code.text for code in zxingcpp.read_barcodes(page)] == [label.address]


@needs_pdftoppm
@pytest.mark.parametrize("label", [LABEL, LONG], ids=["usual", "long"])
def test_nothing_is_printed_over_the_labels_edge(label: LabelText) -> None:
    page = rasterised(label_pdf(label), 200).convert("L")
    edge = round(200 / 25.4 * 1.0)
    for box in ((page.width - edge, 0, page.width, page.height), (0, 0, page.width, edge)):
        assert page.crop(box).getextrema() == (255, 255)
    # At the bottom only the strand runs off the label, at its left end.
    below = page.crop((round(200 / 25.4 * 5), page.height - edge, page.width, page.height))
    assert below.getextrema() == (255, 255)


@needs_pdftoppm
def test_a_sheet_holds_as_many_labels_as_were_asked_for() -> None:
    sheets = sheet_pdf(LABEL, 23)
    counts = [len(zxingcpp.read_barcodes(rasterised(sheets, 130, page))) for page in (1, 2)]
    assert counts == [21, 2]


def test_a_thousand_labels_are_one_small_file() -> None:
    assert len(sheet_pdf(LABEL, 1000)) < 150_000


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_a_print_run_has_a_sensible_size(count: int) -> None:
    with pytest.raises(ValueError, match="print run"):
        sheet_pdf(LABEL, count)


def test_the_same_label_gives_the_same_bytes() -> None:
    assert label_pdf(LABEL) == label_pdf(LABEL)
    assert label_png(LABEL) == label_png(LABEL)


def test_the_svg_is_one_path_with_a_title_and_no_style() -> None:
    text = label_svg(replace(LABEL, name="Miến <dong> & bạn"))
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["width"] == "25mm"
    assert len(root.findall(f"{space}path")) == 1
    assert "style" not in text
    title = root.find(f"{space}title")
    assert title is not None and title.text is not None and "Miến <dong> & bạn" in title.text


def test_the_svg_draws_the_modules_of_the_code() -> None:
    modules = matrix(LABEL.address)
    path = ET.fromstring(label_svg(LABEL)).findall("{http://www.w3.org/2000/svg}path")[0].attrib["d"]
    drawn = set()
    for bar in path.split("z")[:-1]:
        x, rest = bar[1:].split(" ")
        y, length = rest.split("h")[0], rest.split("h")[1].split("v")[0]
        drawn |= {(int(x) + step, int(y)) for step in range(int(length))}
    assert drawn == {(x, y) for y, row in enumerate(modules) for x, dark in enumerate(row) if dark}
    assert not any(any(row) for row in modules[:4]), "the quiet zone is four modules wide"


@pytest.mark.parametrize(
    ("grams", "shown"),
    [(500, "500 g"), (1000, "1 kg"), (1250, "1,25 kg"), (1005, "1,005 kg"), (10_000, "10 kg")],
)
def test_net_weight_is_written_as_vietnamese_writes_it(grams: int, shown: str) -> None:
    assert replace(LABEL, net_grams=grams).net == shown


def test_marks_are_joined_to_their_letters() -> None:
    assert replace(LABEL, name="Mie\u0302\u0301n  dong").name == "Miến dong"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aăâbđêghiklmnoôơpừựyỄẬ, ", max_size=400), st.floats(30, 200))
def test_text_never_leaves_its_box(text: str, width: float) -> None:
    text = " ".join(text.split())
    lines = fit([Paragraph(text, fonts.BOLD)], width, 60, 12, 5)
    for line in lines:
        assert fonts.width(line.text, line.face, line.size) <= width + 0.01
        assert line.down + 0.2 * line.size <= 60
    whole = "".join(wrap(text, width, lambda part: fonts.width(part, fonts.BOLD, 5))).replace(" ", "")
    assert whole == text.replace(" ", ""), "wrapping loses no letter"


def test_one_endless_word_does_not_hold_the_printer_up() -> None:
    measured = 0

    def counted(part: str) -> float:
        nonlocal measured
        measured += len(part)
        return len(part)

    assert wrap("A" * 2000, 60, counted) == ["A" * 60] * 33 + ["A" * 20]
    assert measured < 2000 * 100
