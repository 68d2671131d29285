"""Certificates: what they are about, and when they end."""

import datetime as dt

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.village import Village
from village import clock
from village.certificates import services
from village.certificates.models import Certificate, ocop_expiry
from village.certificates.schemas import CertificateFields
from village.db import db
from village.errors import Forbidden

DAY = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


@pytest.fixture
def office(client: FlaskClient, village: Village) -> FlaskClient:
    with clock.fixed(DAY):
        village.sign_in(client, "office")
    return client


def form(**changed: str) -> dict[str, str]:
    return {"kind": "ocop", "number": "12/QĐ-UBND", "issuer": "UBND tỉnh Lai Châu", "stars": "3",
            "issued_on": "2024-02-01", "expires_on": "", "product": "", **changed}  # fmt: skip


def kept() -> list[Certificate]:
    db.session.rollback()
    return list(db.session.scalars(select(Certificate)))


@pytest.mark.parametrize(("issued", "last"), [
    ((2024, 2, 1), (2027, 1, 31)), ((2024, 2, 29), (2027, 2, 28)), ((2025, 12, 31), (2028, 12, 30)),
])  # fmt: skip
def test_ocop_stars_last_thirty_six_months(issued: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert ocop_expiry(dt.date(*issued)) == dt.date(*last)


def test_ocop_stars_end_by_rule_whatever_was_typed(office: FlaskClient) -> None:
    with clock.fixed(DAY):
        assert office.post("/coop/certificates/new", data=form(expires_on="2099-01-01")).status_code == 302
    (certificate,) = kept()
    assert (certificate.stars, certificate.expires_on) == (3, dt.date(2027, 1, 31))


def test_another_certificate_ends_when_its_issuer_says(office: FlaskClient) -> None:
    with clock.fixed(DAY):
        data = form(kind="food-safety", issued_on="01/02/2026", expires_on="2027-02-01")
        assert office.post("/coop/certificates/new", data=data).status_code == 302
    (certificate,) = kept()
    assert (certificate.kind, certificate.stars, certificate.expires_on) == ("food-safety", None, dt.date(2027, 2, 1))


@pytest.mark.parametrize(("field", "typed", "message"), [
    ("stars", "2", "Phải từ 3 đến 5"), ("stars", "", "chưa điền"), ("stars", "6", "Phải từ 3 đến 5"),
    ("issued_on", "2026-11-21", "Ngày cấp chưa tới"), ("issued_on", "2026-02-30", "Ngày viết như"),
    ("kind", "nobel", "trong danh sách"), ("number", "", "chưa điền"), ("product", "none", "không có sản phẩm này"),
])  # fmt: skip
def test_a_certificate_form_that_is_not_right_says_where(
    office: FlaskClient, field: str, typed: str, message: str
) -> None:
    with clock.fixed(DAY):
        answer = office.post("/coop/certificates/new", data=form(**{field: typed}))
    assert answer.status_code == 422
    assert message in answer.text
    assert "UBND tỉnh Lai Châu" in answer.text
    assert kept() == []


@pytest.mark.parametrize("end", ["2026-01-31", "2026-02-01", "2099-01-01"])
def test_a_certificate_ends_after_it_begins_and_not_in_another_age(office: FlaskClient, end: str) -> None:
    with clock.fixed(DAY):
        data = form(kind="quality", issued_on="2026-02-01", expires_on=end)
        assert office.post("/coop/certificates/new", data=data).status_code == 422


def test_the_office_is_told_what_ends_within_ninety_days(office: FlaskClient) -> None:
    with clock.fixed(DAY):
        office.post("/coop/certificates/new", data=form())
        assert "sắp hết hạn trong 90 ngày" in office.get("/coop").text
        assert "Sắp hết hạn" in office.get("/coop/certificates").text
        (certificate,) = kept()
        page = office.get(f"/coop/certificates/{certificate.id}").text
        assert 'value="2024-02-01"' in page
        assert office.post(f"/coop/certificates/{certificate.id}", data=form(issued_on="2026-02-01")).status_code == 302
        assert "sắp hết hạn trong" not in office.get("/coop").text
        assert "Còn hạn" in office.get("/coop/certificates").text
        assert office.post(f"/coop/certificates/{certificate.id}/remove").status_code == 302
    assert kept() == []


def test_a_product_shows_what_holds_today(village: Village) -> None:
    who, product = village.actor("office"), village.product("packs", 500)

    def give(number: str, issued: dt.date, product_id: str | None) -> None:
        fields = CertificateFields("ocop", number, "UBND tỉnh", 3, issued, ocop_expiry(issued), product_id)
        services.add_certificate(who, fields)

    give("old", dt.date(2020, 1, 1), product.id)
    give("own", dt.date(2025, 1, 1), product.id)
    give("all", dt.date(2025, 1, 1), None)
    with clock.fixed(DAY):
        found = services.valid_for(product.id, product.cooperative_id)
    assert [certificate.number for certificate in found] == ["own", "all"]


def test_a_certificate_of_another_cooperative_is_unknown(client: FlaskClient, village: Village) -> None:
    fields = CertificateFields("quality", "1", "UBND", None, dt.date(2025, 1, 1), dt.date(2028, 1, 1), None)
    theirs = services.add_certificate(village.actor("office"), fields)
    village.sign_in(client, "office-other")
    assert client.get(f"/coop/certificates/{theirs}").status_code == 404
    assert client.post(f"/coop/certificates/{theirs}/remove").status_code == 404
    with pytest.raises(Forbidden):
        services.remove_certificate(village.actor("auditor"), theirs)
    with pytest.raises(Forbidden):
        services.add_certificate(village.actor("producer"), fields)
