"""The acts beside the usual way, on a phone in a real browser: signed by its key, and nobody shut out."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from batches.devices.models import Device, Status
from tests.e2e.axe import findings
from tests.e2e.conftest import Opener
from tests.e2e.test_device import keyring, make_key, record_at
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger.keyring import SignedBy
from village.db import db, write

pytestmark = [pytest.mark.browser]


def enrolled(page: Page, office: Page) -> str:
    """Give this phone a key that the office approves."""
    make_key(page, "Điện thoại")
    office.goto("/coop/devices")
    office.get_by_role("button", name="Đúng số, duyệt").click()
    expect(office.get_by_text("Đang dùng")).to_be_visible()
    page.goto("/me/device")
    expect(page.locator("[data-show=enrolled]")).to_be_visible()
    with write() as session:
        device = session.scalars(select(Device).where(Device.status == Status.ENROLLED)).one()
        return str(device.key)


def write_down(page: Page, address: str, **typed: str) -> list[str]:
    """Fill in a form and send it; what axe-core found on it."""
    page.goto(address)
    expect(page.get_by_text("Lần ghi này ký bằng khoá của máy này.")).to_be_visible()
    found = findings(page)
    for name, value in typed.items():
        field = page.locator(f"[name='{name}']")
        if field.first.get_attribute("type") == "radio":
            page.locator(f"[name='{name}'][value='{value}']").check()
        elif field.get_attribute("type") == "checkbox":
            field.check()
        else:
            field.fill(value)
    page.locator("[name='occurred_at']").evaluate("field => { field.value = ''; }")
    page.get_by_role("button", name="Ghi vào sổ").click()
    expect(page.get_by_text("Đã ghi vào sổ").first).to_be_visible()
    return found


def test_a_phone_signs_every_act_beside_the_usual_way(village: Village, phone: Opener) -> None:
    tuber, packs = village.made("harvest", "tuber", 1_000_000), village.packs(40)
    page = phone("producer")
    key = enrolled(page, phone("office"))
    first = len(db.session.scalars(select(Event.id)).all())
    form = "/batches/record/mien-dong"
    settled = {f"take-{tuber}": "400", "made": "100", "by-residue": "160"}
    found = write_down(page, f"{form}/settle?batch={tuber}", **settled)
    found += write_down(page, f"{form}/buy-dry-starch", made="50", origin="Na Rì, Thái Nguyên", value="1.400.000")
    found += write_down(page, f"{form}/split?batch={tuber}", **{"part-0": "100", "part-1": "200"})
    parts = page.evaluate("location.pathname").rsplit("/", 1)[1]
    found += write_down(page, f"{form}/merge?batch={parts}", **{f"tick-{tuber}": "1", f"take-{tuber}": "50"})
    found += write_down(page, f"{form}/lose?batch={tuber}", **{f"take-{tuber}": "5", "reason": "rain"})
    found += write_down(page, f"{form}/case?batch={packs}", **{f"take-{packs}": "12"})
    page.get_by_text("Việc khác").click()
    page.get_by_role("link", name="Mở thùng").click()
    found += write_down(page, page.url)
    assert found == []
    db.session.rollback()
    written = db.session.scalars(select(Event).order_by(Event.entry_index)).all()[first:]
    assert [event.kind for event in written] == ["transform", "buy", "split", "merge", "lose", "case", "uncase"]
    ring = keyring()
    for number, event in enumerate(written, start=1):
        assert ring.check(event.entry_index, record_at(event.entry_index)) == SignedBy("device", key, number)
