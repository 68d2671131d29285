import pytest
import qrcode  # type: ignore[import-untyped]  # it ships no types
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import util

from trace.labels.symbol import _IN_LIBRARY, LEVELS, Level, Symbol, _parts, _penalty, size_of, symbol, version_for

ADDRESS = "https://soi.example.vn/01/09506000134352/10/BL26M-7K3Q9/21/34679ABCDEFG"


def in_library(address: str, version: int, level: Level, mask: int | None = None) -> qrcode.QRCode:
    """The same address, cut into the same segments, as the library draws it."""
    code = qrcode.QRCode(version=version, error_correction=_IN_LIBRARY[level], mask_pattern=mask)
    for dense, text in _parts(address):
        code.add_data(util.QRData(text.encode(), util.MODE_ALPHA_NUM if dense else util.MODE_8BIT_BYTE))
    code.make(fit=False)
    return code


def rows_of(code: qrcode.QRCode) -> list[int]:
    return [int("".join("1" if module else "0" for module in row), 2) for row in code.modules]


def read(found: Symbol, level: Level) -> str:
    rows = found.rows()
    image = Image.new("L", (found.size + 8, found.size + 8), 255)
    for y, row in enumerate(rows):
        for x in range(found.size):
            if row >> found.size - 1 - x & 1:
                image.putpixel((x + 4, y + 4), 0)
    (told,) = zxingcpp.read_barcodes(image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST))
    assert told.ec_level == level
    return str(told.text)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("more", ["", "/21/34679ABCDEFG", "?" + "a" * 150])
def test_a_symbol_has_the_modules_that_the_library_draws_under_the_same_mask(level: Level, more: str) -> None:
    address = "https://soi.example.vn/01/09506000134352/10/BL26M-7K3Q9" + more
    version = version_for(address, level)
    found = symbol(address, version, level).rows()
    assert found in [rows_of(in_library(address, version, level, mask)) for mask in range(8)]


def test_its_mask_is_the_one_with_the_fewest_points_of_the_standard() -> None:
    version = version_for(ADDRESS, "Q")
    codes = [in_library(ADDRESS, version, "Q", mask) for mask in range(8)]
    best = min(codes, key=lambda code: util.lost_point(code.modules))
    assert symbol(ADDRESS, version, "Q").rows() == rows_of(best)
    for code in codes:
        bits = int("".join("1" if module else "0" for row in code.modules for module in row), 2)
        assert _penalty(bits, size_of(version)) == util.lost_point(code.modules)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="abcz/:.-_%ABCXYZ0123456789", min_size=1, max_size=200), st.sampled_from(LEVELS))
def test_a_reader_reads_back_what_was_written(text: str, level: Level) -> None:
    assert read(symbol(text, version_for(text, level), level), level) == text


def test_a_scan_address_needs_fewer_modules_than_as_plain_letters() -> None:
    plain = qrcode.QRCode(error_correction=_IN_LIBRARY["H"])
    plain.add_data(ADDRESS, optimize=0)
    assert version_for(ADDRESS, "H") < plain.best_fit()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not go into version 3-H"):
        symbol(ADDRESS, 3, "H")
    with pytest.raises(ValueError, match="too long"):
        version_for("a" * 3000, "L")
