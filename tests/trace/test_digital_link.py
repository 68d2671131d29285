import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace.gs1.digital_link import (
    DigitalLink,
    ParcelLink,
    PlaceLink,
    check_query,
    class_uri,
    parcel_uri,
    parse_class_uri,
    parse_parcel_path,
    parse_path,
    parse_place_path,
    parse_uri,
    place_uri,
)
from trace.gs1.errors import (
    ForeignCharacter,
    Gs1Error,
    NotADigitalLink,
    NotDigits,
    WrongCheckDigit,
    WrongLength,
    WrongOrder,
)
from trace.gs1.lots import CHARSET_82, READABLE, check_lot, new_lot

GTIN = "09506000134352"
# The two names that browsers fold away are refused, and so never printed.
codes = st.text(alphabet=sorted(CHARSET_82), min_size=1, max_size=20).filter(lambda code: code not in (".", ".."))


@given(codes, st.none() | codes, st.none() | codes)
def test_what_is_printed_is_read_back(lot: str, serial: str | None, variant: str | None) -> None:
    link = DigitalLink(GTIN, lot, serial, variant)
    assert parse_path(link.path) == link
    assert parse_uri(link.under("https://soi.example/")) == link
    assert parse_class_uri(link.canonical) == link


def test_the_order_is_product_variant_lot_serial() -> None:
    link = DigitalLink(GTIN, "BL26M-7K3Q9", "0001", "A")
    assert link.path == f"/01/{GTIN}/22/A/10/BL26M-7K3Q9/21/0001"


def test_a_slash_in_a_lot_is_escaped() -> None:
    assert class_uri("9506000134352", "A/B+C%") == f"https://id.gs1.org/01/{GTIN}/10/A%2FB%2BC%25"
    assert parse_path(f"/01/{GTIN}/10/a%2fb").lot == "a/b"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("", NotADigitalLink),
        ("/", NotADigitalLink),
        ("/01", NotADigitalLink),
        ("/01/", NotADigitalLink),
        (f"01/{GTIN}", NotADigitalLink),
        (f"/x/01/{GTIN}", NotADigitalLink),
        (f"/01/{GTIN}/", NotADigitalLink),
        (f"/01/{GTIN}/10", NotADigitalLink),
        (f"/01/{GTIN}/10/", NotADigitalLink),
        (f"/01/{GTIN}//10/A", NotADigitalLink),
        (f"/01/{GTIN}/17/271120", NotADigitalLink),
        (f"/01/{GTIN}/lot/A", NotADigitalLink),
        (f"/01/{GTIN}/10/A/B", NotADigitalLink),
        (f"/01/{GTIN}/21/1/10/A", WrongOrder),
        (f"/01/{GTIN}/10/A/22/B", WrongOrder),
        (f"/01/{GTIN}/10/A/10/A", WrongOrder),
        ("/01/09506000134353/10/A", WrongCheckDigit),
        ("/01/9506000134352/10/A", WrongLength),
        ("/01/0950600013435x/10/A", NotDigits),
        (f"/01/{GTIN}/10/{'A' * 21}", WrongLength),
        (f"/01/{GTIN}/10/A B", ForeignCharacter),
        (f"/01/{GTIN}/10/A%20B", ForeignCharacter),
        (f"/01/{GTIN}/10/A%2", ForeignCharacter),
        (f"/01/{GTIN}/10/A%zz", ForeignCharacter),
        (f"/01/{GTIN}/10/m%C3%AD", ForeignCharacter),
        (f"/01/{GTIN}/10/%FF", ForeignCharacter),
        (f"/01/{GTIN}/10/A%00", ForeignCharacter),
        (f"/01/{GTIN}/10/mí", ForeignCharacter),
        (f"/01/{GTIN}/10/A%23", ForeignCharacter),
        ("/01/9506000134352 /10/A", ForeignCharacter),
        (f"/01/{GTIN}/254/A", NotADigitalLink),
    ],
)
def test_a_link_that_breaks_the_rules_is_refused(path: str, error: type[Gs1Error]) -> None:
    with pytest.raises(error):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/00/", NotADigitalLink),
        ("/00/006141411234567890/10/A", NotADigitalLink),
        ("/00/006141411234567891", WrongCheckDigit),
        ("/00/9506000117843", WrongLength),
        ("/414/950600011784x", NotDigits),
        ("/414/ 9506000117843", ForeignCharacter),
        ("/414/9506000117843/254", NotADigitalLink),
        ("/414/9506000117843/254/A/254/B", WrongOrder),
        ("/414/9506000117843/10/A", NotADigitalLink),
    ],
)
def test_a_parcel_s_or_place_s_link_that_breaks_the_rules_is_refused(path: str, error: type[Gs1Error]) -> None:
    with pytest.raises(error):
        (parse_parcel_path if path.startswith("/00") else parse_place_path)(path)


@given(st.none() | codes)
def test_a_parcel_s_and_a_place_s_address_are_read_back(extension: str | None) -> None:
    place = PlaceLink("9506000117843", extension)
    assert parse_place_path(place.path) == place
    assert parse_parcel_path("/00/006141411234567890") == ParcelLink("006141411234567890")
    assert ParcelLink("006141411234567890").path == "/00/006141411234567890"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("10=A", WrongOrder),
        ("utm=x&01=09506000134352", WrongOrder),
        ("17=271120&17=271120", WrongOrder),
        ("17=271120;15=271320", ForeignCharacter),
        ("17=27112", WrongLength),
        ("15=27112x", NotDigits),
        ("17=270229", None),
        ("17=270230", ForeignCharacter),
        ("3103=00050", WrongLength),
        ("99=", WrongLength),
        ("99=m%C3%AD", ForeignCharacter),
        ("99=%2", ForeignCharacter),
        ("9999999=x", NotADigitalLink),
        ("", None),
        ("17=271100&3103=000500&linkType=all&flag&a=%zz&a=b", None),
    ],
)
def test_what_stands_behind_the_question_mark_is_checked_as_far_as_it_is_gs1_s(
    query: str, error: type[Gs1Error] | None
) -> None:
    if error is None:
        check_query(query)
    else:
        with pytest.raises(error):
            check_query(query)


@given(st.text(max_size=60))
def test_any_address_is_either_read_or_refused_with_a_reason(text: str) -> None:
    for parse in (parse_path, parse_uri, parse_parcel_path, parse_place_path, check_query):
        try:
            parse(text)
        except Gs1Error as error:
            assert str(error)


def test_the_ledger_takes_only_the_one_canonical_form() -> None:
    assert parse_class_uri(f"https://id.gs1.org/01/{GTIN}/10/A-1").lot == "A-1"
    for other in (
        f"https://soi.example/01/{GTIN}/10/A-1",
        f"http://id.gs1.org/01/{GTIN}/10/A-1",
        f"https://id.gs1.org/01/{GTIN}/10/A%2D1",
        f"https://id.gs1.org/01/{GTIN}/10/A-1?linkType=all",
    ):
        with pytest.raises(NotADigitalLink, match="canonical"):
            parse_class_uri(other)


def test_places_and_parcels_have_addresses() -> None:
    assert place_uri("9506000117843") == "https://id.gs1.org/414/9506000117843"
    assert parcel_uri("006141411234567890") == "https://id.gs1.org/00/006141411234567890"
    with pytest.raises(WrongCheckDigit):
        place_uri("9506000117840")


@given(st.integers(), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_new_lot_code_can_be_read_aloud(seed: int, day: date) -> None:
    source = random.Random(seed)
    lot = new_lot("BL", day, source.randrange)
    assert len(lot) == len("BL26M-7K3Q9")
    assert check_lot(lot) == lot
    assert set(lot[-5:]) <= set(READABLE)
    assert not set(lot[-5:]) & set("0O1IL2Z5S8U")
    assert new_lot("BL", day, random.Random(seed).randrange, suffix="T") == f"{lot}-T"


def test_a_lot_code_tells_its_month() -> None:
    assert new_lot("BL", date(2026, 11, 20), lambda n: 0) == "BL26M-33333"


@pytest.mark.parametrize("lot", ["", "A" * 21, "mẻ 1", "A#1", "A\n", ".", ".."])
def test_a_lot_code_that_no_scanner_takes_is_refused(lot: str) -> None:
    with pytest.raises(Gs1Error):
        check_lot(lot)
