"""A phone gets a key, the office approves it, and the phone signs: in a real browser."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from batches.devices.models import Device, DeviceUse, Status
from tests.e2e.conftest import DESK, Opener
from tests.support.phone import LOG
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.fingerprint import fingerprint
from trace.ledger.keyring import Keyring, SignedBy
from trace.ledger.models import LedgerEntry
from village.db import db
from village.text import clean_text

pytestmark = [pytest.mark.browser]
Shoot = Callable[..., None]

EXPORT = """async () => {
  const device = await import('/static/js/device.js');
  const { secret } = await device.keyOf(document.getElementById('here').dataset.owner);
  let refused = 0;
  for (const how of ['jwk', 'pkcs8', 'raw']) await crypto.subtle.exportKey(how, secret).catch(() => { refused += 1; });
  return [secret.extractable, secret.algorithm.name, refused];
}"""
NUMBERS = """async (count) => {
  const device = await import('/static/js/device.js');
  const key = await device.keyOf(document.getElementById('here').dataset.owner);
  const made = await Promise.all(Array.from({length: count}, (_, i) => device.sign(key, 'x', {id: String(i)})));
  return made.map((one) => one.device.seq);
}"""


def make_key(page: Page, label: str) -> str:
    """Make a key on this phone; the fingerprint that it shows."""
    page.goto("/me/device")
    expect(page.get_by_text("Máy này chưa có khoá.")).to_be_visible()
    page.locator("#make [name='label']").fill(label)
    page.get_by_role("button", name="Làm khoá trên máy này").click()
    shown = page.locator("[data-show=pending] [data-fingerprint]")
    expect(shown).to_have_text(re.compile(r"(\d{3} ){3}\d{3}"))
    return shown.inner_text()


def record_at(index: int) -> dict[str, object]:
    db.session.rollback()
    return parse(store.entry(index).body)


def keyring() -> Keyring:
    db.session.rollback()
    ring = Keyring(LOG)
    for row in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index)):
        record = parse(row.body)
        if record["type"] == "key":
            ring.learn(row.index, record)
    return ring


def test_a_phone_is_enrolled_signs_and_is_lost(app: Flask, village: Village, phone: Opener, shoot: Shoot) -> None:
    producer, office = phone("producer"), phone("office", size=DESK)
    producer.goto("/me/device")
    expect(producer.get_by_text("Máy này chưa có khoá.")).to_be_visible()
    shoot(producer, "device-1-none", whole=True)
    told = make_key(producer, "Điện thoại của bác A")
    shoot(producer, "device-2-pending", whole=True)
    device = db.session.scalars(select(Device)).one()
    assert (told, device.status) == (fingerprint(device.key), Status.PENDING)

    # The key cannot be taken out of the browser.
    extractable, algorithm, refused = producer.evaluate(EXPORT)
    assert (extractable, refused) == (False, 3)
    assert algorithm == "Ed25519" and device.jwk["crv"] == "Ed25519"

    # Until it is approved the custodian signs, and the form says so.
    producer.goto("/batches/record/mien-dong/harvest")
    expect(producer.get_by_text("Lần ghi này hợp tác xã ký thay bác.")).to_be_visible()

    # The office hears the same digits, and approves.
    office.goto("/coop")
    office.get_by_role("link", name="Khoá điện thoại của bà con").click()
    expect(office.get_by_text(told)).to_be_visible()
    shoot(office, "device-3-office", whole=True)
    office.get_by_role("button", name="Đúng số, duyệt").click()
    expect(office.get_by_text("Đang dùng")).to_be_visible()

    producer.goto("/me/device")
    expect(producer.locator("[data-show=enrolled]")).to_be_visible()
    expect(producer.locator("li[data-key] [data-here]")).to_be_visible()
    shoot(producer, "device-4-enrolled", whole=True)

    # She logs a stage; a mistake first, which costs no number.
    producer.goto("/batches/record/mien-dong/harvest")
    expect(producer.get_by_text("Lần ghi này ký bằng khoá của máy này.")).to_be_visible()
    producer.locator("[name='made']").fill("nhiều")
    producer.get_by_role("button", name="Ghi vào sổ").click()
    expect(producer.get_by_text("Chỗ này là số cân").first).to_be_visible()
    producer.locator("[name='made']").fill("1.250,5")
    producer.locator("[name='reading-DryMatter']").fill("23,5")
    producer.locator("[name='note']").fill("Ruộng trên,  đất còn ướt\nmưa từ sáng ")
    producer.locator("[name='occurred_at']").fill("")
    shoot(producer, "device-5-form", whole=True)
    producer.get_by_role("button", name="Ghi vào sổ").click()
    expect(producer.get_by_text("Đã ghi vào sổ")).to_be_visible()
    expect(producer.get_by_text("ký bằng máy của Người Làm A")).to_be_visible()
    shoot(producer, "device-6-batch", whole=True)

    db.session.rollback()
    event = db.session.scalars(select(Event)).one()
    record = record_at(event.entry_index)
    assert keyring().check(event.entry_index, record) == SignedBy("device", device.key, 1)
    assert event.note == "Ruộng trên, đất còn ướt\nmưa từ sáng"
    assert "Ruộng" not in store.entry(event.entry_index).body.decode()

    # The phone is lost: its key signs nothing more, and the form says who does.
    producer.goto("/me/device")
    producer.get_by_role("button", name="Mất máy").click()
    expect(producer.get_by_text("Đã báo mất")).to_be_visible()
    expect(producer.locator("[data-show=ended]")).to_be_visible()
    shoot(producer, "device-7-lost", whole=True)
    producer.goto("/batches/record/mien-dong/harvest")
    expect(producer.get_by_text("Lần ghi này hợp tác xã ký thay bác.")).to_be_visible()
    office.reload()
    shoot(office, "device-8-office", whole=True)
    office.set_viewport_size({"width": 360, "height": 740})
    shoot(office, "device-9-office-small", whole=True)

    # A new key takes its place.
    producer.goto("/me/device")
    producer.get_by_role("button", name="Làm khoá mới").click()
    expect(producer.locator("[data-show=pending]")).to_be_visible()
    db.session.rollback()
    assert len(db.session.scalars(select(Device)).all()) == 2


def test_two_tabs_at_once_never_get_the_same_number(app: Flask, village: Village, phone: Opener) -> None:
    first = phone("producer")
    make_key(first, "Máy hai trang")
    second = first.context.new_page()
    for page in (first, second):
        page.goto("/me/device")
    for page in (first, second):
        page.evaluate(f"() => {{ window.numbers = ({NUMBERS})(30); }}")
    numbers = [seq for page in (first, second) for seq in page.evaluate("() => window.numbers")]
    assert sorted(numbers) == list(range(1, 61))
    # Without locks, the transaction alone keeps them apart; and a page that is loaded anew counts on.
    for page in (first, second):
        page.reload()
        page.evaluate("() => Object.defineProperty(navigator, 'locks', {value: undefined})")
        page.evaluate(f"() => {{ window.numbers = ({NUMBERS})(30); }}")
    numbers = [seq for page in (first, second) for seq in page.evaluate("() => window.numbers")]
    assert sorted(numbers) == list(range(61, 121))


P256_ONLY = """() => {
  const make = crypto.subtle.generateKey.bind(crypto.subtle);
  crypto.subtle.generateKey = (how, ...more) =>
    how.name === 'Ed25519' ? Promise.reject(new DOMException('', 'NotSupportedError')) : make(how, ...more);
}"""


def test_a_browser_without_ed25519_signs_with_p256(app: Flask, village: Village, phone: Opener) -> None:
    producer, office = phone("producer"), phone("office")
    producer.add_init_script(f"({P256_ONLY})()")
    make_key(producer, "Máy cũ")
    assert producer.evaluate(EXPORT)[:2] == [False, "ECDSA"]
    office.goto("/coop/devices")
    office.get_by_role("button", name="Đúng số, duyệt").click()
    producer.goto("/batches/record/mien-dong/harvest")
    producer.locator("[name='made']").fill("100")
    expect(producer.get_by_text("Lần ghi này ký bằng khoá của máy này.")).to_be_visible()
    producer.get_by_role("button", name="Ghi vào sổ").click()
    expect(producer.get_by_text("Đã ghi vào sổ")).to_be_visible()
    use = db.session.scalars(select(DeviceUse)).one()
    record = record_at(use.entry_index)
    assert keyring().check(use.entry_index, record) == SignedBy("device", use.key, 1)


def test_the_phone_tidies_a_note_as_the_server_does(village: Village, phone: Opener) -> None:
    page = phone("producer")
    notes = [
        "  a  b ",
        "a\r\nb\r\rc", "a\n\n\n\nb", "e\u0301 \u00e9", "a\u200b\u0301b", "a\u00a0 \u2003b", "x\u2028y", "\ufeffz",
        "dòng một \n  dòng hai\t", "",
    ]  # fmt: skip
    told = page.evaluate(
        "async (notes) => { const {tidy} = await import('/static/js/device.js'); return notes.map(tidy); }", notes
    )
    assert told == [clean_text(note, "note", 500) for note in notes]


def test_without_javascript_the_page_says_that_the_cooperative_signs(
    village: Village, phone: Opener, shoot: Shoot
) -> None:
    page = phone("producer", javascript=False)
    page.goto("/me/device")
    expect(page.get_by_text("Muốn máy này tự ký thì trình duyệt phải bật JavaScript")).to_be_visible()
    shoot(page, "device-10-without", whole=True)
    page.goto("/me")
    page.get_by_role("link", name="Xem các máy của bác").click()
    expect(page.get_by_role("heading", name="Điện thoại của bác")).to_be_visible()
