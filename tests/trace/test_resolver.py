"""The resolver beyond GS1's list: packs, cases and places, pages for people, and hands that try to lead it astray."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.conftest import Browser
from tests.support.packs import issued
from tests.support.village import Village
from tests.trace.scanning import address, statements
from trace.scan import asked, linkset
from trace.scan.asked import Asked
from village.db import write
from village.places.models import Household
from village.products.models import Product

GS1 = linkset.GS1
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def anchors(client: FlaskClient, path: str) -> list[str]:
    found = client.get(f"{path}?linkType=linkset").get_json(force=True)["linkset"]
    return [one["anchor"].partition("127.0.0.1:8000")[2] for one in found]


def test_a_pack_that_was_numbered_has_links_of_its_own(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    (serial,) = issued(village, batch.id, 1)
    pack = f"{address(batch)}/21/{serial}"
    assert anchors(client, pack) == [pack, address(batch), f"/01/{batch.gtin}"]
    assert client.get(f"{pack}?linkType=gs1:pip").location == f"{pack}?lang=vi"
    other = village.batch(village.packs(10))
    assert anchors(client, f"{address(other)}/21/{serial}") == [address(other), f"/01/{batch.gtin}"]
    # Its number alone leads to the address with the lot, and nothing that was asked is lost.
    alone = client.get(f"/01/{batch.gtin}/21/{serial}?linkType=all&a=b")
    assert (alone.status_code, alone.location) == (307, f"{pack}?linkType=all&a=b")


def test_who_opens_the_links_in_a_browser_gets_a_page_with_the_same_as_data(
    village: Village, client: FlaskClient
) -> None:
    batch = village.batch(village.packs(10))
    for path in (address(batch), f"/01/{batch.gtin}"):
        page = client.get(f"{path}?linkType=linkset", headers={"Accept": BROWSER})
        assert page.mimetype == "text/html"
        data = page.text.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
        told = client.get(f"{path}?linkType=linkset", headers={"Accept": "application/ld+json"}).get_json(force=True)
        assert json.loads(data) == told
        for context in told["linkset"]:
            for link in context[f"{GS1}pip"]:
                assert f'href="{link["href"].replace("&", "&amp;")}"' in page.text


def test_the_links_of_a_lot_are_kept_and_renewed(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    path = f"{address(batch)}?linkType=gs1:hasRetailers"
    assert client.get(path).status_code == 307
    with statements() as warm:
        assert client.get(path).status_code == 307
    assert not warm
    with write() as session:
        session.execute(update(Product).values(active=False))
    assert client.get(path).status_code == 404


def test_a_warm_page_in_a_stranger_s_language_is_answered_without_the_app(
    village: Village, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = village.batch(village.packs(10))
    phone = Browser(app, app.response_class, use_cookies=False)
    for language, word in (("en-GB,en;q=0.9", "en"), ("vi", "vi"), ("fr", "vi")):
        first = phone.get(address(batch), headers={"Accept-Language": language})
        with monkeypatch.context() as patch:
            patch.setitem(app.view_functions, "scan.resolve", lambda _rest: "asked")
            again = phone.get(address(batch), headers={"Accept-Language": language})
        assert again.data == first.data
        assert f'<html lang="{word}">' in again.text


@pytest.mark.parametrize(
    "query",
    [
        "a=%0d%0aSet-Cookie:x=1",
        "//evil.example/",
        "@evil.example",
        "\\evil.example",
        "a=\u00ed\u9eba",
        "a=<b>\"'",
        "#a",
    ],
)
def test_nothing_in_a_query_leads_elsewhere_or_ends_a_header_line(
    village: Village, client: FlaskClient, query: str
) -> None:
    batch = village.batch(village.packs(10))
    for path in (f"/01/{batch.gtin}", f"{address(batch)}?linkType=gs1:hasRetailers&"):
        answer = client.get(path, query_string=query) if "?" not in path else client.get(path + query)
        assert answer.status_code == 307
        assert answer.location.startswith(f"/products/{batch.product.slug}?")
        assert answer.location.isascii() and answer.location.isprintable() and " " not in answer.location
        assert "x" not in answer.headers.get("Set-Cookie", "")


@given(st.binary(max_size=60))
def test_any_query_is_passed_on_as_what_may_stand_in_an_address(query: bytes) -> None:
    told = asked.passed_on(query)
    assert told.isascii() and all("!" <= one <= "~" and one not in '"<>\\^`{|}#' for one in told)
    allowed = bytes(one for one in query if chr(one) in told)
    assert len(told) >= len(allowed)
    assert asked.onward("/a?b=c#d", told).startswith("/a?b=c")


@pytest.mark.parametrize(
    ("link_type", "accept", "form"),
    [
        (None, BROWSER, "text/html"),
        (None, "", "text/html"),
        (None, "image/png", "text/html"),
        (None, "text/html;q=0.1, application/ld+json", "application/ld+json"),
        (
            None,
            "application/ld+json;q=0.3, application/linkset+json;q=0.4, text/html;q=0.1",
            "application/linkset+json",
        ),
        (None, "application/json", "application/linkset+json"),
        (None, "application/linkset+json;q=0, */*", "text/html"),
        ("all", "", "application/linkset+json"),
        ("linkset", "application/*", "application/linkset+json"),
        ("linkset", BROWSER, asked.LINKSET_PAGE),
        ("linkset", "application/ld+json", asked.LINKSET_LD),
        ("gs1:epcis", BROWSER, "application/ld+json"),
        ("gs1:traceability", BROWSER, "text/html"),
        ("gs1:traceability", "*/*", "application/ld+json"),
        ("gs1:defaultLink", "application/ld+json", "application/ld+json"),
    ],
)
def test_quality_values_decide_the_form(link_type: str | None, accept: str, form: str) -> None:
    assert asked.read(link_type, accept).form == form


def test_a_kind_is_known_by_its_whole_word_only() -> None:
    assert asked.whole("gs1:pip") == asked.whole("http://gs1.org/voc/pip") == f"{GS1}pip"
    for odd in ("gs1:", "gs1:pip/x", "gs1:pip#x", "pip", "GS1:pip", f"{GS1}", "https://gs1.org.evil.example/voc/pip"):
        assert asked.whole(odd) == odd
        assert Asked(asked.whole(odd), "text/html").one_kind


def test_a_place_is_told_without_naming_who_did_not_agree(village: Village, client: FlaskClient) -> None:
    site = village.site()
    cooperative = site.cooperative
    assert "Hộ A" in client.get(f"/414/{site.gln}").text
    with write() as session:
        session.scalars(select(Household).where(Household.name == "Hộ A")).one().named = False
    page = client.get(f"/414/{site.gln}")
    assert page.status_code == 200
    assert "Hộ A" not in page.text
    assert "Một hộ ở" in page.text
    assert "Hộ A" not in client.get(f"/414/{site.gln}", headers={"Accept": "application/linkset+json"}).text
    own = client.get(f"/414/{cooperative.gln}")
    assert cooperative.name in own.text
