"""How members get in, and who stays out."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import SoiError, Unauthenticated
from village.ids import token_digest
from village.people import own, passwords, services, throttle
from village.people import sign_in as signing_in
from village.people.models import ApiToken, Member, SignIn

PASSWORD = "miến dong ngon lắm"
HASHED = passwords.hash_password(PASSWORD)


@pytest.fixture(autouse=True)
def known(village: Village) -> None:
    """The producer has a password and a telephone."""
    producer = village.member("producer").id
    with write() as session:
        session.execute(update(Member).where(Member.id == producer).values(password_hash=HASHED, phone="+84912345678"))


def try_in(client: FlaskClient, name: str = "producer", password: str = PASSWORD, **kwargs: object) -> TestResponse:
    return client.post("/sign-in", data={"username": name, "password": password}, **kwargs)


def page_of(client: FlaskClient) -> int:
    return client.get("/me").status_code


@pytest.mark.parametrize("name", ["producer", " Producer ", "0912 345 678", "+84912345678"])
def test_a_producer_signs_in_by_name_or_telephone(client: FlaskClient, name: str) -> None:
    answer = try_in(client, name)
    assert answer.status_code == 302
    assert client.get(answer.location).location == "/batches"
    assert page_of(client) == 200


def test_the_cookie_is_out_of_reach_of_scripts(client: FlaskClient) -> None:
    cookie = try_in(client).headers["Set-Cookie"]
    assert cookie.startswith("soi_session=")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=2592000" in cookie
    assert "Secure" not in cookie  # the test village has no HTTPS


@pytest.mark.parametrize(
    ("name", "password"),
    [("producer", "sai mất rồi bác"), ("nobody", PASSWORD), ("", ""), ("seller", ""), ("\x00\ud800", "\x00" * 9)],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(client: FlaskClient, name: str, password: str) -> None:
    if "\ud800" in name:
        name = name.encode("utf-8", "surrogatepass")  # type: ignore[assignment]
    answer = try_in(client, name, password)
    assert answer.status_code == 422
    assert "Tên hoặc mật khẩu chưa đúng" in answer.text
    assert page_of(client) == 302


def test_what_was_typed_is_shown_again_but_not_the_password(client: FlaskClient) -> None:
    page = try_in(client, "ba-my", "sai mất rồi bác").text
    assert 'value="ba-my"' in page
    assert "sai mất rồi bác" not in page


def test_the_page_that_was_asked_for_comes_after_signing_in(client: FlaskClient) -> None:
    asked = client.get("/me")
    assert asked.status_code == 302 and asked.location == "/sign-in?next=/me"
    there = client.post(asked.location, data={"username": "producer", "password": PASSWORD}).location
    assert client.get(there).location == "/me"


@pytest.mark.parametrize(
    "away", ["//evil.example", "https://evil.example", "/\\evil.example", "\t//evil.example", "x", "//["]
)
def test_nobody_is_sent_away_after_signing_in(client: FlaskClient, away: str) -> None:
    try_in(client)
    assert client.get("/sign-in", query_string={"next": away}).location == "/batches"


def test_guessing_is_slowed_down_by_name_under_all_its_spellings(client: FlaskClient) -> None:
    with clock.fixed(dt.datetime(2026, 11, 20, 6, 5, tzinfo=dt.UTC)):
        for _ in range(throttle.PER_NAME // 2):
            assert try_in(client, "producer", "sai mất rồi").status_code == 422
            assert try_in(client, "0912345678", "sai mất rồi").status_code == 422
        refused = try_in(client)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "600"
        assert "nghỉ 10 phút" in refused.text
        assert try_in(client, "seller", "sai mất rồi").status_code == 422, "others are not shut out"
    with clock.fixed(dt.datetime(2026, 11, 20, 6, 16, tzinfo=dt.UTC)):
        assert try_in(client).status_code == 302


def test_guessing_at_many_names_is_slowed_down_by_address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_ADDRESS", 3)
    outcomes = [attempt(f"nobody-{n}", "2001:db8::" + str(n)) for n in range(5)]
    assert outcomes == ["wrong-password"] * 3 + ["too-many-attempts"] * 2
    assert attempt("nobody", "2001:db8:1::1") == "wrong-password"


def attempt(name: str, address: str, password: str = "sai mất rồi") -> str:
    try:
        return signing_in.sign_in(name, password, address, "")
    except SoiError as error:
        return error.slug


def test_signing_in_gives_the_attempts_back(client: FlaskClient) -> None:
    for _ in range(3):
        for _ in range(throttle.PER_NAME - 1):
            attempt("producer", "192.0.2.1")
        assert attempt("producer", "192.0.2.1", PASSWORD) not in ("wrong-password", "too-many-attempts")


def test_many_guesses_at_once_do_not_slip_past_the_limit(app: Flask) -> None:
    def guess(_: int) -> str:
        with app.app_context():
            return attempt("seller", "192.0.2.1")

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(throttle.PER_NAME + 6)))
    assert outcomes.count("wrong-password") == throttle.PER_NAME
    assert outcomes.count("too-many-attempts") == 6


def test_a_link_is_not_used_up_by_looking_at_it(client: FlaskClient, village: Village) -> None:
    token = services.hand_out_link(village.actor("office"), village.member("seller").id)
    for _ in range(3):
        page = client.get(f"/sign-in/link/{token}")
        assert page.status_code == 200 and "Vào" in page.text
    assert page_of(client) == 302
    answer = client.post(f"/sign-in/link/{token}")
    assert client.get(answer.location).location == "/seller"


def test_a_link_works_once(client: FlaskClient, village: Village) -> None:
    token = services.hand_out_link(village.actor("office"), village.member("seller").id)
    assert client.post(f"/sign-in/link/{token}").status_code == 302
    again = client.post(f"/sign-in/link/{token}")
    assert again.status_code == 404
    assert "đã dùng rồi hoặc đã quá hạn" in again.text


def test_a_link_used_twice_at_once_lets_one_in(app: Flask, village: Village) -> None:
    token = services.hand_out_link(village.actor("office"), village.member("seller").id)
    together = Barrier(6)

    def use(_: int) -> bool:
        with app.app_context():
            together.wait()
            try:
                return bool(signing_in.use_link(token, ""))
            except SoiError:
                return False

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(use, range(6))) == 1


@pytest.mark.parametrize("spoil", ["time", "newer", "inactive", "other"])
def test_a_link_that_is_no_longer_good_lets_nobody_in(client: FlaskClient, village: Village, spoil: str) -> None:
    office, seller = village.actor("office"), village.member("seller").id
    token = services.hand_out_link(office, seller)
    when = clock.now()
    if spoil == "time":
        when += dt.timedelta(hours=72)
    elif spoil == "newer":
        services.hand_out_link(office, seller)
    elif spoil == "inactive":
        services.deactivate_member(office, seller)
    else:
        token += "x"
    with clock.fixed(when):
        assert client.post(f"/sign-in/link/{token}").status_code == 404


def test_signing_out_ends_this_session_on_the_server_too(client: FlaskClient) -> None:
    try_in(client)
    cookie = client.get_cookie("soi_session")
    assert cookie is not None
    assert client.post("/sign-out").location == "/"
    client.set_cookie("soi_session", cookie.value)
    assert page_of(client) == 302


def test_a_revoked_session_is_out(client: FlaskClient, village: Village, app: Flask) -> None:
    try_in(client)
    other = signing_in.sign_in("producer", PASSWORD, "192.0.2.1", "Chrome · Android")
    page = client.get("/me").text
    assert "Chrome · Android" in page and "Máy này" in page
    digest = token_digest(other)
    assert client.post(f"/me/sign-ins/{digest}/revoke").status_code == 302
    assert client.post(f"/me/sign-ins/{digest}/revoke").status_code == 404
    client.set_cookie("soi_session", other)
    assert page_of(client) == 302


def test_nobody_revokes_the_session_of_another(client: FlaskClient, village: Village) -> None:
    theirs = signing_in.sign_in("producer", PASSWORD, "192.0.2.1", "")
    village.sign_in(client, "seller")
    assert client.post(f"/me/sign-ins/{token_digest(theirs)}/revoke").status_code == 404
    client.set_cookie("soi_session", theirs)
    assert page_of(client) == 200


def test_a_session_ends_after_thirty_days(client: FlaskClient) -> None:
    try_in(client)
    with clock.fixed(clock.now() + dt.timedelta(days=30)):
        assert page_of(client) == 302


def test_a_changed_password_signs_every_other_device_out(client: FlaskClient, village: Village) -> None:
    other = signing_in.sign_in("producer", PASSWORD, "192.0.2.1", "")
    try_in(client)
    refused = client.post("/me/password", data={"old": "sai mất rồi bác", "new": "tinh bột trắng phau"})
    assert refused.status_code == 422 and "Mật khẩu cũ chưa đúng" in refused.text
    short = client.post("/me/password", data={"old": PASSWORD, "new": "ngắn"})
    assert short.status_code == 422 and "ít nhất 10 ký tự" in short.text
    assert client.post("/me/password", data={"old": PASSWORD, "new": "tinh bột trắng phau"}).status_code == 302
    assert page_of(client) == 200
    client.set_cookie("soi_session", other)
    assert page_of(client) == 302
    assert try_in(client).status_code == 422
    assert try_in(client, password="tinh bột trắng phau").status_code == 302


def test_whoever_forgot_sets_a_new_password_after_the_link(client: FlaskClient, village: Village) -> None:
    token = services.hand_out_link(village.actor("office"), village.member("producer").id)
    client.post(f"/sign-in/link/{token}")
    assert "Mật khẩu cũ" not in client.get("/me").text
    assert client.post("/me/password", data={"new": "tinh bột trắng phau"}).status_code == 302
    assert try_in(client, password="tinh bột trắng phau").status_code == 302


def test_an_hour_after_the_link_the_old_password_is_asked_for(village: Village) -> None:
    token = services.hand_out_link(village.actor("office"), village.member("producer").id)
    session = signing_in.use_link(token, "")
    assert not own.needs_old_password(village.actor("producer"), session)
    with clock.fixed(clock.now() + dt.timedelta(hours=1, minutes=1)):
        assert own.needs_old_password(village.actor("producer"), session)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def test_a_program_shows_its_token(client: FlaskClient, village: Village) -> None:
    assert client.get("/me", headers=bearer(village.token("seller"))).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "a=b", "é" * 9, "x" * 5000])
def test_a_bad_token_is_told_so(client: FlaskClient, token: str) -> None:
    answer = client.get("/me", headers=bearer(token))
    assert answer.status_code == 401
    assert answer.json and answer.json["type"].endswith("/problems/bad-token")


def test_an_expired_or_revoked_token_is_told_so(client: FlaskClient, village: Village) -> None:
    seller = village.actor("seller")
    expired = services.make_token(seller, seller.id, "máy in", 1)
    revoked = services.make_token(seller, seller.id, "cân", None)
    own.revoke_token(seller, token_digest(revoked))
    assert client.get("/me", headers=bearer(revoked)).status_code == 401
    assert client.get("/me", headers=bearer(expired)).status_code == 200
    with clock.fixed(clock.now() + dt.timedelta(days=1)):
        assert client.get("/me", headers=bearer(expired)).status_code == 401


def test_a_token_is_shown_once_and_kept_as_its_digest(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "seller")
    page = client.post("/me/tokens", data={"label": "máy in nhãn"}).text
    kept = db.session.query(ApiToken).one()
    assert kept.label == "máy in nhãn"
    assert kept.digest not in page.split('class="hash"')[1].split("</p>")[0]
    assert 'class="hash"' not in client.get("/me").text
    assert client.post(f"/me/tokens/{kept.digest}/revoke").status_code == 302
    assert client.post("/me/tokens", data={"label": ""}).status_code == 422


def test_knowing_who_asks_takes_one_query(app: Flask, village: Village) -> None:
    token = signing_in.sign_in("producer", PASSWORD, "192.0.2.1", "")
    seen: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        with app.test_request_context(headers={"Cookie": f"soi_session={token}"}):
            who = signing_in.actor_of_request()
        with app.test_request_context(headers={"Cookie": "soi_session=wrong"}):
            assert signing_in.actor_of_request() is None
        with app.test_request_context(headers={"Authorization": "Bearer wrong"}), pytest.raises(Unauthenticated):
            signing_in.actor_of_request()
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 3
    assert who == village.actor("producer")


def test_another_site_cannot_sign_a_reader_out(client: FlaskClient) -> None:
    try_in(client)
    assert client.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert page_of(client) == 200


@pytest.mark.parametrize(("username", "home"), [("producer", "/batches"), ("seller", "/seller"), ("office", "/coop"),
                                               ("auditor", "/ledger")])  # fmt: skip
def test_each_role_has_a_home(
    client: FlaskClient, sign_in: Callable[[FlaskClient, str], None], username: str, home: str
) -> None:
    sign_in(client, username)
    assert client.get("/sign-in").location == home


@pytest.mark.parametrize(("agent", "name"), [
    ("Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", "Chrome · Android"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari · iPhone"),
    ("curl/8", ""),
])  # fmt: skip
def test_a_device_is_known_by_two_words(agent: str, name: str) -> None:
    assert signing_in.device_name(agent) == name


def test_a_session_is_kept_as_its_digest_alone(village: Village) -> None:
    token = signing_in.sign_in("producer", PASSWORD, "192.0.2.1", "")
    assert [row.digest for row in db.session.query(SignIn)] == [token_digest(token)]
