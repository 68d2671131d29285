"""What a lot's page tells besides its strand: all that the law asks for, makers, dates, its code on paper."""

import datetime as dt
import re
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from tests.support.village import Village
from tests.trace.scanning import address
from trace.lots.models import Batch
from village import clock
from village.certificates.models import Certificate
from village.db import db, write
from village.places.models import Household
from village.products.models import Product
from village.web.security import POLICY

ROOT = Path(__file__).parents[2]


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


def facts(html: str) -> dict[str, str]:
    """The passport's rows."""
    card = html[html.index('id="passport"') : html.index("</dl>", html.index('id="passport"'))]
    rows = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card, re.DOTALL)
    return {plain(name).strip(): plain(told).strip() for name, told in rows}


def test_the_passport_has_every_item_that_the_law_asks_for(village: Village, client: FlaskClient) -> None:
    """Thông tư 02/2024/TT-BKHCN article 6.5 and Nghị định 37/2026/NĐ-CP article 32, with the food label's items."""
    batch = village.batch(village.packs(40))
    with write() as session:
        product = session.get_one(Product, batch.product_id)
        product.brand, product.usage_vi = "Sợi Núi", "Ngâm 15 phút"
        product.storage_vi, product.warning_vi = "Nơi khô mát", "Ẩm mốc thì bỏ"
        session.add(
            Certificate(
                kind="ocop", number="OCOP-7", issuer="Tỉnh", stars=4, issued_on=clock.today(),
                expires_on=clock.today() + dt.timedelta(days=900), product_id=product.id,
                cooperative_id=product.cooperative_id,
            )
        )  # fmt: skip
    page = client.get(address(batch)).text
    told = facts(page)
    assert told["Mã sản phẩm (GTIN)"] == batch.gtin
    assert told["Nhãn hiệu"] == "Sợi Núi"
    assert told["Mã lô"] == batch.lot
    assert told["Khối lượng tịnh"] == "500 g"
    assert told["Thành phần"] == "100 % tinh bột dong riềng"
    assert (told["Cách dùng"], told["Cách giữ"], told["Lưu ý"]) == ("Ngâm 15 phút", "Nơi khô mát", "Ẩm mốc thì bỏ")
    assert told["Ngày làm"] == f"{batch.made_at.astimezone(clock.VN):%d/%m/%Y}"
    assert batch.best_before is not None and told["Hạn dùng"] == f"{batch.best_before:%d/%m/%Y}"
    for part in ("Hợp tác xã Một", "Bản Thử, xã Bình Lư, tỉnh Lai Châu", "6200000001", "GLN"):
        assert part in told["Chịu trách nhiệm"]
    assert told["Xuất xứ"] == "Việt Nam"
    assert "xã Bình Lư" in told["Nơi làm bước cuối"]
    assert told["Mã riêng của lô"] == batch.epc
    assert re.search(r'<img[^>]+src="[^"]*pictures/pack', page)
    assert "OCOP 4 sao" in page and "OCOP-7" in page and "hiệu lực từ" in page
    steps = re.findall(r'<p class="meta">\d\d:\d\d, \d\d/\d\d/\d{4} · ', page)
    assert len(steps) == len(re.findall(r'<li class="knot', page)) == 7


def test_a_product_without_a_brand_shows_none(village: Village, client: FlaskClient) -> None:
    assert "Nhãn hiệu" not in facts(client.get(address(village.batch(village.packs(10)))).text)


def test_the_office_notes_a_brand(village: Village, client: FlaskClient) -> None:
    village.sign_in(client, "office")
    product = village.product("packs", 500)
    form = {"name_vi": product.name_vi, "price": "60000", "shelf_days": "365", "brand": "  Sợi   Núi "}
    assert client.post(f"/coop/products/{product.id}", data=form).status_code == 302
    db.session.rollback()
    assert village.product("packs", 500).brand == "Sợi Núi"
    assert 'value="Sợi Núi"' in client.get(f"/coop/products/{product.id}").text
    assert client.post(f"/coop/products/{product.id}", data=form | {"brand": "x" * 81}).status_code == 422


def test_who_made_it_is_named_and_heard_only_where_she_agreed(village: Village, client: FlaskClient) -> None:
    with write() as session:
        for home in session.query(Household):
            home.story = f"Chuyện của {home.name}"
    batch = village.batch(village.packs(10))
    page = client.get(address(batch)).text
    makers = page[page.index('id="makers"') : page.index("</section>", page.index('id="makers"'))]
    assert "<strong>Hộ A</strong>" in makers and "Chuyện của Hộ A" in makers and "7 bước" in makers
    with write() as session:
        session.query(Household).filter_by(name="Hộ A").one().named = False
    page = client.get(address(batch)).text
    assert "Hộ A" not in page
    assert "Một hộ ở Bản Thử" in page[page.index('id="makers"') :]


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "quá hạn dùng từ ngày"), (0, "ngày cuối"), (1, "còn 1 ngày"), (30, "còn 30 ngày"), (31, "")],
)
def test_a_best_before_date_is_told_at_the_top_when_it_is_near(
    village: Village, client: FlaskClient, days: int, words: str
) -> None:
    batch = village.batch(village.packs(10))
    assert batch.best_before is not None
    noon = dt.datetime.combine(batch.best_before - dt.timedelta(days=days), dt.time(12), clock.VN)
    with clock.fixed(noon):
        page = client.get(address(batch)).text
    top = plain(page[page.index("<main") : page.index('id="verdict"')])
    assert words in top
    assert ("hạn" in top or "ngày cuối" in top) is bool(words)


def test_more_can_be_ordered_of_what_is_sold_and_not_on_a_recalled_lots_page(
    village: Village, client: FlaskClient
) -> None:
    batch = village.batch(village.packs(10))
    again = f'href="/products/{batch.product.slug}">Đặt thêm'
    assert again in client.get(address(batch)).text
    with write() as session:
        session.get_one(Batch, batch.id).hold = "recalled"
    assert again not in client.get(address(batch)).text
    with write() as session:
        session.get_one(Batch, batch.id).hold = "none"
        session.get_one(Product, batch.product_id).active = False
    assert again not in client.get(address(batch)).text


def test_the_code_on_paper_leads_to_the_very_page(village: Village, client: FlaskClient, app: Flask) -> None:
    batch = village.batch(village.packs(10))
    page = client.get(address(batch)).text
    drawn = r'id="print-code" hidden><svg viewBox="0 0 (\d+) \1".*?<path d="([^"]+)" stroke="#000"'
    found = re.search(drawn, page, re.DOTALL)
    assert found is not None
    scale, size = 6, int(found[1])
    image = Image.new("L", (size * scale, size * scale), 255)
    pen = ImageDraw.Draw(image)
    x = y = 0
    for letter, told in re.findall(r"([Mmh])([\d. ]+)", found[2]):
        if letter == "h":
            pen.rectangle((x * scale, y * scale, (x + int(told)) * scale - 1, (y + 1) * scale - 1), fill=0)
            x += int(told)
        elif letter == "m":
            x += int(told.split()[0])
        else:
            x, y = (int(float(part)) for part in told.split())
    (code,) = zxingcpp.read_barcodes(image)
    assert code.text == app.extensions["soi"].public_url + address(batch)
    assert f"<figcaption>{code.text}<br>" in page


def test_page_and_style_sheets_stay_under_sixty_kilobytes(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    page = client.get(address(batch))
    sheets = sum((ROOT / "static" / name).stat().st_size for name in ("soi.css", "scan-print.css"))
    assert len(page.data) + sheets + (ROOT / "static" / "js" / "seen.js").stat().st_size <= 60 * 1024
    for picture in re.findall(r"<img[^>]*>", page.text):
        assert 'width="' in picture and 'height="' in picture
    story_pictures = re.findall(r'<div class="knot-head">.*?(<img[^>]*>)', page.text)
    assert story_pictures and all('loading="lazy"' in one for one in story_pictures)


def test_the_script_for_no_network_reaches_no_further_than_scan_pages(client: FlaskClient) -> None:
    answer = client.get("/scan/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/01/"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert POLICY in answer.text
