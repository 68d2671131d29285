"""Phones' keys: how they come to be known, what they sign, and how they end."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from batches.devices import services
from batches.devices.models import Device, DeviceUse, Status
from batches.devices.shown import shown
from tests.conftest import browser
from tests.support.phone import LOG, Phone, url64
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.fingerprint import fingerprint
from trace.ledger.keyring import Keyring, SignedBy, enrol_message
from trace.ledger.models import Commitment, LedgerEntry, LedgerKey
from trace.ledger.verify import verify
from village import clock
from village.db import db, write
from village.errors import Conflict
from village.ids import uuid7

Post = Callable[..., Any]


@pytest.fixture
def post(client: FlaskClient, village: Village) -> Post:
    """Post JSON as a member; gives the response."""

    def send(body: dict[str, Any], username: str = "producer", path: str = "/api/events", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {village.token(username)}"}
        return client.post(path, headers=headers, **({"json": body} | more))

    return send


def harvest(village: Village, grams: int = 1_250_000, **changes: Any) -> dict[str, Any]:
    """A harvest in public names, as a phone signs it."""
    when = (clock.now() - dt.timedelta(hours=3)).astimezone(clock.VN)
    return {
        "id": uuid7(),
        "process": "mien-dong",
        "stage": "harvest",
        "occurred_at": when.isoformat(timespec="milliseconds"),
        "site": village.site().gln,
        "inputs": [],
        "outputs": [{"product": village.product("tuber").gtin, "grams": grams}],
        "readings": [],
    } | changes


def slug(answer: Any) -> str:
    return str(answer.get_json()["type"]).rpartition("/")[2]


def entry(index: int) -> dict[str, Any]:
    db.session.rollback()
    return parse(store.entry(index).body)


def keyring() -> Keyring:
    """A reader who has seen every key entry so far."""
    ring = Keyring(LOG)
    for row in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.index)):
        record = parse(row.body)
        if record["type"] == "key":
            ring.learn(row.index, record)
    return ring


def device(phone: Phone) -> Device:
    db.session.rollback()
    return db.session.get_one(Device, phone.key, populate_existing=True)


def counts() -> tuple[int, ...]:
    db.session.rollback()
    tables = (Event, LedgerEntry, DeviceUse)
    return tuple(db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables)


# A key comes to be known


def test_an_approved_key_stands_on_the_ledger_without_its_owners_name(village: Village) -> None:
    phone = Phone()
    key = phone.ask(village)
    assert device(phone).status is Status.PENDING
    assert db.session.get(LedgerKey, key) is None
    index = services.approve(village.actor("office"), key).enrolled_entry
    assert index is not None
    record = entry(index)
    assert record["key"] == {
        "role": "device", "status": "enrolled", "key": key, "jwk": phone.jwk, "proof": phone.proof,
    }  # fmt: skip
    owner = village.member("producer")
    assert owner.id not in str(record) and owner.name not in str(record)
    kept = db.session.get_one(Commitment, (index, "member"))
    assert record["commitments"]["member"] == store.commitment(kept.salt, owner.id)
    row = db.session.get_one(LedgerKey, key)
    assert (row.role, row.enrolled_entry, row.ended_entry) == ("device", index, None)
    assert verify().holds


def test_asking_twice_for_one_key_is_one_request(post: Post, village: Village) -> None:
    phone = Phone()
    body = {"jwk": phone.jwk, "proof": phone.proof, "label": "Máy của tôi"}
    first, second = (post(body, path="/api/devices") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert (first.get_json()["key"], first.get_json()["status"]) == (phone.key, "pending")
    assert first.get_json()["fingerprint"] == fingerprint(phone.key)


def test_another_member_gets_no_key_that_is_known_and_learns_nothing_of_whose_it_is(
    post: Post, village: Village
) -> None:
    phone = Phone().enrol(village)
    answer = post({"jwk": phone.jwk, "proof": phone.proof, "label": "x"}, "producer-b", "/api/devices")
    assert (answer.status_code, slug(answer)) == (409, "key-taken")
    assert village.member("producer").name not in answer.text and "Người Làm" not in answer.text


P256 = ec.generate_private_key(ec.SECP256R1())
SOUND = Phone().jwk
POINT = Phone(P256).jwk
HOSTILE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a member too many": {**SOUND, "use": "sig"},
    "a secret key": {**SOUND, "d": SOUND["x"]},
    "no curve": {"kty": "OKP", "x": SOUND["x"]},
    "another curve": {**SOUND, "crv": "X25519"},
    "curve and type of two kinds": {**SOUND, "kty": "EC"},
    "too short": {**SOUND, "x": SOUND["x"][:-1]},
    "padded": {**SOUND, "x": SOUND["x"] + "="},
    "not base64url": {**SOUND, "x": "+" * 43},
    "the neutral point": {**SOUND, "x": url64(b"\x01" + bytes(31))},
    "a point of order two": {**SOUND, "x": url64(b"\xec" + b"\xff" * 30 + b"\x7f")},
    "a point of order eight": {
        **SOUND, "x": url64(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")),
    },
    "beyond the field": {**SOUND, "x": url64(b"\xff" * 32)},
    "off the curve": {**POINT, "y": POINT["x"]},
    "the point at infinity": {**POINT, "x": url64(bytes(32)), "y": url64(bytes(32))},
    "no y": {"crv": "P-256", "kty": "EC", "x": POINT["x"]},
    "another NIST curve": {**POINT, "crv": "P-384"},
}  # fmt: skip


@pytest.mark.parametrize("jwk", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_key_is_refused(post: Post, jwk: dict[str, Any]) -> None:
    answer = post({"jwk": jwk, "proof": Phone().proof, "label": "x"}, path="/api/devices")
    assert (answer.status_code, slug(answer) in ("bad-key", "invalid")) == (422, True), answer.text
    assert db.session.scalar(select(func.count()).select_from(Device)) == 0


@pytest.mark.parametrize(
    "jwk", [[], "x", None, 5, {"crv": 1, "kty": "OKP", "x": "y"}, {"crv": None, "kty": "OKP", "x": SOUND["x"]}]
)
def test_a_key_of_another_shape_is_refused(post: Post, jwk: object) -> None:
    answer = post({"jwk": jwk, "proof": Phone().proof, "label": "x"}, path="/api/devices")
    assert answer.status_code == 422


def test_a_proof_by_another_key_or_for_another_log_is_refused(post: Post) -> None:
    phone = Phone()
    elsewhere = phone.sign_bytes(enrol_message("elsewhere.example/ledger", phone.jwk))
    for proof in (Phone().proof, elsewhere, "", "AAAA", "not base64"):
        answer = post({"jwk": phone.jwk, "proof": proof, "label": "x"}, path="/api/devices")
        assert (answer.status_code, slug(answer)) == (422, "bad-proof"), proof


@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "a\u202eb", "a\u0000b"])
def test_a_label_that_nobody_can_read_is_refused(post: Post, label: str) -> None:
    phone = Phone()
    answer = post({"jwk": phone.jwk, "proof": phone.proof, "label": label}, path="/api/devices")
    assert (answer.status_code, answer.get_json()["field"]) == (422, "label")


def test_a_member_waits_with_five_phones_and_works_with_ten(village: Village) -> None:
    for _ in range(2):
        waiting = [Phone() for _ in range(services.MOST_PENDING)]
        keys = [phone.ask(village) for phone in waiting]
        with pytest.raises(Conflict) as refused:
            Phone().ask(village)
        assert refused.value.slug == "too-many-requests"
        for key in keys:
            services.approve(village.actor("office"), key)
    with pytest.raises(Conflict) as refused:
        Phone().ask(village)
    assert refused.value.slug == "too-many-devices"
    Phone().ask(village, "producer-b")


def test_a_request_that_nobody_decided_for_a_month_is_over_and_may_be_made_again(village: Village) -> None:
    phone = Phone()
    phone.ask(village)
    with write() as session:
        session.execute(update(Device).values(asked_at=clock.now() - dt.timedelta(days=31)))
    with pytest.raises(Conflict) as refused:
        services.approve(village.actor("office"), phone.key)
    assert refused.value.slug == "request-expired"
    assert shown([device(phone)])[0].state == "expired"
    phone.enrol(village)
    assert device(phone).status is Status.ENROLLED


# Who may decide, and who may end


@pytest.mark.parametrize("username", ["producer", "producer-b", "seller", "auditor", "office-other", "producer-other"])
@pytest.mark.parametrize("act", ["approve", "refuse", "end"])
def test_only_the_office_of_that_cooperative_decides(
    app: Flask, village: Village, username: str, act: str
) -> None:
    pending, enrolled = Phone(), Phone().enrol(village)
    pending.ask(village)
    key = enrolled.key if act == "end" else pending.key
    client = browser(app)
    village.sign_in(client, username)
    answer = client.post(f"/coop/devices/{key}/{act}", data={"how": "revoked"})
    assert answer.status_code == 403
    assert (device(pending).status, device(enrolled).status) == (Status.PENDING, Status.ENROLLED)


@pytest.mark.parametrize("username", ["producer-b", "office-other", "producer-other"])
def test_nobody_else_ends_my_key(app: Flask, village: Village, username: str) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, username)
    assert client.post(f"/me/device/{phone.key}/end", data={"how": "lost"}).status_code == 403
    assert device(phone).status is Status.ENROLLED


@pytest.mark.parametrize(("username", "path"), [("producer", "/me/device"), ("office", "/coop/devices")])
@pytest.mark.parametrize("how", ["lost", "revoked"])
def test_the_owner_and_her_office_end_a_key_and_the_ledger_tells(
    app: Flask, village: Village, username: str, path: str, how: str
) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, username)
    assert client.post(f"{path}/{phone.key}/end", data={"how": how}).status_code == 302
    ended = device(phone)
    assert ended.status == how and ended.ended_entry is not None
    record = entry(ended.ended_entry)
    assert record["key"] == {"role": "device", "status": how, "key": phone.key}
    assert db.session.get_one(LedgerKey, phone.key).ended_entry == ended.ended_entry
    keyring()
    # Once is enough, and it does not come back.
    before = counts()
    client.post(f"{path}/{phone.key}/end", data={"how": how})
    with pytest.raises(Conflict) as refused:
        phone.ask(village)
    assert (counts(), refused.value.slug) == (before, "key-ended")


def test_an_end_of_no_kind_and_a_key_of_nobody_are_told_so(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, "producer")
    assert client.post(f"/me/device/{phone.key}/end", data={"how": "eaten"}).status_code == 422
    for key in ("x", "A" * 43, "a" * 5000):
        assert client.post(f"/me/device/{key}/end", data={"how": "lost"}).status_code == 404


def test_a_request_is_taken_back_or_refused_without_a_word_on_the_ledger(app: Flask, village: Village) -> None:
    mine, theirs = Phone(), Phone()
    mine.ask(village)
    theirs.ask(village)
    before = counts()
    client, office = browser(app), browser(app)
    village.sign_in(client, "producer")
    village.sign_in(office, "office")
    client.post(f"/me/device/{mine.key}/end", data={"how": "revoked"})
    office.post(f"/coop/devices/{theirs.key}/refuse")
    assert (device(mine).status, device(theirs).status) == (Status.REFUSED, Status.REFUSED)
    assert counts() == before
    # Decided is decided.
    assert office.post(f"/coop/devices/{mine.key}/approve").status_code == 302
    assert device(mine).status is Status.REFUSED


def test_the_pages_show_each_cooperative_its_own_phones(app: Flask, village: Village) -> None:
    phone, pending = Phone().enrol(village), Phone()
    pending.ask(village, label="Máy chờ duyệt")
    seen = {}
    for username, path in (
        ("producer", "/me/device"), ("office", "/coop/devices"), ("auditor", "/coop/devices"),
        ("office-other", "/coop/devices"), ("producer-b", "/me/device"), ("seller", "/me/device"),
    ):  # fmt: skip
        client = browser(app)
        village.sign_in(client, username)
        seen[username] = client.get(path)
    for username in ("producer", "office", "auditor"):
        page = seen[username].text
        assert fingerprint(phone.key) in page and "Máy chờ duyệt" in page
    assert "Đúng số, duyệt" in seen["office"].text and "Đúng số, duyệt" not in seen["auditor"].text
    for username in ("office-other", "producer-b"):
        assert seen[username].status_code == 200 and fingerprint(phone.key) not in seen[username].text
    assert seen["seller"].status_code == 403


# What a phone signs


@pytest.mark.parametrize("secret", ["ed25519", "p-256"])
def test_an_event_signed_by_a_phone_verifies_with_what_the_ledger_says(
    post: Post, village: Village, secret: str
) -> None:
    phone = (Phone(ec.generate_private_key(ec.SECP256R1())) if secret == "p-256" else Phone()).enrol(village)
    readings = [{"type": "DryMatter", "value": 23.5, "unit": "P1"}]
    body = harvest(village, note="Ruộng trên, đất còn ướt", readings=readings)
    answer = post(phone.signed(body))
    assert answer.status_code == 201, answer.text
    index = answer.get_json()["entry"]["index"]
    record = entry(index)
    assert "custodian" not in record
    assert record["device"]["claim"]["site"] == village.site().gln
    assert keyring().check(index, record) == SignedBy("device", phone.key, 1)
    kept = db.session.get_one(Commitment, (index, "note"))
    assert kept.value == body["note"]
    assert record["device"]["claim"]["commitments"]["note"] == store.commitment(kept.salt, kept.value)
    assert body["note"] not in store.entry(index).body.decode()
    assert db.session.get_one(DeviceUse, (phone.key, 1)).entry_index == index
    assert verify().holds


def test_a_whole_way_is_signed_in_public_names(post: Post, village: Village) -> None:
    phone = Phone().enrol(village)
    made = post(phone.signed(harvest(village, 100_000))).get_json()["batches"][0]
    link = f"https://id.gs1.org/01/{made['gtin']}/10/{made['lot']}"
    now = clock.now().astimezone(clock.VN).isoformat(timespec="milliseconds")
    body = harvest(village) | {
        "id": uuid7(), "stage": "settle", "occurred_at": now, "inputs": [{"batch": link, "grams": 100_000}],
        "outputs": [
            {"product": village.product("wet-starch").gtin, "grams": 15_000},
            {"product": village.product("wet-starch").gtin, "grams": 10_000, "lot": "BL-RIENG"},
        ],
        "readings": [{"type": "Moisture", "value": 45, "unit": "P1"}],
    }  # fmt: skip
    answer = post(phone.signed(body))
    assert answer.status_code == 201, answer.text
    index = answer.get_json()["entry"]["index"]
    assert keyring().check(index, entry(index)).seq == 2
    assert village.batch(made["id"]).left_grams == 0


def test_public_names_do_without_a_phone_as_well(post: Post, village: Village) -> None:
    made = post(harvest(village, 100_000)).get_json()["batches"][0]
    now = clock.now().astimezone(clock.VN).isoformat()
    link = f"https://id.gs1.org/01/{made['gtin']}/10/{made['lot']}"
    settle = harvest(village, 25_000) | {"stage": "settle", "occurred_at": now}
    settle["inputs"] = [{"batch": link, "grams": 100_000}]
    settle["outputs"] = [{"product": village.product("wet-starch").gtin, "grams": 25_000}]
    answer = post(settle)
    assert answer.status_code == 201, answer.text
    assert "custodian" in entry(answer.get_json()["entry"]["index"])
    # A correction takes them too.
    told = {"site": village.site().gln, "inputs": settle["inputs"]}
    body = {"id": uuid7(), "reason": "incorrect_data", "note": "cân lại", "event": told}
    corrected = post(body, path=f"/api/events/{answer.get_json()['id']}/corrections")
    assert corrected.status_code == 201, corrected.text


def test_another_cooperatives_names_are_nobodys_here(post: Post, village: Village) -> None:
    made = post(harvest(village, 100_000)).get_json()["batches"][0]
    link = f"https://id.gs1.org/01/{made['gtin']}/10/{made['lot']}"
    assert slug(post(harvest(village), "office-other")) == "unknown-site"
    body = harvest(village, site=village.site("Nhà Hộ C").gln)
    assert slug(post(body, "producer-other")) == "unknown-product"
    body = harvest(village, site=village.site("Nhà Hộ C").gln, stage="settle", inputs=[{"batch": link, "grams": 1}])
    assert slug(post(body, "producer-other")) == "no-batch"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"site": "id"}, "public-name-needed"),
        ({"outputs": "id"}, "public-name-needed"),
        ({"inputs": [{"batch": "0199f3a0-7c00-7000-8000-000000000001", "grams": 1}]}, "public-name-needed"),
        ({"inputs": [{"batch": "https://id.gs1.org/01/09506000001019/10/NONE", "grams": 1}]}, "no-batch"),
        ({"household": None}, "no-household-here"),
        ({"household": "x"}, "no-household-here"),
        ({"commitments": {"note": "x"}}, "invalid"),
        ({"occurred_at": "2026-11-01 06:30:00+07:00"}, "claimed-time"),
        ({"occurred_at": "20261101T063000+0700"}, "claimed-time"),
        ({"occurred_at": "2026-11-01T06:30:00.123456+07:00"}, "claimed-time"),
        ({"passed": "yes"}, "claimed-outcome"),
        ({"readings": [{"type": "DryMatter", "value": "23.5", "unit": "P1"}]}, "claim-does-not-fit"),
        ({"readings": [{"type": "DryMatter", "value": 23.50001, "unit": "P1"}]}, "claim-does-not-fit"),
        ({"id": "0199F3A0-7C00-7000-8000-000000000001"}, "bad-id"),
    ],
)
def test_what_verifiers_could_not_read_alike_is_refused_when_signed(
    post: Post, village: Village, change: dict[str, Any], named: str
) -> None:
    phone = Phone().enrol(village)
    body = harvest(village) | change
    if body["site"] == "id":
        body["site"] = village.site().id
    if body["outputs"] == "id":
        body["outputs"] = [{"product": village.product("tuber").id, "grams": 1000}]
    before = counts()
    answer = post(phone.signed(body))
    assert (answer.status_code in (404, 422), slug(answer)) == (True, named), answer.text
    assert counts() == before


def test_a_signed_body_is_read_strictly(post: Post, village: Village) -> None:
    phone = Phone().enrol(village)
    body = phone.signed(harvest(village))
    text = json.dumps(body)
    twice = text[:-1] + ', "stage": "harvest"}'
    large = text.replace("{", "{" + " " * 20_000, 1)
    for data in (twice, large):
        answer = post({}, json=None, data=data, content_type="application/json")
        assert (answer.status_code, slug(answer)) == (422, "unreadable-claim"), answer.text
    assert counts()[0] == 0


@pytest.mark.parametrize(
    ("note", "salt", "named"),
    [
        ("ghi chú", None, "note-and-salt"),
        ("", "A" * 43 + "=", "note-and-salt"),
        ("ghi chú", "AAAA", "bad-salt"),
        ("ghi chú", "A" * 43, "bad-salt"),
        ("ghi  chú ", "A" * 43 + "=", "untidy-note"),
    ],
)
def test_a_note_and_its_salt_go_together(
    post: Post, village: Village, note: str, salt: str | None, named: str
) -> None:
    phone = Phone().enrol(village)
    body = phone.signed(harvest(village))
    body["note"] = note
    if salt is not None:
        body["device"]["salt"] = salt
    answer = post(body)
    assert (answer.status_code, slug(answer)) == (422, named), answer.text


def test_each_refusal_of_a_signature_says_which_it_is(post: Post, village: Village) -> None:
    phone, pending, refused, lost, revoked = (Phone() for _ in range(5))
    phone.enrol(village)
    pending.ask(village)
    services.refuse(village.actor("office"), refused.ask(village))
    services.end(village.actor("producer"), lost.enrol(village).key, "lost")
    services.end(village.actor("office"), revoked.enrol(village).key, "revoked")
    before = counts()
    told = {
        (422, "unknown-device"): post(Phone().signed(harvest(village))),
        (409, "device-pending"): post(pending.signed(harvest(village))),
        (409, "device-refused"): post(refused.signed(harvest(village))),
        (409, "device-lost"): post(lost.signed(harvest(village))),
        (409, "device-revoked"): post(revoked.signed(harvest(village))),
        (403, "not-your-device"): post(phone.signed(harvest(village)), "producer-b"),
        (422, "bad-signature"): post(phone.signed(harvest(village)) | {"stage": "settle"}),
        (422, "bad-number"): post(phone.signed(harvest(village), seq=0)),
    }
    for (status, named), answer in told.items():
        assert (answer.status_code, slug(answer)) == (status, named), answer.text
    # Whose a key is that was never public, nobody else learns.
    assert slug(post(pending.signed(harvest(village)), "producer-b")) == "unknown-device"
    assert slug(post(phone.signed(harvest(village), seq=2**31))) == "bad-number"
    assert counts() == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sig: "",
        lambda sig: sig[:-4],
        lambda sig: base64.b64encode(bytes(64)).decode(),
        lambda sig: sig.replace("=", ""),
        lambda sig: base64.b64encode(bytes([base64.b64decode(sig)[0] ^ 1]) + base64.b64decode(sig)[1:]).decode(),
    ],
)
@pytest.mark.parametrize("kind", ["ed25519", "p-256"])
def test_a_spoiled_signature_is_refused(
    post: Post, village: Village, spoil: Callable[[str], str], kind: str
) -> None:
    phone = (Phone(ec.generate_private_key(ec.SECP256R1())) if kind == "p-256" else Phone()).enrol(village)
    body = phone.signed(harvest(village))
    body["device"]["signature"] = spoil(body["device"]["signature"])
    answer = post(body)
    assert (answer.status_code, slug(answer)) == (422, "bad-signature")


def test_a_signature_for_another_log_is_worth_nothing_here(
    post: Post, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone().enrol(village)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("tests.support.phone.LOG", "elsewhere.example/ledger")
        body = phone.signed(harvest(village))
    assert slug(post(body)) == "bad-signature"


# Numbers


def test_the_same_request_again_gets_the_same_answer_even_when_the_key_has_ended(post: Post, village: Village) -> None:
    phone = Phone(ec.generate_private_key(ec.SECP256R1())).enrol(village)
    body = phone.signed(harvest(village))
    first = post(body)
    assert post(body).get_json() == first.get_json()
    services.end(village.actor("producer"), phone.key, "revoked")
    after = counts()
    assert post(body).get_json() == first.get_json()
    # ECDSA signs the same thing in another way each time.
    plain = {name: value for name, value in body.items() if name != "device"}
    anew = phone.signed(plain, seq=1)
    assert anew != body
    assert post(anew).get_json() == first.get_json()
    assert (counts(), device(phone).repeats) == (after, 0)


def test_a_number_that_comes_again_for_something_else_is_refused_and_shown(
    app: Flask, post: Post, village: Village
) -> None:
    phone = Phone().enrol(village)
    first = harvest(village)
    assert post(phone.signed(first)).status_code == 201
    before = counts()
    other = post(phone.signed(harvest(village), seq=1))
    assert (other.status_code, slug(other)) == (409, "device-number-used")
    # The same event told otherwise under its own number is the same offence.
    altered = post(phone.signed(first | {"outputs": [{"product": village.product("tuber").gtin, "grams": 5}]}, seq=1))
    assert (altered.status_code, slug(altered)) == (409, "device-number-used")
    assert counts() == before
    assert device(phone).repeats == 2
    client = browser(app)
    village.sign_in(client, "office")
    assert "Số gửi trùng 2 lần" in client.get("/coop/devices").text


def test_numbers_out_of_order_and_with_gaps_are_taken_and_shown(app: Flask, post: Post, village: Village) -> None:
    phone = Phone().enrol(village)
    for seq in (7, 3, 12, 4):
        assert post(phone.signed(harvest(village), seq=seq)).status_code == 201
    db.session.rollback()
    (one,) = shown([device(phone)])
    assert (one.numbers.last, one.numbers.used, one.numbers.missing) == (12, 4, 8)
    assert one.numbers.gaps == ((1, 2), (5, 6), (8, 11))
    for username, path in (("producer", "/me/device"), ("auditor", "/coop/devices")):
        client = browser(app)
        village.sign_in(client, username)
        page = client.get(path).text
        assert "Thiếu 8 số" in page and "1–2, 5–6, 8–11" in page
    for seq in range(20, 60, 3):
        post(phone.signed(harvest(village), seq=seq))
    db.session.rollback()
    (one,) = shown([device(phone)])
    assert len(one.numbers.gaps) == 6 and one.numbers.untold == one.numbers.missing - (2 + 2 + 4 + 7 + 2 + 2)
    answer = browser(app).get("/api/devices", headers={"Authorization": f"Bearer {village.token('producer')}"})
    (told,) = answer.get_json()["devices"]
    assert (told["last"], told["repeats"], answer.get_json()["log"]) == (59, 0, LOG)


def test_the_same_number_sent_at_once_for_many_events_is_taken_once(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    bodies = [phone.signed(harvest(village), seq=5) for _ in range(12)]
    before = counts()

    def send(body: dict[str, Any]) -> int:
        return browser(app).post("/api/events", json=body, headers=headers).status_code

    with ThreadPoolExecutor(12) as crowd:
        statuses = sorted(crowd.map(send, bodies))
    assert statuses == [201] + [409] * 11
    assert [after - earlier for after, earlier in zip(counts(), before, strict=True)] == [1, 1, 1]
    assert device(phone).repeats == 11
    assert verify().holds


def test_a_key_that_is_ended_while_it_signs_signs_nothing_after_its_end(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    headers = {"Authorization": f"Bearer {village.token('producer')}"}
    bodies = [phone.signed(harvest(village)) for _ in range(12)]
    who = village.actor("producer")
    db.session.remove()

    def send(body: dict[str, Any] | None) -> Any:
        if body is None:
            with app.app_context():
                return services.end(who, phone.key, "lost").ended_entry
        return browser(app).post("/api/events", json=body, headers=headers)

    with ThreadPoolExecutor(13) as crowd:
        *answers, ended = crowd.map(send, [*bodies, None])
    taken = [answer.get_json()["entry"]["index"] for answer in answers if answer.status_code == 201]
    assert all(index < ended for index in taken)
    assert {slug(answer) for answer in answers if answer.status_code != 201} <= {"device-lost"}
    ring = keyring()
    for index in taken:
        assert ring.check(index, entry(index)).role == "device"


# The form of a stage


def form_of(village: Village, **more: str) -> dict[str, str]:
    return {
        "event_id": uuid7(), "household": str(village.actor("producer").household_id), "made": "1.250",
        "product": village.product("tuber").id, "site": village.site().id, "note": "", "occurred_at": "",
    } | more  # fmt: skip


FORM = "/batches/record/mien-dong/harvest"
AS_JSON = {"Accept": "application/json"}


def sign_form(phone: Phone, form: dict[str, str], told: dict[str, Any], seq: int | None = None) -> dict[str, str]:
    """The form as the script sends it once the phone has signed."""
    body = phone.signed({**told["claim"], "note": told["note"]}, seq)
    device = body.pop("device")
    body.pop("note")
    if "salt" in device:
        tag = store.commitment(base64.b64decode(device["salt"]), told["note"])
        body["commitments"] = {"note": tag}
    return {**form, "device_claim": json.dumps(body)} | {f"device_{name}": str(v) for name, v in device.items()}


def test_a_form_is_signed_by_the_phone_and_recorded_once(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, "producer")
    page = client.get(FORM).text
    assert f'data-keys="{phone.key}"' in page and "js/record.js" in page
    form = form_of(village, note="Ruộng  trên\r\n")
    before = counts()
    told = client.post(FORM, data=form | {"claim": "1"}, headers=AS_JSON)
    assert (told.status_code, counts()) == (200, before)
    assert told.get_json()["note"] == "Ruộng trên"
    signed = sign_form(phone, form, told.get_json())
    done = client.post(FORM, data=signed)
    assert done.status_code == 302, done.text
    index = before[1]
    assert keyring().check(index, entry(index)) == SignedBy("device", phone.key, 1)
    # Gone back to and sent again, signed anew: the same request.
    after = counts()
    assert client.post(FORM, data=sign_form(phone, form, told.get_json())).status_code == 302
    assert (counts(), device(phone).repeats) == (after, 0)
    batch = client.get(done.location).text
    assert f"ký bằng máy của {village.member('producer').name}" in batch


@pytest.mark.parametrize(
    "change", [{"made": "9"}, {"site": "b"}, {"note": "khác"}, {"occurred_at": "2026-01-02T03:04"}]
)
def test_a_form_that_says_something_else_than_its_claim_is_refused(
    app: Flask, village: Village, change: dict[str, str]
) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, "producer")
    form = form_of(village)
    told = client.post(FORM, data=form | {"claim": "1"}, headers=AS_JSON).get_json()
    if change == {"site": "b"}:
        change = {"site": village.site("Nhà Hộ B").id}
    if "occurred_at" in change:
        change = {"occurred_at": (clock.now() - dt.timedelta(days=2)).astimezone(clock.VN).strftime("%Y-%m-%dT%H:%M")}
    before = counts()
    answer = client.post(FORM, data=sign_form(phone, form, told) | change)
    assert answer.status_code in (403, 409, 422)
    assert counts() == before


def test_a_form_whose_claim_is_a_riddle_is_refused(app: Flask, village: Village) -> None:
    phone = Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, "producer")
    form = form_of(village)
    told = client.post(FORM, data=form | {"claim": "1"}, headers=AS_JSON).get_json()
    sound = sign_form(phone, form, told)
    before = counts()
    for change in (
        {"device_claim": ""}, {"device_claim": "[]"}, {"device_claim": '{"a":1,"a":1}'}, {"device_claim": "{}"},
        {"device_seq": "1e3"}, {"device_seq": ""}, {"device_key": "x"}, {"device_signature": "é"},
    ):  # fmt: skip
        assert client.post(FORM, data=sound | change).status_code == 422, change
    assert counts() == before


def test_a_form_with_a_mistake_comes_back_before_anything_is_signed(app: Flask, village: Village) -> None:
    Phone().enrol(village)
    client = browser(app)
    village.sign_in(client, "producer")
    before = counts()
    for headers in (AS_JSON, {}):
        answer = client.post(FORM, data=form_of(village, made="nhiều", claim="1"), headers=headers)
        assert (answer.status_code, "Chỗ này là số cân" in answer.text) == (422, True)
    # Even a form without a mistake is not recorded while it only asks what to sign.
    assert client.post(FORM, data=form_of(village, claim="1")).status_code == 200
    assert counts() == before


def test_without_a_key_the_custodian_signs_and_the_form_says_so(app: Flask, village: Village) -> None:
    client = browser(app)
    village.sign_in(client, "producer")
    page = client.get(FORM).text
    assert "Lần ghi này hợp tác xã ký thay bác." in page and "js/record.js" not in page
    done = client.post(FORM, data=form_of(village))
    assert done.status_code == 302
    assert "hợp tác xã ký thay" in client.get(done.location).text


def test_fingerprints_are_twelve_digits() -> None:
    assert fingerprint("A" * 43) == "000 000 000 000"
    assert fingerprint("_" * 43) == "073 709 551 615"
