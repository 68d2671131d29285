"""A test for each rule of GS1's conformance list: GS1-Conformant Resolver Standard 1.2, section 5; nothing left out.

Each docstring is the rule in our words. Where we do otherwise on purpose, it says so, and docs/decisions.md says why.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from batches.stages.wanted import Take
from tests.conftest import Browser, own_copy
from tests.support.village import Village, gln, gtin
from tests.trace.scanning import address
from trace.gs1.gtin import with_check_digit
from village.certificates.models import Certificate
from village.clock import today
from village.db import db, write
from village.products.models import Product
from village.settings import Settings
from wsgi import create_app

GS1 = "https://ref.gs1.org/voc/"
LINKSET = {"Accept": "application/linkset+json"}
NO_CASE = with_check_digit("09506000000099001")
YEAR = dt.timedelta(days=365)
IANA = {"text/html", "application/ld+json", "application/pdf"}
LINK = {
    "type": "object",
    "required": ["href", "title"],
    "properties": {
        "href": {"type": "string", "pattern": "^https?://[A-Za-z0-9./]+"},
        "title": {"type": "string", "minLength": 1},
        "type": {"type": "string", "pattern": r"^\w+/[\w.+-]+$"},
        "hreflang": {"type": "array", "minItems": 1, "items": {"pattern": r"(^\w{2}$)|(^\w{2}-\w{2}$)"}},
    },
    "additionalProperties": False,
}
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["linkset"],
    "properties": {
        "linkset": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["anchor"],
                "properties": {
                    "anchor": {"type": "string", "pattern": "^https?://[A-Za-z0-9./]+"},
                    "description": {"type": "string"},
                },
                "patternProperties": {"^https?://[A-Za-z0-9./]+$": {"type": "array", "minItems": 1, "items": LINK}},
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}
"""What GS1's schema of linksets asks for, and stricter where it leaves things open."""
KEYS = [
    "00", "01", "253", "255", "401", "402", "410", "411", "412", "413", "414", "415", "417", "8003", "8004", "8006",
    "8010", "8013", "8017", "8018", "all",
]  # fmt: skip
DESCRIPTION = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["resolverRoot", "supportedPrimaryKeys"],
    "properties": {
        "resolverRoot": {"type": "string", "pattern": "^https?://[^?#]*[^/?#]$"},
        "supportedPrimaryKeys": {"type": "array", "items": {"enum": KEYS}},
        "name": {"type": "string"},
        "supportedLinkType": {
            "type": "array",
            "items": {
                "properties": {
                    "namespace": {"type": "string"},
                    "prefix": {"type": "string", "pattern": "^[a-zA-Z_][A-Za-z0-9_-]*?:$"},
                }
            },
        },
        "linkTypeDefaultCanBeLinkset": {"type": "boolean"},
        "jsonLdContextLocation": {"type": "string", "pattern": "^https://"},
    },
    "additionalProperties": False,
}


class Lot(NamedTuple):
    """What the tests need to know of the lot."""

    gtin: str
    lot: str
    path: str
    slug: str
    noodles: str
    """GTIN of what is not sold in packs."""
    site: str
    sscc: str


@pytest.fixture(scope="module")
def scene(
    template: tuple[str, Path], server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[FlaskClient, Lot]]:
    """A village for all tests here, which only read: a lot with certificates and with all that its label says."""
    with own_copy(template, server, tmp_path_factory.mktemp("resolver")) as settings:
        app = create_app(settings)
        with app.app_context():
            village = Village()
            batch = village.batch(village.packs(10, lot="BL26M-A/b"))
            with write() as session:
                mine = session.get_one(Product, batch.product_id)
                mine.usage_vi, mine.storage_vi, mine.ingredients_vi = "Nấu", "Nơi khô", "Dong riềng"
                session.add(
                    Certificate(
                        kind="food-safety", number="1", issuer="Tỉnh", issued_on=today() - YEAR,
                        expires_on=today() + YEAR, cooperative_id=batch.cooperative_id,
                    )
                )  # fmt: skip
            sscc = str(village.record("case", inputs=(Take(batch.id, units=6),), days_ago=0.1)["sscc"])
            batch = village.batch(batch.id)
            noodles, site = village.product("noodles").gtin, village.site().gln
            lot = Lot(batch.gtin, batch.lot, address(batch), batch.product.slug, noodles, site, sscc)
            db.session.remove()
        yield Browser(app, app.response_class), lot
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def client(scene: tuple[FlaskClient, Lot]) -> FlaskClient:
    """One that asks: without cookies, so that no test's `?lang=` speaks in another."""
    return scene[0].application.test_client(use_cookies=False)


@pytest.fixture
def batch(scene: tuple[FlaskClient, Lot]) -> Lot:
    return scene[1]


def linkset(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"{path}?linkType=linkset", headers=LINKSET)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json(force=True)["linkset"]
    return found


def links(contexts: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """All links, each with its kind."""
    return [
        (key, one) for context in contexts for key, found in context.items() if key.startswith(GS1) for one in found
    ]


def test_rule_1_all_qualifiers_of_a_supported_key_are_supported(client: FlaskClient, batch: Lot) -> None:
    """For each primary key that is supported, all its qualifiers SHALL be (those that name nothing of ours are 404)."""
    lot = batch.path.rpartition("/")[2]
    for end in ("/22/A", f"/10/{lot}", "/21/B", f"/22/A/10/{lot}", "/22/A/21/B", f"/10/{lot}/21/B"):
        assert client.get(f"/01/{batch.gtin}{end}").status_code in (200, 404), end
    assert client.get(f"/414/{batch.site}/254/A").status_code == 404


def test_rule_2_get_head_and_options_are_answered(client: FlaskClient, batch: Lot) -> None:
    """SHALL support HTTP 1.1 GET, HEAD and OPTIONS."""
    for path in (batch.path, f"/01/{batch.gtin}", "/.well-known/gs1resolver"):
        got, head, options = client.get(path), client.head(path), client.options(path)
        assert head.data == b""
        assert head.status_code == got.status_code
        assert head.headers.get("Location") == got.headers.get("Location")
        assert options.status_code == 204
        assert {one.strip() for one in options.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
    assert client.post(batch.path).status_code == 405


def test_rule_3_everything_is_reached_over_tls(settings: Settings) -> None:
    """SHALL support HTTP over TLS: a village with an https address gives no other, and has browsers stay with it."""
    app = create_app(replace(settings, public_url="https://soi.example.vn"))
    with app.app_context():
        village, client = Village(), Browser(app, app.response_class)
        found = linkset(client, address(village.batch(village.packs(10))))
        assert all(one["href"].startswith("https://soi.example.vn/") for _, one in links(found))
        answer = client.get("/.well-known/gs1resolver")
        assert answer.get_json()["resolverRoot"] == "https://soi.example.vn"
        assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_rule_4_scripts_of_other_sites_may_ask(client: FlaskClient, batch: Lot) -> None:
    """SHALL support CORS."""
    paths = (batch.path, f"/01/{batch.gtin}", f"{batch.path}?linkType=all", "/01/1", "/.well-known/gs1resolver")
    for path in paths:
        for answer in (client.get(path), client.options(path)):
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "OPTIONS" in answer.headers["Access-Control-Allow-Methods"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Link" in client.get(path).headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("word", ["eh30164596f40c0e5cbe991a83", "exMBZFlvQMDly-mRqD", "AQnYUc1gmiQFdw"])
def test_rules_5_and_6_a_compressed_address_is_refused_in_so_many_words(client: FlaskClient, word: str) -> None:
    """SHALL decompress EPC binary, and tell the full address. We print none, and refuse them clearly instead."""
    answer = client.get(f"/{word}", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["type"][-23:]) == (400, "compressed-digital-link")
    assert client.get(f"/01/{gtin(120)}/{word}").status_code == 400


BROKEN = (
    "/01/{bad}", "/01/{short}", "/01/{gtin}/foo", "/01/{gtin}/21/A/10/{lot}", "/01/{gtin}/10/{lot}/10/{lot}",
    "/01/{gtin}//10/{lot}", "/01/{gtin}/10/{lot}//", "/01/{gtin}/10/", "/01/{gtin}/10/a%20b", "/01/{gtin}/10/%C3%AD",
    "/01/{gtin}/17/271120", "/01/{gtin}/lot/{lot}", "/01/{gtin}/10/{long}", "/01/{gtin}?10={lot}", "/01/{gtin}/10/a%2",
    "/01/{gtin}/10/{lot}?17=271332", "/%30%31/{gtin}", "/00/1", "/414/1", "/414/9506000117840", "/414/{gln}/10/A",
)  # fmt: skip
BARE = ("/01", "/01/", "/00", "/414/", "/gtin/{gtin}", "/gtin/{gtin}/lot/{lot}", "/gln/{gln}", "/sscc/{sscc}")
"""What has not even a number, or not a key of today."""


def test_rule_7_an_address_that_breaks_the_syntax_gets_400(client: FlaskClient, batch: Lot) -> None:
    """SHALL validate the address' syntax, and report errors with 400."""
    bad = batch.gtin[:-1] + str((int(batch.gtin[-1]) + 1) % 10)
    lot = batch.path.rpartition("/")[2]
    names = {"gtin": batch.gtin, "bad": bad, "short": batch.gtin[1:], "lot": lot, "long": "A" * 21}
    for path in (*BROKEN, *BARE):
        for accept in ("text/html", "*/*", "application/linkset+json", "application/json"):
            asked = path.format(**names, gln=batch.site, sscc=batch.sscc)
            answer = client.get(asked, headers={"Accept": accept})
            assert answer.status_code == 400, asked
            if path in BROKEN:
                page = "application" not in accept
                assert answer.mimetype == ("text/html" if page else "application/problem+json"), (asked, accept)


def test_rule_8_a_valid_address_of_nothing_known_gets_404(client: FlaskClient, batch: Lot) -> None:
    """A valid address about which nothing is known SHALL get a simple 404; for us a lot never made is one such."""
    for path in (f"/01/{gtin(99)}", f"/01/{batch.gtin}/10/NONE", f"/00/{NO_CASE}", f"/414/{gln(9999)}"):
        for accept in ("text/html", "application/linkset+json"):
            answer = client.get(path, headers={"Accept": accept})
            assert answer.status_code == 404, path
            assert "Link" not in answer.headers


def test_rule_9_no_error_is_sent_as_200(client: FlaskClient, batch: Lot) -> None:
    """SHALL NOT use 200 with a resource that tells of an error."""
    for path in ("/01/1", f"/01/{batch.gtin}/10/NONE", f"{batch.path}?linkType=gs1:menuInfo", "/01/x?linkType=all"):
        assert client.get(path).status_code in (400, 404)


def test_rule_10_the_linkset_is_had_by_query_and_by_header(client: FlaskClient, batch: Lot) -> None:
    """SHALL answer linkType=linkset, or Accept: application/linkset+json, with the list of links after RFC 9264."""
    path = batch.path
    answers = [
        client.get(f"{path}?linkType=linkset"),
        client.get(f"{path}?linkType=linkset", headers={"Accept": "*/*"}),
        client.get(f"{path}?linkType=all", headers=LINKSET),
        client.get(path, headers=LINKSET),
        client.get(path, headers={"Accept": "text/html;q=0.2, application/linkset+json;q=0.9"}),
        client.get(path, headers={"Accept": "application/json"}),
    ]
    assert {one.content_type for one in answers} == {"application/linkset+json"}
    assert len({one.data for one in answers}) == 1
    assert jsonschema_rs.is_valid(SCHEMA, json.loads(answers[0].data))


def test_rule_11_the_levels_above_are_in_it(client: FlaskClient, batch: Lot) -> None:
    """If the address has qualifiers, the links of each level up to the primary key SHALL be included."""
    contexts = linkset(client, batch.path)
    assert [one["anchor"].partition("/01/")[1:] for one in contexts] == [
        ("/01/", batch.path.removeprefix("/01/")),
        ("/01/", batch.gtin),
    ]
    assert contexts[1:] == linkset(client, f"/01/{batch.gtin}")
    # A serial that nobody issued adds nothing, and takes nothing away.
    assert linkset(client, f"{batch.path}/21/NOBODY") == contexts


def test_rule_12_its_subject_is_the_uncompressed_address(client: FlaskClient, batch: Lot) -> None:
    """The subject of the facts SHALL be the uncompressed address; ours is also the one as we print it."""
    (lot, product) = linkset(client, f"/01/{batch.gtin}/10/BL26M%2dA%2fb")
    assert lot["anchor"] == f"{product['anchor']}/10/BL26M-A%2Fb"


def test_rule_13_each_link_has_target_kind_title_and_language(client: FlaskClient, batch: Lot) -> None:
    """All links SHALL have target, kind and title, and SHOULD have their language; a media type SHALL be of IANA's."""
    found = linkset(client, batch.path)
    for kind, one in links(found):
        assert one["href"].startswith("http") and one["title"].strip()
        if kind != f"{GS1}defaultLink":
            assert one["type"] in IANA
            assert ("hreflang" in one) == (one["type"] != "application/ld+json")


def test_rule_14_a_default_link_is_described_too(client: FlaskClient, batch: Lot) -> None:
    """Links of the kinds defaultLink and defaultLinkMulti SHALL also be given under a kind that describes them."""
    for context in linkset(client, batch.path):
        described = {one["href"].partition("?")[0] for one in context[f"{GS1}pip"]}
        assert context[f"{GS1}defaultLink"][0]["href"] in described
        assert context[f"{GS1}defaultLinkMulti"] == context[f"{GS1}pip"]


def test_rule_15_the_json_ld_context_is_told(client: FlaskClient, batch: Lot) -> None:
    """SHOULD point to a JSON-LD context in a Link header, and declare it in the description file."""
    answer = client.get(f"{batch.path}?linkType=linkset")
    context = client.get("/.well-known/gs1resolver").get_json()["jsonLdContextLocation"]
    assert f'<{context}>; rel="http://www.w3.org/ns/json-ld#context"' in ", ".join(answer.headers.getlist("Link"))
    embedded = client.get(f"{batch.path}?linkType=linkset", headers={"Accept": "application/ld+json"})
    assert embedded.content_type == "application/ld+json"
    assert embedded.get_json(force=True) == {"@context": context} | answer.get_json(force=True)


def test_rule_16_there_is_one_default_link_bare_of_attributes(client: FlaskClient, batch: Lot) -> None:
    """SHALL recognise one link as the default, which SHALL NOT have any optional attributes."""
    for context in linkset(client, batch.path):
        (default,) = context[f"{GS1}defaultLink"]
        assert set(default) == {"href", "title"}


def test_rule_17_without_a_wish_one_comes_to_the_default(client: FlaskClient, batch: Lot) -> None:
    """SHALL redirect to the default link unless the request tells of a better; a lot's default is its own address."""
    lot, product = linkset(client, batch.path)
    assert lot[f"{GS1}defaultLink"][0]["href"] == lot["anchor"]
    assert client.get(batch.path).status_code == 200
    answer = client.get(f"/01/{batch.gtin}")
    assert answer.status_code == 307
    assert product[f"{GS1}defaultLink"][0]["href"].endswith(answer.location)


def test_rule_18_every_address_has_a_default_at_its_level_or_above(client: FlaskClient, batch: Lot) -> None:
    """For any address, no matter how granular, there SHALL be a default link at its level or higher."""
    products = (f"/01/{batch.gtin}", f"/01/{batch.noodles}")
    for path in (batch.path, f"{batch.path}/21/X", *products, f"/00/{batch.sscc}", f"/414/{batch.site}"):
        (default,) = linkset(client, path)[0][f"{GS1}defaultLink"]
        assert client.get(default["href"]).status_code == 200


def test_rule_19_a_kind_that_there_is_is_found(client: FlaskClient, batch: Lot) -> None:
    """SHALL redirect to the requested kind of link if there is one; ours lead to what they name, alive."""
    contexts = linkset(client, batch.path)
    seen = set()
    for kind, one in links(contexts):
        seen.add(kind.removeprefix(GS1))
        opened = client.get(one["href"])
        assert (opened.status_code, opened.mimetype) == (200, one.get("type", "text/html")), one
        _, _, fragment = one["href"].partition("#")
        assert not fragment or f'id="{fragment}"' in opened.text, one["href"]
        asked = client.get(f"{batch.path}?linkType=gs1:{kind.removeprefix(GS1)}", follow_redirects=True)
        assert asked.status_code == 200, kind
    assert seen >= {
        "pip", "traceability", "epcis", "certificationInfo", "instructions", "consumerHandlingStorageInfo",
        "ingredientsInfo", "hasRetailers", "dpp", "masterData", "support",
    }  # fmt: skip


def test_rule_20_a_kind_that_there_is_not_gets_404(client: FlaskClient, batch: Lot) -> None:
    """SHALL answer 404 if no link of the requested kind is available; the answer MAY name those that are."""
    kinds = ("gs1:menuInfo", "gs1:recallStatus", "schema:review", "https://x.example/a", "", "[]", "gs1:")
    for path, kind in ((path, kind) for path in (batch.path, f"/01/{batch.gtin}") for kind in kinds):
        answer = client.get(f"{path}?linkType={kind}", headers={"Accept": "*/*"})
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
        assert "gs1:pip" in answer.get_json()["kinds"]
        page = client.get(f"{path}?linkType={kind}", headers={"Accept": "text/html"})
        assert (page.status_code, page.mimetype) == (404, "text/html")


def test_rule_21_the_query_goes_along(client: FlaskClient, batch: Lot) -> None:
    """By default SHALL pass on the whole query string, as it is, when redirecting."""
    query = "17=271120&utm=a%20b;c&flag&x=%C3%AD&linkType=gs1:hasRetailers"
    for path in (batch.path, f"/01/{batch.gtin}"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 307
        assert answer.location.endswith(f"&{query}")
        assert answer.location.startswith(f"/products/{batch.slug}?lang=")
    assert client.get(f"/01/{batch.gtin}?a=1&a=2").location == f"/products/{batch.slug}?a=1&a=2"


SPOKEN = {
    "en-GB,en;q=0.9,vi;q=0.5": "en", "en-US,vi;q=0.9": "en", "vi-VN,vi;q=0.9,en;q=0.8": "vi", "fr, *;q=0.1": "vi",
    "en;q=0, fr": "vi", "": "vi", "fr,en;q=0.1": "en", "EN": "en",
}  # fmt: skip


def test_rule_22_languages_and_media_types_decide_between_links_of_a_kind(client: FlaskClient, batch: Lot) -> None:
    """SHOULD use Accept-Language, and MAY use Accept, to choose between links of one kind."""
    for spoken, language in SPOKEN.items():
        headers = {"Accept-Language": spoken, "Accept": "text/html"}
        for _ in range(2):  # made anew, and as the front remembers it
            answer = client.get(batch.path, headers=headers)
            assert f'<html lang="{language}">' in answer.text, spoken
            assert "Accept-Language" in answer.headers["Vary"]
        location = client.get(f"{batch.path}?linkType=gs1:certificationInfo", headers=headers).location
        assert location == f"{batch.path}?lang={language}#certificates", spoken
    for accept, kind in (("application/pdf", ".pdf"), ("application/ld+json", ".jsonld"), ("text/html", "?lang=vi")):
        asked = client.get(f"/01/{batch.gtin}?linkType=gs1:dpp", headers={"Accept": accept})
        assert asked.location.partition("&")[0].partition("?linkType")[0] == f"/passports/{batch.gtin}{kind}"
    story = f"{batch.path}?linkType=gs1:traceability"
    assert client.get(story).mimetype == client.get(story, headers={"Accept": "*/*"}).mimetype == "application/ld+json"
    assert client.get(story, headers={"Accept": "text/html,*/*;q=0.8"}).mimetype == "text/html"


def test_rule_23_the_resolver_describes_itself(client: FlaskClient) -> None:
    """SHALL have a resolver description file at /.well-known/gs1resolver, after GS1's schema."""
    answer = client.get("/.well-known/gs1resolver")
    assert answer.mimetype == "application/json"
    assert jsonschema_rs.is_valid(DESCRIPTION, answer.get_json())


def test_rule_24_it_names_the_keys_that_are_supported(client: FlaskClient, batch: Lot) -> None:
    """The primary keys that are supported SHALL be named in that file: each of them is answered."""
    known = {"01": (batch.gtin, "pip"), "414": (batch.site, "locationInfo"), "00": (batch.sscc, "logisticsInfo")}
    told = client.get("/.well-known/gs1resolver").get_json()["supportedPrimaryKeys"]
    assert sorted(told) == sorted(known)
    for key, (number, kind) in known.items():
        assert linkset(client, f"/{key}/{number}")[0][f"{GS1}{kind}"]


def test_rule_25_no_link_is_handed_to_another_resolver(client: FlaskClient, batch: Lot) -> None:
    """Redirection by pattern to another resolver SHALL be marked handledBy. We hand nothing on."""
    found = links(linkset(client, batch.path))
    assert all(kind != f"{GS1}handledBy" and one["href"].startswith("http://127.0.0.1:") for kind, one in found)


def test_rule_26_a_slash_at_the_end_is_tolerated(client: FlaskClient, batch: Lot) -> None:
    """SHOULD tolerate a slash at the end."""
    for path in (f"/01/{batch.gtin}", batch.path, f"{batch.path}/21/X"):
        plain, slashed = client.get(path), client.get(f"{path}/")
        assert (slashed.status_code, slashed.location) == (plain.status_code, plain.location)
        assert slashed.headers["Link"] == plain.headers["Link"]


def test_rule_27_the_vocabulary_of_gs1_is_recognised(client: FlaskClient, batch: Lot) -> None:
    """SHALL recognise GS1's vocabulary, under its older addresses too; other kinds SHALL NOT stand for GS1's."""
    for prefix in ("gs1:", GS1, "https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/"):
        answer = client.get(f"{batch.path}?linkType={prefix}ingredientsInfo")
        assert (answer.status_code, answer.location) == (307, f"{batch.path}?lang=vi#passport"), prefix
    known = client.get("/.well-known/gs1resolver").get_json()["supportedLinkType"]
    assert known == [{"namespace": GS1, "prefix": "gs1:"}]
    assert all(key.startswith(GS1) for context in linkset(client, batch.path) for key in set(context) - PLAIN)


PLAIN = {"anchor", "description"}


def test_rule_28_the_linkset_is_told_in_a_header(client: FlaskClient, batch: Lot) -> None:
    """SHOULD expose a link to the linkset in an HTTP Link header, even when redirecting."""
    for path in (batch.path, f"/01/{batch.gtin}", f"{batch.path}?linkType=gs1:hasRetailers"):
        for answer in (client.get(path), client.head(path)):
            (told,) = answer.headers.getlist("Link")
            target, _, attributes = told.partition(">")
            assert 'rel="linkset"' in attributes and 'title="' in attributes
            assert client.get(target[1:]).content_type == "application/linkset+json"


def test_the_list_of_rules_is_whole() -> None:
    """One test or more for each of the 28 rules, so that none is dropped unseen."""
    source = Path(__file__).read_text(encoding="utf-8")
    told = {int(word) for line in source.splitlines() if line.startswith("def test_rule")
            for word in line.split("(")[0].split("_") if word.isdigit()}  # fmt: skip
    assert told >= set(range(1, 29))
