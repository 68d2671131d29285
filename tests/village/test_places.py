"""Households, hamlets and sites, as the office keeps them."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.village import Village
from village.db import db
from village.errors import Conflict, Forbidden
from village.gs1 import check_digit
from village.people.models import Role
from village.places import services
from village.places.models import Cooperative, Hamlet, Household, Site
from village.places.schemas import HouseholdFields

GLN = "950600077777"
GLN += str(check_digit(GLN))


@pytest.fixture
def office(client: FlaskClient, village: Village) -> FlaskClient:
    village.sign_in(client, "office")
    return client


def hamlet() -> str:
    db.session.rollback()
    return db.session.scalars(select(Hamlet.id).where(Hamlet.name == "Bản Thử")).one()


def site_form(**changed: str) -> dict[str, str]:
    sites = {"name": "Xưởng mới", "kind": "workshop", "gln": GLN, "hamlet": hamlet(), "household": ""}
    return {**sites, "latitude": "22,3865", "longitude": "103.5512", **changed}


def site() -> Site | None:
    db.session.rollback()
    return db.session.scalar(select(Site).where(Site.gln == GLN))


def test_the_office_home_counts_what_it_looks_after(office: FlaskClient) -> None:
    page = office.get("/coop").text
    assert "Hợp tác xã Một" in page and "Hộ làm miến" in page
    assert page.count('class="big-number"') == 6


def test_a_household_is_taken_in_and_named_only_when_it_agreed(office: FlaskClient, village: Village) -> None:
    data = {"name": "Hộ bà Mỷ", "hamlet": hamlet(), "story": "Ba đời làm miến.\n\nMời bác ghé."}
    assert office.post("/coop/households/new", data=data).status_code == 302
    db.session.rollback()
    home = db.session.scalars(select(Household).where(Household.name == "Hộ bà Mỷ")).one()
    assert (home.named, home.cooperative_id) == (False, village.actor("office").cooperative_id)
    changed = office.post(f"/coop/households/{home.id}", data={**data, "named": "1"})
    assert changed.status_code == 302
    db.session.rollback()
    assert db.session.get_one(Household, home.id).named
    page = office.get(f"/coop/households/{home.id}").text
    assert " checked" in page and "Ba đời làm miến.\n\nMời bác ghé." in page


@pytest.mark.parametrize(("field", "typed", "message"), [
    ("name", "\u0301", "Có dấu thừa"), ("name", "Hộ A", "Đã có một nơi khác"), ("hamlet", "", "chọn một bản"),
    ("story", "a" * 1001, "nhiều nhất là 1000"),
])  # fmt: skip
def test_a_household_form_that_is_not_right_says_where(
    office: FlaskClient, field: str, typed: str, message: str
) -> None:
    before = services.count_of(Household)
    data = {"name": "Hộ bà Mỷ", "hamlet": hamlet(), "story": "Ba đời làm miến.", field: typed}
    answer = office.post("/coop/households/new", data=data)
    assert answer.status_code == 422
    assert message in answer.text
    assert "Hộ bà Mỷ" in answer.text or field == "name"
    db.session.rollback()
    assert services.count_of(Household) == before


def test_a_hamlet_is_put_on_the_list_once(office: FlaskClient) -> None:
    assert office.post("/coop/hamlets", data={"name": "Bản Mới"}).status_code == 302
    assert office.post("/coop/hamlets", data={"name": "Bản Mới"}).status_code == 422
    assert office.get("/coop/hamlets").text.count("Bản Mới") == 1


def test_a_site_is_put_on_the_list_closed_and_opened(office: FlaskClient) -> None:
    assert office.post("/coop/sites/new", data=site_form()).status_code == 302
    made = site()
    assert made is not None
    assert (made.kind, made.latitude, made.longitude, made.household_id) == ("workshop", 22.3865, 103.5512, None)
    office.post(f"/coop/sites/{made.id}/close")
    closed = site()
    assert closed and not closed.active
    assert "Đã đóng" in office.get("/coop/sites").text
    office.post(f"/coop/sites/{made.id}/open")
    opened = site()
    assert opened and opened.active
    assert office.post(f"/coop/sites/{made.id}/burn").status_code in (404, 405)


@pytest.mark.parametrize(("field", "typed", "message"), [
    ("gln", GLN[:-1] + str((int(GLN[-1]) + 1) % 10), f"phải là {GLN[-1]}"), ("gln", "950600", "phải là 13 chữ số"),
    ("gln", "x", "chỉ gồm các chữ số"), ("kind", "castle", "chỉ chọn trong danh sách"), ("kind", "", "chọn một cái"),
    ("latitude", "", "điền cả hai"), ("longitude", "181", "số độ"), ("hamlet", "nowhere", "chọn một bản"),
    ("household", "nobody", "không có hộ này"),
])  # fmt: skip
def test_a_site_form_that_is_not_right_says_where(office: FlaskClient, field: str, typed: str, message: str) -> None:
    answer = office.post("/coop/sites/new", data=site_form(**{field: typed}))
    assert answer.status_code == 422
    assert message in answer.text
    assert 'value="Xưởng mới"' in answer.text
    assert site() is None


def test_a_site_keeps_its_number_and_its_cooperative(office: FlaskClient, village: Village) -> None:
    own, theirs = village.site("Nhà Hộ A"), village.site("Nhà Hộ C")
    kept = {"name": "Nhà mới sơn", "gln": own.gln}
    assert office.post(f"/coop/sites/{own.id}", data=site_form(**kept)).status_code == 302
    moved = office.post(f"/coop/sites/{own.id}", data=site_form(name="Nhà mới sơn"))
    assert moved.status_code == 422 and "không đổi được" in moved.text
    assert office.get(f"/coop/sites/{theirs.id}").status_code == 404
    assert office.post(f"/coop/sites/{theirs.id}", data=site_form(gln=theirs.gln)).status_code == 404
    assert office.post(f"/coop/sites/{theirs.id}/close").status_code == 404
    household = village.member("producer-other").household_id
    assert office.post(f"/coop/households/{household}", data={"name": "Hộ tôi"}).status_code == 404
    assert office.post("/coop/sites/new", data=site_form(household=str(household))).status_code == 422


def test_the_cooperative_is_renamed_but_keeps_its_number(office: FlaskClient, village: Village) -> None:
    gln = village.member("office").cooperative.gln
    data = {"name": "Hợp tác xã Sợi", "address": "Bản Thử", "phone": "0213 300 0001", "registration": "6200000001",
            "gln": GLN}  # fmt: skip
    refused = office.post("/coop/about", data={**data, "phone": "một hai ba"})
    assert refused.status_code == 422 and "Hợp tác xã Sợi" in refused.text
    taken = office.post("/coop/about", data={**data, "name": "Hợp tác xã Hai", "phone": "0912345678"})
    assert taken.status_code == 422
    assert office.post("/coop/about", data={**data, "phone": "0912345678"}).status_code == 302
    db.session.rollback()
    it = db.session.scalars(select(Cooperative).where(Cooperative.gln == gln)).one()
    assert (it.name, it.phone) == ("Hợp tác xã Sợi", "+84912345678")


def test_a_name_taken_in_the_same_moment_is_a_conflict(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_free", lambda *_args: None)  # as if the other one had not committed yet
    with pytest.raises(Conflict):
        services.add_household(village.actor("office"), HouseholdFields("Hộ A", hamlet(), "", False))


def test_services_refuse_the_wrong_role_themselves(village: Village) -> None:
    for username in ("producer", "seller", "auditor"):
        with pytest.raises(Forbidden):
            services.add_hamlet(village.actor(username), "Bản Mới")
        with pytest.raises(Forbidden):
            services.use_site(village.actor(username), village.site().id, False)
    assert Role.OFFICE in village.actor("office").roles
