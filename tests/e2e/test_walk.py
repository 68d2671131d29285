"""The whole way by clicking, on a phone of 360 px: from the field to the parcel on the ledger."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select

from shop.stock.audit import audit
from tests.e2e.conftest import DESK, Opener
from tests.support.serving import Served
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.verify import verify
from trace.lots.models import Batch
from village.db import db

pytestmark = [pytest.mark.browser]
Shoot = Callable[..., None]


def next_stage(page: Page, name: str) -> None:
    """From a batch's page to the form of its next stage."""
    page.get_by_role("link", name=name, exact=True).click()


@pytest.fixture
def served(gunicorn: Served) -> Served:
    """The whole way is walked through the very server that villages run."""
    return gunicorn


def write_down(page: Page, **fields: str) -> None:
    """Fill in what is given by the fields' names, and write it into the ledger."""
    for name, value in fields.items():
        page.locator(f"[name='{name.replace('_', '-')}']").fill(value)
    page.get_by_role("button", name="Ghi vào sổ").click()
    expect(page.get_by_text("Đã ghi vào sổ")).to_be_visible()


def test_the_whole_way_from_field_to_parcel(
    app: Flask, village: Village, served: Served, phone: Opener, shoot: Shoot, tmp_path: Path
) -> None:
    # The household logs every stage.
    producer = phone("producer")
    expect(producer.get_by_role("heading", name="Hôm nay nhà mình làm gì")).to_be_visible()
    shoot(producer, "producer-1-empty")
    producer.get_by_role("link", name=re.compile("Thu hoạch Miến dong")).click()
    producer.locator("[name='made']").fill("1.250")
    shoot(producer, "producer-2-harvest")
    write_down(producer)
    next_stage(producer, "Lọc và lắng bột")
    write_down(producer, made="312,5", reading_Moisture="45")
    shoot(producer, "producer-3-batch")
    next_stage(producer, "Tráng bánh")
    write_down(producer, made="360")
    next_stage(producer, "Phơi tái và ủ")
    write_down(producer, made="190")
    next_stage(producer, "Cắt sợi")
    # Too much comes out: refused beside the field, nothing lost.
    producer.locator("[name='made']").fill("200")
    producer.get_by_role("button", name="Ghi vào sổ").click()
    expect(producer.get_by_text("Từ 190 kg không thể ra 200 kg được").first).to_be_visible()
    shoot(producer, "producer-4-refused")
    write_down(producer, made="184")
    next_stage(producer, "Phơi miến")
    write_down(producer, made="165", reading_Moisture="13,2")
    next_stage(producer, "Kiểm tra")
    write_down(producer, reading_Moisture="13,2")
    producer.goto("/batches")
    shoot(producer, "producer-5-home", whole=True)
    producer.get_by_role("link", name="miến khô").first.click()
    next_stage(producer, "Đóng gói")
    producer.locator("[name^='take-']").fill("101")
    producer.get_by_text("500 g").first.click()
    write_down(producer, units="200")
    expect(producer.locator(".big-number")).to_contain_text("200 gói")

    # The packs get their label; what is printed is read back, and its address opened.
    producer.get_by_role("link", name="Xem và in tem").click()
    shoot(producer, "producer-6-label", whole=True)
    pdf = tmp_path / "label.pdf"
    href = producer.get_by_role("link", name="một tem PDF").get_attribute("href")
    pdf.write_bytes(producer.request.get(f"{served.url}{href}").body())
    subprocess.run(["pdftoppm", "-r", "300", "-png", str(pdf), str(tmp_path / "label")], check=True)
    (picture,) = tmp_path.glob("label-*.png")
    (read,) = zxingcpp.read_barcodes(Image.open(picture))
    assert read.text.startswith(f"{served.url}/01/0")

    # A buyer scans it and sees this lot's true history.
    buyer = phone()
    buyer.goto(read.text)
    expect(buyer.get_by_role("heading", name="Sợi còn nguyên, từ ruộng đến tay bác")).to_be_visible()
    for stage in ("Thu hoạch", "Lọc và lắng bột", "Tráng bánh", "Phơi miến", "Đóng gói"):
        expect(buyer.get_by_role("heading", name=stage)).to_be_visible()
    expect(buyer.get_by_text("13,2 %").first).to_be_visible()
    shoot(buyer, "buyer-1-scan")
    shoot(buyer, "buyer-2-scan-whole", whole=True)

    # She orders two packs in the storefront.
    buyer.goto("/")
    shoot(buyer, "buyer-3-storefront")
    buyer.locator("a.product").filter(has_text="500 g").first.click()
    shoot(buyer, "buyer-4-product", whole=True)
    buyer.locator("[name='quantity']").fill("2")
    buyer.locator("main form button").last.click()
    expect(buyer.get_by_role("heading", name="Giỏ hàng")).to_be_visible()
    shoot(buyer, "buyer-5-cart")
    buyer.get_by_role("link", name="Đặt hàng").click()
    buyer.locator("[name='name']").fill("Khách Thử")
    buyer.locator("[name='phone']").fill("0912 345 678")
    buyer.locator("[name='address']").fill("Số 1 phố Thử, phường Mẫu, Hà Nội")
    shoot(buyer, "buyer-6-checkout")
    buyer.get_by_role("button", name="Đặt hàng").click()
    expect(buyer).to_have_url(re.compile(r"/orders/[\w-]{20,}$"))
    order_page = buyer.url
    shoot(buyer, "buyer-7-order")

    # A viewer's comment in a livestream becomes an order.
    seller = phone("seller")
    shoot(seller, "seller-1-orders")
    seller.goto("/seller/live/plan")
    seller.locator("[name='title']").fill("Miến mới tối nay")
    seller.locator("[name^='code-']").first.fill("MD01")
    seller.get_by_label("Mở phiên luôn bây giờ").check()
    seller.get_by_role("button", name="Soạn xong").click()
    expect(seller.get_by_role("heading", name="Miến mới tối nay")).to_be_visible()
    seller.locator("[name='comments']").fill(
        "Lan: chốt MD01 x2 0912345679\nHoa: giá md01 bao nhiêu shop\nBình: 2kg md01\nMai: md01 ngon quá trời"
    )
    seller.get_by_role("button", name="Đọc và giữ hàng").click()
    expect(seller.locator("[data-decision='order']").filter(has_text="chốt MD01 x2")).to_be_visible()
    expect(seller.locator("[data-decision='review']").filter(has_text="2kg md01")).to_be_visible()
    shoot(seller, "seller-2-live", whole=True)

    # The seller sees both, and sends them; the dispatch stands on the ledger.
    for number in range(2):
        seller.goto("/seller/orders")
        if number == 0:
            shoot(seller, "seller-3-both", whole=True)
        seller.locator("main a[href*='/seller/orders/']").first.click()
        seller.wait_for_load_state()
        if seller.get_by_role("button", name="Xác nhận đơn").count() == 0:
            # The viewer gave her number, not yet where to send it.
            if not seller.locator("[name='address']").is_visible():
                seller.get_by_text("Ghi lại người nhận").click()
            seller.locator("[name='address']").fill("Số 2 phố Thử, phường Mẫu, Hà Nội")
            seller.get_by_role("button", name="Ghi lại").click()
        seller.get_by_role("button", name="Xác nhận đơn").click()
        seller.get_by_role("button", name="Đã soạn xong").click()
        expect(seller.get_by_role("button", name="Đã gửi đi")).to_be_visible()
        shoot(seller, f"seller-4-picked-{number + 1}", whole=True)
        seller.get_by_role("button", name="Đã gửi đi").click()
        expect(seller.get_by_text("đã ghi vào sổ chung").first).to_be_visible()
    buyer.goto(order_page)
    shoot(buyer, "buyer-8-sent")

    with app.app_context():
        db.session.rollback()
        assert db.session.scalars(select(Event.kind).where(Event.kind == "dispatch")).all() == ["dispatch", "dispatch"]
        packed = db.session.scalars(select(Batch).where(Batch.made_units == 200)).one()
        assert packed.left_units == 196
        assert [lot for lot in audit(db.session()) if lot.faults] == []
        report = verify()
        assert (report.fault, report.entries) == (None, 11)

    # The scan page tells of it too, and nothing of the buyer.
    buyer.goto(read.text)
    expect(buyer.get_by_role("heading", name="Xuất kho").first).to_be_visible()
    assert "Khách Thử" not in buyer.content()


def test_the_shop_and_the_scan_page_work_without_javascript_and_on_a_desk(
    village: Village, served: Served, phone: Opener, shoot: Shoot
) -> None:
    packed = village.batch(village.packs(40))
    address = f"/01/{packed.gtin}/10/{packed.lot}"
    for size, name in ((DESK, "desk"), ({"width": 320, "height": 640}, "small")):
        page = phone(size=size, javascript=False)
        page.goto(address)
        expect(page.get_by_role("heading", name="Sợi còn nguyên, từ ruộng đến tay bác")).to_be_visible()
        shoot(page, f"{name}-scan", whole=True)
        page.goto("/")
        shoot(page, f"{name}-storefront", whole=True)
        page.locator("a.product").first.click()
        page.locator("main form button").last.click()
        expect(page.get_by_role("heading", name="Giỏ hàng")).to_be_visible()
        page.goto("/ledger")
        shoot(page, f"{name}-ledger", whole=True)
        page.goto("/?lang=en")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        shoot(page, f"{name}-storefront-en")
