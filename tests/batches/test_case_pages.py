"""Pages of cases: the office's list and label, and what anybody sees who scans one."""

import pytest
from flask.testing import FlaskClient

from batches.stages.wanted import Take
from tests.support.village import Village


@pytest.fixture
def sscc(village: Village) -> str:
    packs = village.packs(20)
    return str(village.record("case", inputs=(Take(packs, units=6),))["sscc"])


def test_who_scans_a_case_sees_its_lots_with_their_pages(client: FlaskClient, village: Village, sscc: str) -> None:
    shown = client.get(f"/00/{sscc}").get_data(as_text=True)
    assert "6 gói" in shown and "/10/BL" in shown and "Trong thùng này có" in shown
    village.record("uncase", facts={"sscc": sscc})
    assert "không còn nguyên" in client.get(f"/00/{sscc}").get_data(as_text=True)


def test_a_number_that_is_wrong_or_unknown_is_told(client: FlaskClient, sscc: str) -> None:
    wrong = sscc[:-1] + str((int(sscc[-1]) + 1) % 10)
    assert client.get(f"/00/{wrong}").status_code == 400
    assert client.get("/00/095060000000990017").status_code in (400, 404)
    assert client.get("/00/abc").status_code == 400


def test_the_office_sees_all_cases_and_prints_a_label(client: FlaskClient, village: Village, sscc: str) -> None:
    village.sign_in(client, "office")
    assert sscc in client.get("/coop/cases").get_data(as_text=True)
    shown = client.get(f"/coop/cases/{sscc}").get_data(as_text=True)
    assert "<svg" in shown and "Tem dán thùng" in shown
    label = client.get(f"/coop/cases/{sscc}/label.png")
    assert (label.mimetype, label.data[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(("username", "listed", "opened"), [
    ("producer", True, 200), ("producer-b", False, 404), ("office-other", False, 404), ("seller", False, 403),
])  # fmt: skip
def test_a_case_is_shown_to_its_own_people_only(
    client: FlaskClient, village: Village, sscc: str, username: str, listed: bool, opened: int
) -> None:
    village.sign_in(client, username)
    assert (sscc in client.get("/coop/cases").get_data(as_text=True)) == listed
    assert client.get(f"/coop/cases/{sscc}").status_code == opened
    assert client.get(f"/coop/cases/{sscc}/label.png").status_code == opened


def test_a_recalled_lot_is_told_on_its_case(client: FlaskClient, village: Village, sscc: str) -> None:
    from sqlalchemy import update

    from trace.lots.models import Batch
    from village.db import write

    with write() as session:
        session.execute(update(Batch).where(Batch.made_units.is_not(None)).values(hold="recalled"))
    assert "đã bị thu hồi" in client.get(f"/00/{sscc}").get_data(as_text=True)
