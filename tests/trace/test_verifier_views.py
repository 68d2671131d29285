"""The browser verifier's addresses: what is kept how long, and what the service worker may keep."""

import gzip
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.village import Village
from trace.ledger import published, rotation
from trace.verifier import files
from village.db import db
from village.settings import ROOT
from village.web.assets import YEAR
from village.web.modules import modules


@pytest.fixture
def version(app: Flask) -> str:
    with app.test_request_context("/verify"):
        return files.version()


def test_the_page_loads_its_modules_from_one_folder_that_carries_their_version(
    client: FlaskClient, version: str
) -> None:
    page = client.get("/verify")
    assert page.status_code == 200
    assert f'<script type="module" src="/verify/{version}/verify.js"></script>' in page.text
    assert page.headers["Content-Language"] == "vi"
    assert client.get("/verify?lang=en").headers["Content-Language"] == "en"


def test_every_import_of_a_module_is_served_and_nothing_else_is(client: FlaskClient, version: str) -> None:
    wanted = {"verify.js", "scan-proof.js"}
    seen: set[str] = set()
    while wanted - seen:
        name = min(wanted - seen)
        seen.add(name)
        answer = client.get(f"/verify/{version}/{name}")
        assert answer.status_code == 200, name
        assert answer.mimetype == "text/javascript"
        for told in re.findall(r'from "(\.[^"]+)"', answer.text):
            path = (ROOT / "static/js" / name).parent.joinpath(told).resolve()
            wanted.add(str(path.relative_to(ROOT / "static/js")))
    assert {"proof/lot.js", "proof/merkle.js", "kept.js"} <= seen
    for name in ("live.js", "device.js", "verify-sw.js", "../soi.css", "words.fr.html", "khong-co"):
        assert client.get(f"/verify/{version}/{name}").status_code == 404


def test_a_file_is_kept_for_ever_under_its_own_version_only(client: FlaskClient, version: str) -> None:
    own = client.get(f"/verify/{version}/verify.js")
    assert own.headers["Cache-Control"] == f"public, max-age={YEAR}, immutable"
    old = client.get("/verify/0123456789ab/verify.js")
    assert old.headers["Cache-Control"] == "no-cache"
    assert old.data == own.data
    zipped = client.get(f"/verify/{version}/verify.js", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.data) == own.data
    assert "Accept-Encoding" in zipped.headers["Vary"]


def test_a_part_of_a_page_carries_no_more_headers_than_it_needs(client: FlaskClient, version: str) -> None:
    part = client.get(f"/verify/{version}/verify.js").headers
    assert part["X-Content-Type-Options"] == "nosniff"
    assert not {"Content-Security-Policy", "Permissions-Policy", "Referrer-Policy"} & set(part.keys())
    # A worker is a part of nothing: its policy is its own.
    for worker in ("/verify/sw.js", "/scan/sw.js", "/field/sw.js"):
        answer = client.get(worker)
        assert answer.status_code == 200 and "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_words_are_in_the_language_that_their_name_says(client: FlaskClient, version: str) -> None:
    client.set_cookie("soi_lang", "en")
    assert "Khoá của sổ" in client.get(f"/verify/{version}/words.vi.html").text
    client.set_cookie("soi_lang", "vi")
    assert "The ledger’s keys" in client.get(f"/verify/{version}/words.en.html").text


def test_the_service_worker_keeps_what_the_page_needs(client: FlaskClient, version: str) -> None:
    answer = client.get("/verify/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/verify"
    assert answer.headers["Cache-Control"] == "no-cache"
    told = dict(re.findall(r"^const (VERSION|FILES|ASKED) = (.*);$", answer.text, re.MULTILINE))
    assert json.loads(told["VERSION"]) == version
    kept = json.loads(told["FILES"])
    for address in (*kept, *json.loads(told["ASKED"])):
        assert client.get(address).status_code == 200, address
    shown = re.findall(r'(?:src|href)="(/(?:static|verify/[0-9a-f]{12})/[^"]+)"', client.get("/verify").text)
    assert shown
    assert set(shown) <= set(kept)


def test_the_page_tells_where_the_log_changed_its_keys(client: FlaskClient, village: Village) -> None:
    assert 'data-rotations=""' in client.get("/verify").text
    rotation.begin()
    rotation.finish()
    found = published.rotations(db.session())
    assert len(found) == 2
    assert f'data-rotations="{found[0]} {found[1]}"' in client.get("/verify").text


def test_the_python_verifier_is_there_to_be_taken_home(client: FlaskClient) -> None:
    answer = client.get("/verify/soi_verify.py")
    assert answer.data == (ROOT / "trace/verifier/soi_verify.py").read_bytes()
    assert "attachment" in answer.headers["Content-Disposition"]


def test_modules_hold_no_sentence_and_reach_no_other_site() -> None:
    for name in modules(files.ENTRIES):
        text = Path(ROOT / "static/js" / name).read_text()
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
        assert not re.search("[À-ỹ]", code), name
        assert not re.search(r"\beval\b|innerHTML|insertAdjacentHTML|document\.write", code), name
