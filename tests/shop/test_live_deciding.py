import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from shop.live import intake, offers, services
from shop.live.log import Said
from shop.live.models import (
    LiveAside,
    LiveClaim,
    LiveCode,
    LiveComment,
    LiveDecision,
    LiveOffer,
    LiveSession,
    LiveSource,
)
from shop.live.replay import replay
from shop.orders import steps
from shop.orders.models import Order
from shop.orders.services import Buyer, place
from shop.stock import aside
from shop.stock.errors import OutOfStock
from tests.shop.hands import at_once, faults, statements
from tests.support.live import Live, comment, lines, reserved, shelf
from tests.support.village import Village
from village import clock
from village.db import db, write
from village.errors import Conflict, Forbidden

BUYER = Buyer("Lan", "+84912345678", "Hà Nội")


def terms(live: Live, *, code: dict[str, Any] | None = None, **session_terms: Any) -> None:
    """Write terms into a session, or into all its codes."""
    with write() as session:
        row = session.get_one(LiveSession, live.id)
        for name, value in session_terms.items():
            setattr(row, name, value)
        for each in row.codes:
            for name, value in (code or {}).items():
                setattr(each, name, value)


def source_of(live: Live) -> str:
    with write() as session:
        source = LiveSource(session_id=live.id, kind="webhook", platform="facebook", fault="")
        session.add(source)
        session.flush()
        return source.id


def event(author: str, text: str, of: str, kind: Any = "said", *, seconds: float = 0) -> Said:
    return Said(of, author, author.title(), text, clock.now() + dt.timedelta(seconds=seconds), kind)


def tell(live: Live, *said: Said) -> list[intake.Result]:
    return intake.receive(live.village.actor("seller"), live.id, said)


def last(live: Live, comment_id: str, version: int = 1) -> LiveDecision:
    """What holds of an event now."""
    db.session.rollback()
    rows = select(LiveDecision).join(LiveComment, LiveComment.id == LiveDecision.comment_id)
    rows = rows.where(LiveComment.comment_id == comment_id, LiveComment.version == version)
    return db.session.scalars(rows.order_by(LiveDecision.position.desc())).all()[0]


def offered(live: Live) -> list[tuple[str, str, int]]:
    """Each offer's taker, state and packs, in the order made."""
    db.session.rollback()
    rows = db.session.scalars(select(LiveOffer).where(LiveOffer.session_id == live.id).order_by(LiveOffer.made_at))
    return [(row.wait.comment.author_id, row.state, row.quantity) for row in rows]


def overdue(live: Live) -> None:
    """Let the time of all open offers be over."""
    with write() as session:
        now = clock.now() - dt.timedelta(seconds=1)
        session.execute(update(LiveOffer).where(LiveOffer.session_id == live.id).values(until=now))


@pytest.fixture
def short(app: Flask, village: Village) -> Live:
    """Two packs, both Lan's; Hoa waits for them, then Mai."""
    shelf(village, 2)
    live = Live(app, village)
    live.say("lan", "md01 x2")
    for number, author in enumerate(("hoa", "mai")):
        live.say(author, "md01 x2", id=author, seconds=number - 5)
    return live


def test_a_pause_keeps_what_is_said_and_decides_it_in_turn_when_it_goes_on(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live, seller = Live(app, village), village.actor("seller")
    services.pause(seller, live.id)
    second = live.say("second", "md01", seconds=-2)
    first = live.say("first", "md01", seconds=-4)
    assert {(r["decision"], r["reason"], r["order"]) for r in (first, second)} == {("ignored", "paused", None)}
    assert live.send([comment("first", "md01", id=first["id"])]).json["results"][0]["decision"] == "duplicate"
    assert reserved() == 0
    services.resume(seller, live.id)
    assert (last(live, first["id"]).decision, last(live, second["id"]).decision) == ("order", "waitlist")
    assert not last(live, first["id"]).late and reserved() == 1


@pytest.mark.slow_once
def test_packs_do_not_move_in_a_pause(short: Live) -> None:
    seller = short.village.actor("seller")
    services.pause(seller, short.id)
    steps.cancel(seller, short.orders()[0].id, "khách đổi ý")
    offers.lapse_due()
    assert offered(short) == []
    services.resume(seller, short.id)
    offers.lapse_due()
    assert offered(short) == [("hoa", "open", 2)]


@pytest.mark.slow_once
def test_a_number_alone_means_the_pinned_product_and_only_while_it_is_pinned(app: Flask, village: Village) -> None:
    shelf(village, 20)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}})
    assert live.say("a", "2")["decision"] == "ignored"
    terms(live, pinned="MD02")
    assert lines(live.say("a", "2")) == {"MD02": 2}
    assert lines(live.say("b", "lấy 3 gói ạ")) == {"MD02": 3}
    assert lines(live.say("b", "md01 x1")) == {"MD01": 1}
    before = live.say("c", "2", seconds=-60)
    assert (before["decision"], before["order"]) == ("ignored", None)
    terms(live, pinned="MD01")
    either = live.say("d", "2")
    assert (either["decision"], either["reason"], either["order"]) == ("review", "pin-changed", None)
    later = live.say("e", "2", seconds=30)
    assert lines(later) == {"MD01": 2}
    terms(live, pinned=None)
    assert live.say("f", "2", seconds=40)["decision"] == "ignored"
    db.session.rollback()
    assert replay(db.session(), live.id).changed == []


@pytest.mark.slow_once
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"viewer_max": 3}, "viewer-limit"),
        ({"code": {"viewer_max": 3}}, "viewer-limit"),
        ({"order_max": 3}, "order-limit"),
    ],
)
def test_beyond_a_limit_she_is_told_how_many_more_she_may_have(
    app: Flask, village: Village, limits: dict[str, Any], reason: str
) -> None:
    shelf(village, 20)
    live = Live(app, village)
    terms(live, **limits)
    live.say("lan", "md01 x2")
    refused = live.say("lan", "thêm 3 md01")
    assert (refused["decision"], refused["reason"]) == ("review", reason)
    decision = last(live, refused["id"])
    assert (decision.allowed, [(s["code"], s["quantity"]) for s in decision.suggested]) == (1, [("MD01", 1)])
    assert lines(live.say("lan", "thêm 1 md01")) == {"MD01": 1}
    assert last(live, live.say("lan", "thêm 1 md01")["id"]).allowed == 0
    assert live.say("hoa", "md01 x3")["decision"] == "order" and reserved() == 6
    db.session.rollback()
    assert replay(db.session(), live.id).changed == []


@pytest.mark.slow_once
def test_who_waits_for_packs_has_them_counted_against_her_limit(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}})
    terms(live, viewer_max=3)
    assert live.say("lan", "md01 x3")["decision"] == "waitlist"
    assert live.say("lan", "md02 x1")["reason"] == "viewer-limit"


def test_packs_that_were_set_aside_are_sold_first_and_to_nobody_else(app: Flask, village: Village) -> None:
    shelf(village, 6)
    live = Live(app, village, codes={"MD01": {}, "MD02": {}})
    with write() as session:
        code = session.scalars(select(LiveCode).where(LiveCode.code == "MD01")).one()
        code.set_aside = 4
        assert aside.take(session, code.id, code.product_id, 4) == 4
    gtin = village.product("packs", 500).gtin
    with pytest.raises(OutOfStock):
        place(None, [(gtin, 3)], BUYER, channel="web", idempotency_key="three")
    assert live.say("a", "md02 x3")["decision"] == "waitlist"
    assert live.say("b", "md01 x3")["decision"] == "order"
    db.session.rollback()
    assert db.session.scalars(select(LiveAside.units)).all() == [1]
    place(None, [(gtin, 2)], BUYER, channel="web", idempotency_key="two")
    assert live.say("c", "md01 x2")["decision"] == "waitlist"
    assert live.say("d", "md01 x1")["decision"] == "order"
    assert reserved() == 6 and faults() == []


def test_packs_that_come_back_are_kept_for_the_next_until_she_asks_for_them(short: Live) -> None:
    short.say("lan", "hủy md01")
    assert offered(short) == [("hoa", "open", 2)] and reserved() == 2
    yes = short.say("hoa", "md01 x2")
    assert (yes["decision"], yes["reason"], lines(yes)) == ("order", "offer-taken", {"MD01": 2})
    assert offered(short) == [("hoa", "taken", 2)] and reserved() == 2
    overdue(short)
    offers.lapse_due()
    assert offered(short) == [("hoa", "taken", 2)] and reserved() == 2


@pytest.mark.slow_once
def test_a_bare_yes_takes_the_one_thing_that_is_kept_for_her(short: Live) -> None:
    short.say("lan", "hủy md01")
    assert short.say("mai", "lấy ạ")["reason"] == "no-code"
    assert short.say("hoa", "lấy ạ")["reason"] == "offer-taken"
    assert offered(short) == [("hoa", "taken", 2)]
    db.session.rollback()
    assert replay(db.session(), short.id).changed == []


@pytest.mark.slow_once
def test_other_packs_than_were_kept_for_her_are_for_a_person_and_the_offer_is_hers(short: Live) -> None:
    short.say("lan", "hủy md01")
    doubt = short.say("hoa", "md01 x1")
    assert (doubt["decision"], doubt["reason"]) == ("review", "repeat")
    assert offered(short) == [("hoa", "taken", 2)] and reserved() == 2


@pytest.mark.parametrize("by", [offers.lapse_due, lambda: None])
def test_an_offer_that_lapses_goes_to_the_next_in_the_queue(short: Live, by: Callable[[], None]) -> None:
    short.say("lan", "hủy md01")
    overdue(short)
    by()
    # The sweep sees to it, or the next comment of anybody.
    if offered(short) == [("hoa", "open", 2)]:
        short.say("xem", "md01 x9")
    assert offered(short) == [("hoa", "lapsed", 2), ("mai", "open", 2)]
    assert (last(short, "hoa").decision, last(short, "hoa").reason) == ("cancel", "offer-lapsed")
    assert last(short, "mai").reason == "promoted" and reserved() == 2 and faults() == []
    assert [o.live_author for o in short.orders() if o.status == "placed"] == ["mai"]
    db.session.rollback()
    assert db.session.scalars(select(LiveCode.taken).where(LiveCode.session_id == short.id)).all() == [2]


@pytest.mark.slow_once
def test_an_offer_in_an_order_that_went_on_is_taken(short: Live) -> None:
    seller = short.village.actor("seller")
    short.say("lan", "hủy md01")
    order = short.orders()[-1]
    steps.set_buyer(seller, order.id, BUYER)
    steps.confirm(seller, order.id)
    overdue(short)
    offers.lapse_due()
    assert offered(short) == [("hoa", "taken", 2)] and reserved() == 2


@pytest.mark.slow_once
def test_who_says_yes_for_her_stands_in_the_orders_timeline(short: Live) -> None:
    short.say("lan", "hủy md01")
    order_id, seller = short.orders()[-1].id, short.village.actor("seller")
    with write() as session:
        assert offers.taken(session, session.get_one(Order, order_id), seller) == 1
        assert offers.taken(session, session.get_one(Order, order_id), seller) == 0
    assert offered(short) == [("hoa", "taken", 2)]
    assert [step.member_id for step in short.orders()[-1].steps] == [None, seller.id]


@pytest.mark.slow_once
def test_whoever_cancels_what_was_kept_for_her_gives_up_the_offer(short: Live) -> None:
    short.say("lan", "hủy md01")
    assert lines(short.say("hoa", "hủy md01")) == {"MD01": 2}
    assert offered(short) == [("hoa", "lapsed", 2), ("mai", "open", 2)] and reserved() == 2


@pytest.mark.slow_once
def test_what_comes_back_for_a_closed_order_makes_a_new_one(app: Flask, village: Village) -> None:
    shelf(village, 3)
    live, seller = Live(app, village), village.actor("seller")
    live.say("lan", "md01 x2")
    live.say("hoa", "md01 x1")
    live.say("hoa", "thêm 2 md01")
    first = live.orders()[-1]
    steps.set_buyer(seller, first.id, BUYER)
    steps.confirm(seller, first.id)
    live.say("lan", "hủy md01")
    mine = [order for order in live.orders() if order.live_author == "hoa"]
    assert [(order.status, order.lines[0].quantity) for order in mine] == [("confirmed", 1), ("placed", 2)]


def test_the_queue_moves_up_without_a_comment_and_after_the_end_too(short: Live) -> None:
    seller = short.village.actor("seller")
    services.end(seller, short.id)
    steps.cancel(seller, short.orders()[0].id, "khách đổi ý")
    offers.lapse_due()
    assert offered(short) == [("hoa", "open", 2)] and reserved() == 2
    db.session.rollback()
    (offer,) = db.session.scalars(select(LiveOffer))
    assert offer.until - offer.made_at >= dt.timedelta(hours=3)
    with write() as session:
        session.get_one(LiveSession, short.id).ended_at = clock.now() - dt.timedelta(days=4)
    overdue(short)
    offers.lapse_due()
    assert offered(short) == [("hoa", "lapsed", 2)] and reserved() == 0


def test_an_edit_is_read_where_nothing_was_decided_and_its_turn_is_its_own(app: Flask, village: Village) -> None:
    shelf(village, 2)
    live = Live(app, village)
    said = clock.now() - dt.timedelta(seconds=30)
    tell(live, Said("first", "lan", "Lan", "chao shop", said))
    assert live.say("hoa", "md01 x1")["decision"] == "order"
    # The platform gives an edit the time of the comment: that is no way to the front.
    (result,) = tell(live, Said("first", "lan", "Lan", "md01 x2", said, "edited"))
    assert (result.decision, result.reason) == ("waitlist", "sold-out")
    assert live.say("mai", "md01 x1")["decision"] == "order"
    db.session.rollback()
    edited = db.session.scalars(select(LiveComment).where(LiveComment.version == 2)).one()
    assert edited.said_at > said + dt.timedelta(seconds=20)


@pytest.mark.slow_once
@pytest.mark.parametrize(("kind", "text"), [("edited", "md01 x5"), ("deleted", "")])
def test_what_was_decided_stays_when_its_words_change_and_a_person_is_asked(
    app: Flask, village: Village, kind: Any, text: str
) -> None:
    shelf(village, 10)
    live = Live(app, village)
    tell(live, event("lan", "md01 x2", "c-1"))
    (result,) = tell(live, event("lan", text, "c-1", kind, seconds=1))
    assert (result.decision, result.reason, reserved()) == ("review", kind, 2)
    (again,) = tell(live, event("lan", text, "c-1", kind, seconds=1))
    assert (again.decision, again.reason, reserved()) == ("duplicate", kind, 2)


@pytest.mark.slow_once
def test_a_doubt_whose_words_were_deleted_or_edited_is_no_doubt_any_more(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    tell(live, event("lan", "md0l x2", "c-1"), event("hoa", "md0l x3", "c-2"))
    gone, better = tell(live, event("lan", "", "c-1", "deleted"), event("hoa", "md01 x3", "c-2", "edited", seconds=1))
    assert (gone.decision, gone.reason) == ("ignored", "deleted") and better.decision == "order"
    assert [(last(live, c).decision, last(live, c).reason) for c in ("c-1", "c-2")] == [
        ("ignored", "deleted"), ("ignored", "edited"),
    ]  # fmt: skip
    assert reserved() == 3


@pytest.mark.slow_once
def test_what_was_said_first_comes_too_late_when_its_edit_was_quicker(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    tell(live, event("lan", "md01 x1", "c-1", "edited"), event("hoa", "", "c-2", "deleted"))
    one, two = tell(live, event("lan", "md01 x5", "c-1", seconds=-9), event("hoa", "md01 x5", "c-2", seconds=-9))
    assert [(r.decision, r.reason) for r in (one, two)] == [("ignored", "edited"), ("ignored", "deleted")]
    assert reserved() == 1


@pytest.mark.slow_once
def test_a_comment_that_comes_after_a_later_one_was_decided_is_called_late(app: Flask, village: Village) -> None:
    shelf(village, 1)
    live = Live(app, village)
    later, earlier = live.say("later", "md01"), live.say("earlier", "md01", seconds=-5)
    assert (later["decision"], earlier["decision"]) == ("order", "waitlist")
    assert (last(live, later["id"]).late, last(live, earlier["id"]).late) == (False, True)


def test_one_fast_clock_makes_nobody_late(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village)
    live.say("fast", "md01", seconds=7 * 3600)
    assert not last(live, live.say("lan", "md01", seconds=5)["id"]).late


def test_a_source_may_bring_what_was_cut_for_a_day_after_the_end(app: Flask, village: Village) -> None:
    shelf(village, 5)
    live, seller = Live(app, village), village.actor("seller")
    source = source_of(live)
    (result,) = intake.feed(source, [event("lan", "md01 x1", "c-1")])
    assert result.decision == "order" and reserved() == 1
    services.end(seller, live.id)
    (result,) = intake.feed(source, [event("hoa", "md01 x1", "c-2")])
    assert (result.decision, result.reason, reserved()) == ("ignored", "session-ended", 1)
    with pytest.raises(Conflict):
        tell(live, event("mai", "md01 x1", "c-3"))
    with write() as session:
        session.get_one(LiveSession, live.id).ended_at = clock.now() - dt.timedelta(days=1, minutes=1)
    with pytest.raises(Conflict):
        intake.feed(source, [event("mai", "md01 x1", "c-3")])
    assert intake.feed(source, [event("lan", "md01 x1", "c-1")])[0].decision == "duplicate"


@pytest.mark.slow_once
def test_a_planned_livestream_takes_nothing(app: Flask, village: Village) -> None:
    live = Live(app, village)
    terms(live, status="planned")
    assert live.send([comment("lan", "md01")]).status_code == 409
    with pytest.raises(Conflict):
        intake.feed(source_of(live), [event("lan", "md01", "c-1")])
    db.session.rollback()
    assert db.session.scalars(select(LiveComment)).all() == []


@pytest.mark.slow_once
def test_another_sessions_source_brings_nothing_here(app: Flask, village: Village) -> None:
    live, other = Live(app, village), Live(app, village, "seller-b")
    answer = live.client.post(live.url, json={"comments": []}, headers=other.headers)
    assert answer.status_code == 403
    with pytest.raises(Exception, match="nguồn"):
        intake.receive(village.actor("seller"), live.id, [event("lan", "md01", "c")], source_of(other))


def test_whoever_has_packs_or_waits_has_a_link_of_her_own(short: Live) -> None:
    short.say("xem", "đẹp quá")
    db.session.rollback()
    claims = {claim.author_id: claim.until for claim in db.session.scalars(select(LiveClaim))}
    assert set(claims) == {"lan", "hoa", "mai"} and claims["lan"] and not claims["hoa"]


def test_a_call_of_many_orders_takes_hardly_more_statements_than_one_of_few(app: Flask, village: Village) -> None:
    shelf(village, 40)
    live = Live(app, village)
    live.say("nobody", "chào shop")
    counts = []
    for count in (3, 20):
        sent = [event(f"v{count}-{n}", "md01 x1 0912345678", f"c{count}-{n}") for n in range(count)]
        with statements() as seen:
            assert {result.decision for result in tell(live, *sent)} == {"order"}
        counts.append(len(seen))
    assert counts[1] <= counts[0] <= 30


def test_what_many_readers_post_at_the_same_moment_is_decided_together_and_each_is_told_its_own(
    app: Flask, village: Village
) -> None:
    shelf(village, 12)
    live = Live(app, village)
    mine, numbers = village.actor("seller"), itertools.count()

    def post() -> intake.Result:
        number = next(numbers)
        return intake.receive(mine, live.id, [event(f"v{number % 16}", "md01 x1", f"c{number % 16}")])[0]

    results = at_once(app, 20, post)
    assert all(isinstance(result, intake.Result) for result in results), results
    told = Counter(result.decision for result in results if isinstance(result, intake.Result))
    assert told == {"order": 12, "waitlist": 4, "duplicate": 4} and reserved() == 12
    db.session.rollback()
    rows = db.session.scalars(select(LiveComment).order_by(LiveComment.seq)).all()
    assert [row.seq for row in rows] == list(range(1, 17))
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]


def test_a_call_that_is_refused_does_no_harm_to_those_that_came_with_it(app: Flask, village: Village) -> None:
    shelf(village, 20)
    live = Live(app, village)
    actors = itertools.cycle((village.actor("seller"), village.actor("producer")))
    numbers = itertools.count()

    def post() -> intake.Result:
        number, actor = next(numbers), next(actors)
        return intake.receive(actor, live.id, [event(f"v{number}", "md01 x1", f"c{number}")])[0]

    results = at_once(app, 12, post)
    assert sum(isinstance(result, Forbidden) for result in results) == 6
    assert sum(isinstance(result, intake.Result) for result in results) == 6 == reserved()


def test_a_long_queue_for_one_code_hides_nobody_who_waits_for_another(app: Flask, village: Village) -> None:
    shelf(village, 10)
    live = Live(app, village, codes={"MD01": {"limit": 1}, "MD02": {"limit": 1}})
    live.say("an", "md01 x1")
    live.say("giang", "md02 x1")
    live.send([comment(f"viewer{number}", "md01 x1") for number in range(20)])
    live.say("hoa", "md02 x1", id="waits")
    told = live.send([comment("giang", "hủy md02"), comment("mai", "md02 x1", seconds=1)]).json
    assert [result["decision"] for result in told["results"]] == ["cancel", "waitlist"]
    assert live.decisions("waits")[-1].reason == "promoted" and faults() == []
