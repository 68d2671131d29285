"""`make pictures`: photographs the demo village's pages for README and guides, from today's pages.

Run as `python -m tests.e2e.pictures`; it writes docs/pictures/*.png and needs Chromium.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.support.serving import environment, free_port, serving
from village.settings import ROOT, from_env

FOLDER = ROOT / "docs" / "pictures"
PHONE = {"width": 360, "height": 740}
GAP = 24
PAPER = "#e6d8b5"


def main() -> None:
    """Settle a demo village in a folder of its own, serve it, walk through it with a camera."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    instance = Path(tempfile.mkdtemp(prefix="soi-pictures-"))
    try:
        settings = replace(from_env({"INSTANCE": str(instance)}))
        env = environment(settings, free_port())
        for command in (["db", "upgrade"], ["demo"], ["ledger", "keep", "--once"]):
            subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", *command], cwd=ROOT, env=env, check=True)
        with serving(settings) as served, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            env["PORT"] = str(served.port)

            def phone(username: str = "") -> Page:
                context = browser.new_context(
                    viewport=PHONE, base_url=served.url, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh",  # type: ignore[arg-type]  # a size as the library wants it
                    device_scale_factor=2,
                )
                page = context.new_page()
                if username:
                    page.goto(_link(username, env))
                    page.get_by_role("button", name="Vào").click()
                return page

            _buyer(phone())
            _anybody(phone())
            _producer(phone("producer"))
            _field(phone("producer"))
            _seller(phone("seller"))
            _office(phone("office"))
            _money(phone("seller"), phone("office"), phone("producer"))
            browser.close()
    finally:
        shutil.rmtree(instance, ignore_errors=True)
    _side_by_side("three-phones", "scan", "storefront", "producer-home", keep=True)
    _side_by_side("buyer", "scan", "scan-story", "product", "order")
    _side_by_side("buying", "cart", "checkout", "to-pay", "receipt")
    _side_by_side("checking", "ledger", "verify-whole", "verify-cut")
    _side_by_side("producer", "producer-home", "producer-batch", "producer-stage", "producer-refused")
    _side_by_side("field", "field-home", "field-number", "field-sum", "field-kept")
    _side_by_side("office", "office-home", "office-balance", "office-corrections", "office-holds")
    _side_by_side("seller", "seller-today", "seller-order", "live", "live-stock")
    _side_by_side("sending", "picking", "slip", "ship", "parcels")
    _side_by_side("money", "desk", "figures", "settlements", "statement")
    print(f"Pictures of today's pages are in {FOLDER.relative_to(ROOT)}.")


def _link(username: str, env: dict[str, str]) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "members", "link", username],
        cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return made.stdout.strip()


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")  # photos come after the words
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


def _buyer(page: Page) -> None:
    page.goto("/")
    _shoot(page, "storefront")
    page.locator("a.product").filter(has_text="500 g").click()
    _shoot(page, "product")
    # Lots that are sent later are folded.
    page.locator("main details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    page.locator("a.proof[href^='/01/']").last.click()
    _shoot(page, "scan")
    page.locator(".knot").nth(2).scroll_into_view_if_needed()
    page.locator(".knot").nth(1).evaluate("e => e.scrollIntoView()")
    _shoot(page, "scan-story")
    page.goto("/")
    page.locator("a.product").filter(has_text="500 g").click()
    page.locator("main form button").last.click()
    _shoot(page, "cart")
    page.get_by_role("link", name="Đặt hàng").click()
    page.locator("[name='name']").fill("Khách Thử")
    page.locator("[name='phone']").fill("0900 000 199")
    page.locator("[name='province']").select_option("Hà Nội")
    page.locator("[name='ward']").fill("Phường Mẫu")
    page.locator("[name='address']").fill("Số 9 phố Thử")
    page.locator("label:has([name='payment'][value='vietqr'])").click()
    page.locator("fieldset:has([name='payment'])").evaluate("e => e.scrollIntoView()")
    _shoot(page, "checkout")
    page.get_by_role("button", name="Đặt hàng").click()
    page.get_by_text("Hàng đang ở đâu").wait_for()
    _shoot(page, "order")
    page.locator("#pay").evaluate("e => e.scrollIntoView()")
    _shoot(page, "to-pay")
    page.get_by_role("link", name="Biên nhận để in").click()
    _shoot(page, "receipt")


def _anybody(page: Page) -> None:
    """The same lot proof on /verify, as it is and with one digit changed: whole, and cut."""
    page.goto("/ledger")
    _shoot(page, "ledger")
    page.goto("/")
    page.locator("a.product").filter(has_text="500 g").click()
    lot = page.locator("a.proof[href^='/01/']").last.get_attribute("href") or ""
    _, _, gtin, _, code = lot.split("/")
    proof = page.request.get(f"/ledger/lots/{gtin}/{code}/proof").json()
    page.goto("/verify")
    for name in ("verify-whole", "verify-cut"):
        body = json.dumps(proof, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        page.locator("input[type='file']").set_input_files(
            {"name": f"{code}.soi-proof", "mimeType": "application/json", "buffer": body}
        )
        page.locator(".verdict.whole" if name == "verify-whole" else ".verdict.cut").first.wait_for()
        page.locator(".verdict").first.evaluate("e => e.scrollIntoView()")
        _shoot(page, name)
        told = base64.b64decode(proof["entries"][4]["entry"]).replace(b'"quantity":', b'"quantity":1', 1)
        proof["entries"][4]["entry"] = base64.b64encode(told).decode()


def _producer(page: Page) -> None:
    page.goto("/batches")
    _shoot(page, "producer-home")
    page.locator(".lots a").nth(1).click()
    _shoot(page, "producer-batch")
    page.goto("/batches")
    page.get_by_role("link", name="Ghi bước này").click()
    page.locator("[name='made']").fill("195")
    _shoot(page, "producer-stage")
    page.locator("[name='made']").fill("950")
    page.get_by_role("button", name="Ghi vào sổ").click()
    _shoot(page, "producer-refused")


def _field(page: Page) -> None:
    """The field app: home, a number, what will be written down, and a record kept without a network."""
    page.goto("/field")
    page.get_by_role("link", name="Cắt sợi").first.wait_for()
    _shoot(page, "field-home")
    page.get_by_role("link", name="Cắt sợi").first.click()
    page.locator("[data-press='1']").wait_for()
    for key in "174":
        page.locator(f"[data-press='{key}']").click()
    _shoot(page, "field-number")
    page.locator("[data-press=ok]").click()
    page.get_by_role("heading", name="Đúng thế này chưa?").wait_for()
    _shoot(page, "field-sum")
    page.context.set_offline(True)
    page.get_by_role("button", name="Ghi lại").click()
    page.get_by_role("button", name="Ghi nhầm, bỏ đi").wait_for()
    _shoot(page, "field-kept")


def _seller(page: Page) -> None:
    page.goto("/seller")
    _shoot(page, "seller-today")
    page.goto("/seller/orders?status=confirmed")
    page.locator("main a[href*='/seller/orders/']").first.click()
    _shoot(page, "seller-order")
    page.goto("/seller/picking")
    _shoot(page, "picking")
    page.goto("/seller/orders?status=picked")
    order = page.locator("main a[href*='/seller/orders/']").first.get_attribute("href")
    page.goto(f"{order}/slip")
    _shoot(page, "slip")
    page.goto(f"{order}/ship")
    page.locator("fieldset").first.evaluate("e => e.scrollIntoView()")
    _shoot(page, "ship")
    page.goto("/seller/parcels")
    _shoot(page, "parcels")
    page.goto("/seller/live")
    page.locator("main .list a[href*='/seller/live/']").first.click()
    page.locator(".comments").first.evaluate("e => e.scrollIntoView()")
    _shoot(page, "live")
    page.locator(".codes").evaluate("e => e.scrollIntoView()")
    _shoot(page, "live-stock")


def _office(page: Page) -> None:
    page.goto("/coop")
    _shoot(page, "office-home")
    page.goto("/coop/balance")
    page.locator("main svg").first.evaluate("e => e.scrollIntoView()")
    _shoot(page, "office-balance")
    page.goto("/coop/corrections")
    _shoot(page, "office-corrections")
    page.goto("/coop/holds")
    _shoot(page, "office-holds")


def _money(seller: Page, office: Page, producer: Page) -> None:
    """Money that somebody has to look at, what was sold, and what each household is paid for it."""
    seller.goto("/seller/payments")
    _shoot(seller, "desk")
    seller.goto("/seller/figures")
    _shoot(seller, "figures")
    office.goto("/coop/settlements")
    _shoot(office, "settlements")
    producer.goto("/settlement")
    producer.locator("main a[href*='/settlement/']").first.click()
    _shoot(producer, "statement")


def _side_by_side(name: str, *parts: str, keep: bool = False) -> None:
    """Several phones in one picture, at the size of one each."""
    phones = [Image.open(FOLDER / f"{part}.png").convert("RGB") for part in parts]
    height = phones[0].height
    sheet = Image.new("RGB", (sum(p.width for p in phones) + GAP * (len(phones) + 1), height + 2 * GAP), PAPER)
    left = GAP
    for picture in phones:
        sheet.paste(picture, (left, GAP))
        left += picture.width + GAP
    sheet.thumbnail((1600, 1600))
    sheet.quantize(128).save(FOLDER / f"{name}.png", optimize=True)
    for part in parts:
        if not keep:
            (FOLDER / f"{part}.png").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
