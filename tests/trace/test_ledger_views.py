"""The log in public: what it serves is checked with nothing but its key."""

import hashlib

from flask.testing import FlaskClient

from tests.support.village import Village
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.merkle import leaf_hash, root_of
from trace.ledger.note import Verifier
from trace.ledger.proof import verify_proof
from trace.ledger.tiles import decode_entries

ORIGIN = "village.test/ledger"


def key(client: FlaskClient) -> Verifier:
    return Verifier.parse(client.get("/ledger/keys").text.strip())


def test_every_receipt_holds_with_the_key_alone(village: Village, client: FlaskClient) -> None:
    village.packs(40)
    vkey = key(client)
    for index in range(8):
        entry = client.get(f"/ledger/entries/{index}")
        receipt = client.get(f"/ledger/entries/{index}/receipt")
        assert receipt.mimetype == "text/plain"
        result = verify_proof(entry.data, receipt.data, ORIGIN, [vkey])
        assert result.holds, result.reason
        assert not verify_proof(entry.data + b" ", receipt.data, ORIGIN, [vkey]).holds
    assert client.get("/ledger/entries/8").status_code == 404
    assert client.get("/ledger/entries/8/receipt").status_code == 404


def test_the_tiles_hash_to_the_signed_root(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    head = open_checkpoint(client.get("/ledger/checkpoint").text, ORIGIN, [key(client)]).checkpoint
    bundle = client.get(f"/ledger/tile/entries/000.p/{head.size}").data
    entries = decode_entries(bundle, head.size)
    hashes = client.get(f"/ledger/tile/0/000.p/{head.size}").data
    assert [hashes[i : i + 32] for i in range(0, len(hashes), 32)] == [leaf_hash(entry) for entry in entries]
    assert root_of([leaf_hash(entry) for entry in entries]) == head.root
    assert client.get("/ledger/tile/0/000").status_code == 404
    assert client.get("/ledger/tile/0/0").status_code == 404


def test_any_site_may_read_the_log(client: FlaskClient) -> None:
    for path in ("checkpoint", "keys", "policy", "entries/0", "entries/0/receipt"):
        assert client.get(f"/ledger/{path}").headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/ledger/policy").text == f"log {client.get('/ledger/keys').text.strip()}\nquorum none\n"


def test_the_ledger_s_page_says_what_it_proves_and_what_not(village: Village, client: FlaskClient) -> None:
    batch = village.batch(village.packs(10))
    page = client.get("/ledger").text
    assert "Đóng gói" in page
    assert batch.lot in page
    assert client.get("/ledger/keys").text.strip() in page.replace("&#43;", "+")
    assert "Chưa có người làm chứng độc lập" in page
    assert "<rect" in page
    assert "style=" not in page
    assert "The common ledger" in client.get("/ledger?lang=en").text


def test_an_entry_names_no_person(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    member = village.member("producer")
    for index in range(8):
        body = client.get(f"/ledger/entries/{index}").text
        assert member.id not in body
        assert member.name not in body
        assert hashlib.sha256(member.id.encode()).hexdigest() not in body
