"""Who is in a cooperative, and who may change that."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.village import Village
from village.db import db
from village.errors import Conflict, Forbidden, NotFound
from village.people import services
from village.people.models import Member, Role
from village.people.schemas import MemberFields, make_fields

PAGES = (
    "/coop", "/coop/about", "/coop/members", "/coop/members/new", "/coop/households", "/coop/households/new",
    "/coop/hamlets", "/coop/sites", "/coop/sites/new", "/coop/products", "/coop/products/new",
    "/coop/certificates", "/coop/certificates/new",
)  # fmt: skip
READABLE = {"/coop", "/coop/members", "/coop/households", "/coop/hamlets", "/coop/sites", "/coop/products",
            "/coop/certificates"}  # fmt: skip
MY = {"name": "Bà Mỷ", "username": "ba-my", "phone": "0162 345 6789", "roles": "seller"}


def members() -> dict[str, Member]:
    db.session.rollback()
    return {member.username: member for member in db.session.scalars(select(Member))}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.strip()}", "Accept": "application/json"}


def fields_of(member: Member, *roles: Role) -> MemberFields:
    return MemberFields(member.username, member.name, member.phone, frozenset(roles), member.household_id)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("username", ["office", "auditor", "producer", "seller", None])
def test_each_page_of_the_office_opens_for_whom_it_is(
    client: FlaskClient, village: Village, page: str, username: str | None
) -> None:
    if username:
        village.sign_in(client, username)
    allowed = username == "office" or (username == "auditor" and page in READABLE)
    expected = 200 if allowed else 403 if username else 302
    assert client.get(page).status_code == expected


@pytest.mark.parametrize("page", ["/coop/members/new", "/coop/households/new", "/coop/hamlets", "/coop/sites/new",
                                  "/coop/products/new", "/coop/certificates/new", "/coop/about"])  # fmt: skip
@pytest.mark.parametrize("username", ["auditor", "producer", "seller"])
def test_only_the_office_changes_anything(client: FlaskClient, village: Village, page: str, username: str) -> None:
    village.sign_in(client, username)
    assert client.post(page, data={"name": "Thử"}).status_code == 403


def test_the_office_takes_somebody_in_and_hands_out_a_link(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    added = client.post("/coop/members/new", data=MY)
    assert added.status_code == 302
    my = members()["ba-my"]
    assert (my.name, my.phone, [role.role for role in my.roles]) == ("Bà Mỷ", "+84323456789", [Role.SELLER])
    shown = client.post(f"{added.location}/link")
    assert shown.headers["Cache-Control"] == "no-store"
    link = shown.text.split('id="link">')[1].split("<")[0]
    assert client.post(link.partition("/sign-in")[1] + link.partition("/sign-in")[2]).status_code == 302
    assert "Bà Mỷ" in client.get("/me").text


@pytest.mark.parametrize(("field", "typed", "message"), [
    ("name", "\u0301\u0323", "Có dấu thừa"), ("name", "", "chưa điền"), ("name", "a\u202eb", "U+202E"),
    ("name", "9" * 20, "ít nhất một chữ cái"), ("name", "a" * 121, "nhiều nhất là 120"),
    ("username", "bà mỷ", "không dấu"), ("username", "0912345678", "có ít nhất một chữ"),
    ("username", "OFFICE", "đã có người dùng"), ("phone", "123", "Số điện thoại chưa đúng"),
    ("roles", "", "ít nhất một việc"), ("roles", "king", "Không có việc này"), ("roles", "producer", "thuộc một hộ"),
    ("household", "no-such-thing", "không có hộ này"),
])  # fmt: skip
def test_a_member_form_that_is_not_right_says_where(
    client: FlaskClient, village: Village, field: str, typed: str, message: str
) -> None:
    village.sign_in(client, "office")
    sent = {**MY, field: typed}
    if field == "roles" and not typed:
        del sent["roles"]
    answer = client.post("/coop/members/new", data=sent)
    assert answer.status_code == 422
    assert message in answer.text
    assert 'value="0162 345 6789"' in answer.text or field == "phone", "what was typed is still there"
    assert "ba-my" not in members()


def test_a_name_typed_on_another_phone_is_the_same_name(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    client.post("/coop/members/new", data={**MY, "name": unicodedata.normalize("NFD", "Bà Mỷ")})
    assert members()["ba-my"].name == "Bà Mỷ"


def test_a_telephone_belongs_to_one_member(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    client.post("/coop/members/new", data=MY)
    again = client.post("/coop/members/new", data={**MY, "username": "my-hai", "phone": "+84323456789"})
    assert again.status_code == 422 and "Số điện thoại này đã có người dùng" in again.text


def test_the_office_changes_a_members_work(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    seller, home = village.member("seller").id, village.member("producer").household_id
    data = {**MY, "username": "seller", "roles": ["seller", "producer"], "household": home}
    assert client.post(f"/coop/members/{seller}", data=data).status_code == 302
    assert {role.role for role in members()["seller"].roles} == {Role.SELLER, Role.PRODUCER}
    page = client.get(f"/coop/members/{seller}").text
    assert page.count(" checked") == 2 and "0323 456 789" in page


def test_another_cooperatives_members_are_unknown(client: FlaskClient, village: Village) -> None:
    theirs = village.member("producer-other").id
    village.sign_in(client, "office")
    assert client.get(f"/coop/members/{theirs}").status_code == 404
    assert client.post(f"/coop/members/{theirs}", data=MY).status_code == 404
    for act in ("link", "deactivate", "reactivate"):
        assert client.post(f"/coop/members/{theirs}/{act}").status_code == 404
    assert "Người Làm C" not in client.get("/coop/members").text


def test_a_household_of_another_cooperative_takes_nobody_in(client: FlaskClient, village: Village) -> None:
    village.sign_in(client, "office")
    home = village.member("producer-other").household_id
    answer = client.post("/coop/members/new", data={**MY, "roles": "producer", "household": home})
    assert answer.status_code == 422 and "không có hộ này" in answer.text


def test_auditors_see_no_telephone_numbers(client: FlaskClient, village: Village) -> None:
    services.add_member(village.actor("office"), make_fields("ba-my", "Bà Mỷ", "0912345678", ["seller"], ""))
    village.sign_in(client, "auditor")
    page = client.get("/coop/members").text
    assert "Bà Mỷ" in page and "0912 345 678" not in page


def test_somebody_who_left_is_out_at_once_and_comes_back_with_a_new_link(
    app: Flask, client: FlaskClient, village: Village
) -> None:
    office, seller = village.actor("office"), village.member("seller").id
    token = village.token("seller")
    village.sign_in(client, "seller")
    assert client.get("/me").status_code == 200
    services.deactivate_member(office, seller)
    assert client.get("/me").status_code == 302
    assert client.get("/me", headers=bearer(token)).status_code == 401
    with pytest.raises(Conflict):
        services.hand_out_link(office, seller)
    services.reactivate_member(office, seller)
    assert client.get("/me").status_code == 302, "old sessions do not come back"
    link = services.hand_out_link(office, seller)
    assert client.post(f"/sign-in/link/{link}").status_code == 302


def test_the_last_office_member_stays(client: FlaskClient, village: Village) -> None:
    office = village.actor("office")
    with pytest.raises(Conflict) as caught:
        services.deactivate_member(office, office.id)
    assert caught.value.slug == "last-office-member"
    with pytest.raises(Conflict):
        services.edit_member(office, office.id, fields_of(village.member("office"), Role.AUDITOR))
    village.sign_in(client, "office")
    assert client.post(f"/coop/members/{office.id}/deactivate").status_code == 409
    assert members()["office"].active


def test_two_office_members_do_not_shut_each_other_out_at_once(app: Flask, village: Village) -> None:
    office = village.actor("office")
    second = services.add_member(office, make_fields("office-two", "Văn Thư", "", ["office"], ""))

    def leave(member_id: str) -> bool:
        with app.app_context():
            try:
                services.deactivate_member(office, member_id)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, (office.id, second))) == [False, True]


def test_services_refuse_the_wrong_role_themselves(village: Village) -> None:
    seller = village.member("seller").id
    for username in ("producer", "seller", "auditor"):
        who = village.actor(username)
        with pytest.raises(Forbidden):
            services.add_member(who, make_fields("ba-my", "Bà Mỷ", "", ["seller"], ""))
        with pytest.raises(Forbidden):
            services.hand_out_link(who, seller)
        with pytest.raises(Forbidden):
            services.deactivate_member(who, seller)
    with pytest.raises(Forbidden):
        services.make_token(village.actor("office"), seller, "không phải của mình")
    with pytest.raises(NotFound):
        services.make_token(village.actor("office-other"), seller, "không phải của mình")


def test_the_console_takes_in_lists_and_shuts_out(app: Flask, client: FlaskClient, village: Village) -> None:
    run = app.test_cli_runner().invoke
    gln = village.member("office").cooperative.gln
    command = ["members", "add", "ba-my", "--name", "Bà Mỷ", "--role", "seller"]
    assert "cooperatives; name one" in run(args=command).output
    link = run(args=[*command, "--coop", gln]).output.strip()
    assert link.startswith(app.extensions["soi"].public_url + "/sign-in/link/")
    assert "đã có người dùng" in run(args=[*command, "--coop", gln]).output
    token = run(args=["members", "token", "ba-my"]).output
    assert token.count("\n") == 1
    assert client.get("/me", headers=bearer(token)).status_code == 200
    another = run(args=["members", "link", "ba-my"]).output.strip()
    assert another != link
    assert "Bà Mỷ" in run(args=["members", "list"]).output
    assert run(args=["members", "deactivate", "ba-my"]).exit_code == 0
    assert client.get("/me", headers=bearer(token)).status_code == 401
    assert "no member called" in run(args=["members", "token", "nobody"]).output
    assert run(args=["members", "deactivate", "office"]).exit_code == 1


def test_the_console_founds_a_cooperative(app: Flask, village: Village) -> None:
    run = app.test_cli_runner().invoke
    founding = ["coops", "add", "--name", "Hợp tác xã Ba", "--address", "Bản Thử", "--phone", "0912345678",
                "--registration", "6200000003", "--gln"]  # fmt: skip
    assert "gln: " in run(args=[*founding, "9506000000030"]).output
    assert run(args=[*founding, "9506000999997"]).output.startswith(("Founded", "Error: gln"))
    assert "9506000" in run(args=["coops", "list"]).output
