"""An entry as people read it: what, when, which lots, who signed, what was forgotten. Hostile numbers and bytes too."""

import json
import unicodedata

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from batches.erasure.services import forget_member, forget_note
from batches.stages.corrections import Correction, as_wanted, correct
from batches.stages.services import record_dispatch
from tests.support.village import Village
from tests.trace.scanning import statements, tamper
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.fingerprint import fingerprint
from trace.ledger.readable import readable, readable_bytes
from village.db import db, write
from village.ids import uuid7

pytestmark = pytest.mark.slow_once

THUMBPRINT = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def event_at(stage: str) -> Event:
    first = select(Event).where(Event.stage == stage).order_by(Event.entry_index).limit(1)
    return db.session.scalars(first).one()


def test_an_event_is_told_with_its_lots_amounts_and_neighbours(village: Village, client: FlaskClient) -> None:
    packed = village.batch(village.packs(40))
    last = store.ensure_born().size - 1
    page = client.get(f"/ledger/lines/{last}").text
    for told in ("Đóng gói", "20\u00a0kg", "40 gói", packed.lot, "Mẻ này bắt đầu ở đây", "Tại xưởng", "Tải biên nhận"):
        assert told in page
    assert f'href="/01/{packed.gtin}/10/{packed.lot}"' in page
    assert "Hợp tác xã ký thay" in page
    assert f'href="/ledger/lines/{last - 1}"' in page.partition("trước đó:")[2].partition("</a>")[0]
    assert f"/ledger/entries/{last}/receipt" in page
    assert f'rel="prev" href="/ledger/lines/{last - 1}"' in page
    assert 'rel="next"' not in page
    first = client.get("/ledger/lines/0").text
    assert 'rel="prev"' not in first
    assert "Khoá của người giữ sổ được ghi vào sổ" in first
    assert "với tư cách người giữ sổ" in first
    assert "style=" not in page


def test_each_chain_can_be_followed_both_ways(village: Village, client: FlaskClient) -> None:
    village.packs(40)
    size = store.ensure_born().size
    for index in range(1, size):
        for link in json.loads(store.entry(index).body)["chain"]:
            page = client.get(f"/ledger/lines/{index}").text
            if link["seq"] > 0:
                before = page.partition("trước đó:")[2].partition("/ledger/lines/")[2].partition('"')[0]
                assert int(before) < index
    with statements() as seen:
        client.get(f"/ledger/lines/{size - 1}")
    assert len(seen) <= 16


def test_readings_verdicts_and_stages_are_told_in_the_reader_s_language(village: Village, client: FlaskClient) -> None:
    village.packs(40)
    inspected = event_at("inspect").entry_index
    page = client.get(f"/ledger/lines/{inspected}").text
    assert "Độ ẩm 13,2" in page
    assert "Đạt" in page
    english = client.get(f"/ledger/lines/{inspected}?lang=en").text
    assert "Entry" in english
    assert "13.2" in english
    assert event_at("inspect").name_en in english


def test_a_correction_and_what_it_corrects_point_at_each_other(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 100_000)
    event = event_at("harvest")
    told = as_wanted(event)
    wanted = Correction(uuid7(), event.id, "incorrect_data", "Gõ nhầm", told)
    correct(village.actor("producer"), wanted, {})
    at = event.entry_index
    wrong, declared = client.get(f"/ledger/lines/{at}").text, client.get(f"/ledger/lines/{at + 1}").text
    assert "Dòng này ghi nhầm" in wrong
    assert f'href="/ledger/lines/{at + 1}"' in wrong
    assert f'href="/ledger/lines/{at + 2}"' in wrong
    assert "Khai lại một bước ghi nhầm: Thu hoạch" in declared
    assert f'href="/ledger/lines/{at}"' in declared


def test_a_forgotten_value_is_shown_as_forgotten_on_both_lines(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 100_000, note="Trời mưa cả ngày")
    event = event_at("harvest")
    page = client.get(f"/ledger/lines/{event.entry_index}")
    assert page.text.count("còn giữ riêng") == 2
    assert "Trời mưa cả ngày" not in page.text
    told = forget_note(village.actor("office"), event.id)
    again = client.get(f"/ledger/lines/{event.entry_index}", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 200
    assert again.text.count("còn giữ riêng") == 1
    assert "Đã xoá ngày" in again.text
    assert f'href="/ledger/lines/{told}"' in again.text
    erasure = client.get(f"/ledger/lines/{told}").text
    assert "Xoá một lời ghi chú" in erasure
    assert "Lời ghi chú được rút lại" in erasure
    assert f'href="/ledger/lines/{event.entry_index}"' in erasure
    who = forget_member(village.actor("office"), event.member_id, notes=False)
    assert "Quên ai đã ghi 1 dòng" in client.get(f"/ledger/lines/{who}").text


def test_a_value_that_is_gone_without_a_word_is_shown_as_doubtful(village: Village, client: FlaskClient) -> None:
    village.made("harvest", "tuber", 100_000)
    tamper("DELETE FROM ledger_commitment WHERE entry_index = 1")
    assert "không còn trong máy" in client.get("/ledger/lines/1").text


def test_a_phone_s_signature_is_told_with_its_fingerprint_and_number(village: Village, client: FlaskClient) -> None:
    record = json.loads(store.entry(0).body)
    del record["custodian"]
    record |= {"type": "event", "device": {"claim": {}, "key": THUMBPRINT, "seq": 1250, "sig": ""}}
    body = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    tamper('UPDATE ledger_entry SET body = :body WHERE "index" = 0', body=body)
    page = client.get("/ledger/lines/0").text
    assert "Ký bằng máy của người ghi" in page
    assert fingerprint(THUMBPRINT) in page
    assert "lần ký thứ 1.250" in page
    assert "Hợp tác xã ký thay" not in page


def test_a_fingerprint_is_four_groups_of_digits() -> None:
    assert fingerprint(THUMBPRINT) == "664 240 069 207"
    assert fingerprint("A" * 43) == "000 000 000 000"
    for odd in ("", "A" * 42, "A" * 44, "đ" * 43, "*" * 43, "A" * 43 + "="):
        assert fingerprint(odd) == ""


@pytest.mark.parametrize(
    "number",
    ["1", "-1", "+0", "00", "01", "0x0", "1e3", "0.0", "٠", "０", "²", "%20", "None", "9" * 19, "9" * 5000,
     "9223372036854775807", "9007199254740993", "../0", "0;"],
)  # fmt: skip
def test_a_hostile_number_is_not_found(client: FlaskClient, number: str) -> None:
    assert client.get(f"/ledger/lines/{number}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff\xfe\x00", b"[]", b"null", b"<script>alert(1)</script>", b'{"type":"event"}', b'{"type":["event"]}',
        b'{"type":"<script>"}', b'{"chain":[1],"commitments":[],"custodian":"x","device":7,"event":[],"type":"event"}',
        b'{"event":{"inputQuantityList":[7,{"epcClass":7,"quantity":"x","uom":[]}],"sensorElementList":[7,'
        b'{"sensorReport":[{"value":"x"},{"type":7,"value":1e+300}]}]},"type":"event"}',
        b'{"erasure":{"of":[[0,"note"],[-1,7],["0",0],[true,"x"],7],"reason":["x"]},"type":"erasure"}',
        b'{"key":{"role":["x"],"status":{}},"type":"key"}',
        '{"event":{"eventTime":"x","soi:stage":"\u202e<b>"},"type":"event"}'.encode(),
        b'{"commitments":{"<b>":["x"]},"type":"event"}',
    ],
)  # fmt: skip
def test_whatever_stands_in_an_entry_is_shown_and_harms_nobody(client: FlaskClient, body: bytes) -> None:
    tamper('UPDATE ledger_entry SET body = :body WHERE "index" = 0', body=body)
    answer = client.get("/ledger/lines/0")
    assert answer.status_code == 200
    assert "không còn đúng từng chữ" in answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    assert "<script" not in main
    assert "<b>" not in main
    assert "\u202e" not in main


def test_hidden_characters_are_made_visible() -> None:
    told = readable({"a": "x\u202ey", "b": "\u200bz", "c": "\u05d0", "d": "e\u0301", "e": "\U000e0041", "f": "miến"})
    for escape in ("\\u202e", "\\u200b", "\\u05d0", "\\u0301", "\\udb40\\udc41", "miến"):
        assert escape in told
    assert readable_bytes(b"a\xff\xe2\x80\xaeb") == "a\\xff\\u202eb"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
def test_what_is_shown_means_what_stands_there(record: object) -> None:
    told = readable(record)
    assert json.loads(told) == record
    for character in told.replace("\n", ""):
        assert unicodedata.category(character)[0] != "C"
        assert unicodedata.bidirectional(character) not in ("R", "AL", "RLO", "LRO")


def test_a_dispatch_keeps_its_buyer_to_itself(village: Village, client: FlaskClient) -> None:
    batch = village.packs(10)
    with write(ledger=True) as session:
        (recorded,) = record_dispatch(session, village.actor("seller"), [(batch, 2)], buyer="Người Mua|+84912000111")
    page = client.get(f"/ledger/lines/{recorded.entry.index}").text
    assert "Người mua" in page
    assert "Người Mua" not in page
    assert "2 gói" in page
