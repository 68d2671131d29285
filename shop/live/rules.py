"""What a viewer's words do in a livestream. Whatever could be meant in two ways does nothing and goes to a person."""

from collections.abc import Sequence
from dataclasses import replace

from shop.live.models import Decision, LiveCode, LiveComment, LiveHold, LiveWait
from shop.live.offers import close
from shop.live.outcomes import Asked, Outcome
from shop.live.parser import Reading
from shop.live.room import LimitReached, NoneLeft, Room, joinable, line_of
from shop.orders.models import NEW, QUANTITY_MAX, Order, OrderLine
from village.people.phones import normal_phone


def take(room: Room, comment: LiveComment, lines: Sequence[Asked], phone: str | None, additive: bool) -> Outcome:
    """Reserve for a viewer, each line wholly; what is not there is waited for. Doubts come back as `review`.

    Packs that are kept for her until she says yes are hers when she asks for their code.
    """
    author = comment.author_id
    doubt = _phone_doubt(room, author, phone)
    offered = {code: sum(offer.quantity for offer in kept) for code, kept in room.offers_of(author).items()}
    close(room, author, {line.code for line in lines}, "taken")
    wanted, queued, agreed = list(lines), [], []
    if not additive:
        waits = room.waits_of(author)
        for line in lines:
            if offered.get(line.code) == line.quantity:
                agreed.append(replace(line, kept=True))
                wanted.remove(line)
            elif room.held(author, room.codes[line.code]):
                doubt = doubt or "repeat"
            elif line.code in waits:
                same = sum(wait.quantity for wait in waits[line.code]) == line.quantity
                doubt = doubt or ("" if same else "repeat")
                queued.append(line)
                wanted.remove(line)
    if doubt:
        return Outcome(Decision.REVIEW, suggested=lines, phone=phone, reason=doubt)
    if beyond := _beyond(room, author, wanted, phone):
        return beyond
    if wanted:
        return give(room, comment, wanted, phone, queued, agreed)
    if agreed:
        return agree(room, comment, agreed, queued, phone)
    return Outcome(Decision.WAITLIST, waiting=queued, phone=phone, reason="already-waiting")


def agree(
    room: Room, comment: LiveComment, lines: Sequence[Asked], queued: Sequence[Asked], phone: str | None
) -> Outcome:
    """She takes what was kept for her; it is in her order already."""
    if phone:
        note_phone(room, comment, phone)
    order = room.latest(comment.author_id)
    return Outcome(Decision.ORDER, lines, queued, phone=phone, reason="offer-taken", order=order)


def say_yes(room: Room, comment: LiveComment, reading: Reading) -> Outcome | None:
    """She asks without naming a code ("lấy ạ"), and one thing is kept for her: that. None for anything else."""
    kept = [offer for offers in room.offers_of(comment.author_id).values() for offer in offers]
    asks = (reading.intent, reading.reason) == ("review", "no-code")
    if not asks or len(kept) != 1 or any(map(str.isdigit, comment.text)):
        return None
    code = kept[0].wait.code.code
    close(room, comment.author_id, {code}, "taken")
    return agree(room, comment, [Asked(code, kept[0].quantity, comment.text, kept=True)], (), reading.phone)


def give(
    room: Room, comment: LiveComment, lines: Sequence[Asked], phone: str | None, queued: Sequence[Asked] = (),
    agreed: Sequence[Asked] = (),
) -> Outcome:  # fmt: skip
    """As `take`, without asking whether she had meant it, nor how much one viewer may have: that is a person's word.

    `queued` she waits for already, `agreed` she has already.
    """
    if refused := _refused(room, comment.author_id, lines):
        return Outcome(Decision.REVIEW, suggested=lines, phone=phone, reason=refused)
    taken: list[Asked] = list(agreed)
    waiting: list[Asked] = list(queued)
    reason = ""
    for part in [lines] if len(lines) == 1 else [lines, *([line] for line in lines)]:
        try:
            room.put(comment, part, phone)
            taken.extend(part)
            if part is lines:
                break
        except (NoneLeft, LimitReached) as error:
            if part is lines and len(lines) > 1:
                continue
            reason = "limit-reached" if isinstance(error, LimitReached) else "sold-out"
            waiting.extend(part)
            room.wait(comment, part[0])
    if phone:
        room.phones[comment.author_id] = phone
    if not taken:
        return Outcome(Decision.WAITLIST, waiting=waiting, phone=phone, reason=reason)
    order = room.placed(comment.author_id)
    return Outcome(Decision.ORDER, taken, waiting, phone=phone, reason=reason, order=order)


def give_back(room: Room, comment: LiveComment, lines: Sequence[Asked]) -> Outcome:
    """A viewer wants less: out of her order while it is `placed`, or out of the queue; then others' turn comes."""
    author = comment.author_id
    waits = room.waits_of(author)
    back: list[tuple[OrderLine, LiveHold, LiveCode, Asked]] = []
    dropped: list[LiveWait] = []
    for line in lines:
        code, queue = room.codes[line.code], waits.get(line.code, [])
        held = room.held(author, code)
        if any(not joinable(order) for order, _ in held):
            return _doubt(line, "order-moved-on")
        if held:
            order, hold = held[0]
            row = line_of(order, code)
            have = min(hold.quantity, row.quantity) if row else 0
            if row is None or line.quantity > have or (queue and line.quantity):
                return _doubt(line, "cancel" if queue else "not-so-many")
            back.append((row, hold, code, Asked(line.code, line.quantity or have, line.because)))
        elif queue and line.quantity not in (0, sum(wait.quantity for wait in queue)):
            return _doubt(line, "cancel")
        dropped.extend(queue)
    mine = room.placed(author)
    for row, hold, code, asked in back:
        assert mine is not None
        freed = hold.quantity if asked.quantity == row.quantity else min(asked.quantity, hold.quantity)
        room.count(code, -freed)
        hold.quantity -= freed
        close(room, author, {code.code}, "taken" if hold.quantity else "lapsed")
        room.reduce(mine, row, asked.quantity)
    room.leave(dropped)
    if back:
        room.promote()
    reason = "" if back else "left-the-queue" if dropped else "nothing-to-cancel"
    return Outcome(Decision.CANCEL, [asked for *_, asked in back], reason=reason, order=mine if back else None)


def note_phone(room: Room, comment: LiveComment, phone: str, *, sure: bool = False) -> Outcome:
    """A viewer's telephone number by itself: onto her order, or kept for the one that she will place."""
    author = comment.author_id
    if not sure and (doubt := _phone_doubt(room, author, phone)):
        return Outcome(Decision.REVIEW, phone=phone, reason=doubt)
    room.phones[author] = phone
    order = room.latest(author)
    if order is None or order.status not in NEW:
        return Outcome(Decision.IGNORED, phone=phone, reason="phone-kept")
    full = normal_phone(phone)
    if order.buyer_phone != full:
        room.set_phone(order, full)
    return Outcome(Decision.CHANGE, phone=phone, reason="phone", order=order)


def _refused(room: Room, author: str, lines: Sequence[Asked]) -> str:
    """Why an order cannot hold these lines however much there is; empty when it can."""
    order = room.placed(author)
    packs = {(line.product_id, line.unit_price): line.quantity for line in order.lines} if order else {}
    for line in lines:
        code = room.codes[line.code]
        if not code.product.active or code.product.price is None:
            return "not-sold"
        packs[code.product_id, code.price] = packs.get((code.product_id, code.price), 0) + line.quantity
    return "above-limit" if max(packs.values()) > QUANTITY_MAX else ""


def _beyond(room: Room, author: str, lines: Sequence[Asked], phone: str | None) -> Outcome | None:
    """The refusal of what is more than one viewer, or one order, may have; it says how many more she may have."""
    live = room.live
    if live.viewer_max is None and live.order_max is None and all(room.codes[a.code].viewer_max is None for a in lines):
        return None
    has, order = room.packs_of(author), room.placed(author)
    for_her = QUANTITY_MAX * len(room.codes) if live.viewer_max is None else live.viewer_max - sum(has.values())
    in_order = QUANTITY_MAX * len(room.codes)
    if live.order_max is not None:
        in_order = live.order_max - (sum(line.quantity for line in order.lines) if order else 0)
    suggested, reason = [], ""
    for line in lines:
        own = room.codes[line.code].viewer_max
        hers = min(for_her, QUANTITY_MAX if own is None else own - has[line.code])
        packs = max(0, min(line.quantity, hers, in_order))
        if packs < line.quantity:
            reason = "viewer-limit" if packs == max(0, hers) else reason or "order-limit"
        if packs:
            suggested.append(Asked(line.code, packs, line.because))
        for_her, in_order = for_her - packs, in_order - packs
    if not reason:
        return None
    allowed = sum(line.quantity for line in suggested)
    return Outcome(Decision.REVIEW, suggested=suggested, phone=phone, reason=reason, allowed=allowed)


def _phone_doubt(room: Room, author: str, phone: str | None) -> str:
    order: Order | None = room.placed(author)
    known = order.buyer_phone if order else None
    return "phone-differs" if phone and known and normal_phone(phone) != known else ""


def _doubt(line: Asked, reason: str) -> Outcome:
    return Outcome(Decision.REVIEW, suggested=[line] if line.quantity else [], reason=reason)
