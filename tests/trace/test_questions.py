"""Buyers ask and report without an account; the address of the answers is the only key, and the office answers."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from tests.conftest import browser
from tests.support.village import Village
from trace.questions import answering, asking
from trace.questions.models import Question, QuestionKey, QuestionState, Saying, Topic
from village.db import db
from village.ids import token_digest
from village.jobs.worker import work_off
from village.outbox.models import Message
from village.outbox.services import bodies


@pytest.fixture
def lot(village: Village) -> str:
    """The address where one asks about a lot."""
    batch = village.batch(village.made("harvest", "tuber", 1_000_000))
    return f"/ask/{batch.gtin}/{batch.lot}"


Ask = Callable[..., str]


def key_in(page: str) -> str:
    """The key that a form carries."""
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.fixture
def ask(client: FlaskClient, lot: str) -> Ask:
    """Ask as a buyer does; gives the path of the answers."""

    def asked(text: str = "Nấu mấy phút", topic: str = "ask", **more: object) -> str:
        key = key_in(client.get(lot).get_data(as_text=True))
        answer = client.post(lot, data={"key": key, "topic": topic, "text": text, **more})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return urlsplit(answer.headers["Location"]).path

    return asked


def the_question() -> Question:
    """The only one, read afresh."""
    db.session.rollback()
    return db.session.scalars(select(Question).options(joinedload(Question.batch), selectinload(Question.said))).one()


def count(table: type[Question] | type[Saying] | type[Message]) -> int:
    """How many rows."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_buyer_asks_and_the_office_answers(app: Flask, client: FlaskClient, village: Village, ask: Ask) -> None:
    answers = ask("Miến này nấu mấy phút?\n\nNhà tôi nấu hay nát.", contact="0912 345 678", consent="1")
    page = client.get(answers).get_data(as_text=True)
    assert "Miến này nấu mấy phút?" in page and "Chờ trả lời" in page and "Có trả lời thì mình báo bác." in page
    question = the_question()
    assert (question.state, question.contact, question.serious) == (QuestionState.OPEN, "+84912345678", False)
    coop = village.member("office").cooperative_id
    assert answering.questions_count(db.session(), coop) == 1
    assert answering.serious_questions_count(db.session(), coop) == 0
    office = browser(app)
    village.sign_in(office, "office")
    assert "Miến này nấu mấy phút?" in office.get("/coop/questions").get_data(as_text=True)
    seen = office.get(f"/coop/questions/{question.id}").get_data(as_text=True)
    assert "0912 345 678" in seen and f"/coop/holds/new?lot={question.batch.lot}" in seen
    sent = {"key": key_in(seen), "text": "Năm phút thôi bác."}
    assert office.post(f"/coop/questions/{question.id}", data=sent).status_code == 303
    assert office.post(f"/coop/questions/{question.id}", data=sent).status_code == 303, "a double click"
    page = client.get(answers).get_data(as_text=True)
    assert page.count("Năm phút thôi bác.") == 1 and "Hợp tác xã Một" in page and "Văn Phòng" not in page
    assert answering.questions_count(db.session(), coop) == 0
    (notice,) = bodies(db.session(), "question", question.id)
    settings = app.extensions["soi"]
    assert notice.to == "+84912345678"
    assert notice.body == f"Hợp tác xã Một đã trả lời bác về lô {question.batch.lot}: {settings.public_url}{answers}"
    work_off()
    assert "Ghi ra tệp" in office.get(f"/coop/questions/{question.id}").get_data(as_text=True)


def test_a_notice_speaks_the_buyers_language_and_brings_the_answer_by_mail(
    app: Flask, client: FlaskClient, village: Village, lot: str, ask: Ask
) -> None:
    client.get(f"{lot}?lang=en")
    answers = ask("How long?", contact="Ban@Example.vn", consent="1")
    question = the_question()
    answering.answer(village.actor("office"), question.id, "Five minutes.", "k", close=True)
    (notice,) = bodies(db.session(), "question", question.id)
    assert (notice.channel, notice.to) == ("mail", "Ban@example.vn")
    assert notice.subject == f"Hợp tác xã Một has answered you about lot {question.batch.lot}"
    assert notice.body is not None and "Five minutes." in notice.body and answers in notice.body
    assert the_question().state is QuestionState.CLOSED


def test_who_left_no_contact_is_not_written_to(village: Village, ask: Ask) -> None:
    ask()
    answering.answer(village.actor("office"), the_question().id, "Năm phút.", "k", close=False)
    assert count(Message) == 0 and the_question().state is QuestionState.ANSWERED


def test_a_buyer_says_more_and_a_closed_matter_is_open_again(client: FlaskClient, village: Village, ask: Ask) -> None:
    answers = ask()
    question = the_question()
    answering.close(village.actor("office"), question.id, closed=True)
    key = key_in(client.get(answers).get_data(as_text=True))
    for _ in range(2):
        assert client.post(answers, data={"key": key, "text": "Còn một chuyện nữa."}).status_code == 303
    assert the_question().state is QuestionState.OPEN and count(Saying) == 2
    changed = client.post(answers, data={"key": key, "text": "Chuyện khác."})
    assert changed.status_code == 409 and "Chuyện khác." in changed.get_data(as_text=True)
    again = key_in(changed.get_data(as_text=True))
    assert again != key and client.post(answers, data={"key": again, "text": "Chuyện khác."}).status_code == 303
    assert count(Saying) == 3


def test_harm_is_loud_from_the_start(app: Flask, client: FlaskClient, village: Village, ask: Ask) -> None:
    ask("Hỏi chơi")
    answers = ask("Cháu ăn vào đau bụng", topic="harm")
    assert "115" in client.get(answers).get_data(as_text=True)
    db.session.rollback()
    assert answering.serious_questions_count(db.session(), village.member("office").cooperative_id) == 1
    village.sign_in(client, "office")
    page = client.get("/coop/questions").get_data(as_text=True)
    assert page.index("Cháu ăn vào đau bụng") < page.index("Hỏi chơi") and "Nghiêm trọng" in page
    (harm,) = db.session.scalars(select(Question).where(Question.topic == Topic.HARM))
    assert 'class="message recall"' in client.get(f"/coop/questions/{harm.id}").get_data(as_text=True)
    client.post(f"/coop/questions/{harm.id}/serious", data={"serious": "no"})
    client.post(f"/coop/questions/{harm.id}/close")
    assert "Nghiêm trọng" not in client.get("/coop/questions").get_data(as_text=True)


def test_only_a_hash_of_the_token_is_stored(app: Flask, ask: Ask) -> None:
    token = ask().rpartition("/")[2]
    assert len(token) == 32
    db.session.rollback()
    assert list(db.session.scalars(select(QuestionKey.digest))) == [token_digest(token)]
    database = app.extensions["soi"].instance.rglob("*.db*")
    assert not any(token.encode() in path.read_bytes() for path in database)


def test_after_the_villages_secret_changed_the_old_address_still_opens_and_so_does_the_new(
    app: Flask, client: FlaskClient, village: Village, ask: Ask
) -> None:
    from dataclasses import replace

    answers = ask(contact="ban@example.vn", consent="1")
    app.extensions["soi"] = replace(app.extensions["soi"], secret_key="n" * 40)
    answering.answer(village.actor("office"), the_question().id, "Năm phút.", "k", close=False)
    (notice,) = bodies(db.session(), "question", the_question().id)
    link = re.search(r"/answers/\S+", notice.body or "")
    assert link and link[0] != answers
    assert client.get(answers).status_code == client.get(link[0]).status_code == 200


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 31 + "%0A", "á" * 32, "A" * 5000])
def test_an_address_that_opens_nothing_opens_nothing(client: FlaskClient, ask: Ask, token: str) -> None:
    ask()
    for answer in (
        client.get(f"/answers/{token}"), client.post(f"/answers/{token}", data={"key": "k", "text": "x"}),
        client.post(f"/answers/{token}/forget"),
        client.get(f"/answers/{token}/photos/0190c0de-0000-7000-8000-000000000000"),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert count(Saying) == 1


def test_nobody_keeps_a_copy_of_a_private_page(client: FlaskClient, lot: str, ask: Ask) -> None:
    for path in (lot, ask()):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store" and answer.headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in answer.headers


def test_the_same_form_sent_twice_is_one_question(client: FlaskClient, lot: str) -> None:
    data = {"key": key_in(client.get(lot).get_data(as_text=True)), "topic": "pack", "text": "Gói rách"}
    first, second = (client.post(lot, data=data).headers["Location"] for _ in range(2))
    assert first == second and count(Question) == 1
    other = client.post(lot, data={**data, "text": "Gói thiếu"})
    assert other.status_code == 409 and "Gói thiếu" in other.get_data(as_text=True) and count(Question) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"topic": ""}, "Bác chọn một cái nhé."),
        ({"topic": "gossip"}, "chỉ chọn trong danh sách"),
        ({"text": " \u200b "}, "Chỗ này bác chưa điền."),
        ({"text": "x" * 2001}, "Dài quá"),
        ({"text": "Miến\u202egnod"}, "U+202E"),
        ({"text": "z" + "\u0323" * 9}, "Có dấu thừa"),
        ({"contact": "0912 345"}, "Số điện thoại chưa đúng"),
        ({"contact": "a@b@c", "consent": "1"}, "Địa chỉ thư điện tử chưa đúng"),
        ({"contact": "a@example.vn\r\nBcc: b@example.vn", "consent": "1"}, "Địa chỉ thư điện tử chưa đúng"),
        ({"contact": "0912345678"}, "Bác đánh dấu đồng ý thì mình mới được giữ."),
        ({"serial": "số 1"}, "Số riêng của gói chỉ gồm"),
        ({"website": "http://spam.example"}, "Có một ô ẩn"),
    ],
)
def test_a_form_that_is_not_right_comes_back_as_it_was_typed(
    client: FlaskClient, lot: str, data: dict[str, str], said: str
) -> None:
    whole = {"key": "k", "topic": "ask", "text": "Nấu mấy phút", "contact": "", **data}
    answer = client.post(lot, data=whole)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and said in page and count(Question) == 0
    if "text" not in data:
        assert "Nấu mấy phút" in page
    assert "http://spam.example" not in page


def test_decomposed_letters_are_joined_and_html_is_shown_as_text(client: FlaskClient, ask: Ask) -> None:
    answers = ask("Mie\u0302\u0301n <script>alert(1)</script>")
    page = client.get(answers).get_data(as_text=True)
    assert "Miến &lt;script&gt;" in page and "<script>alert" not in page


@pytest.mark.parametrize("key", ["", "x" * 101, "a b", "á"])
def test_a_form_without_a_proper_key_is_refused(client: FlaskClient, lot: str, key: str) -> None:
    assert client.post(lot, data={"key": key, "topic": "ask", "text": "x"}).status_code == 400


def test_the_serial_in_the_address_stands_in_the_form(client: FlaskClient, lot: str) -> None:
    assert 'value="7KQ4MN2P9XYZ"' in client.get(f"{lot}/7KQ4MN2P9XYZ").get_data(as_text=True)
    key = key_in(client.get(f"{lot}/7KQ4MN2P9XYZ").get_data(as_text=True))
    data = {"key": key, "topic": "copy", "text": "Tem mờ", "serial": "7KQ4MN2P9XYZ"}
    assert client.post(f"{lot}/7KQ4MN2P9XYZ", data=data).status_code == 303
    assert the_question().serial == "7KQ4MN2P9XYZ"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ask/{gtin}/NO-SUCH-LOT", 404), ("/ask/09506000001008/X", 400), ("/ask/{gtin}", 400),
        ("/ask/{gtin}/a/b/c", 400), ("/ask/{gtin}//", 400), ("/ask/x/y", 400),
        ("/ask/{gtin}/%C3%A1", 400), ("/ask/{gtin}/%2e%2e%2f", 404),
    ],
)  # fmt: skip
def test_an_address_that_names_no_lot_is_told_so(client: FlaskClient, village: Village, path: str, status: int) -> None:
    path = path.replace("{gtin}", village.product("tuber").gtin)
    assert client.get(path).status_code == status
    assert client.post(path, data={"key": "k", "topic": "ask", "text": "x"}).status_code == status


def test_one_network_address_cannot_flood_us_and_is_not_stored(app: Flask, client: FlaskClient, lot: str) -> None:
    def post(number: int, address: str) -> int:
        data = {"key": f"k{number}", "topic": "ask", "text": "x"}
        return client.post(lot, data=data, environ_base={"REMOTE_ADDR": address}).status_code

    answers = [post(number, "203.0.113.77") for number in range(asking.PER_ADDRESS + 2)]
    assert answers == [303] * asking.PER_ADDRESS + [429] * 2
    assert post(99, "203.0.113.78") == 303
    assert not any(b"203.0.113" in path.read_bytes() for path in app.extensions["soi"].instance.rglob("*.db*"))


def test_chatter_about_a_lot_is_bounded_and_does_not_shut_out_harm(
    client: FlaskClient, lot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PER_LOT", 2)

    def post(number: int, topic: str) -> int:
        return client.post(lot, data={"key": f"k{number}", "topic": topic, "text": "x"}).status_code

    assert [post(number, topic) for number, topic in enumerate(("ask", "pack", "copy", "harm", "harm", "harm"))] == [
        303, 303, 429, 303, 303, 429,
    ]  # fmt: skip
    full = client.post(lot, data={"key": "x", "topic": "ask", "text": "Nấu sao"}).get_data(as_text=True)
    assert "hộp thư đầy rồi" in full and "0213 3000 001" in full and "Nấu sao" in full


def test_a_matter_ends_somewhere(client: FlaskClient, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_SAID", 2)
    answers = ask()
    assert client.post(answers, data={"key": "1", "text": "x"}).status_code == 303
    more = client.post(answers, data={"key": "2", "text": "y"})
    assert more.status_code == 409 and "Chuyện này đã dài quá" in more.get_data(as_text=True) and count(Saying) == 2


@pytest.mark.parametrize(
    ("who", "status"), [("", 401), ("producer", 403), ("seller", 403), ("auditor", 403), ("office-other", 404)]
)
def test_only_the_lots_own_office_reads_and_answers(
    app: Flask, village: Village, ask: Ask, who: str, status: int
) -> None:
    ask("Chuyện riêng", contact="0912345678", consent="1")
    question = the_question()
    stranger = browser(app)
    if who:
        village.sign_in(stranger, who)
    listed = stranger.get("/coop/questions")
    assert listed.status_code == (200 if status == 404 else 302 if status == 401 else 403)
    assert "Chuyện riêng" not in listed.get_data(as_text=True)
    one = f"/coop/questions/{question.id}"
    assert stranger.get(one).status_code == (302 if status == 401 else status)
    assert stranger.get(f"{one}/photos/{question.said[0].id}").status_code == (302 if status == 401 else status)
    for path in (one, f"{one}/close", f"{one}/serious"):
        assert stranger.post(path, data={"key": "k", "text": "x"}).status_code == status
    after = the_question()
    assert (after.state, after.serious, count(Saying)) == (QuestionState.OPEN, False, 1)


def test_another_sites_page_cannot_ask_in_a_buyers_name(client: FlaskClient, lot: str) -> None:
    forged = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(lot, data={"key": "k", "topic": "ask", "text": "x"}, headers=forged).status_code == 403
    assert count(Question) == 0


def test_the_scan_page_leads_to_the_form(client: FlaskClient, lot: str) -> None:
    _ask, gtin, number = lot.strip("/").split("/")
    assert f'href="{lot}"' in client.get(f"/01/{gtin}/10/{number}").get_data(as_text=True)
