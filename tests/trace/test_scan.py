"""The scan page: what a buyer sees who holds a pack to the light."""

from flask.testing import FlaskClient

from tests.support.village import Village


def test_a_scanned_pack_shows_its_whole_strand(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(40))
    page = client.get(f"/01/{batch.gtin}/10/{batch.lot}")
    assert page.status_code == 200
    print(page.text)
    assert "Sợi còn nguyên" in page.text
