"""Photos that buyers send: small, nothing but the picture, for the office alone, and gone when they are old."""

import datetime as dt
import os
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from tests.conftest import browser
from tests.support.village import Village
from tests.trace.test_questions import count, key_in, the_question
from trace.questions import answering, pictures, retention
from trace.questions.models import Question, QuestionKey, Saying
from village import clock
from village.db import db, write
from village.outbox.models import Message


@pytest.fixture
def lot(village: Village) -> str:
    """The address where one asks about a lot."""
    batch = village.batch(village.made("harvest", "tuber", 1_000_000))
    return f"/ask/{batch.gtin}/{batch.lot}"


def shot(width: int = 3000, height: int = 2000, form: str = "JPEG", shade: int = 90) -> bytes:
    """A picture with a place and a camera's name in it."""
    exif = Image.Exif()
    exif[0x010F] = "Some Phone"
    exif.get_ifd(0x8825).update({1: "N", 2: (22.0, 25.0, 1.0), 3: "E", 4: (103.0, 37.0, 2.0)})
    out = BytesIO()
    Image.new("RGB", (width, height), (shade, 120, 60)).save(out, form, exif=exif)
    return out.getvalue()


def ask(client: FlaskClient, lot: str, photo: bytes, status: int = 303, **more: str) -> str:
    """Ask with a photo; gives the path of the answers, or the page that refused it."""
    key = key_in(client.get(lot).get_data(as_text=True))
    data = {"key": key, "topic": "pack", "text": "Gói rách", "photo": (BytesIO(photo), "IMG.jpg"), **more}
    answer = client.post(lot, data=data, content_type="multipart/form-data")
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return str(answer.headers.get("Location") or answer.get_data(as_text=True))


def kept(app: Flask) -> list[Path]:
    """The photos' files."""
    return [path for path in (app.extensions["soi"].instance / "questions" / "kept").rglob("*") if path.is_file()]


def test_a_photo_is_made_small_and_tells_nothing_but_the_picture(
    app: Flask, client: FlaskClient, village: Village, lot: str
) -> None:
    answers = ask(client, lot, shot())
    saying = the_question().said[0]
    served = client.get(f"{answers}/photos/{saying.id}")
    assert served.status_code == 200 and served.mimetype == "image/jpeg"
    assert (
        served.headers["Cache-Control"] == "private, no-store"
        and "sandbox" in served.headers["Content-Security-Policy"]
    )
    with Image.open(BytesIO(served.data)) as picture:
        assert picture.size == (1600, 1067) and not picture.getexif()
    assert b"Some Phone" not in served.data
    office = browser(app)
    village.sign_in(office, "office")
    assert office.get(f"/coop/questions/{the_question().id}/photos/{saying.id}").data == served.data
    assert saying.photo is not None and browser(app).get(f"/photos/{saying.photo}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"GIF89a" + b"x" * 100, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff\xe0broken",
        shot(60, 40)[:-300], b"%PDF-1.7", b"\x00\x00\x00\x18ftypheic" + b"x" * 50,
    ],
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused_beside_its_field(
    app: Flask, client: FlaskClient, lot: str, body: bytes
) -> None:
    page = ask(client, lot, body, 422)
    assert 'id="photo-error"' in page and "Gói rách" in page and count(Question) == 0 and kept(app) == []


def test_a_photo_that_is_too_heavy_is_refused(app: Flask, client: FlaskClient, lot: str) -> None:
    most = app.extensions["soi"].max_photo
    assert "Ảnh nặng quá" in ask(client, lot, b"\xff\xd8\xff" + b"x" * most, 422)
    key = key_in(client.get(lot).get_data(as_text=True))
    sent = {"key": key, "photo": (BytesIO(b"x" * (most + 3 * 1024 * 1024)), "IMG.jpg")}
    assert client.post(lot, data=sent, content_type="multipart/form-data").status_code == 413


def test_a_photo_need_not_be_chosen_again_when_the_form_comes_back(app: Flask, client: FlaskClient, lot: str) -> None:
    page = ask(client, lot, shot(60, 40), 422, contact="0912")
    seal = page.split('name="photo_kept" value="')[1].split('"')[0]
    assert "Ảnh lúc nãy vẫn giữ đây" in page and len(kept(app)) == 1
    data = {"key": key_in(page), "topic": "pack", "text": "Gói rách", "photo_kept": seal}
    assert client.post(lot, data=data).status_code == 303
    assert the_question().said[0].photo == kept(app)[0].name


def test_nobody_names_somebody_elses_photo(app: Flask, client: FlaskClient, lot: str) -> None:
    ask(client, lot, shot(60, 40))
    (theirs,) = kept(app)
    for number, claimed in enumerate((theirs.name, f"{theirs.name}.{'0' * 40}", f"{theirs.name}.é", "../x.y")):
        data = {"key": f"k{number}", "topic": "pack", "text": "x", "photo_kept": claimed}
        assert client.post(lot, data=data).status_code == 303
    db.session.rollback()
    assert sum(1 for one in db.session.scalars(select(Saying.photo)) if one) == 1


def test_one_questions_key_does_not_open_anothers_photo(client: FlaskClient, lot: str) -> None:
    ask(client, lot, shot(60, 40))
    saying = the_question().said[0].id
    other = ask(client, lot, shot(60, 41))
    assert client.get(f"{other}/photos/{saying}").status_code == 404


def test_a_buyer_has_contact_photos_and_notices_erased(
    app: Flask, client: FlaskClient, village: Village, lot: str
) -> None:
    answers = ask(client, lot, shot(60, 40), contact="ban@example.vn", consent="1")
    question = the_question()
    answering.answer(village.actor("office"), question.id, "Mình đổi gói khác.", "k", close=False)
    page = client.get(answers).get_data(as_text=True)
    assert "Xoá số, địa chỉ và ảnh của tôi" in page
    assert client.post(f"{answers}/forget").status_code == 303
    after = the_question()
    assert after.contact is None and after.consented_at is None and after.said[0].photo is None and kept(app) == []
    (notice,) = db.session.scalars(select(Message))
    assert notice.to is None and notice.body is None
    page = client.get(answers).get_data(as_text=True)
    assert "Gói rách" in page and "đã xoá ngày" in page and "ban@example.vn" not in page
    answering.answer(village.actor("office"), question.id, "Xong rồi bác.", "k2", close=False)
    assert count(Message) == 1, "nobody is written to whose address was erased"


def test_two_buyers_with_the_same_picture_do_not_lose_each_others(app: Flask, client: FlaskClient, lot: str) -> None:
    first, second = ask(client, lot, shot(60, 40)), ask(client, lot, shot(60, 40))
    client.post(f"{first}/forget")
    assert len(kept(app)) == 1
    client.post(f"{second}/forget")
    assert kept(app) == []


def passed(days: dt.timedelta) -> None:
    """So much time goes by for everything that was said."""
    with write() as session:
        session.execute(update(Question).values(last_at=clock.now() - days - dt.timedelta(hours=1)))


def test_what_buyers_left_is_erased_by_itself_in_time(
    app: Flask, client: FlaskClient, village: Village, lot: str
) -> None:
    answers = ask(client, lot, shot(60, 40), contact="0912345678", consent="1")
    question_id = the_question().id
    passed(retention.CLOSED_KEPT)
    retention.tidy()
    assert the_question().contact == "+84912345678", "the matter is still open"
    answering.close(village.actor("office"), question_id, closed=True)
    passed(retention.CLOSED_KEPT)
    retention.tidy()
    assert the_question().contact is None and kept(app) == []
    key = key_in(client.get(answers).get_data(as_text=True))
    more = {"key": key, "text": "Ảnh nữa", "photo": (BytesIO(shot(60, 40)), "IMG.jpg")}
    assert client.post(answers, data=more, content_type="multipart/form-data").status_code == 303
    passed(retention.OPEN_KEPT)
    retention.tidy()
    assert kept(app) == [] and count(Saying) == 2
    passed(retention.TEXT_KEPT)
    retention.tidy()
    assert (count(Question), count(Saying)) == (0, 0) and client.get(answers).status_code == 404
    assert db.session.scalars(select(QuestionKey)).all() == []


def test_a_photo_whose_form_was_never_sent_to_the_end_does_not_stay(app: Flask, client: FlaskClient, lot: str) -> None:
    ask(client, lot, shot(60, 40), 422, contact="0912")
    ask(client, lot, shot(60, 41, shade=9))
    old = clock.now().timestamp() - 86400 * (pictures.STRAY_DAYS + 1)
    for path in kept(app):
        os.utime(path, (old, old))
    retention.tidy()
    assert [path.name for path in kept(app)] == [the_question().said[0].photo]
