"""What was counted, into the database: added to the rows that are there, and the rules asked at once."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, String, Table, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trace.units import rules
from trace.units.models import LotScan, Sign, Unit, UnitScan
from trace.units.rules import Found, Life, LotLife, Seen
from village import clock
from village.db import UtcDateTime, core, in_parts
from village.ids import uuid7

RULES = rules.load()
_SCAN: Table = UnitScan.__table__  # type: ignore[assignment]  # it is one
_LOT: Table = LotScan.__table__  # type: ignore[assignment]
_SIGN: Table = Sign.__table__  # type: ignore[assignment]
_UNIT: Table = Unit.__table__  # type: ignore[assignment]
_BY_KEY = itemgetter(0)


@dataclass
class Day:
    """A pack's day in one province, as far as one process counted it since the last writing."""

    at: dt.datetime
    """The first of these scans."""
    scans: int = 0
    hands: int = 0
    networks: int = 0
    batch_id: str = ""

    def add(self, other: "Day") -> None:
        """Both together."""
        self.at = min(self.at, other.at)
        self.scans += other.scans
        self.hands |= other.hands
        self.networks |= other.networks
        self.batch_id = other.batch_id


@dataclass
class LotDay:
    """A lot's day, likewise: scans of numbers never issued in it, of recalled packs, and of packs past their date."""

    unknown: int = 0
    recalled: int = 0
    expired: int = 0

    def add(self, other: "LotDay") -> None:
        """Both together."""
        self.unknown += other.unknown
        self.recalled += other.recalled
        self.expired += other.expired


def put_down(
    session: Session, units: Mapping[tuple[str, dt.date, str], Day], lots: Mapping[tuple[str, dt.date], LotDay]
) -> None:
    """Add these to what is there, and note every sign of copying that follows; in the caller's `write()`.

    Rows are taken in the order of their keys: two processes wait for each other and never in a circle. Whoever comes
    second to a pack sees what the first has written, since both change the pack's own row before the rules are asked.
    """
    connection = core(session)
    if units:
        rows = [
            {"unit_id": unit, "day": day, "place": place,
             "scans": seen.scans, "hands": seen.hands, "networks": seen.networks}
            for (unit, day, place), seen in sorted(units.items(), key=_BY_KEY)
        ]  # fmt: skip
        insert = _insert(session)(_SCAN)
        more = insert.excluded
        add = insert.on_conflict_do_update(
            index_elements=["unit_id", "day", "place"],
            set_={
                "scans": _SCAN.c.scans + more.scans,
                "hands": _SCAN.c.hands.op("|")(more.hands),
                "networks": _SCAN.c.networks.op("|")(more.networks),
            },
        )
        connection.execute(add, rows)
        connection.execute(_SCANNED, _of_units(units))
    if lots:
        insert = _insert(session)(_LOT)
        more = insert.excluded
        add = insert.on_conflict_do_update(
            index_elements=["batch_id", "day"],
            set_={name: _LOT.c[name] + more[name] for name in ("unknown", "recalled", "expired")},
        )
        rows = [
            {"batch_id": batch, "day": day, **asdict(seen)} for (batch, day), seen in sorted(lots.items(), key=_BY_KEY)
        ]
        connection.execute(add, rows)
    _judge(session, {unit for unit, _day, _place in units}, {batch for batch, _day in lots})


def judge_units(session: Session, unit_ids: Iterable[str]) -> None:
    """Ask the rules about these packs again, as after the office has looked at a sign; in the caller's `write()`."""
    _judge(session, set(unit_ids), set())


_MORE = bindparam("more", type_=Integer)
_FIRST = func.coalesce(_UNIT.c.first_scan_at, bindparam("at", type_=UtcDateTime))
_SCANNED = (
    update(_UNIT)
    .where(_UNIT.c.id == bindparam("unit", type_=String))
    # A reader who only says where she is has scanned before.
    .values(scans=_UNIT.c.scans + _MORE, first_scan_at=case((_MORE == 0, _UNIT.c.first_scan_at), else_=_FIRST))
)


def _of_units(units: Mapping[tuple[str, dt.date, str], Day]) -> list[dict[str, object]]:
    by_unit: dict[str, Day] = {}
    for (unit, _day, _place), seen in units.items():
        by_unit.setdefault(unit, Day(seen.at)).add(seen)
    return [{"unit": unit, "more": seen.scans, "at": seen.at} for unit, seen in sorted(by_unit.items(), key=_BY_KEY)]


def _judge(session: Session, unit_ids: set[str], batch_ids: set[str]) -> None:
    today, now = clock.today(), clock.now()
    found: list[dict[str, object]] = []
    doubled: set[str] = set()
    for part in in_parts(sorted(unit_ids)):
        found += _judge_units(session, part, today, now, doubled)
    looked = _looked(session, Sign.subject == "", Sign.batch_id, sorted(batch_ids | doubled))
    for batch_id in sorted(batch_ids | doubled):
        said = looked.get((batch_id, ""), {})
        life = _lot_life(session, batch_id, said, today, batch_id in doubled)
        found += [_sign(batch_id, "", one, now) for one in rules.signs_of_lot(life, RULES, today)]
    if found:
        _note(session, found)


def _judge_units(
    session: Session, unit_ids: Sequence[str], today: dt.date, now: dt.datetime, doubled: set[str]
) -> list[dict[str, object]]:
    """Their signs. Their rows are brought up to date; lots of which one more pack lives again go into `doubled`."""
    lived = lives(session, unit_ids)
    looked = _looked(session, Sign.unit_id.is_not(None), Sign.unit_id, unit_ids)
    query = select(Unit.id, Unit.batch_id, Unit.voided_at, Unit.alarm, Unit.again).where(Unit.id.in_(unit_ids))
    signs: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    for unit in session.execute(query):
        said = looked.get((unit.batch_id, unit.id), {})
        voided = unit.voided_at.astimezone(clock.VN).date() if unit.voided_at else None
        days = lived.get(unit.id, [])
        found = rules.signs_of_unit(Life(days, voided, _fine(said)), RULES, today)
        signs += [_sign(unit.batch_id, unit.id, one, now) for one in found]
        # A sign stands until the office has said that it is harmless, though its window has passed.
        standing = {rule for rule, (verdict, _day) in said.items() if verdict != "fine"}
        alarm, again = RULES.strongest(standing | {one.rule.slug for one in found}), rules.again(days, RULES)
        if (alarm, again) != (unit.alarm, unit.again):
            changed.append({"unit": unit.id, "new_alarm": alarm, "new_again": again})
        if again and not unit.again:
            doubled.add(unit.batch_id)
    if changed:
        core(session).execute(_CHANGED, changed)
    return signs


_CHANGED = (
    update(_UNIT)
    .where(_UNIT.c.id == bindparam("unit", type_=String))
    .values(alarm=bindparam("new_alarm", type_=String), again=bindparam("new_again", type_=Boolean))
)
_Said = dict[str, tuple[str, dt.date | None]]


def _fine(said: _Said) -> dict[str, dt.date]:
    return {rule: day for rule, (verdict, day) in said.items() if verdict == "fine" and day is not None}


def _looked(
    session: Session, which: ColumnElement[bool], column: Any, ids: Sequence[str]
) -> dict[tuple[str, str], _Said]:
    """What the office has said, by (batch, subject) and rule: the verdict, and the day of it."""
    found: dict[tuple[str, str], _Said] = {}
    for part in in_parts(ids):
        query = select(Sign.batch_id, Sign.subject, Sign.rule, Sign.verdict, Sign.looked_at)
        for batch, subject, rule, verdict, at in session.execute(query.where(which, column.in_(part))):
            day = at.astimezone(clock.VN).date() if at else None
            found.setdefault((batch, subject), {})[rule] = (verdict, day)
    return found


def lives(session: Session, unit_ids: Sequence[str]) -> dict[str, list[Seen]]:
    """Every counted day of these packs."""
    found: dict[str, list[Seen]] = {}
    query = select(_SCAN).where(_SCAN.c.unit_id.in_(unit_ids)).order_by(_SCAN.c.day, _SCAN.c.place)
    for unit, day, place, scans, hands, networks in core(session).execute(query):
        found.setdefault(unit, []).append(Seen(day, place, scans, hands, networks))
    return found


def _lot_life(session: Session, batch_id: str, said: _Said, today: dt.date, doubled: bool) -> LotLife:
    """`doubled`: count its packs, too; a large lot's are many, so only when one more of them lives again."""
    since = today - dt.timedelta(days=max(rule.days for rule in RULES.lot if rule.counts != "again"))
    days = [
        (day, unknown, recalled, expired)
        for day, unknown, recalled, expired in session.execute(
            select(LotScan.day, LotScan.unknown, LotScan.recalled, LotScan.expired).where(
                LotScan.batch_id == batch_id, LotScan.day >= since
            )
        )
    ]
    if not doubled:
        return LotLife(days, fine_until=_fine(said))
    mine = select(func.count()).select_from(Unit).where(Unit.batch_id == batch_id, Unit.first_scan_at.is_not(None))
    was = select(Sign.count).where(
        Sign.batch_id == batch_id, Sign.subject == "", Sign.rule == "doubled", Sign.verdict == "fine"
    )
    return LotLife(
        days,
        scanned=session.scalar(mine) or 0,
        again=session.scalar(mine.where(Unit.again)) or 0,
        fine_until=_fine(said),
        again_when_fine=session.scalar(was) or 0,
    )


def _sign(batch_id: str, subject: str, found: Found, now: dt.datetime) -> dict[str, object]:
    return {
        "id": uuid7(), "batch_id": batch_id, "subject": subject, "unit_id": subject or None, "rule": found.rule.slug,
        "count": found.count, "first_at": now, "last_at": now, "verdict": "open", "looked_at": None,
        "looked_by": None, "note": "",
    }  # fmt: skip


def _note(session: Session, signs: list[dict[str, object]]) -> None:
    """Write signs down; one that is there is brought up to date, and opened again if it was found harmless before."""
    insert = _insert(session)(_SIGN)
    more = insert.excluded
    note = insert.on_conflict_do_update(
        index_elements=["batch_id", "subject", "rule"],
        set_={
            "count": case((_SIGN.c["count"] < more["count"], more["count"]), else_=_SIGN.c["count"]),
            "last_at": more.last_at,
            "verdict": case((_SIGN.c.verdict == "fine", "open"), else_=_SIGN.c.verdict),
        },
    )
    core(session).execute(note, sorted(signs, key=lambda one: (one["batch_id"], one["subject"], one["rule"])))


def _insert(session: Session) -> Callable[[Table], Any]:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
