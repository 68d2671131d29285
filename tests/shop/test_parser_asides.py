"""What is said beside an order leaves it an order; its nearest wording that is none stays none."""

import time

import pytest

from shop.live.keys import telex
from shop.live.parser import parse
from tests.support.absurd import LIVE

ORDERS: list[tuple[str, dict[str, int]]] = [
    # numbers in words
    ("lay muoi bon goi md01", {"MD01": 14}),
    ("hai muoi sau goi md02 nhe", {"MD02": 26}),
    ("md01 muoi lam goi nha", {"MD01": 15}),
    ("hai mươi mốt gói md01", {"MD01": 21}),
    ("nửa chục md02 cho bác", {"MD02": 5}),
    ("2 chục rưỡi md01", {"MD01": 25}),
    ("lay chuc goi md01", {"MD01": 10}),
    # keys that became no marks
    ("laays 2 gois md02", {"MD02": 2}),
    ("ddawtj 2 hoopj mk01", {"MK01": 2}),
    ("mooix loaij 1 gois md01 md03", {"MD01": 1, "MD03": 1}),
    ("la61y co6 3 tu1i md02 nhe1", {"MD02": 3}),
    ("m.d.0.1 x2", {"MD01": 2}),
    ("md1o 1 bịch nha shop", {"MD10": 1}),
    # several codes
    ("md01 vs md02 mỗi thứ 2 nha ad", {"MD01": 2, "MD02": 2}),
    ("md01, md02 mỗi thứ hai gói, mk01 một hộp", {"MD01": 2, "MD02": 2, "MK01": 1}),
    ("md01 md02 lấy cả 2 lun nha", {"MD01": 1, "MD02": 1}),
    ("1/ md01 x2 2/ md02 x3", {"MD01": 2, "MD02": 3}),
    ("md01 2 gói md02 1 gói tổng 3 gói nhé", {"MD01": 2, "MD02": 1}),
    ("md01 2g md02 3g mk01 1h 0868214903", {"MD01": 2, "MD02": 3, "MK01": 1}),
    # wishes
    ("md02 2 gói đừng giao chủ nhật nhé", {"MD02": 2}),
    ("md01 x2 khỏi túi ni lông", {"MD01": 2}),
    ("chốt md01 x2, không lấy hóa đơn nhé", {"MD01": 2}),
    ("chốt 2 md01 không gọi được thì nhắn zalo 0912345678", {"MD01": 2}),
    ("md01 2 gói chưa gấp, tuần sau giao cũng đc", {"MD01": 2}),
    ("giữ cho em 2 gói md01 chiều em chuyển khoản", {"MD01": 2}),
    ("md01 3 bịch giao sau 17h30 nha sốp", {"MD01": 3}),
    # prices, payments
    ("md02 35k/gói lấy 3 gói nha shop", {"MD02": 3}),
    ("chốt 3 gói md01 300k nha shop", {"MD01": 3}),
    ("md02 lấy 2 gói, ck 240k rồi ạ", {"MD02": 2}),
    # stories, families, conditions
    ("lần trước ăn ngon quá, chốt thêm 2 md01", {"MD01": 2}),
    ("lần trước lấy 5 gói md02 ăn hết rồi, nay lấy 3 gói md02 nữa", {"MD02": 3}),
    ("nãy em chốt md01 rồi, giờ thêm 1 gói md02", {"MD02": 1}),
    ("md01 ăn ngon lắm, cho cô 5 gói nữa", {"MD01": 5}),
    ("hôm bữa ăn ngon, nay lấy 2 md01, thêm 3 md02", {"MD01": 2, "MD02": 3}),
    ("Mẹ em 70 tuổi rồi mà thích ăn miến lắm, chốt 2 gói md01", {"MD01": 2}),
    ("mẹ em bảo lấy 2 md01 nhé", {"MD01": 2}),
    ("hết thì thôi còn thì lấy cho chị 3 gói md01 0983 216 540", {"MD01": 3}),
    ("chốt md01 x2 0912345678. À md02 bao nhiêu 1 gói vậy shop?", {"MD01": 2}),
    # telephone numbers of other kinds
    ("md01 2 goi khong chin mot hai ba bon nam sau bay tam nha", {"MD01": 2}),
    ("lay md10 x2 +81 90-1234-5678", {"MD10": 2}),
    ("md01 +7 091234567", {"MD01": 7}),
    ("md01 x2 0908xxx456 số cũ nha sốp", {"MD01": 2}),
]

NO_ORDERS = [
    "bon nam goi md01", "chot nam md01", "lấy nua chuc md01", "nua goi md01", "nửa tá md01",
    "md01 mỗi thứ 2 giao nha", "md01 md02 lấy cả 3", "md01 md02 lấy cả 2 gói", "1. md01 2. md02 3. md03",
    "md01 2 md02 3 tổng 6 gói", "md01 md02 tổng 3 gói", "md01 1h", "md01 2 gói, mk01 8h giao",
    "md01 2 gói đừng giao nữa", "đừng giao md01 nữa", "không lấy túi md02", "md01 không lấy túi ni lông",
    "không lấy hóa đơn md01 2 gói", "mai em ck rồi lấy md01 2 gói", "chiều em qua xem md01 2 gói",
    "md01 2 gói k nghe máy thì thôi", "md01 3 gói 100k lấy luôn", "100k 3 gói md01 lấy luôn", "md01 2 gói 100k nhé",
    "lấy 3 gói md01 100k thôi", "ck 240k rồi mà chưa thấy md01 2 gói", "em ck 2 gói md01 rồi",
    "lần trước ăn ngon, lấy 2 gói md01", "lần trước lấy md01 bị mốc, nay lấy 2 gói md02",
    "nãy chốt 2 md01, giờ lấy 3 md01 thôi", "nãy em lấy md01 giờ lấy md02 2 gói", "hôm qua chốt md01 x2, lấy md02 x1",
    "hôm bữa ăn ngon, nay md01 60 gói, thêm md01 50 gói nữa", "hôm bữa lấy md01 ngon, mai lấy 2 gói md01",
    "mẹ bảo đừng lấy 2 md01", "mẹ bảo lấy 2 md01 mà em chưa chốt", "chồng kêu mua 2 md01 chi vậy",
    "còn thì lấy 2 gói md01, hết thì lấy md02", "md01 hết thì lấy md02 2 gói", "nếu còn md01 thì báo em 2 gói",
    "md01 bao nhiêu 1 gói 0912345678", "md01 bao nhiêu, md02 x2 0912345678", "tăng md01 lên 3 gói giúp em",
    "md01 lên 3 gói nha", "nâng md01 thành 3 gói", "không thể bỏ qua md01", "hen toi lay 2 md01", "lấy -2 md01",
    "md01 +1 150.000 120.000", "kho6ng la61y md01", "md01 2 gói không chín một hai ba bốn năm sáu bảy tám chín",
    '"md01"', "md01 24/7", "đủ freeship chưa md01 x2", "ai gom md01 2 gói", "đừng bỏ vô giỏ 2 md01",
    "md01 2 gói chưa vội mua", "md01 mà ngon, cho cô 5 gói", "ta goi md01", "nếu ngon, lấy thêm 2 md01",
    "md01 2 gói giao mai không được thì hủy", "md01 2 gói tối em qua lấy lại tiền",
    "lấy 2 gói md01 ăn thử, ngon lấy 5 gói",
]  # fmt: skip

HOSTILE = ["chuc em " * 60, "chuc chi em minh " * 28, "+1 2 " * 99, "a1" * 240, "khong mot " * 49,
           "1. md01 " * 60, "lay md01 1 goi 1k " * 27, "neu con thi " * 40, "md01 an ngon, " * 35,
           "tong 1 goi " * 45, "coo" * 160]  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), ORDERS)
def test_what_stands_beside_an_order_does_not_hide_it(text: str, lines: dict[str, int]) -> None:
    reading = parse(text, LIVE)
    assert reading.intent == "order", reading
    assert {line.code: line.quantity for line in reading.lines} == lines


@pytest.mark.parametrize("text", NO_ORDERS)
def test_the_nearest_wording_that_is_none_is_no_order(text: str) -> None:
    assert parse(text, LIVE).intent != "order"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("md01 2 gói không chín một hai ba bốn năm sáu bảy tám", "0912345678"),
        ("0908112233md01 2 bịch", "0908112233"),
        ("md01 x5 +1 (408) 555-0123, ở VN gọi má e 0908 246 810", "0908246810"),
        ("\u2066md01\u2069 x2 \u202d0912345678\u202c", "0912345678"),
        ("md01 x2 \u202d0912345678\u202c", "0912345678"),
        ("md01 x2 091234567 à nhầm 0912345678", "0912345678"),
        ("md01 x2 +81 90-1234-5678", None),
    ],
)
def test_the_telephone_number_is_the_one_that_a_courier_can_call(text: str, phone: str | None) -> None:
    reading = parse(text, LIVE)
    assert (reading.intent, reading.phone) == ("order", phone)


def test_a_cancellation_of_a_bag_or_towards_other_viewers_gives_nothing_back() -> None:
    for text in ("md01 không lấy túi ni lông", "hong mua md03 đâu mấy má ơi"):
        assert parse(text, LIVE).intent == "review"
    assert parse("không lấy md01 nữa", LIVE).intent == "cancel"
    assert parse("khoong laays md01", LIVE).intent == "cancel"


def test_words_that_are_listed_are_no_keys() -> None:
    assert telex("choots") == "chốt" and telex("khoong") == "không"
    assert all(telex(word) is None for word in ("box", "shop", "max", "bee", "md", "goi"))


@pytest.mark.parametrize("text", HOSTILE)
def test_asides_are_found_in_linear_time(text: str) -> None:
    for told in (text, text + " md01 x2 không", "md01 2 gói không " + text):
        parse(told[:500], LIVE)
        began = time.process_time()
        parse(told[:500], LIVE)
        assert time.process_time() - began < 0.005
