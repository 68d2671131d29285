"""Labels: what a printer makes is read back, and what it says is opened."""

import io
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.support.village import Village
from tests.trace.scanning import address
from trace.lots.models import Batch
from village.db import write

pytestmark = pytest.mark.slow_once

zxingcpp = pytest.importorskip("zxingcpp")


def files(batch: Batch) -> str:
    return f"/labels/{batch.gtin}/{batch.lot}"


def read(png: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))
    return str(found.text)


def test_a_printed_label_leads_to_its_lot(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    answer = client.get(files(batch) + ".png")
    assert answer.mimetype == "image/png"
    text = read(answer.data)
    assert text == f"http://127.0.0.1:8000{address(batch)}"
    page = client.get(urlsplit(text).path)
    assert page.status_code == 200
    assert batch.lot in page.text


def test_a_label_comes_as_picture_drawing_and_print(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    for kind, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        answer = client.get(f"{files(batch)}.{kind}")
        assert answer.status_code == 200
        assert answer.data.startswith(start)
        assert f'.{kind}"' in answer.headers["Content-Disposition"]
        again = client.get(f"{files(batch)}.{kind}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


def test_a_sheet_holds_as_many_as_were_asked(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    assert client.get(files(batch) + ".pdf?sheet=24").data.count(b"/Type /Page\n") == 2
    for wrong in ("0", "2101", "-1", "x", "1.5", "99999999999"):
        assert client.get(f"{files(batch)}.pdf?sheet={wrong}").status_code == 422
    assert client.get(files(batch) + ".png?sheet=2").status_code == 404


def test_only_members_print_many(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    assert client.get(files(batch) + ".pdf?sheet=210").status_code == 200
    assert client.get(files(batch) + ".pdf?sheet=211").status_code == 302  # to the sign-in page
    village.sign_in(client, "producer")
    assert client.get(files(batch) + ".pdf?sheet=2100").status_code == 200


@pytest.mark.parametrize(("column", "value"), [("hold", "recalled"), ("void", True)])
def test_a_lot_that_may_not_go_out_gets_no_label(
    village: Village, client: FlaskClient, column: str, value: object
) -> None:
    batch = village.batch(village.packs(10))
    with write() as session:
        setattr(session.get_one(Batch, batch.id), column, value)
    for kind in ("svg", "png", "pdf"):
        assert client.get(f"{files(batch)}.{kind}").status_code == 409


def test_what_is_not_packed_has_no_label(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.made("harvest", "tuber", 100_000))
    assert client.get(files(batch) + ".png").status_code == 404
    assert client.get("/labels/09506000001203/NONE.png").status_code == 404
    assert client.get("/labels/09506000001204/NONE.png").status_code == 400
    assert client.get("/labels/123/NONE.png").status_code == 400


def test_the_label_names_a_household_only_if_it_agreed(village: Village) -> None:
    from trace.labels.services import text_of

    batch = village.batch(village.packs(10))
    assert text_of(batch).producer == "Hộ A, Hợp tác xã Một"
    batch.household.named = False
    assert text_of(batch).producer == "Hợp tác xã Một"


def test_the_producer_s_page_links_to_everything(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    assert client.get(files(batch)).status_code == 302
    village.sign_in(client, "producer")
    page = client.get(files(batch)).text
    for link in (".png", ".svg", ".pdf"):
        assert files(batch) + link in page
    # Her own lot is printed in one way alone, the one that leaves a trace.
    assert 'name="count"' in page and 'name="sheet"' not in page
    assert f'href="{address(batch)}"' in page


def test_a_lot_code_with_a_slash_gets_its_label(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10, lot="A/B.1"))
    village.sign_in(client, "producer")
    page = client.get(f"/labels/{batch.gtin}/A%2FB.1")
    assert page.status_code == 200
    assert f"/labels/{batch.gtin}/A%2FB.1.png" in page.text
    assert read(client.get(f"/labels/{batch.gtin}/A%2FB.1.png").data).endswith("/10/A%2FB.1")
