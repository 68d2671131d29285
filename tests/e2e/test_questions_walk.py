"""The questions' pages on a phone of 360 px, without JavaScript: they fit, and shut nobody out."""

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import findings
from tests.e2e.conftest import STICKS_OUT, Opener
from tests.support.outbox import letter, sent_off
from tests.support.village import Village

pytestmark = [pytest.mark.browser, pytest.mark.slow_once]


def test_asking_and_answering_on_a_phone(village: Village, phone: Opener) -> None:
    batch = village.batch(village.made("harvest", "tuber", 1_000_000))
    sent_off(village, letter("call", body="Bác ơi, gói ấy đừng dùng."), letter("sms", "so sai", "2"))
    buyer = phone(javascript=False)
    buyer.goto(f"/01/{batch.gtin}/10/{batch.lot}")
    buyer.get_by_role("link", name="Hỏi hoặc báo").click()
    buyer.get_by_text("Ăn vào thấy mệt").click()
    buyer.get_by_label("Bác kể giúp").fill("Cháu ăn xong đau bụng.\nGói còn đây.")
    buyer.get_by_role("button", name="Gửi").click()
    expect(buyer.get_by_role("heading", name="Chuyện bác hỏi")).to_be_visible()
    answers = buyer.url
    found: list[str] = []
    reader, office = phone(), phone("office")
    for page, path in (
        (reader, f"/ask/{batch.gtin}/{batch.lot}"), (reader, answers), (office, "/coop/questions"),
        (office, "/coop/outbox"), (office, "/coop/outbox?show=failed"),
    ):  # fmt: skip
        page.goto(path)
        assert page.evaluate(STICKS_OUT) == [], path
        found += findings(page)
    office.goto("/coop/questions")
    office.get_by_role("link", name="Ăn vào thấy mệt").click()
    expect(office.get_by_label("Trả lời")).to_be_visible()
    assert office.evaluate(STICKS_OUT) == []
    found += findings(office)
    office.get_by_label("Trả lời").fill("Mình gọi bác ngay.")
    office.get_by_role("button", name="Gửi trả lời").click()
    reader.goto(answers)
    expect(reader.get_by_text("Mình gọi bác ngay.")).to_be_visible()
    assert found == []
