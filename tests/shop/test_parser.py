import json
import os
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.live.parser import Reading, parse

LIVE = ("MD01", "MD02", "MD03", "MD10", "MK01", "COMBO1")

ORDERS: list[tuple[str, dict[str, int]]] = [
    ("cho em 2 gói md01 với ạ", {"MD01": 2}),
    ("Cho mình đặt 3 túi MD02, giao về số 5 ngõ 12 Trần Phú. SĐT 0987 654 321", {"MD02": 3}),
    ("e lấy md01 2, md02 1", {"MD01": 2, "MD02": 1}),
    ("chị ơi lấy cho em md01 x2 md03 x1 nha", {"MD01": 2, "MD03": 1}),
    ("cho m 1 md01 1 md02 1 mk01 nha", {"MD01": 1, "MD02": 1, "MK01": 1}),
    ("md01 x2 và md02", {"MD01": 2, "MD02": 1}),
    ("chốt 5 md10", {"MD10": 5}),
    ("chốt combo 1 x2", {"COMBO1": 2}),
    ("lấy mk 2 md01", {"MD01": 2}),
    ("cho mk 1 md01", {"MD01": 1}),
    ("mk01 2 goi nhe c", {"MK01": 2}),
    ("ủng hộ shop md01 x2", {"MD01": 2}),
    ("md01 ngon quá chốt 2 gói", {"MD01": 2}),
    ("md01 1kg x2", {"MD01": 2}),
    ("md01 150.000 x2", {"MD01": 2}),
    ("02 gói md01", {"MD01": 2}),
    ("sl 02 md01", {"MD01": 2}),
    ("mười lăm gói md01", {"MD01": 15}),
    ("hai mươi gói md01", {"MD01": 20}),
    ("muoi goi md01", {"MD01": 10}),
    ("nam goi md01", {"MD01": 5}),
    ("Nam chốt md01", {"MD01": 1}),
    ("bốn md02", {"MD02": 4}),
    ("cho em md01 đi", {"MD01": 1}),
    ("em ck rồi md01 x2 nha", {"MD01": 2}),
    ("share rồi nha shop, md01 x1", {"MD01": 1}),
    ("md01 gửi về 123/45 Lê Lợi, Q1, TP HCM 0909123456", {"MD01": 1}),
    ("0909123456 Lan 25 tổ 3 Tân Phong md01 2 gói", {"MD01": 2}),
    ("md01 Nguyễn Thị Hoa 0912345678 thôn 5 xã Nậm Tăm", {"MD01": 1}),
    ("chốt md 01 sl: 2", {"MD01": 2}),
    ("md01=2", {"MD01": 2}),
    ("2x md01 3x md02", {"MD01": 2, "MD02": 3}),
    ("md01 2x md02 3x", {"MD01": 2, "MD02": 3}),
    ("md01x2md02x3", {"MD01": 2, "MD02": 3}),
    ("lấymd01 x2", {"MD01": 2}),
    ("md01nha", {"MD01": 1}),
    ("chốttt md01 nhaaaa", {"MD01": 1}),
    ("đôi md01", {"MD01": 2}),
    ("2 chục gói md02", {"MD02": 20}),
    ("99 gói md01", {"MD01": 99}),
    ("mỗi mã 2 gói md01 md02", {"MD01": 2, "MD02": 2}),
    ("md01 md02 md03 mỗi thứ 1 hộp nha", {"MD01": 1, "MD02": 1, "MD03": 1}),
    ("md01 chỉ lấy 1 thôi", {"MD01": 1}),
    ("để tui 2 bịch md01 nghen", {"MD01": 2}),
    ("múc 2 md01 luôn shop ui", {"MD01": 2}),
    ("МК01 х2", {"MK01": 2}),
    ("🅼🅳01 x②", {"MD01": 2}),
    ("@shop chốt md01 x2", {"MD01": 2}),
    ("md01 👍👍", {"MD01": 1}),
    ("chốt md01 x2 nha shop, ship cod, 12 Hai Bà Trưng, Q.1, 0912345678", {"MD01": 2}),
    ("con lấy 2 md01 nghen cô", {"MD01": 2}),
    ("e đặt md01 2 túi md02 1 túi", {"MD01": 2, "MD02": 1}),
    ("cho cô 1 md01 cô Hương 0912345678", {"MD01": 1}),
    ("md01/md02 mỗi loại 1", {"MD01": 1, "MD02": 1}),
    ("chốt 1 MD01, 2 MD02, 3 MD03", {"MD01": 1, "MD02": 2, "MD03": 3}),
    ("md01 x2 gọi trước khi giao", {"MD01": 2}),
    ("đặt 10 gói md01 làm quà", {"MD01": 10}),
    ("xin 1 slot md01", {"MD01": 1}),
    ("MD01 SL2 ĐC 18 HAI BÀ TRƯNG HN ĐT 0904111222", {"MD01": 2}),
    ("order md02 ×2 + mk01 ×1", {"MD02": 2, "MK01": 1}),
    ("cho hai gói md01 với một gói md02", {"MD01": 2, "MD02": 1}),
    ("md01 : 1 ; md02 : 2", {"MD01": 1, "MD02": 2}),
    ("chốt 1md01 2md02", {"MD01": 1, "MD02": 2}),
    ("CHI LAY 2 MD01 VA 3 MD02 NHE", {"MD01": 2, "MD02": 3}),
    ("ORDER 3 PACKS MD03 PLEASE", {"MD03": 3}),
]

OTHERS: list[tuple[str, str]] = [
    ("2 gói md01, md02", "review"),
    ("md01, md02 x2", "review"),
    ("md01 md02 x2", "review"),
    ("md01 2 gói ăn ngon lắm", "review"),
    ("lần trước ăn ngon quá, lấy 2 md01", "review"),
    ("shop còn md01 không ạ", "question"),
    ("shop ơi md01 còn hong", "question"),
    ("md01 giá nhiêu dị", "question"),
    ("md01 x2 ship bao nhiêu", "review"),
    ("md01 mắc quá shop", "review"),
    ("md01 bớt 10k lấy 2 gói", "question"),
    ("md01 x2 bớt chút nha 0912345678", "review"),
    ("lấy 2kg md01", "review"),
    ("nửa ký md01", "review"),
    ("1/2 kg md01", "review"),
    ("2-3 gói md01", "review"),
    ("md01 2 hoặc 3 gói", "review"),
    ("md01 hoặc md02", "review"),
    ("md01,02", "review"),
    ("md01 02 03", "review"),
    ("md01+2", "review"),
    ("md01/02", "review"),
    ("md01 -2", "review"),
    ("cho mk 1 gói", "review"),
    ("chốt md01 đi mọi người", "review"),
    ("mày chốt md01 đi", "review"),
    ("em chốt md01 rồi nha", "review"),
    ("mai em chốt md01", "review"),
    ("https://example.com md01 x1", "review"),
    ("mua 2 tặng 1 md01", "question"),
    ("md01 15 Nguyễn Trãi 0912345678", "review"),
    ("md01 2 Lan Hà Nội", "review"),
    ("md01abc", "review"),
    ("md04", "review"),
    ("md 99 x2", "review"),
    ("mk99 x1 md01 x1", "review"),
    ("mdol x2", "review"),
    ("cho xin giá md01", "question"),
    ("md01 sao nấu v shop", "question"),
    ("hủy giúp em 1 gói md01", "cancel"),
    ("huỷ md01 và md02 nha", "cancel"),
    ("không lấy md01, md02 nữa", "cancel"),
    ("md01 2 gói, md02 không lấy", "review"),
    ("em xin lại tiền 2 gói md01", "review"),
    ("hủy hết đơn", "review"),
    ("đừng hủy md01", "review"),
    ("không hủy md01 nha", "review"),
    ("huỷ md01 được không", "review"),
    ("chốt md01 x2 không lấy túi", "review"),
    ("2 thùng md01", "review"),
    ("1 trăm gói md01", "review"),
    ("md01 x100", "review"),
    ("chốt md01 50k", "review"),
    ("test md01 x1", "review"),
    ("nó lấy md01 x2", "review"),
    ("ai chốt md01 x2 đấy", "review"),
    ("lấy tất cả md01", "review"),
    ("md01 vài gói", "review"),
    ("\u202emd01 x12", "review"),
    ("chào cả nhà", "ignored"),
    ("live hay quá shop ơi", "ignored"),
    ("1", "ignored"),
    ("Lan 0912345678 ngõ 3 phố Huế", "phone"),
    ("giá bao nhiêu vậy", "question"),
    ("không mua được md01", "review"),
    ("md01 2 gói 100k nhé", "review"),
    ("md01 còn 2 gói", "review"),
    ("con 2 goi md01", "review"),
    ("chị Lan lấy md01 kìa", "review"),
    ("md01 chỉ còn 3 gói", "review"),
    ("nhớ để md01 cho chị", "review"),
    ("nhà em ăn hết 2 gói md01 rồi", "review"),
    ("đang phân vân md01 với md02", "review"),
    ("5 người chốt md01 r", "review"),
    ("đổi giúp em md01 thành md02", "change"),
    ("@Hoa lấy md01 ko", "ignored"),
    ("md01 mấy gram 1 gói", "question"),
    ("sao em chốt md01 mà không thấy", "question"),
    ("em chốt md01 chưa", "question"),
    ("md01 k", "question"),
    ("thanks shop nhận md01 rồi nha", "review"),
    ("shop ship md01 về Huế ko", "question"),
]


def ordered(text: str, live: tuple[str, ...] = LIVE) -> dict[str, int] | str:
    reading = parse(text, live)
    return (
        {line.code: line.quantity for line in reading.lines} if reading.intent == "order" else reading.intent
    )


def comments() -> list[dict[str, Any]]:
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("CONFORMANCE_DATA") or beside) / "comments.json"
    if not path.exists():
        pytest.skip(f"the conformance comments are not here: {path.name}")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_all_conformance_comments_are_read_as_they_must_be() -> None:
    wrong = []
    for comment in comments():
        reading, expected = parse(comment["text"], LIVE), comment["expect"]
        if expected == "reject":
            right = reading.intent != "order"
        else:
            right = (
                reading.intent == "order"
                and [line.code for line in reading.lines] == expected["codes"]
                and [line.quantity for line in reading.lines] == expected["quantities"]
                and reading.phone == expected["phone"]
            )
        if not right:
            wrong.append((comment["text"], reading))
    assert wrong == []


@pytest.mark.parametrize(("text", "lines"), ORDERS)
def test_an_honest_order_is_taken(text: str, lines: dict[str, int]) -> None:
    assert ordered(text) == lines


@pytest.mark.parametrize(("text", "intent"), OTHERS)
def test_what_is_no_clear_order_is_not_taken(text: str, intent: str) -> None:
    assert parse(text, LIVE).intent == intent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("md01 x1000", "above-limit"),
        ("md01 x2.5", "fraction"),
        ("2kg md01", "weight"),
        ("chốt", "no-code"),
        ("MD99 x1", "unknown-code"),
        ("mã 01 lấy 1", "ambiguous-code"),
        ("md0l x2", "code-one-edit-away"),
        ("chưa chốt md01 nha", "negation"),
        ("hôm qua em nhận được md01 rồi", "past"),
        ("@Lan Nguyễn chốt md01 đi mày", "mention"),
        ("vay tiền nhanh lãi thấp", "spam"),
        ("❤️", "noise"),
    ],
)
def test_a_doubt_says_why(text: str, reason: str) -> None:
    assert parse(text, LIVE).reason == reason


def test_a_line_quotes_the_words_that_gave_it() -> None:
    reading = parse("Chốt 2 gói MD01 và MD02 x3 nhé", LIVE)
    assert [line.because for line in reading.lines] == ["2 gói MD01", "MD02 x3"]


def test_more_of_the_same_is_additive() -> None:
    assert parse("thêm 1 md01", LIVE).additive and parse("em +2 md01", LIVE).additive
    assert not parse("md01 x2", LIVE).additive


def test_a_cancellation_names_how_many_or_all() -> None:
    assert parse("hủy 1 gói md01", LIVE).lines[0].quantity == 1
    assert parse("không lấy md01 nữa", LIVE).lines[0].quantity == 0


def test_a_doubtful_order_is_suggested_and_not_given() -> None:
    reading = parse("mai em chốt md01 2 gói", LIVE)
    assert (reading.intent, reading.lines, reading.suggested[0].quantity) == ("review", (), 2)


def test_codes_with_and_without_the_zero_stay_apart_when_both_are_live() -> None:
    live = ("MD1", "MD01")
    assert ordered("md1 x2", live) == {"MD1": 2} and ordered("md01 x3", live) == {"MD01": 3}


def test_a_code_that_is_a_number_is_taken_only_where_it_is_clear() -> None:
    live = ("12", "15")
    assert ordered("mã 12 x2", live) == {"12": 2} and ordered("chốt 15", live) == {"15": 1}
    assert ordered("chốt 12 15", live) == "review"


def test_without_live_codes_nothing_is_ordered() -> None:
    assert ordered("chốt md01 x2 0912345678", ()) == "review"


def test_a_long_comment_is_for_a_person_if_it_names_a_code() -> None:
    assert parse("md01 " + "a" * 600, LIVE) == Reading("review", reason="too-long")
    assert parse("a" * 600, LIVE).intent == "ignored"


HOSTILE = {
    "digits": "9" * 10_000,
    "short digits": "0 " * 250,
    "brackets": "(" * 5_000 + ")" * 5_000,
    "tags": "<" * 10_000,
    "bidi": "\u202emd01 x9\u202c" * 900,
    "homoglyphs": "МD01 х2 " * 1_250,
    "marks": "m" + "\u0301\u0323" * 5_000,
    "expanding": "\ufdfa" * 10_000,
    "codes": "md01" * 125,
    "near": "md0l " * 100,
    "phones": "0912345678 " * 45,
    "almost phones": "0 9 1 2 3 4 5 6 7 " * 27,
    "words": "không lấy " * 50,
    "nots": "ko " * 166,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_comment_takes_no_longer_than_five_milliseconds(text: str) -> None:
    parse(text, LIVE)
    best = min(_timed(text) for _ in range(5))
    assert best < 0.005


def _timed(text: str) -> float:
    start = time.perf_counter()
    parse(text, LIVE)
    return time.perf_counter() - start


WORDS = (
    "md01 MD02 mk01 md99 md0l combo1 x2 x0 2 3 gói túi kg 500g 50k hủy không chốt lấy bỏ "
    "đổi và , + - ( ) / . : * ? @ "
    "0912345678 01681234567 +84 091 rồi mỗi loại chưa thêm nữa cặp chục trăm hai năm ship về "
    "15 nha \u200b 0️⃣ М × "
    "\u202e nửa đi mai ngon"
)
PIECES = st.sampled_from(WORDS.split(" "))
TEXTS = st.one_of(
    st.text(max_size=80), st.lists(PIECES, max_size=14).map(" ".join), st.lists(PIECES).map("".join)
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_comment_breaks_the_reader(text: str) -> None:
    reading = parse(text, LIVE, 50)
    codes = [line.code for line in reading.lines]
    assert set(codes) <= set(LIVE) and len(codes) == len(set(codes))
    assert all(1 <= line.quantity <= 50 for line in reading.suggested)
    if reading.intent == "order":
        assert codes and all(1 <= line.quantity <= 50 and line.because for line in reading.lines)
    elif reading.intent != "cancel":
        assert not codes


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=10).map(" ".join))
def test_case_and_composition_do_not_change_the_reading(text: str) -> None:
    def gist(each: str) -> tuple[str, list[tuple[str, int]], str | None, str]:
        found = parse(each, LIVE)
        return found.intent, [(line.code, line.quantity) for line in found.lines], found.phone, found.reason

    assert gist(text) == gist(text.upper()) == gist(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    "text",
    [
        "chốt md01 x2",
        "hai gói md01 nha",
        "hủy md01",
        "không lấy md01 nữa",
        "lấy 5 túi md02",
        "md01 bao nhiêu",
    ],
)
def test_plain_words_are_read_without_their_marks(text: str) -> None:
    bare = "".join(
        c for c in unicodedata.normalize("NFD", text.replace("đ", "d")) if not unicodedata.combining(c)
    )
    one, other = parse(text, LIVE), parse(bare, LIVE)
    assert one.intent == other.intent
    assert [(line.code, line.quantity) for line in one.lines] == [
        (line.code, line.quantity) for line in other.lines
    ]
