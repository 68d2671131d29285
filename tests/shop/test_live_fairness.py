"""Who came first, for everybody: without names, and so that whoever changes it afterwards is found out."""

import copy
import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shop.live import chain, cli, log
from shop.live.fairness import anchors, checking
from shop.live.models import Decision, LiveAnchor, LiveSession
from tests.oracles.hands import Oracle
from tests.shop.logged import decide, evening, keep, line, said, wrote
from tests.support.verifiers import soi_verify
from tests.support.village import Village
from tests.trace.test_js_proof import SCRIPT
from trace.ledger.canonical import parse
from trace.ledger.models import LedgerEntry, LedgerState
from village import clock
from village.db import db, write
from village.jobs.worker import work_off

Document = dict[str, Any]
NIGHT = dt.datetime(2036, 11, 20, 15, 0, tzinfo=dt.UTC)
"""22:00 in the village, years ahead: the clock of the ledger never goes back."""


def sold(village: Village) -> str:
    """An evening with an order, one who waits, a doubt that the seller cleared, and chatter."""
    live = evening(village)
    first, second, third, _chat = keep(
        live,
        said("chốt md01 x2", "u-lan", id="a"),
        said("md01", "u-hoa", id="b"),
        said("md2 nha", "u-mai", id="c"),
        said("đẹp quá", "u-tho", id="d"),
    ).fresh
    decide(first, lines=[line("MD01", 2)])
    decide(second, Decision.WAITLIST, waiting=[line("MD01")], reason="sold-out")
    decide(third, Decision.REVIEW, suggested=[line("MD02")], reason="code-one-edit-away", late=True)
    decide(third, lines=[line("MD02")], reason="by-hand", decided_by=village.member("seller").id)
    decide(_chat, Decision.IGNORED, reason="praise")
    return live


def ended(live: str) -> None:
    with write() as session:
        row = session.get_one(LiveSession, live)
        row.status, row.ended_at = "ended", clock.now()


def document(client: FlaskClient, live: str) -> Document:
    answer = client.get(f"/live/{live}/order.json")
    assert answer.status_code == 200
    told: Document = json.loads(answer.data)
    return told


def entry(index: int) -> dict[str, Any]:
    return parse(db.session.get_one(LedgerEntry, index).body)


def words_of(answer: Any) -> str:
    text: str = unescape(re.sub(r"<[^>]+>", " ", answer.text))
    return " ".join(text.split())


@pytest.mark.slow_once
def test_everybody_sees_who_came_first_and_nobody_is_named(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    answer = client.get(f"/live/{live}/order")
    shown = words_of(answer)
    assert answer.status_code == 200
    assert shown.index("được 2 × MD01") < shown.index("chờ 1 × MD01") < shown.index("được 1 × MD02")
    assert "hết hàng, đang chờ" in shown and "người bán ghi tay" in shown and "tới muộn" in shown
    both = answer.text + client.get(f"/live/{live}/order.json").text
    for secret in ("u-lan", "U-Lan", "u-hoa", "U-Hoa", "md2 nha", "chốt md01", "chốt một gói", "đẹp quá"):
        assert secret not in both, secret


@pytest.mark.slow_once
def test_what_asked_for_nothing_stands_among_all(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    some, everything = (words_of(client.get(f"/live/{live}/order{more}")) for more in ("", "?all=1"))
    assert "3 lời nhắn" in some and "4 lời nhắn" in everything and "không đặt gì" in everything


def test_a_viewer_finds_her_own_row_by_her_mark(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    mine, other = wrote(live)[1], wrote(live)[0]
    shown = client.get(f"/live/{live}/order?mark={log.mark(mine).upper()}").text
    assert f'id="n{mine.seq}"' in shown and f'id="n{other.seq}"' not in shown
    assert "không có lời nhắn nào mang dấu ấy" in words_of(client.get(f"/live/{live}/order?mark=000000"))
    assert "Dấu có 6 chữ số" in words_of(client.get(f"/live/{live}/order?mark=lan"))


def test_the_rows_of_one_code_stand_together(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    shown = client.get(f"/live/{live}/order?code=md01").text
    assert [f'id="n{seq}"' in shown for seq in (1, 2, 3, 4)] == [True, True, False, False]
    assert client.get(f"/live/{live}/order?code=%25").text.count('<li id="n') == 0


@pytest.mark.slow_once
def test_turns_go_by_the_platforms_time_and_pages_go_on(client: FlaskClient, village: Village) -> None:
    live, now = evening(village), clock.now()
    keep(live, *(said(f"md01 x{n}", id=f"c{n}", at=now - dt.timedelta(seconds=n)) for n in range(101)))
    first, second = (client.get(f"/live/{live}/order?all=1&page={page}").text for page in (1, 2))
    assert first.index('id="n101"') < first.index('id="n100"') and 'id="n1"' not in first
    assert second.count('<li id="n') == 1 and 'id="n1"' in second
    assert client.get(f"/live/{live}/order?all=1&page=99").text.count('<li id="n') == 1


@pytest.mark.slow_once
def test_a_plan_and_an_unknown_livestream_have_no_page(client: FlaskClient, village: Village) -> None:
    for live in (evening(village, "planned"), "0" * 36, "x"):
        for page in ("order", "order.json"):
            assert client.get(f"/live/{live}/{page}").status_code == 404


@pytest.mark.slow_once
def test_an_unchanged_document_is_not_sent_again(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    etag = client.get(f"/live/{live}/order.json").headers["ETag"]
    assert client.get(f"/live/{live}/order.json", headers={"If-None-Match": etag}).status_code == 304
    keep(live, said("md01"))
    assert client.get(f"/live/{live}/order.json", headers={"If-None-Match": etag}).status_code == 200


def test_the_end_of_a_livestream_is_written_into_the_ledger_once(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    assert anchors.due() == []
    ended(live)
    anchors.see_to_it()
    work_off()
    assert anchors.due() == []
    (made,) = db.session.scalars(select(LiveAnchor)).all()
    told = entry(made.entry)
    head = wrote(live)[-1].hash
    assert told["live"] == {"session": live, "length": 4, "head": head, "decisions": made.decisions}
    assert (told["type"], told["event"], told["chain"], told["commitments"]) == ("live", None, [], {})
    page = client.get(f"/ledger/lines/{made.entry}")
    assert "Thứ tự lời nhắn của một phiên live" in words_of(page) and f"/live/{live}/order" in page.text
    assert anchors.anchor(live) is None


def test_a_livestream_that_goes_on_past_midnight_is_anchored_then_and_at_its_end(village: Village) -> None:
    with clock.fixed(NIGHT):
        live = sold(village)
        assert anchors.due() == []
    with clock.fixed(NIGHT + dt.timedelta(hours=2, seconds=1)):
        assert anchors.due() == [live]
        assert anchors.anchor(live) is not None and anchors.due() == []
        keep(live, said("md01", id="late"))
        assert anchors.due() == []
    with clock.fixed(NIGHT + dt.timedelta(hours=2, minutes=1)):
        ended(live)
        assert anchors.due() == [live]
        last = anchors.anchor(live)
    assert last is not None and last.length == 5 and anchors.due() == []


@pytest.mark.slow_once
def test_what_comes_after_the_end_is_anchored_once_it_is_quiet(village: Village) -> None:
    with clock.fixed(NIGHT):
        live = sold(village)
        ended(live)
        anchors.anchor(live)
    with clock.fixed(NIGHT + dt.timedelta(minutes=30)):
        keep(live, said("md01", id="late"))
        assert anchors.due() == []
    with clock.fixed(NIGHT + dt.timedelta(minutes=41)):
        assert anchors.due() == [live]


@pytest.mark.slow_once
def test_what_is_decided_later_does_not_touch_an_anchor(client: FlaskClient, village: Village) -> None:
    live = sold(village)
    ended(live)
    anchors.anchor(live)
    decide(wrote(live)[1], lines=[line()], reason="promoted")
    told = document(client, live)
    assert len(told["decisions"]) == 6 and judged(told) == ""


# What a forger may try: each changes the document as a seller could who has the database.


def judged(told: Document) -> str:
    entries = {each["entry"]: entry(each["entry"]) for each in told["anchors"]}
    try:
        checking.check(json.dumps(told).encode(), entries)
    except checking.Broken as broken:
        return str(broken)
    return ""


def rechained(told: Document) -> None:
    """All numbers and hashes computed anew, as who holds the database can."""
    before = None
    for seq, event in enumerate(told["events"], start=1):
        event |= {"seq": seq, "prev": before}
        before = event["hash"] = chain.hashed({name: value for name, value in event.items() if name != "hash"})
    told["length"], told["head"] = len(told["events"]), before


def changed(told: Document) -> None:
    told["events"][1]["saidAt"] = "2026-11-20T13:00:00.000Z"


def moved(told: Document) -> None:
    told["events"][0], told["events"][1] = told["events"][1], told["events"][0]


def left_out(told: Document) -> None:
    del told["events"][1]


def cut_off(told: Document) -> None:
    told["events"].pop()


def other_writer(told: Document) -> None:
    told["events"][0]["author"] = "0" * 64


def moved_and_rechained(told: Document) -> None:
    moved(told)
    rechained(told)


def slipped_in_and_rechained(told: Document) -> None:
    told["events"].insert(0, copy.deepcopy(told["events"][0]))
    rechained(told)


def other_decision(told: Document) -> None:
    told["decisions"][1]["decision"] = "order"


def decision_left_out(told: Document) -> None:
    del told["decisions"][2]


def decisions_turned(told: Document) -> None:
    told["decisions"].reverse()


def decided_afterwards(told: Document) -> None:
    told["decisions"][1] |= {"decision": "order", "at": "2099-01-01T00:00:00.000Z"}


def other_head_in_the_anchor(told: Document) -> None:
    moved_and_rechained(told)
    told["anchors"][0]["head"] = told["head"]


def other_digest_in_the_anchor(told: Document) -> None:
    other_decision(told)
    told["anchors"][0]["decisions"] = chain.digest_of_decisions(told["decisions"])


def other_entry(told: Document) -> None:
    told["anchors"][0]["entry"] = 0


def other_session(told: Document) -> None:
    told["session"] = "01890a5d-ac96-774b-bcce-b302099a8057"


FORGERIES: list[Callable[[Document], None]] = [
    changed, moved, left_out, cut_off, other_writer, moved_and_rechained, slipped_in_and_rechained, other_decision,
    decision_left_out, decided_afterwards, other_head_in_the_anchor, other_digest_in_the_anchor, other_entry,
    other_session,
]  # fmt: skip


@pytest.fixture
def browser() -> Iterator[Oracle]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    with Oracle(node, str(SCRIPT)) as oracle:
        yield oracle


def judged_alone(folder: Path, told: Document, receipt: Path, key: str, capsys: pytest.CaptureFixture[str]) -> int:
    """The stranger's one file, given the document and the receipt that was true."""
    (folder / "order.json").write_text(json.dumps(told))
    asked = ["live", str(folder / "order.json"), "--key", key, "--receipt", str(receipt)]
    status: int = soi_verify.main(asked)
    capsys.readouterr()
    return status


@pytest.mark.slow_once
def test_three_verifiers_find_every_forgery_and_let_the_truth_pass(
    app: Flask, client: FlaskClient, village: Village, browser: Oracle, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    live = sold(village)
    ended(live)
    made = anchors.anchor(live)
    assert made is not None
    true = document(client, live)
    receipt = tmp_path / "r.tlog-proof"
    receipt.write_bytes(client.get(f"/ledger/entries/{made.entry}/receipt").data)
    key = db.session.scalars(select(LedgerState.vkey)).one()
    entries = {str(index): entry(index) for index in (0, made.entry)}

    def faults(told: Document) -> list[bool]:
        said_by_browser = browser.ask("livestream", document=json.dumps(told).encode(), entries=entries)
        assert "error" not in said_by_browser, said_by_browser
        alone = judged_alone(tmp_path, told, receipt, key, capsys)
        return [judged(told) != "", "fault" in said_by_browser, alone != 0]

    assert faults(true) == [False, False, False]
    for forge in FORGERIES:
        told = copy.deepcopy(true)
        forge(told)
        assert faults(told) == [True, True, True], forge.__name__
    decisions_turned(turned := copy.deepcopy(true))
    assert judged(turned) != ""


@pytest.mark.slow_once
def test_the_command_says_what_holds_and_what_does_not(
    app: Flask, client: FlaskClient, village: Village, tmp_path: Path
) -> None:
    live = sold(village)
    ended(live)
    made = anchors.anchor(live)
    assert made is not None
    keep(live, said("md01", id="late"))
    told = document(client, live)
    (file := tmp_path / "order.json").write_text(json.dumps(told))
    (receipt := tmp_path / "r").write_bytes(client.get(f"/ledger/entries/{made.entry}/receipt").data)
    key = db.session.scalars(select(LedgerState.vkey)).one()
    runner = app.test_cli_runner()
    held = runner.invoke(cli.live, ["verify", str(file), "--receipt", str(receipt), "--key", key])
    assert held.exit_code == 0 and "proven by its receipt" in held.output and "the last 1 events" in held.output
    assert "give its receipt" in runner.invoke(cli.live, ["verify", str(file)]).output
    assert runner.invoke(cli.live, ["verify", str(file), "--receipt", str(receipt)]).exit_code == 2
    moved_and_rechained(told)
    file.write_text(json.dumps(told))
    broken = runner.invoke(cli.live, ["verify", str(file), "--receipt", str(receipt), "--key", key])
    assert broken.exit_code == 1 and f"entry {made.entry} of the ledger" in broken.output
    file.write_bytes(b"{")
    assert runner.invoke(cli.live, ["verify", str(file)]).exit_code == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\xff", b'{"format":"soi-live-order/v1"}', b"[" * 100_000,
     b'{"format":"soi-live-order/v1","session":1,"events":[{}],"decisions":[],"anchors":[]}',
     b'{"format":"soi-live-order/v1","session":1,"events":7,"decisions":[],"anchors":[]}'],
)  # fmt: skip
def test_hostile_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(checking.Broken):
        checking.check(data, {})
