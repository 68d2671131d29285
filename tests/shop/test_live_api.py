import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from shop.live.models import LiveAside, LiveComment, LiveSession
from tests.conftest import browser
from tests.support.live import Live, comment, lines, reserved, shelf
from tests.support.village import Village
from village.db import db

CODES = ("MD01", "MD02", "MD03", "MD10", "MK01", "COMBO1")


def start(app: Flask, village: Village, username: str = "seller", **more: Any) -> Any:
    body = {"title": "Tối nay", "platform": "facebook", "codes": [code(village)], **more}
    return browser(app).post("/api/live/sessions", json=body, headers=bearer(village, username))


def code(village: Village, name: str = "MD01", **more: Any) -> dict[str, Any]:
    return {"code": name, "gtin": village.product("packs", 500).gtin, "price": 65000, "limit": None, **more}


def bearer(village: Village, username: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {village.token(username)}"}


def test_every_conformance_comment_becomes_what_it_must(app: Flask, village: Village, conformance_data: Path) -> None:
    for n in range(5):
        village.packs(40, lot=f"L{n}")
    live = Live(app, village, codes={name: {} for name in CODES})
    given = json.loads((conformance_data / "comments.json").read_text(encoding="utf-8"))
    sent = [comment(f"viewer{n}", each["text"], seconds=n - 200) for n, each in enumerate(given)]
    results = live.send(sent).json["results"]
    assert [result["id"] for result in results] == [each["id"] for each in sent]
    wrong = []
    for each, result in zip(given, results, strict=True):
        expected = each["expect"]
        if expected == "reject":
            right = result["decision"] not in ("order", "waitlist") and result["order"] is None
        else:
            right = result["decision"] == "order" and result["order"] is not None
            right = right and result["phone"] == expected["phone"]
            right = right and lines(result) == dict(zip(expected["codes"], expected["quantities"], strict=True))
        if not right:
            wrong.append((each, result))
    assert wrong == []
    packs = sum(sum(each["expect"]["quantities"]) for each in given if each["expect"] != "reject")
    assert reserved() == packs


def test_the_same_comments_sent_again_are_duplicates_with_the_first_order(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    sent = [comment("lan", "md01 x2"), comment("hoa", "md01 giá sao"), comment("mai", "md01 x1")]
    first = live.send([*sent, sent[0]]).json["results"]
    assert [r["decision"] for r in first] == ["order", "question", "order", "duplicate"]
    assert first[3]["order"] == first[0]["order"]
    second = live.send(sent).json["results"]
    assert {r["decision"] for r in second} == {"duplicate"}
    assert [r["order"] for r in second] == [r["order"] for r in first[:3]] and lines(second[0]) == {"MD01": 2}
    assert reserved() == 3 and len(live.orders()) == 2


def test_five_hundred_comments_in_one_call_and_not_one_more(app: Flask, village: Village) -> None:
    shelf(village, 20)
    live = Live(app, village)
    sent = [comment(f"viewer{n}", "md01 x1" if n % 5 == 0 else "đẹp quá", seconds=n / 1000) for n in range(501)]
    refused = live.send(sent)
    assert refused.status_code == 422 and refused.json["type"].endswith("/problems/invalid")
    assert len(live.send([{}] * 20_000).data) < 1000, "each of them has its faults"
    decisions = [r["decision"] for r in live.send(sent[:500]).json["results"]]
    assert (decisions.count("order"), decisions.count("waitlist")) == (20, 80) and reserved() == 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""}, {"id": "a\u0000"}, {"id": "a\ud800"}, {"id": 7}, {"author": {"name": "Lan"}}, {"author": None},
        {"author": {"id": "x" * 121}}, {"text": None}, {"at": "hôm qua"}, {"at": "2026-11-20T20:00:00"},
    ],
)  # fmt: skip
def test_a_comment_that_is_none_is_refused_and_nothing_is_kept(
    app: Flask, village: Village, wrong: dict[str, Any]
) -> None:
    live = Live(app, village)
    answer = live.send([comment("lan", "md01"), {**comment("hoa", "md01"), **wrong}])
    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"
    assert db.session.scalar(select(func.count()).select_from(LiveComment)) == 0


def test_hostile_text_is_kept_and_read_without_harm(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    long, marks = "md01 " + "a" * 5000, "m\u0301" * 3000
    texts = ["md01\u0000 x2", "\ud800\udc00 \ud800", "\u202e1x 10dm", long, "<script>alert(1)</script>", marks]
    sent = [comment(f"v{n}", text, name="\u202e\u0000\ud800") for n, text in enumerate(texts)]
    answer = live.send(sent)
    assert answer.status_code == 200, answer.json
    assert answer.json["results"][3]["decision"] == "review"
    db.session.rollback()
    kept = db.session.scalars(select(LiveComment).order_by(LiveComment.seq)).all()
    assert [len(row.text) for row in kept][3] == 2000 and kept[3].cut
    assert "\x00" not in kept[0].text and kept[1].text == "\U00010000 \ufffd"
    assert all(order.buyer_name is None for order in live.orders())


@pytest.mark.parametrize("username", ["producer", "auditor"])
def test_only_sellers_and_the_office_go_live(app: Flask, village: Village, username: str) -> None:
    assert start(app, village, username).status_code == 403
    assert browser(app).post("/api/live/sessions", json={}).status_code == 401


def test_another_sellers_livestream_is_not_mine(app: Flask, village: Village) -> None:
    live = Live(app, village, "seller-b")
    mine = {"json": {"comments": [comment("lan", "md01")]}}
    for username, status in [("seller", 403), ("office-other", 403), ("producer", 403), ("seller-b", 200)]:
        answer = live.client.post(live.url, headers=bearer(village, username), **mine)
        assert answer.status_code == status, username


def test_the_office_helps_with_its_sellers_livestream(app: Flask, village: Village) -> None:
    live = Live(app, village)
    answer = live.client.post(live.url, json={"comments": []}, headers=bearer(village, "office"))
    assert (answer.status_code, answer.json) == (200, {"results": []})


def test_a_comment_of_a_foreign_session_says_nothing_of_its_order(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live, other = Live(app, village), Live(app, village, "seller-b")
    sent = comment("lan", "md01 x2")
    live.send([sent])
    (result,) = other.send([sent]).json["results"]
    assert (result["decision"], result["order"], result["token"], result["lines"]) == ("duplicate", None, None, [])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"platform": "mặt sách"}, "platform"),
        ({"codes": []}, "codes"),
        ({"codes": [{"code": "M"}]}, "codes.0.code"),
        ({"codes": [{"code": "MÃ 1"}]}, "codes.0.code"),
        ({"codes": [{}, {"code": "md-01"}]}, "codes.1.code"),
        ({"codes": [{"price": 0}]}, "codes.0.price"),
        ({"codes": [{"limit": 0}]}, "codes.0.limit"),
        ({"codes": [{"gtin": "09506000134352"}]}, "codes.0.gtin"),
    ],
)
def test_a_livestream_that_cannot_be_names_the_field(
    app: Flask, village: Village, more: dict[str, Any], field: str
) -> None:
    if "codes" in more:
        more = {"codes": [{**code(village), **each} for each in more["codes"]]}
    answer = start(app, village, **more)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_codes_are_spelled_one_way(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={" md\uff10\uff11 ": {}})
    assert lines(live.say("lan", "md01 x2")) == {"MD01": 2}


def test_what_is_set_aside_and_how_much_one_may_have_can_be_said_by_a_program(app: Flask, village: Village) -> None:
    shelf(village, 20)
    one = code(village, set_aside=12, viewer_max=3)
    answer = start(app, village, codes=[one, code(village, "MD02", price=60000)], viewer_max=4, order_max=4)
    assert answer.status_code == 201
    live = db.session.get_one(LiveSession, answer.json["id"])
    assert (live.viewer_max, live.order_max) == (4, 4)
    assert [(each.set_aside, each.viewer_max) for each in live.codes] == [(12, 3), (0, None)]
    assert sum(db.session.scalars(select(LiveAside.units))) == 12
    said = browser(app).post(
        f"/api/live/sessions/{live.id}/comments", json={"comments": [comment("lan", "md01 x4")]},
        headers=bearer(village, "seller"),
    )  # fmt: skip
    assert said.json and [one["reason"] for one in said.json["results"]] == ["viewer-limit"]
    for wrong in (
        {"viewer_max": 0}, {"order_max": "4"}, {"codes": [code(village, set_aside=-1)]},
        {"codes": [code(village, viewer_max=1.5)]}, {"codes": [code(village, set_aside=3, limit=2)]},
    ):  # fmt: skip
        assert start(app, village, **wrong).status_code == 422, wrong
    document: Any = browser(app).get("/api/openapi.json").json
    schemas = document["components"]["schemas"]
    assert {"viewer_max", "order_max"} <= set(schemas["LiveSession"]["properties"])
    assert {"viewer_max", "set_aside"} <= set(schemas["LiveCode"]["properties"])


def test_starting_twice_with_one_key_is_one_livestream(app: Flask, village: Village) -> None:
    headers = {**bearer(village, "seller"), "Idempotency-Key": "tonight"}
    body = {"title": "Tối nay", "platform": "facebook", "codes": [code(village)]}
    client = browser(app)
    first, second = (client.post("/api/live/sessions", json=body, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert client.post("/api/live/sessions", json={**body, "title": "Khác"}, headers=headers).status_code == 409


def test_no_such_livestream(app: Flask, village: Village) -> None:
    client, headers = browser(app), bearer(village, "seller")
    for missing in ("nothing", "01920000-0000-7000-8000-000000000000"):
        url = f"/api/live/sessions/{missing}/comments"
        assert client.post(url, json={"comments": []}, headers=headers).status_code == 404
