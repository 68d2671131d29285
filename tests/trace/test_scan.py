"""The scan page: what a buyer sees who holds a pack to the light."""

import datetime as dt
import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from batches.stages.wanted import Take
from tests.conftest import Browser
from tests.support.village import Village
from tests.trace.scanning import address, statements
from trace.scan import cache
from trace.scan.cache import Kept, Pages
from village import clock
from village.certificates.models import Certificate
from village.db import write
from village.places.models import Household
from village.products.models import Product

ROOT = Path(__file__).parents[2]
COLD = 24
"""SQL statements for a page made anew, however long its story is."""


def knots(html: str) -> list[str]:
    return re.findall(r'<li class="knot.*?</li>', html, re.DOTALL)


def states(html: str) -> list[str]:
    return re.findall(r'<li class="knot[^>]*data-state="(\w+)"', html)


def test_a_scanned_pack_shows_its_whole_strand_from_the_field_up(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    page = client.get(address(batch))
    assert page.status_code == 200
    assert "Sợi còn nguyên" in page.text
    assert set(states(page.text)) == {"whole"}
    titles = re.findall(r"<h3>(.*?)</h3>", page.text)
    assert titles[0] == "Đóng gói"
    assert titles[-1] == "Thu hoạch"
    assert len(titles) == 7
    for fact in ("40 gói", "500 g", "160 kg củ dong riềng", batch.gtin, batch.lot, batch.epc, "13,2", "Bản Thử"):
        assert fact in page.text.replace("\u00a0", " ")
    for law in ("Hợp tác xã Một", "6200000001", "Bản Thử, xã Bình Lư", "Thành phần", "Hạn dùng", "Ngày làm", "Xuất xứ"):
        assert law in page.text
    assert "/ledger/entries/7/receipt" in page.text


def test_only_a_household_that_agreed_is_named(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    assert "Hộ A" in client.get(address(batch)).text
    with write() as session:
        session.scalars(select(Household).where(Household.name == "Hộ A")).one().named = False
    page = client.get(address(batch)).text
    assert "Hộ A" not in page
    assert "Một hộ ở Bản Thử, Hợp tác xã Một" in page


def test_a_note_never_reaches_a_buyer(village: Village, client: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    starch = village.made("settle", "wet-starch", 35_000, (tuber, 100_000), days_ago=3, note="Máy hỏng, chị Lan vắng")
    page = client.get(address(village.batch(starch))).text
    assert "doubt" in states(page)
    assert "chị Lan" not in page


def test_the_page_is_light(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    html = client.get(address(batch)).data
    css = (ROOT / "static" / "soi.css").stat().st_size
    assert len(html) + css <= 60 * 1024


def test_a_warm_page_asks_the_database_once(
    village: Village, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    version = cache.version

    def counted(*arguments: Any) -> Any:
        asked.append("version")
        return version(*arguments)

    monkeypatch.setattr(cache, "version", counted)
    batch = village.batch(village.packs(40))
    with statements() as cold:
        first = client.get(address(batch))
    with statements() as warm:
        again = client.get(address(batch))
    assert len(cold) <= COLD, cold
    assert (warm, asked) == ([], ["version"] * 2)  # once to make it, once to find it still true
    assert again.data == first.data
    dull = {"X-Request-ID", "Date"}
    assert {k: v for k, v in again.headers if k not in dull} == {k: v for k, v in first.headers if k not in dull}
    assert "Content-Security-Policy" in again.headers


def test_a_longer_story_takes_no_more_queries(village: Village, client: FlaskClient) -> None:
    parents = []
    for day in range(6):
        tuber = village.made("harvest", "tuber", 100_000, days_ago=9 - day / 10)
        parents.append((village.made("settle", "wet-starch", 25_000, (tuber, 100_000), days_ago=8 - day / 10), 25_000))
    sheets = village.made("steam", "sheets", 150_000, *parents, days_ago=6)
    with statements() as seen:
        page = client.get(address(village.batch(sheets))).text
    assert len(seen) <= COLD
    assert len(knots(page)) == 13
    assert 'data-shape="twists"' in page
    assert "Lô này làm ra từ đâu" in page


def test_new_events_and_changed_rows_show_at_once(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    assert "Xuất kho" not in client.get(address(batch)).text
    village.record("dispatch", inputs=(Take(batch.id, units=3),), days_ago=0.1)
    village.record("dispatch", inputs=(Take(batch.id, units=2),), days_ago=0.05)
    page = client.get(address(batch)).text.replace("\u00a0", " ")
    assert page.count("<h3>Xuất kho</h3>") == 1
    assert "5 gói của lô này" in page
    with write() as session:
        session.get_one(Product, batch.product_id).storage_vi = "Treo chỗ thoáng"
    assert "Treo chỗ thoáng" in client.get(address(batch)).text


def test_another_lot_of_the_same_noodles_is_drawn_beside_this_one(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    page = client.get(address(batch)).text
    assert 'data-shape="parts"' not in page
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    one = village.made("settle", "wet-starch", 10_000, (tuber, 50_000), days_ago=3)
    two = village.made("settle", "wet-starch", 10_000, (tuber, 50_000), days_ago=3)
    page = client.get(address(village.batch(one))).text
    assert 'data-shape="parts"' in page
    assert address(village.batch(two)) in page
    assert len(knots(page)) == 2  # the other lot's settling is not a step of this one


def test_a_held_a_recalled_and_an_expired_lot_say_so_first(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    for hold, words in (("held", "đang tạm giữ"), ("recalled", "Gói này đã bị thu hồi, mời bác đừng dùng")):
        with write() as session:
            session.get_one(type(batch), batch.id).hold = hold  # type: ignore[assignment]
        page = client.get(address(batch)).text
        assert words in page
        assert page.index(words) < page.index('id="verdict"')
    with clock.fixed(clock.now() + dt.timedelta(days=400)):
        assert "quá hạn dùng" in client.get(address(batch)).text


def test_only_a_valid_certificate_is_shown_as_valid(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    today = clock.today()
    with write() as session:
        for kind, stars, until in (("ocop", 4, 30), ("food-safety", None, -1)):
            session.add(
                Certificate(
                    kind=kind,
                    number="1",
                    issuer="Tỉnh",
                    stars=stars,
                    issued_on=today - dt.timedelta(days=90),
                    expires_on=today + dt.timedelta(days=until),
                    cooperative_id=batch.cooperative_id,
                )
            )
    page = client.get(address(batch)).text
    assert "OCOP 4 sao" in page
    assert "An toàn thực phẩm: đã hết hạn" in page


def test_a_serial_is_never_taken_for_a_proof(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    page = client.get(address(batch) + "/21/%3Cb%3E123").text
    assert "chưa từng in lên gói nào" in page
    assert "<b>1" not in page
    assert "chưa từng in lên gói nào" not in client.get(address(batch)).text


def test_english_readers_get_english(village: Village, client: FlaskClient) -> None:
    page = client.get(address(village.batch(village.packs(10))) + "?lang=en").text
    assert "The strand is whole" in page
    assert "Harvest" in page


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/01/09506000001204/10/L1", 400, "sai số kiểm tra"),
        ("/01/9506000001203/10/L1", 400, "thiếu hoặc thừa"),
        ("/01/0950600000120A/10/L1", 400, "chữ số"),
        ("/01/09506000001203/21/S/10/L1", 400, "sai thứ tự"),
        ("/01/09506000001203/10/L%C3%B4", 400, "ký tự không dùng được"),
        ("/01/09506000001203/10/L%2", 400, "ký tự không dùng được"),
        ("/01/09506000001203/10/", 400, "không phải mã GS1"),
        ("/01/09506000001203//10/L1", 400, "không phải mã GS1"),
        ("/01/09506000001203/99/L1", 400, "không phải mã GS1"),
        ("/01/09506000001203/10/KHONG-CO", 404, "không có lô này"),
        ("/01/09506000134352/10/KHONG-CO", 404, "không phải của chúng tôi"),
        ("/01/09506000134352", 404, "Không có sản phẩm"),
        ("/01/09506000001203/22/V/10/L1", 404, "biến thể"),
        ("/01/09506000001203/21/S", 404, "cùng mã lô"),
    ],
)
def test_a_wrong_code_is_told_what_is_wrong_with_it(client: FlaskClient, path: str, status: int, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.text


def test_a_lot_code_with_a_slash_in_it_is_found(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10, lot="A/B-1"))
    assert address(batch).endswith("/10/A%2FB-1")
    assert client.get(address(batch)).status_code == 200


def test_a_product_code_leads_to_the_shop_or_to_its_lots(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    answer = client.get(f"/01/{batch.gtin}?utm=qr")
    assert answer.status_code == 307
    assert answer.location == f"/products/{batch.product.slug}?utm=qr"
    noodles = village.product("noodles")
    assert "/10/" in client.get(f"/01/{noodles.gtin}").text


def test_a_page_seen_before_is_not_sent_again(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    first = client.get(address(batch))
    for _ in range(2):
        again = client.get(address(batch), headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        head = client.head(address(batch))
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    village.record("dispatch", inputs=(Take(batch.id, units=1),), days_ago=0.1)
    again = client.get(address(batch), headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200


def test_a_phone_that_can_unzip_gets_less(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    plain = client.get(address(batch))
    for _ in range(2):
        zipped = client.get(address(batch), headers={"Accept-Encoding": "gzip, br"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(zipped.data) == plain.data
        assert len(zipped.data) < 8_000
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_nothing_of_one_reader_gets_onto_the_kept_page(village: Village, client: FlaskClient, app: Flask) -> None:
    batch = village.batch(village.packs(10))
    village.sign_in(client, "producer")
    page = client.get(address(batch)).text
    assert "Của tôi" not in page
    assert len(app.extensions["soi.scan.pages"]) == 1


@pytest.mark.parametrize("cookie", ["soi_lang =en", "soi_lang =en; soi_lang=vi", "soi_lang=en; soi_lang=vi"])
def test_an_oddly_written_cookie_turns_nobody_elses_page_english(village: Village, app: Flask, cookie: str) -> None:
    batch = village.batch(village.packs(10))
    phone = Browser(app, app.response_class, use_cookies=False)
    for _ in range(2):
        assert '<html lang="en">' in phone.get(address(batch), headers={"Cookie": cookie}).text
    for usual in ("", "soi_lang=vi"):
        assert '<html lang="vi">' in phone.get(address(batch), headers={"Cookie": usual}).text


def test_the_kept_pages_are_bounded_in_number_and_bytes() -> None:
    pages = Pages(max_pages=3, max_bytes=1000)
    for number in range(10):
        pages.put(Kept((str(number),), (), (), 0.0, dt.date(2026, 1, 1), "e", "text/html", b"x" * 90, b"y" * 10))
    assert len(pages) == 3
    assert pages.get(("0",)) is None
    pages.put(Kept(("big",), (), (), 0.0, dt.date(2026, 1, 1), "e", "text/html", b"x" * 950, b""))
    assert (len(pages), pages.held) == (1, 950)
    pages.put(Kept(("huge",), (), (), 0.0, dt.date(2026, 1, 1), "e", "text/html", b"x" * 1001, b""))
    assert pages.get(("huge",)) is None
