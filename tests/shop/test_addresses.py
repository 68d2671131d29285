"""An address as people type it is taken apart as far as it says itself, old provinces under today's names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.addresses.fold import folded
from shop.addresses.provinces import BY_NAME, CITIES, PROVINCES, understand
from shop.addresses.reading import WARD_MAX, Differs, read, settle, whole


def test_there_are_34_and_the_63_of_before_are_all_among_them() -> None:
    assert len(PROVINCES) == 34
    assert sum(province.city for province in PROVINCES) == len(CITIES) == 6
    before = [name for province in PROVINCES for name in province.before]
    # Eleven stayed as they were; of those that were put together one name each is still used.
    assert len(PROVINCES) + len(before) == 63
    assert len({folded(name) for name in (*before, *BY_NAME)}) == 63


@pytest.mark.parametrize(
    ("typed", "name", "was"),
    [
        ("Lai Châu", "Lai Châu", ""),
        ("tỉnh lai chau", "Lai Châu", ""),
        ("Ha Noi", "Hà Nội", ""),
        ("HANOI", "Hà Nội", ""),
        ("TPHCM", "TP. Hồ Chí Minh", ""),
        ("tp. Hồ Chí Minh", "TP. Hồ Chí Minh", ""),
        ("Thành phố Hồ Chí Minh", "TP. Hồ Chí Minh", ""),
        ("Sài Gòn", "TP. Hồ Chí Minh", ""),
        ("Thừa Thiên - Huế", "Huế", ""),
        ("Hà Giang", "Tuyên Quang", "Hà Giang"),
        ("hà giang cũ", "Tuyên Quang", "Hà Giang"),
        ("TP Hà Giang", "Tuyên Quang", "Hà Giang"),
        ("Daklak", "Đắk Lắk", ""),
        ("Đăk Nông", "Lâm Đồng", "Đắk Nông"),
        ("Bà Rịa – Vũng Tàu", "TP. Hồ Chí Minh", "Bà Rịa - Vũng Tàu"),
        ("Hòa Bình", "Phú Thọ", "Hoà Bình"),
        ("Hoà Bi\u0300nh", "Phú Thọ", "Hoà Bình"),
    ],
)
def test_a_province_is_understood_as_people_write_it(typed: str, name: str, was: str) -> None:
    known = understand(typed)
    assert known is not None
    assert (known.province.name, known.was) == (name, was)


@pytest.mark.parametrize(
    "typed", ["", "Hà", "Huyện Quảng Ninh", "đường Hà Nội", "Bình", "Paris", "cũ", "tỉnh", "1" * 500]
)
def test_what_names_no_province_is_not_taken_for_one(typed: str) -> None:
    assert understand(typed) is None


@pytest.mark.parametrize(
    ("typed", "line", "ward", "province"),
    [
        ("Số 5, tổ 3, phường Minh Khai, TP Hà Giang, tỉnh Hà Giang", "Số 5, tổ 3, TP Hà Giang", "phường Minh Khai",
         "Tuyên Quang"),
        ("12 Trần Phú, P.5, Q.1, TPHCM, Việt Nam", "12 Trần Phú, Q.1", "P.5", "TP. Hồ Chí Minh"),
        ("thôn 2; xa Ea Kao; Dak Lak 630000", "thôn 2", "xa Ea Kao", "Đắk Lắk"),
        ("xóm 5 xã Bình Lư tỉnh Lai Châu", "xóm 5 xã Bình Lư", "", "Lai Châu"),
        ("12 Lê Lợi, Bà Rịa - Vũng Tàu", "12 Lê Lợi", "", "TP. Hồ Chí Minh"),
        ("Số 3, Xa lộ Hà Nội, P. 502, Đồng Nai", "Số 3, Xa lộ Hà Nội, P. 502", "", "Đồng Nai"),
        ("Số 3 đường Hà Nội", "Số 3 đường Hà Nội", "", ""),
        ("Xóm 4\nxã Bản Bo\nLai Châu", "Xóm 4", "xã Bản Bo", "Lai Châu"),
        ("Hà Nội", "", "", "Hà Nội"),
        (" , ,", "", "", ""),
    ],
)  # fmt: skip
def test_a_whole_address_in_one_line_is_taken_apart(typed: str, line: str, ward: str, province: str) -> None:
    found = read(typed)
    assert (found.line, found.ward, found.province.name if found.province else "") == (line, ward, province)


def test_an_old_name_goes_on_in_the_line_once() -> None:
    found = settle("Tổ 3, xã Quản Bạ, Hà Giang", "", None)
    assert (found.line, found.ward, found.was) == ("Tổ 3, Hà Giang cũ", "xã Quản Bạ", "Hà Giang")
    assert whole(found.line, found.ward, "Tuyên Quang") == "Tổ 3, xã Quản Bạ, Tuyên Quang (Hà Giang cũ)"
    assert whole("Số 1", "", "") == "Số 1"
    again = settle(found.line, found.ward, found.province)
    assert again == found
    assert settle("5 phố Hà Giang, tỉnh Hà Giang", "", None).line == "5 phố Hà Giang"


def test_what_was_chosen_fills_in_and_never_overrules() -> None:
    tuyen_quang, lao_cai = BY_NAME["Tuyên Quang"], BY_NAME["Lào Cai"]
    assert settle("Tổ 3", "xã Quản Bạ", tuyen_quang).province is tuyen_quang
    assert settle("Tổ 3, Hà Giang", "", tuyen_quang).province is tuyen_quang
    with pytest.raises(Differs, match="Hà Giang"):
        settle("Tổ 3, Hà Giang", "", lao_cai)
    both = settle("Tổ 3, xã Một, Hà Nội", "xã Hai", None)
    assert (both.line, both.ward) == ("Tổ 3, xã Một", "xã Hai"), "nothing that was written is lost"


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = settle(text, "", None)
    assert len(found.line) <= 2 * len(text) + 30
    assert len(found.ward) <= WARD_MAX
