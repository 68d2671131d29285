"""A product's digital passport: what the law lists, in three forms, with versions that move only when it says more."""

import datetime as dt
import hashlib
import json
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import func, select, update

from tests.support.village import Village, gtin
from trace.gs1.digital_link import DigitalLink
from trace.lots.models import Batch
from trace.passports import contents, services
from trace.passports.document import Sheet
from trace.passports.models import PassportVersion
from trace.passports.printing import passport_pdf
from village import clock
from village.certificates.models import NO_END, Certificate, CertificateKind, ocop_expiry
from village.db import db, write
from village.products.models import Product
from village.revision import bump

HOSTILE = "<b>x</b> <img src=x onerror=alert(1)> & \"ngoặc\" </script> <para>"


def certify(village: Village, kind: CertificateKind = "ocop", *, days_left: int = 100, **more: Any) -> str:
    """Put a certificate of the first cooperative on the list; its id."""
    today = clock.today()
    values: dict[str, Any] = {
        "number": f"{kind}-1", "issuer": "Nơi cấp Thử", "stars": 3 if kind == "ocop" else None,
        "issued_on": today - dt.timedelta(days=200), "expires_on": today + dt.timedelta(days=days_left),
    }  # fmt: skip
    coop = village.actor("office").cooperative_id
    with write() as session:
        certificate = Certificate(kind=kind, cooperative_id=coop, **(values | more))
        session.add(certificate)
        session.flush()
        return certificate.id


def change(product_id: str, **values: Any) -> None:
    """Have the office say something else of a product."""
    with write() as session:
        product = session.get_one(Product, product_id)
        for key, value in values.items():
            setattr(product, key, value)


def versions() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(PassportVersion)) or 0


def text_of(pdf: bytes) -> str:
    """The words of a PDF, its lines joined."""
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


def test_a_passport_holds_every_item_of_the_laws_list_or_says_that_it_is_not_there_yet(
    village: Village, client: FlaskClient
) -> None:
    product = village.product("packs", 500)
    change(product.id, brand="Sợi Thử", storage_vi="Để nơi khô")
    certify(village, product_id=product.id, number="12/QĐ")
    batch = village.batch(village.packs(40))
    page = client.get(f"/passports/{product.gtin}").text
    for said in (
        "Sợi Thử", product.gtin, f"https://id.gs1.org/01/{product.gtin}", "Hợp tác xã Một", "6200000001", "Việt Nam",
        "500\u00a0g", "100 % tinh bột dong riềng", "Để nơi khô", "OCOP 3 sao", "12/QĐ", "ghi ở từng lô", batch.lot,
        f"/01/{batch.gtin}/10/{batch.lot}", "Bản 1",
    ):  # fmt: skip
        assert said in page, said
    assert "Chưa có: Cách dùng, Lưu ý, Phiếu kiểm nghiệm của sản phẩm." in page
    assert page.count('<span class="soft">chưa có</span>') == 3
    assert f'href="/passports/{product.gtin}"' in client.get(f"/01/{batch.gtin}/10/{batch.lot}").text
    page = client.get(f"/passports/{product.gtin}?lang=en").text
    assert "digital passport" in page and "the cooperative&#39;s office" in page and "not yet" in page
    assert "văn phòng" not in page


def test_the_version_moves_only_when_the_passport_says_something_else(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    address = f"/passports/{product.gtin}"
    assert "Bản 1" in client.get(address).text
    village.packs(40)
    change(village.product("packs", 1000).id, brand="Nhãn khác")
    change(product.id, price=99_000)
    assert "Bản 2" not in client.get(address).text and versions() == 1
    change(product.id, warning_vi="Có thể lẫn bụi bột mì")
    assert "Bản 2" in client.get(address).text
    certificate = certify(village)
    assert "Bản 3" in client.get(address).text
    with write() as session:
        session.delete(session.get_one(Certificate, certificate))
    assert "Bản 4" in client.get(address).text and versions() == 4
    change(product.id, warning_vi="")
    found = services.passport(DigitalLink(product.gtin))
    assert (found.version.number, [one.number for one in found.earlier]) == (5, [4, 3, 2, 1])
    assert found.version.sha256 == found.earlier[-1].sha256  # it says again what it said first


def test_a_certificate_that_ends_overnight_makes_a_version_though_nobody_touched_anything(
    app: Flask, village: Village
) -> None:
    link = DigitalLink(village.product("packs", 500).gtin)
    certify(village, "quality", days_left=3)
    assert len(services.passport(link).told["certificates"]) == 1
    with clock.fixed(clock.now() + dt.timedelta(days=4)):
        services.note_all()
        found = services.passport(link)
    assert (found.told["certificates"], found.version.number) == ([], 2)
    assert versions() == 1 + len(packed_products())
    issued = clock.today() - dt.timedelta(days=30)
    certify(village, issued_on=issued, expires_on=ocop_expiry(issued))
    for day, there in ((ocop_expiry(issued), True), (ocop_expiry(issued) + dt.timedelta(days=1), False)):
        with clock.fixed(dt.datetime.combine(day, dt.time(12), clock.VN)):
            assert bool(services.passport(link).told["certificates"]) is there


def packed_products() -> list[str]:
    return list(db.session.scalars(select(Product.gtin).where(Product.net_grams.is_not(None))))


def test_each_versions_bytes_have_the_hash_that_the_page_states(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    client.get(f"/passports/{product.gtin}")
    change(product.id, usage_vi="Ngâm nước ấm mười phút")
    page = client.get(f"/passports/{product.gtin}").text
    for number in (1, 2):
        answer = client.get(f"/passports/{product.gtin}/versions/{number}.json")
        assert hashlib.sha256(answer.data).hexdigest() in page and "immutable" in answer.headers["Cache-Control"]
        told = json.loads(answer.data)
        assert (told["format"], told["gtin"]) == ("soi-passport/1", product.gtin)
        assert ("Ngâm nước ấm" in answer.text) is (number == 2)
    for wrong in ("3", "0", "99999999999999999"):
        assert client.get(f"/passports/{product.gtin}/versions/{wrong}.json").status_code == 404


def test_the_same_address_gives_a_page_json_ld_or_a_pdf_as_the_asker_prefers(
    village: Village, client: FlaskClient
) -> None:
    base = f"/passports/{village.product('packs', 500).gtin}"
    for accept, kind in (
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"), ("*/*", "text/html"), ("", "text/html"),
        ("application/ld+json", "application/ld+json"), ("application/pdf", "application/pdf"),
        ("text/html;q=0.5, application/ld+json", "application/ld+json"), ("image/webp", "text/html"),
    ):  # fmt: skip
        answer = client.get(base, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, kind), accept
        assert "Accept" in answer.headers["Vary"]
    assert client.get(f"{base}.jsonld").mimetype == "application/ld+json"
    assert client.get(f"{base}.jsonld").headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(f"{base}.pdf").mimetype == "application/pdf"
    assert client.head(base).status_code == 200 and client.head(base).data == b""
    assert f'<{base}.pdf>; rel="alternate"; type="application/pdf"' in client.get(base).headers.getlist("Link")


def keys_of(node: Any) -> set[str]:
    if isinstance(node, list):
        return {key for one in node for key in keys_of(one)}
    if isinstance(node, dict):
        return {str(key) for key in node} | {key for one in node.values() for key in keys_of(one)}
    return set()


def test_the_json_ld_carries_its_own_context_and_uses_no_word_outside_of_it(
    village: Village, client: FlaskClient
) -> None:
    product = village.product("packs", 500)
    change(product.id, brand="Sợi Thử")
    certify(village, "food-safety")
    batch = village.batch(village.packs(40))
    told = client.get(f"/passports/{product.gtin}.jsonld").get_json(force=True)
    context = told.pop("@context")
    assert all(isinstance(value, str) and value.startswith("http") for value in context.values())
    assert {key.split(":")[0] for key in keys_of(told) if not key.startswith("@")} <= set(context)
    assert told["@id"] == f"https://id.gs1.org/01/{product.gtin}" and told["gs1:gtin"] == product.gtin
    assert told["gs1:netContent"]["gs1:value"] == {"@value": "500", "@type": "xsd:decimal"}
    assert told["gs1:productName"][0] == {"@value": product.name_vi, "@language": "vi"}
    assert told["gs1:brand"]["gs1:brandName"] == "Sợi Thử"
    assert told["gs1:certification"][0]["gs1:certificationIdentification"] == "food-safety-1"
    assert [one["@id"] for one in told["schema:hasPart"]] == [batch.epc]
    (about,) = told["schema:subjectOf"]
    bytes_of_it = client.get(about["schema:contentUrl"]["@id"].replace("http://127.0.0.1:8000", "")).data
    assert (about["schema:version"], about["schema:sha256"]) == ("1", hashlib.sha256(bytes_of_it).hexdigest())
    assert "gs1:consumerSafetyInformation" not in told  # nothing is said of what is not there


def test_the_pdf_says_the_same_as_the_page_and_names_nobody(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    change(product.id, ingredients_vi="Tinh bột dong riềng nguyên chất, ướt ẵm ữ ặ ỵ")
    certify(village, product_id=product.id)
    batch = village.batch(village.packs(40))
    words = text_of(client.get(f"/passports/{product.gtin}.pdf").data)
    for said in (product.name_vi, product.gtin, "Hợp tác xã Một", "ướt ẵm ữ ặ ỵ", "OCOP 3 sao", batch.lot, "chưa có"):
        assert said in words, said
    found = services.passport(DigitalLink(product.gtin))
    assert found.version.sha256 in words.replace(" ", "")
    assert passport_pdf(found, "https://x.example") == passport_pdf(found, "https://x.example")
    base = f"/passports/{product.gtin}"
    for said in (words, client.get(base).text, client.get(f"{base}.jsonld").text):
        assert "Hộ A" not in said and "Người Làm" not in said


def test_whatever_the_office_typed_is_shown_and_never_read_as_markup(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    base = f"/passports/{product.gtin}"
    for text in (HOSTILE, "Ễ" * 2000, "\n".join(["dòng"] * 900), "]]>"):
        change(product.id, ingredients_vi=text, story_vi=text, name_vi=f"Miến {text[:100]}")
        page, pdf = client.get(base), client.get(f"{base}.pdf")
        assert (page.status_code, pdf.status_code, client.get(f"{base}.jsonld").status_code) == (200, 200, 200)
        assert "<img src=x" not in page.text and "<b>x</b>" not in page.text
        if text == HOSTILE:
            assert "<b>x</b> <img src=x onerror=alert(1)>" in text_of(pdf.data)


def test_a_product_of_which_nothing_was_said_has_a_passport_all_the_same(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    empty = {f"{key}_{language}": "" for key in contents.TEXTS if key != "name" for language in ("vi", "en")}
    change(product.id, shelf_days=None, price=None, active=False, picture="no-such-drawing", **empty)
    page = client.get(f"/passports/{product.gtin}")
    assert page.status_code == 200 and "Chưa có lô nào của sản phẩm này." in page.text
    assert client.get(f"/passports/{product.gtin}.pdf").status_code == 200
    told = client.get(f"/passports/{product.gtin}.jsonld").get_json(force=True)
    assert "schema:hasPart" not in told and "gs1:certification" not in told


def test_contracts_and_registrations_are_not_shown_to_everybody(village: Village, client: FlaskClient) -> None:
    product = village.product("packs", 500)
    certify(village, "contract", number="HĐ với bà Giàng", expires_on=NO_END)
    certify(village, "business", number="ĐKKD-9", expires_on=NO_END)
    certify(village, "quality", number="CBCL-1")
    batch = village.batch(village.packs(40))
    for address in (
        f"/passports/{product.gtin}", f"/passports/{product.gtin}.jsonld", f"/products/{product.slug}",
        f"/01/{batch.gtin}/10/{batch.lot}",
    ):  # fmt: skip
        page = client.get(address).text
        assert "Giàng" not in page and "ĐKKD-9" not in page and "CBCL-1" in page, address


def test_lots_come_with_how_they_stand_and_a_lot_declared_wrong_does_not_come(
    village: Village, client: FlaskClient
) -> None:
    lots = [village.batch(village.packs(40, start_days_ago=days)) for days in (30, 25, 20)]
    with write() as session:
        session.execute(update(Batch).where(Batch.id == lots[0].id).values(void=True))
        session.execute(update(Batch).where(Batch.id == lots[1].id).values(hold="recalled", hold_reason="thử"))
        bump(session)
    page = client.get(f"/passports/{lots[0].gtin}").text
    assert f"/10/{lots[0].lot}" not in page
    assert page.count("/10/") == 2 and "Đã thu hồi" in page
    # A narrow column breaks its lines where the letters of the code happen to end.
    words = "".join(text_of(client.get(f"/passports/{lots[0].gtin}.pdf").data).split())
    assert f"{lots[1].lot}(Đãthuhồi)" in words and lots[0].lot not in words


def test_what_is_kept_is_given_again_until_something_moves_and_to_members_as_to_guests(
    village: Village, client: FlaskClient
) -> None:
    village.sign_in(client, "office")
    product = village.product("packs", 500)
    assert "Văn Phòng" not in client.get(f"/passports/{product.gtin}").text
    base = f"/passports/{product.gtin}"
    first = client.get(base)
    again = client.get(base, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for form in (".pdf", ".jsonld"):
        tag = client.get(base + form).headers["ETag"]
        assert client.get(base + form, headers={"If-None-Match": tag}).status_code == 304
    change(product.id, usage_vi="Nấu canh")
    moved = client.get(base, headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200 and moved.headers["ETag"] != first.headers["ETag"]
    tag = moved.headers["ETag"]
    village.packs(40)
    assert client.get(base, headers={"If-None-Match": tag}).status_code == 200  # a new lot is on it at once


def test_a_number_that_is_no_gtin_of_ours_or_of_nothing_packed_is_refused_in_the_form_asked_for(
    village: Village, client: FlaskClient
) -> None:
    wrongs = (
        ("123", 400), ("09506000134353", 400), ("x" * 14, 400), ("１" * 14, 400), (gtin(99999), 404),
        (village.product("tuber").gtin, 404),
    )  # fmt: skip
    for wrong, status in wrongs:
        assert client.get(f"/passports/{wrong}").status_code == status
        machine = client.get(f"/passports/{wrong}.jsonld")
        assert (machine.status_code, machine.mimetype) == (status, "application/problem+json")


def test_a_table_cell_taller_than_a_page_goes_on_overleaf() -> None:
    sheet = Sheet("Tờ", "chân trang")
    sheet.facts([("Dài", ["từ " * 4000], "nguồn")])
    sheet.table(("a", "b"), [("x " * 3000, "y")], (1, 1))
    words = text_of(sheet.pdf())
    assert words.count("từ") >= 4000 and words.count("x") >= 3000
