"""What a phone alone cannot settle: other phones, wrong clocks, full stores, shared phones. A person decides."""

from decimal import Decimal

import pytest
from flask import Flask

from batches.devices import services as devices
from batches.stages.corrections import Correction, correct
from batches.stages.wanted import Make, Measure, Take
from tests.e2e.conftest import Ready
from tests.support.cutting import Road
from tests.support.fieldledger import at_the_office, events, numbers
from tests.support.village import Village
from village.ids import uuid7

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SHIFT = """(days) => {
  const real = Date.now.bind(Date);
  Date.now = () => real() + days * 86400000;
}"""
FULL = """() => {
  // What a browser does when it has no room: the transaction is undone, and says why.
  window.noRoom = true;
  const plain = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (names, mode, more) {
    const made = plain.call(this, names, mode, more);
    if (window.noRoom && mode === 'readwrite' && names.length === 3) {
      Object.defineProperty(made, 'error', { value: new DOMException('', 'QuotaExceededError') });
      queueMicrotask(() => made.abort());
    }
    return made;
  };
}"""


def test_two_phones_take_from_one_batch_and_a_person_settles_it(app: Flask, village: Village, ready: Ready) -> None:
    tuber = village.batch(village.made("harvest", "tuber", 1_000_000))
    (one, _), (two, key) = ready(), ready()
    for phone in (one, two):
        assert phone.do("hands.batch(arg).left_grams", tuber.lot) == 1_000_000
        phone.offline()
    one.do("hands.settle(arg, 700000, 175000)", tuber.lot)
    two.do(
        "hands.settle(arg, 600000, 150000).then((wet) => hands.steam(wet.lots[0], 150000, 150000))"
        ".then(() => hands.harvest(500000))",
        tuber.lot,
    )
    one.offline(False)
    one.settle()
    two.offline(False)
    # What has nothing to do with it goes on; what needs it waits.
    two.settle("state.counts.help === 1 && state.counts.proven === 1")
    assert two.states() == ["proven", "waiting", "help"]
    record = two.stuck("not-enough-left", "amount", "drop")
    assert "300" in record["problem"]["detail"]
    (seen,) = at_the_office(village)
    assert (seen.record.event_id, seen.record.slug) == (record["id"], "not-enough-left")
    inputs, outputs = ([one | {"grams": grams} for one in record["draft"][name]]
                       for name, grams in (("inputs", 300_000), ("outputs", 75_000)))  # fmt: skip
    two.mend(record, "amount", inputs=inputs, outputs=outputs)
    # Its child now asks for more than there is: that, too, is for a person to say.
    two.settle("state.counts.help === 1 && state.counts.waiting === 0")
    two.mend(two.stuck("not-enough-left", "amount", "drop"), "drop", why="Ghi nhầm")
    two.settle("state.counts.proven === 2 && state.counts.help === 0")
    two.do("engine.send()")
    assert village.batch(tuber.id).left_grams == 0
    assert at_the_office(village) == []
    # The repaired record kept its number; the dropped one's stays unused, and the office heard why.
    assert numbers(key) == [1, 3]


@pytest.mark.parametrize("days", [3, -3])
def test_a_wrong_clock_costs_no_record_its_time(app: Flask, village: Village, ready: Ready, days: int) -> None:
    phone, key = ready()
    phone.page.add_init_script(f"({SHIFT})({days})")
    phone.page.reload()
    phone.take_in_hand()
    phone.do("engine.send()")
    assert abs(phone.do("engine.state.clockOff") + days * 86_400) < 120
    # The clock is known to be wrong: what is logged has the right time at once.
    phone.offline()
    phone.do("hands.harvest(1000000)")
    phone.offline(False)
    phone.settle()
    # It is not known: the time is put right before anybody sees it, under the same number.
    phone.offline()
    phone.do("hands.change('soi-field', 'meta', (meta) => meta.delete('clock'))")
    phone.page.reload()
    phone.take_in_hand()
    assert phone.do("engine.state.clockOff") == 0
    phone.do("hands.harvest(2000000)")
    phone.offline(False)
    phone.settle()
    # It was set right in between: nobody but its owner knows when it was.
    phone.offline()
    phone.do("hands.harvest(3000000)")
    phone.page.evaluate(f"({SHIFT})({-days})")
    phone.offline(False)
    record = phone.stuck("clock-changed", "time", "drop")
    assert not record["tried"]
    phone.mend(record, "time", at=phone.do("Date.now()"))
    phone.settle()
    told = events()
    assert len(told) == 3 and numbers(key) == [1, 2, 3]
    assert all(abs((one.occurred_at - one.recorded_at).total_seconds()) < 120 for one in told)


def test_a_full_store_loses_nothing(app: Flask, village: Village, ready: Ready) -> None:
    phone, key = ready()
    phone.offline()
    phone.do("hands.photo(1).then((photo) => hands.harvest(1000000, { photos: [photo] }))")
    phone.page.evaluate(FULL)
    assert phone.do("hands.photo(2).then((photo) => hands.full(() => hands.harvest(2000000, { photos: [photo] })))")
    assert phone.do("engine.state.storage") == "full"
    assert phone.states() == ["waiting"]
    phone.do("window.noRoom = false")
    phone.do("hands.harvest(2000000)")
    assert phone.do("engine.state.storage") == "ok"
    phone.offline(False)
    phone.settle()
    assert len(events()) == 2 and numbers(key) == [1, 2]


def test_a_number_belongs_to_its_record_until_it_is_taken_back(
    app: Flask, village: Village, way: Road, ready: Ready
) -> None:
    phone, key = ready()
    phone.offline()
    first, second = (phone.do("hands.harvest(arg)", grams) for grams in (1_000_000, 2_000_000))
    # What another record uses is not taken back.
    phone.do("hands.settle(arg, 400000, 100000)", second["lots"][0])
    assert phone.do("engine.undo(arg)", second["id"]) is False
    assert phone.do("engine.undo(arg)", first["id"]) is True
    assert phone.do("hands.harvest(3000000)")["device"]["seq"] == 1
    # A page that ended between signing and keeping: its number comes back.
    phone.do("hands.signLost()")
    phone.page.reload()
    phone.take_in_hand()
    assert phone.do("hands.harvest(4000000)")["device"]["seq"] == 4
    # Two pages at once send each record once.
    other = phone.context.new_page()
    other.goto("/field")
    way.asked.clear()
    phone.offline(False)
    phone.settle()
    assert way.asked.count("POST /api/events") == 4 == len(events())
    assert numbers(key) == [1, 2, 3, 4]
    assert phone.do("engine.undo(arg)", phone.ids()[0]) is False


def test_members_who_share_a_phone_keep_their_records_apart(app: Flask, village: Village, ready: Ready) -> None:
    phone, key = ready()
    phone.offline()
    phone.do("hands.harvest(1000000)")
    phone.offline(False)
    phone.context.clear_cookies()
    phone.do("engine.send()")
    # Nobody is signed in: it is kept, and still hers.
    assert phone.do("[engine.state.signedIn, engine.state.counts.waiting]") == [False, 1]
    phone.sign_in(village, "producer-b")
    phone.start()
    phone.settle("state.me.name === 'Người Làm B'")
    assert phone.do("[engine.state.records.length, engine.state.others]") == [0, 1]
    phone.enrol(village, "Máy chung")
    phone.do("hands.harvest(2000000)")
    phone.settle()
    assert [one.member_id for one in events()] == [village.member("producer-b").id]
    phone.context.clear_cookies()
    phone.sign_in(village, "producer")
    phone.start()
    phone.settle("state.me.name === 'Người Làm A' && state.counts.proven === 1")
    assert [one.member_id for one in events()][1:] == [village.member("producer").id]
    assert numbers(key) == [1]


def test_every_conflict_is_shown_to_a_person_and_can_be_mended(app: Flask, village: Village, ready: Ready) -> None:
    producer = village.actor("producer")
    phone, key = ready()
    # A doubt that was left without its reason.
    phone.do("hands.harvest(1000)")
    phone.mend(phone.stuck("reason-needed", "reason", "amount", "drop"), "reason", note="Mới đào thử")
    phone.settle()
    # Another batch bears the code that the phone gave: it gives a new one, also to those that use it.
    phone.offline()
    first = phone.do("hands.harvest(1000000)")
    phone.do("hands.settle(arg, 400000, 100000)", first["lots"][0])
    village.record("harvest", outputs=(Make(village.product("tuber").id, 30_000, lot=first["lots"][0]),))
    phone.offline(False)
    phone.mend(phone.stuck("lot-taken", "resign", "drop"), "resign")
    phone.settle()
    assert numbers(key) == [1, 2, 3] and phone.states() == ["proven"] * 3
    # The phone's store was put back as it was before: its next number is one that was used.
    phone.do(
        "hands.change('soi-device', 'numbers', (numbers) => { numbers.openCursor().onsuccess = ({ target }) => {"
        " if (target.result) target.result.update({ ...target.result.value, last: 2 }); }; })"
    )
    phone.do("hands.harvest(2000000)")
    phone.mend(phone.stuck("device-number-used", "resign", "drop"), "resign")
    phone.settle()
    assert numbers(key) == [1, 2, 3, 4]
    # A batch that was never made after all: what needs it is given up, and what needs that is shown.
    wrong = village.batch(village.made("harvest", "tuber", 600_000))
    phone.do("engine.refresh()")
    phone.offline()
    phone.do("hands.settle(arg, 400000, 90000).then((wet) => hands.steam(wet.lots[0], 90000, 90000))", wrong.lot)
    made = next(one for one in events() if any(part.batch_id == wrong.id for part in one.parts))
    correct(producer, Correction(uuid7(), made.id, "did_not_occur", "Ghi nhầm hộ khác", None), {"id": made.id})
    phone.offline(False)
    phone.mend(phone.stuck("no-batch", "amount", "drop"), "drop", why="Mẻ này không có")
    phone.mend(phone.stuck("parent-dropped", "amount", "drop"), "drop")
    phone.settle("state.records.length === 4")
    # The key ends while a record waits: it is signed anew by the next one, once the office approves that.
    phone.offline()
    phone.do("hands.harvest(3000000)")
    devices.end(producer, key, "revoked")
    phone.offline(False)
    phone.mend(phone.stuck("device-revoked", "resign", "drop"), "resign")
    phone.settle("state.key === 'pending'")
    assert phone.states()[0] == "waiting"
    new = phone.do("engine.state.records[0].device.key")
    devices.approve(village.actor("office"), new)
    phone.settle()
    assert new != key and numbers(new) == [1]
    assert at_the_office(village) == []


def test_a_batch_on_hold_waits_until_it_is_released(app: Flask, village: Village, ready: Ready) -> None:
    moist = (Measure("Moisture", Decimal("13.2"), "P1"),)
    tubers = village.made("harvest", "tuber", 1_000_000, days_ago=6)
    starch = village.made("settle", "wet-starch", 250_000, (tubers, 1_000_000), days_ago=5)
    sheets = village.made("steam", "sheets", 250_000, (starch, 250_000), days_ago=4)
    rested = village.made("rest", "rested-sheets", 140_000, (sheets, 250_000), days_ago=3)
    noodles = village.batch(village.made("dry", "noodles", 120_000, (rested, 140_000), days_ago=2, readings=moist))
    phone, _ = ready()
    phone.offline()
    phone.do("hands.pack(arg, 50000, 100)", noodles.lot)
    village.record("inspect", inputs=(Take(noodles.id),), passed=False, readings=moist, days_ago=0.1)
    phone.offline(False)
    record = phone.stuck("on-hold", "resign", "drop")
    assert phone.do("hands.batch(arg).hold", noodles.lot) == "held"
    village.record("inspect", inputs=(Take(noodles.id),), passed=True, readings=moist, days_ago=0.05)
    phone.mend(record, "resign")
    phone.settle()
    assert village.batch(noodles.id).left_grams == 70_000
