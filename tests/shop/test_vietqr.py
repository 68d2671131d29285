"""VietQR codes: NAPAS's vectors, another's reader, and a reader of our own that takes nothing else."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vietnam_qr_pay import QRPay

from shop.payments.bank.banks import BANKS
from shop.payments.vietqr import AMOUNT_MAX, BadVietQr, VietQr, read

NUMBER = st.text(string.digits, min_size=6, max_size=19)
CODES = st.builds(
    VietQr,
    bank=st.sampled_from(sorted(BANKS)),
    account=NUMBER,
    service=st.sampled_from(["QRIBFTTA", "QRIBFTTC"]),
    amount=st.none() | st.integers(1, AMOUNT_MAX),
    bill=st.none() | st.text(string.ascii_letters + string.digits, min_size=1, max_size=25),
    purpose=st.none() | st.text(string.ascii_letters + string.digits + " ", min_size=1, max_size=25),
)


def test_the_published_vectors_are_read_and_built_byte_for_byte(conformance_data: Path) -> None:
    vectors = json.loads((conformance_data / "vietqr.json").read_text())
    good = [vector for vector in vectors if "error" not in vector]
    for vector in good:
        code = read(vector["payload"])
        told = {name: vector[name] for name in ("bank", "account", "service", "amount", "bill", "purpose")}
        assert vars(code) == told
        assert code.payload == vector["payload"]
    bad = [vector["payload"] for vector in vectors if "error" in vector]
    assert good and bad
    for payload in bad:
        with pytest.raises(BadVietQr):
            read(payload)


@given(CODES)
def test_another_reader_reads_what_we_write(code: VietQr) -> None:
    theirs = QRPay(code.payload)
    assert theirs.is_valid
    assert theirs.provider.guid == "A000000727"
    assert theirs.provider.service == code.service
    assert (theirs.consumer.bank_bin, theirs.consumer.bank_number) == (code.bank, code.account)
    assert theirs.amount == (str(code.amount) if code.amount else None)
    assert (theirs.additional_data.bill_number, theirs.additional_data.purpose) == (code.bill, code.purpose)


@given(CODES)
def test_we_read_what_we_write(code: VietQr) -> None:
    assert read(code.payload) == code


@given(CODES, st.data())
def test_one_changed_character_is_found_out(code: VietQr, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(code.payload) - 1))
    other = data.draw(st.sampled_from([c for c in string.ascii_uppercase + string.digits if c != code.payload[at]]))
    with pytest.raises(BadVietQr):
        read(code.payload[:at] + other + code.payload[at + 1 :])


@given(st.text(max_size=600))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(BadVietQr):
        read(text)


@pytest.mark.parametrize(
    "parts",
    [
        {"bank": "97043", "account": "0071000888888"},
        {"bank": "970436", "account": ""},
        {"bank": "970436", "account": "0071 000"},
        {"bank": "970436", "account": "0071000888888", "amount": 0},
        {"bank": "970436", "account": "0071000888888", "amount": AMOUNT_MAX + 1},
        {"bank": "970436", "account": "0071000888888", "purpose": "thanh toán"},
        {"bank": "970436", "account": "0071000888888", "purpose": ""},
    ],
)
def test_a_code_that_no_bank_could_read_is_not_built(parts: dict[str, object]) -> None:
    with pytest.raises(BadVietQr):
        VietQr(**parts)  # type: ignore[arg-type]  # that is the point
