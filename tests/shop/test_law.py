"""What others published, word for word: providers' own examples, and what the law has a seller say."""

from flask.testing import FlaskClient

from shop.payments.bank import payos
from shop.rights import retention
from tests.support.village import Village

CHECKSUM_KEY = "1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675"
SIGNATURE = "412e915d2871504ed31be63c8f62a149a4410d34c4c42affc9006ef9917eaa03"
PAID = {
    "orderCode": 123, "amount": 3000, "description": "VQRIO123", "accountNumber": "12345678",
    "reference": "TF230204212323", "transactionDateTime": "2023-02-04 18:25:00", "currency": "VND",
    "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18", "code": "00", "desc": "Thành công",
    "counterAccountBankId": "", "counterAccountBankName": "", "counterAccountName": "", "counterAccountNumber": "",
    "virtualAccountName": "", "virtualAccountNumber": "",
}  # fmt: skip
"""The example of https://payos.vn/docs/tich-hop-webhook/kiem-tra-du-lieu-voi-signature/."""


def test_the_signature_that_payos_published_is_ours() -> None:
    assert payos.sign(PAID, CHECKSUM_KEY) == SIGNATURE


def test_the_pages_name_the_laws_in_force_and_no_ended_ones(village: Village, client: FlaskClient) -> None:
    for path, laws in (
        ("/terms", ("122/2025/QH15", "248/2026/NĐ-CP", "19/2023/QH15")),
        ("/privacy", ("91/2025/QH15", "356/2025/NĐ-CP", "122/2025/QH15", "248/2026/NĐ-CP")),
    ):
        for language in ("vi", "en"):
            page = client.get(f"{path}?lang={language}").get_data(as_text=True)
            assert [law for law in laws if law not in page] == []
            assert [ended for ended in ("52/2013", "85/2021", "13/2023") if ended in page] == []


def test_what_was_agreed_on_is_kept_for_the_three_years_of_the_law() -> None:
    assert retention.SOLD_KEPT.days >= 3 * 365
