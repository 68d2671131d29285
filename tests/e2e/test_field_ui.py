"""The field app's screens in a real browser: few taps, small phones, nobody shut out, nothing lost on the way."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from batches.field import files
from batches.stages.wanted import Measure
from tests.e2e.axe import findings
from tests.e2e.conftest import STICKS_OUT
from tests.support.fieldphone import FieldPhone
from tests.support.serving import Served
from tests.support.village import Village
from village.settings import ROOT

pytestmark = [pytest.mark.browser]
Start = Callable[[], FieldPhone]
MOST_TAPS = 6
FIRST_LOAD = 150_000
KEPT = """() => engine.state.records.map(({ draft }) => [
  draft.stage, draft.inputs.map((one) => one.grams), draft.outputs.map((one) => one.grams ?? one.units),
  draft.readings])"""
SMALL_TARGETS = """() => [...document.querySelectorAll('main button, main a, #places a')]
  .filter((one) => one.getClientRects().length && !one.closest('p.hint'))
  .map((one) => [one.getBoundingClientRect(), one])
  .filter(([box]) => box.height < 55.5 || box.width < 55.5)
  .map(([box, one]) => `${one.className} ${one.textContent} ${box.width} × ${box.height}`)"""


class Thumb:
    """Taps and counts; the number itself is not counted, that it is done is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, what: Locator) -> None:
        self.taps += 1
        what.click()

    def number(self, typed: str, refused: bool = False) -> None:
        for key in typed:
            self.page.locator(f"[data-press='{key}']").click()
        asked = self.page.url
        self.tap(self.page.locator("[data-press=ok]"))
        if not refused:
            expect(self.page).not_to_have_url(asked)

    def button(self, words: str) -> None:
        self.tap(self.page.get_by_role("button", name=words, exact=True))

    def skip(self) -> None:
        """Leave out every question that may be left out, until the summary."""
        summary = self.page.get_by_role("heading", name="Đúng thế này chưa?")
        for _ in range(6):
            expect(summary.or_(self.page.locator(".offers button").last).first).to_be_visible()
            if summary.is_visible():
                return
            asked = self.page.url
            self.tap(self.page.locator(".offers button").last)
            expect(self.page).not_to_have_url(asked)
        raise AssertionError("the questions do not end")


@pytest.fixture
def start(chromium: Browser, app: Flask, village: Village, served: Served) -> Iterator[Start]:
    """Opens the field app on a phone of household A."""
    made: list[FieldPhone] = []

    def open_app() -> FieldPhone:
        phone = FieldPhone(chromium, served.url).open()
        made.append(phone)
        phone.sign_in(village, "producer")
        phone.start(worker=False)
        expect(phone.page.get_by_role("heading", name="Hôm nay nhà mình làm gì?")).to_be_visible()
        return phone

    yield open_app
    for phone in made:
        phone.close()
        assert phone.errors == []


def stock(village: Village) -> None:
    """Tubers, strands to dry and noodles to pack."""
    village.made("harvest", "tuber", 1_250_000, days_ago=9)
    tuber = village.made("harvest", "tuber", 1_000_000, days_ago=8)
    starch = village.made("settle", "wet-starch", 250_000, (tuber, 1_000_000), days_ago=7)
    sheets = village.made("steam", "sheets", 250_000, (starch, 250_000), days_ago=6)
    rested = village.made("rest", "rested-sheets", 140_000, (sheets, 250_000), days_ago=5)
    strands = village.made("cut", "strands", 138_000, (rested, 140_000), days_ago=4)
    village.made(
        "dry", "noodles", 62_000, (strands, 69_000), days_ago=3, readings=(Measure("Moisture", Decimal("13.2"), "P1"),)
    )


def lot(page: Page, what: str) -> Locator:
    """The card of the batch of this material."""
    return page.locator(".lot").filter(has_text=what).first


def test_ordinary_stages_take_at_most_six_taps_and_the_strip_tells_what_became_of_them(
    village: Village, start: Start
) -> None:
    stock(village)
    page = start().page
    expect(page.locator("#strip")).to_have_text("Đã gửi hết")
    taps = {}

    harvest = Thumb(page)
    harvest.tap(page.locator("[data-key='begin-mien-dong']"))
    harvest.number("840")
    harvest.skip()
    harvest.button("Ghi lại")
    expect(page.locator(".undo")).to_contain_text("Thu hoạch: 840")
    taps["harvest"] = harvest.taps

    settle = Thumb(page)
    settle.tap(lot(page, "1.250").locator(".next"))
    settle.number("312,5")
    settle.skip()
    settle.button("Ghi lại")
    expect(page.locator(".undo")).to_contain_text("312,5")
    taps["settle"] = settle.taps

    dry = Thumb(page)
    dry.tap(lot(page, "sợi mới cắt").locator(".next"))
    dry.number("62")
    dry.number("13,2")
    dry.skip()
    dry.button("Ghi lại")
    expect(page.locator(".undo")).to_contain_text("Phơi miến: 62")
    taps["dry"] = dry.taps

    pack = Thumb(page)
    pack.tap(lot(page, "miến khô").locator(".next"))
    pack.tap(page.get_by_role("button", name=re.compile("0,5 kg")).first)
    pack.number("100")
    pack.button("Ghi lại")
    expect(page.locator(".undo")).to_contain_text("100 gói")
    taps["pack"] = pack.taps
    assert max(taps.values()) <= MOST_TAPS, taps

    # What went in without being asked: all of it, but for packs what they weigh.
    told = page.evaluate(KEPT)
    assert [one[:3] for one in told] == [
        ["pack", [50_000], [100]],
        ["dry", [69_000], [62_000]],
        ["settle", [1_250_000], [312_500]],
        ["harvest", [], [840_000]],
    ]
    assert told[1][3] == [{"type": "Moisture", "value": 13.2, "unit": "P1"}]
    # The strip tells in words and shape how things stand.
    strip = page.locator("#strip")
    expect(strip).to_have_text("Còn 4 việc chờ gửi")
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(strip).to_have_text("Chưa có mạng, đã giữ lại đây 4 việc")
    assert page.evaluate("getComputedStyle(document.querySelector('#strip p'), '::before').content") == '"⊘"'
    assert page.locator("#strip-words").get_attribute("role") == "status"


def test_every_screen_fits_a_small_phone_and_shuts_nobody_out(village: Village, start: Start) -> None:
    stock(village)
    page = start().page
    found: list[str] = []
    seen: list[str] = []

    def look() -> None:
        title = page.locator("h1").inner_text()
        for width in (320, 180):  # a small phone, and a usual one at 200 % zoom
            page.set_viewport_size({"width": width, "height": 568})
            if wide := page.evaluate(STICKS_OUT):
                found.append(f"{title}: too wide at {width} px: {wide}")
        page.set_viewport_size({"width": 360, "height": 740})
        if small := page.evaluate(SMALL_TARGETS):
            found.append(f"{title}: targets too small: {small}")
        found.extend(findings(page))
        seen.append(title)

    def press(typed: str) -> None:
        Thumb(page).number(typed)

    look()
    page.locator("[data-key='begin-mien-dong']").click()
    press("9")  # not a usual amount
    look()
    page.locator(".offers button").last.click()
    expect(page.get_by_role("heading", name="Số này khác mọi khi")).to_be_visible()
    look()
    page.get_by_role("button", name="Cân lại rồi, đúng thế", exact=True).click()
    look()  # the summary
    for name in ("Ghi thêm", "Lúc nào"):
        page.get_by_role("link", name=f"Đổi: {name}").click()
        look()
        page.go_back()
    page.get_by_role("button", name="Chụp ảnh").click()
    look()  # may the photo tell its place
    page.get_by_role("button", name="Không ghi", exact=True).click()
    page.get_by_role("button", name="Ghi lại", exact=True).click()
    expect(page.locator(".undo")).to_be_visible()
    look()
    lot(page, "1.250").locator(".next").click()
    Thumb(page).number("900", refused=True)
    expect(page.get_by_role("alert")).to_contain_text("Từ 1.250 kg không thể ra 900 kg được")
    look()
    page.get_by_role("button", name="Quay lại").click()
    look()  # half written
    lot(page, "miến khô").locator(".lot-head").click()
    look()
    page.get_by_role("link", name="Kiểm tra", exact=True).click()
    look()
    home_from(page)
    for kind, steps in {"split": ["5"], "lose": ["2"], "merge": [], "buy": ["80"]}.items():
        page.get_by_role("link", name="Việc khác").click()
        look() if kind == "split" else None
        page.locator(f"a[href='#/pick/{kind}']").click()
        look()
        page.locator(".choice").first.click()
        look()
        for typed in steps:
            press(typed)
            look()
        home_from(page)
    page.get_by_role("link", name="Đã ghi").click()
    look()
    page.locator(".record").first.click()
    look()
    page.get_by_role("button", name="Quay lại").click()
    page.get_by_role("link", name="Máy này").click()
    look()
    assert found == []
    assert len(set(seen)) >= 15


def home_from(page: Page) -> None:
    """Leave a flow by the address itself."""
    page.evaluate("location.hash = '#/'")
    expect(page.get_by_role("heading", name="Hôm nay nhà mình làm gì?")).to_be_visible()


def test_a_half_filled_form_outlives_the_app_and_back_goes_one_question_back(village: Village, start: Start) -> None:
    stock(village)
    phone = start()
    page = phone.page
    lot(page, "1.250").locator(".next").click()
    Thumb(page).number("312,5")
    asked = page.locator("h1").inner_text()
    page.keyboard.press("4")
    page.keyboard.press(",")
    expect(page.locator(".pad-number")).to_have_text("4,")
    # The new question has the focus, so that it is heard first.
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    expect(page.locator(".pad-number")).to_have_text("312,5")
    page.go_forward()
    page.wait_for_timeout(200)
    page.goto("about:blank")
    page.goto("/field")
    page.get_by_role("link", name="Ghi tiếp").click()
    expect(page.locator("h1")).to_have_text(asked)
    expect(page.locator(".pad-number")).to_have_text("4,")
    page.go_back()
    page.get_by_role("button", name="Bỏ đi").click()
    expect(page.get_by_text("Đang ghi dở")).to_have_count(0)
    # From where a flow was finished, "back" does not lead into it again.
    page.locator("[data-key='begin-mien-dong']").click()
    Thumb(page).number("840")
    Thumb(page).skip()
    page.get_by_role("button", name="Ghi lại", exact=True).click()
    expect(page.locator(".undo")).to_be_visible()
    page.get_by_role("button", name="Ghi nhầm, bỏ đi").click()
    expect(page.locator(".undo")).to_have_count(0)
    expect(page.locator("#told")).to_have_text("Đã bỏ, chưa gửi đi đâu cả.")
    expect(page.get_by_text("840")).to_have_count(0)


def test_a_record_that_needs_help_says_why_and_is_mended_with_a_few_taps(village: Village, start: Start) -> None:
    tuber = village.made("harvest", "tuber", 1_000_000, days_ago=2)
    phone = start()
    phone.enrol(village)
    page = phone.page
    lot(page, "1.000").locator(".next").click()
    Thumb(page).number("250")
    Thumb(page).skip()
    # Meanwhile the neighbour's phone takes most of the same tubers.
    village.made("settle", "wet-starch", 150_000, (tuber, 600_000), days_ago=1)
    page.get_by_role("button", name="Ghi lại", exact=True).click()
    expect(page.get_by_role("heading", name="Hôm nay nhà mình làm gì?")).to_be_visible()
    phone.settle("state.counts.help === 1")
    expect(page.locator("#strip-help")).to_have_text("1 việc cần bác xem")
    page.locator("#strip-help").click()
    expect(page.locator(".record.help .state")).to_have_text("Cần bác xem")
    page.locator(".record.help").click()
    expect(page.locator(".trouble")).to_contain_text("400 kg")
    page.get_by_role("button", name="Sửa số cân", exact=True).click()
    erase = page.locator("[data-press=erase]")
    for _ in range(4):
        erase.click()
    Thumb(page).number("400")
    for _ in range(3):
        erase.click()
    Thumb(page).number("100")
    assert findings(page) == []
    page.get_by_role("button", name="Sửa xong, gửi lại").click()
    expect(page.get_by_role("heading", name="Những việc đã ghi")).to_be_visible()
    phone.settle("state.counts.proven === 1")
    expect(page.locator(".record .state")).to_have_text("Đã vào sổ")
    expect(page.locator("#strip")).to_contain_text("Đã gửi hết")


def test_a_photo_is_shrunk_to_a_clean_jpeg_and_kept_with_the_record(
    village: Village, start: Start, tmp_path: Path
) -> None:
    page = start().page
    photo = tmp_path / "ảnh.jpg"
    taken = Image.effect_noise((3000, 2000), 60).convert("RGB")
    told = Image.Exif()
    told[0x010F] = "Hãng máy"
    taken.save(photo, exif=told, quality=95)
    page.locator("[data-key='begin-mien-dong']").click()
    Thumb(page).number("840")
    Thumb(page).skip()
    page.get_by_role("button", name="Chụp ảnh").click()
    page.get_by_role("button", name="Không ghi", exact=True).click()
    for number in (1, 2):
        with page.expect_file_chooser() as chooser:
            page.locator(".photo-add").click()
        assert chooser.value.element.get_attribute("capture") == "environment"
        chooser.value.set_files(photo)
        expect(page.locator(".photos li")).to_have_count(number)
    page.get_by_role("button", name="Bỏ ảnh 2").click()
    expect(page.locator(".photos li")).to_have_count(1)
    kept = page.evaluate(
        """async () => {
          const { photos, place } = await engine.lastDraft();
          const bytes = new Uint8Array(await photos[0].arrayBuffer());
          return [photos.length, place, btoa(bytes.reduce((text, one) => text + String.fromCharCode(one), ''))];
        }"""
    )
    assert kept[:2] == [1, None]
    shrunk = base64.b64decode(kept[2])
    with Image.open(io.BytesIO(shrunk)) as read:
        assert (read.format, max(read.size), dict(read.getexif())) == ("JPEG", max(read.size), {})
        assert max(read.size) <= 1600 and abs(read.width / read.height - 1.5) < 0.01
    assert len(shrunk) <= 300_000
    page.get_by_role("button", name="Ghi lại", exact=True).click()
    expect(page.locator(".undo")).to_be_visible()
    assert page.evaluate("engine.state.records[0].photos.length") == 1


def test_every_sentence_and_drawing_that_the_scripts_ask_for_is_there(client: FlaskClient) -> None:
    page = client.get("/field").get_data(as_text=True)
    scripts = {path.name: path.read_text() for path in (ROOT / "static" / "js" / "field").glob("*.js")}
    said = {name: set(re.findall(r'\bsay\("([a-z-]+)"', text)) for name, text in scripts.items()}
    missing = {name: [one for one in words if f'data-say="{one}"' not in page] for name, words in said.items()}
    assert not any(missing.values()), missing
    drawn = {
        one
        for text in scripts.values()
        for one in re.findall(r'\bpicture\("([a-z-]+)"|drawn: "([a-z-]+)"', text)
        for one in one
        if one
    }
    absent = [
        one
        for one in drawn
        if not (ROOT / "static" / "pictures" / f"{one}.svg").exists() or f'data-picture="{one}"' not in page
    ]
    assert drawn and absent == []
    # What a guest's browser keeps for everybody holds nothing of anybody.
    assert "data-training" not in page and page.count("<script") == 1


def test_the_first_load_is_at_most_150_kilobytes_with_everything_for_later(app: Flask, client: FlaskClient) -> None:
    zipped = {"Accept-Encoding": "gzip"}
    with app.test_request_context():
        addresses = ("/field", "/field/sw.js", *files.kept_offline())
    sizes = {}
    for address in addresses:
        answer = client.get(address, headers=zipped)
        assert answer.status_code == 200, address
        sizes[address] = len(answer.data)
    assert sum(sizes.values()) <= FIRST_LOAD, sorted(sizes.items(), key=lambda one: -one[1])
