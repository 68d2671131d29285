"""What strangers fetch: lot proofs, cosigned checkpoints, consistency, keys; how long caches keep them."""

import base64
import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text

from batches.stages.corrections import Correction, correct
from tests.support.verifiers import soi_verify
from tests.support.village import Village
from trace.events.models import EventBatch
from trace.ledger import rotation, store
from trace.ledger.checkpoint import open_checkpoint
from trace.ledger.lotcheck import LotResult, verify_lot
from trace.ledger.lotproof import LotProof
from trace.ledger.merkle import verify_consistency
from trace.ledger.models import Cosignature, LedgerState
from trace.ledger.note import COSIGNATURE, Signer, Verifier, parse_note
from trace.ledger.proof import Proof, verify_proof
from village.db import db, write
from village.ids import uuid7

pytestmark = pytest.mark.slow_once

ORIGIN = "village.test/ledger"
WITNESSES = [Signer.from_seed(f"witness.example/w{n}", bytes([n]) * 32, COSIGNATURE) for n in range(3)]


def keys(client: FlaskClient) -> list[Verifier]:
    return [Verifier.parse(line) for line in client.get("/ledger/keys").text.splitlines()]


def size() -> int:
    db.session.rollback()
    return db.session.scalars(select(LedgerState.size)).one()


def cosign(*witnesses: Signer) -> int:
    """Keep today's checkpoint with these cosignatures; its size."""
    with write() as session:
        kept = store.keep_checkpoint(session)
        told = parse_note(kept.note).text
        for number, one in enumerate(witnesses):
            line = one.sign(told, 1_800_000_000 + number)
            session.add(
                Cosignature(
                    size=kept.size, key_id=one.verifier.key_id.hex(), name=one.name, line=line.format(),
                    cosigned_at=dt.datetime.fromtimestamp(1_800_000_000, dt.UTC),
                )
            )  # fmt: skip
        return kept.size


@pytest.fixture
def two_asked(app: Flask) -> None:
    """A policy that asks for two of three witnesses, none of which can be reached."""
    lines = [f"witness w{n} {one.verifier.vkey}\n" for n, one in enumerate(WITNESSES)]
    path = app.extensions["soi"].ledger_policy
    path.write_text("".join(lines) + "group two 2 w0 w1 w2\nquorum two\n")


def proof_of(client: FlaskClient, village: Village, batch: str) -> tuple[bytes, LotResult]:
    lot = village.batch(batch)
    answer = client.get(f"/ledger/lots/{lot.gtin}/{lot.lot}/proof")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.soi.lot-proof+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.data, verify_lot(answer.data, ORIGIN, [*keys(client), *(one.verifier for one in WITNESSES)])


def test_a_lot_s_proof_holds_with_all_its_ancestors_and_nothing_else(village: Village, client: FlaskClient) -> None:
    other = village.packs(10)
    batch = village.packs(40)
    data, result = proof_of(client, village, batch)
    assert result.holds, result.reason
    assert len(result.batches) == 6
    assert result.proof is not None and result.proof.lot == village.batch(batch).epc
    told = {link.batch for line in result.proof.lines for link in line.links}
    assert told == set(result.batches) and village.batch(other).epc not in told
    trust = soi_verify.Trust([soi_verify.read_key(one.vkey) for one in keys(client)], None)
    soi_verify.check_lot(data, trust, soi_verify.Told(quiet=True))


def test_what_went_into_an_event_that_was_taken_back_is_in_the_proof(village: Village, client: FlaskClient) -> None:
    """No row leads there any more; the entries still name it."""
    tuber = village.made("harvest", "tuber", 100_000)
    starch = village.made("settle", "wet-starch", 20_000, (tuber, 100_000))
    wanted = Correction(uuid7(), _event_that_made(starch), "did_not_occur", "Ghi nhầm")
    correct(village.actor("producer"), wanted, {"id": wanted.id})
    _, result = proof_of(client, village, starch)
    assert result.holds, result.reason
    assert {village.batch(one).epc for one in (tuber, starch)} == set(result.batches)


def _event_that_made(batch: str) -> str:
    return db.session.scalars(
        select(EventBatch.event_id).where(EventBatch.batch_id == batch, EventBatch.part == "output")
    ).one()


def test_a_proof_takes_few_queries_however_many_ancestors(village: Village, client: FlaskClient) -> None:
    def queries(batch: str) -> int:
        lot, seen = village.batch(batch), list[str]()
        db.session.rollback()
        event.listen(db.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
        assert client.get(f"/ledger/lots/{lot.gtin}/{lot.lot}/proof").status_code == 200
        return len(seen)

    short = queries(village.made("harvest", "tuber", 100_000))
    long = queries(village.packs(40))
    assert long <= short + 2 and long <= 20


def test_a_proof_that_the_asker_has_is_not_made_again(village: Village, client: FlaskClient) -> None:
    lot = village.batch(village.packs(10))
    path = f"/ledger/lots/{lot.gtin}/{lot.lot}/proof"
    first = client.get(path)
    etag = first.headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert first.headers["Cache-Control"] == "public, max-age=5"
    village.packs(10)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200
    head = client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert f'filename="{lot.lot}.soi-proof"' in head.headers["Content-Disposition"]


def test_receipts_and_proofs_stand_under_the_newest_checkpoint_with_enough_witnesses(
    village: Village, client: FlaskClient, two_asked: None
) -> None:
    batch = village.packs(10)
    covered = size() - 1
    cosigned = cosign(*WITNESSES[:2])
    village.packs(10)
    cosign(WITNESSES[2])
    newest = size()
    witnesses = [one.verifier for one in WITNESSES]
    receipt = Proof.parse(client.get(f"/ledger/entries/{covered}/receipt").data)
    opened = open_checkpoint(receipt.checkpoint, ORIGIN, [*keys(client), *witnesses])
    assert (opened.checkpoint.size, len(opened.witnesses)) == (cosigned, 2)
    _, result = proof_of(client, village, batch)
    assert result.holds and result.signed is not None
    assert (result.signed.checkpoint.size, len(result.signed.witnesses)) == (cosigned, 2)
    # Nothing with enough witnesses covers what came later: the newest, with whatever it has.
    later = Proof.parse(client.get(f"/ledger/entries/{newest - 1}/receipt").data)
    opened = open_checkpoint(later.checkpoint, ORIGIN, [*keys(client), *witnesses])
    assert (opened.checkpoint.size, len(opened.witnesses)) == (newest, 1)


def test_a_receipt_carries_its_entry(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    for index in range(size()):
        proof = client.get(f"/ledger/entries/{index}/receipt").data
        body = client.get(f"/ledger/entries/{index}").data
        result = verify_proof(body, proof, ORIGIN, keys(client))
        assert result.holds and result.extra == body


def test_the_checkpoint_shows_its_cosignatures_and_kept_ones_stay(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    old = cosign(*WITNESSES)
    now = client.get("/ledger/checkpoint")
    assert len(open_checkpoint(now.text, ORIGIN, [*keys(client), *(w.verifier for w in WITNESSES)]).witnesses) == 3
    assert now.headers["Cache-Control"] == "public, max-age=5"
    assert client.get("/ledger/checkpoint", headers={"If-None-Match": now.headers["ETag"]}).status_code == 304
    village.packs(10)
    assert "witness.example" not in client.get("/ledger/checkpoint").text
    kept = client.get(f"/ledger/checkpoints/{old}")
    assert kept.text == now.text
    assert kept.headers["Cache-Control"] == "public, max-age=300", "a witness may still cosign it"
    for odd in (old + 1, 10**30, "x", "-1", "01x"):
        assert client.get(f"/ledger/checkpoints/{odd}").status_code == 404


def test_any_two_sizes_are_proven_consistent(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    roots = {}
    for _ in range(3):
        head = open_checkpoint(client.get("/ledger/checkpoint").text, ORIGIN, keys(client)).checkpoint
        roots[head.size] = head.root
        village.made("harvest", "tuber", 100_000)
    for old in roots:
        for new in roots:
            answer = client.get(f"/ledger/consistency/{old}/{new}")
            if old > new:
                assert answer.status_code == 404
                continue
            path = [base64.b64decode(line) for line in answer.text.splitlines()]
            verify_consistency(old, new, roots[old], roots[new], path)
            assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/ledger/consistency/0/5").text == ""
    for odd in ("5/999", "5", "a/b", "-1/5", f"1/{10**40}", "1/5/6"):
        assert client.get(f"/ledger/consistency/{odd}").status_code == 404


def test_keys_are_shown_newest_first_and_old_ones_for_ever(village: Village, client: FlaskClient) -> None:
    first = keys(client)
    batch = village.packs(10)
    second = rotation.begin()
    assert keys(client) == [second, *first]
    rotation.finish()
    third = rotation.begin()
    rotation.finish()
    assert keys(client) == [third, second, *first]
    assert client.get("/ledger/keys").headers["Cache-Control"] == "public, max-age=300"
    village.packs(10)
    lot = village.batch(batch)
    data = client.get(f"/ledger/lots/{lot.gtin}/{lot.lot}/proof").data
    for key in [third, second, *first]:
        assert verify_lot(data, ORIGIN, [key]).holds


@pytest.mark.parametrize(
    "path",
    [
        "lots/09506000001011/NONE/proof", "lots/x/y/proof", "lots/09506000001011//proof", "lots/1/2/3/proof",
        "lots/%F0%9F%8D%9C/%FF/proof", "lots/" + "9" * 500 + "/a/proof",
        "entries/99999", "entries/" + "9" * 60, "entries/-1", "entries/1/receipts", "tile/0/x", "tile/9/000", "tile/",
        "tile/entries/999", "tile/0/000.p/256", "nothing",
    ],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_wrong_addresses_are_not_found(village: Village, client: FlaskClient, path: str, accept: str) -> None:
    village.packs(10)
    for method in (client.get, client.head):
        answer = method(f"/ledger/{path}", headers={"Accept": accept})
        assert answer.status_code == 404, path
    assert client.post("/ledger/checkpoint").status_code == 405


def test_every_public_address_answers_a_head_and_any_site(village: Village, client: FlaskClient) -> None:
    lot = village.batch(village.packs(10))
    kept = cosign(WITNESSES[0])
    for path in (
        "checkpoint", f"checkpoints/{kept}", f"consistency/1/{kept}", "keys", "policy", "entries/0",
        "entries/0/receipt", f"tile/entries/000.p/{kept}", f"tile/0/000.p/{kept}", f"lots/{lot.gtin}/{lot.lot}/proof",
    ):  # fmt: skip
        got, head = client.get(f"/ledger/{path}"), client.head(f"/ledger/{path}")
        assert (head.status_code, head.data) == (200, b"")
        for name in ("Content-Type", "Cache-Control", "Access-Control-Allow-Origin"):
            assert head.headers[name] == got.headers[name]
        assert "Set-Cookie" not in got.headers
    assert client.get("/ledger/entries/999", headers={"Accept": "application/json"}).headers[
        "Access-Control-Allow-Origin"
    ] == "*"  # fmt: skip


def test_a_spoilt_cosignature_row_does_not_spoil_the_checkpoint(village: Village, client: FlaskClient) -> None:
    village.packs(10)
    kept = cosign(WITNESSES[0])
    with write() as session:
        for name, line in (("a", "no line\n"), ("b", "— b eHh4eHh4eHg=\n\nmore\n"), ("c", "")):
            session.add(
                Cosignature(
                    size=kept, key_id="00000000", name=name, line=line,
                    cosigned_at=dt.datetime.fromtimestamp(1_800_000_000, dt.UTC),
                )
            )  # fmt: skip
    note = client.get("/ledger/checkpoint").text
    assert len(parse_note(note).signatures) == 2


def test_a_lot_proof_is_one_snapshot(village: Village, client: FlaskClient) -> None:
    """What is read is the document that its checkpoint signs, also right after the log grew."""
    batch = village.packs(10)
    for _ in range(3):
        data, result = proof_of(client, village, batch)
        assert result.holds and result.signed is not None
        assert result.signed.checkpoint.size == size()
        assert LotProof.parse(data).format() == data
        village.made("harvest", "tuber", 100_000)


def test_a_damaged_entry_is_said_to_be_damaged(village: Village, client: FlaskClient) -> None:
    lot = village.batch(village.packs(10))
    path, last = f"/ledger/lots/{lot.gtin}/{lot.lot}/proof", size() - 1
    with write() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER ledger_entry_no_update"))
        else:
            session.execute(text("DROP TRIGGER ledger_entry_append_only ON ledger_entry"))
        spoil = text('UPDATE ledger_entry SET body = :body WHERE "index" = :last')
        session.execute(spoil, {"body": b"{", "last": last})
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["type"].endswith("/problems/log-damaged")
    assert client.get(f"/ledger/entries/{last}/receipt").status_code == 200
