"""Printing: who may, how many, on what; every printing is written down, reprints with their reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, joinedload

from trace.labels import making, services
from trace.labels.making import Order
from trace.labels.models import FileForm, LabelRun, What
from trace.labels.papers import PLAIN, Paper, papers
from trace.lots.models import Batch
from trace.units.models import Unit
from trace.units.services import left
from trace.units.spoilt import void_spoilt
from village.db import db, in_parts, write
from village.errors import BadInput, Conflict, NotFound
from village.forms import choice, whole_number
from village.i18n import lazy_gettext as _l
from village.ids import is_uuid
from village.jobs.models import Job
from village.jobs.services import ask
from village.people.access import Actor, not_yours
from village.people.models import Role
from village.text import clean_line

PRINT = "labels.print"
MOST: Mapping[str, int] = {"pdf": 100_000, "png": 2_000, "escpos": 10_000}
"""Labels in one run, by the kind of file."""
MOST_NAMED = 500
"""Serials that a reprint or a report of spoilt ones may name."""
PAGE = 20
_READ_AT_ONCE = 2_000


@dataclass(frozen=True)
class Wish:
    """What somebody wants printed, as she chose it."""

    what: What
    paper: Paper
    form: FileForm
    place: int
    count: int

    @classmethod
    def typed(cls, values: Mapping[str, str], count: int) -> "Wish":
        """Of a form's values; `count` where none was typed. BadInput names the field at fault."""
        paper = papers()[choice(values.get("paper") or PLAIN, "paper", papers())]
        form = choice(values.get("form") or "pdf", "form", MOST)
        if form != "pdf" and not paper.roll:
            raise BadInput("pdf-only", _l("Giấy A4 thì chỉ in từ PDF. Ảnh và ESC/POS là của cuộn nhiệt."), field="form")
        place = whole_number(values.get("place") or "1", "place", 1, paper.per_page)
        wanted = whole_number(values.get("count") or str(count), "count", 1, MOST[form])
        what = choice(values.get("what") or "lot", "what", ("lot", "unit"))
        return cls("unit" if what == "unit" else "lot", paper, _form(form), place, wanted)


def _form(text: str) -> FileForm:
    return "png" if text == "png" else "escpos" if text == "escpos" else "pdf"


@dataclass(frozen=True)
class Standing:
    """A run with its job, which may be gone."""

    run: LabelRun
    job: Job | None
    order: Order


def may_print(who: Actor, batch: Batch) -> bool:
    """True for the household that packed, the office of its cooperative, and its sellers."""
    if who.works_for(batch.household_id, batch.cooperative_id):
        return True
    return who.has(Role.SELLER) and who.cooperative_id == batch.cooperative_id


def batch_for(who: Actor, batch_id: str) -> Batch:
    """The lot, if this member prints its labels: NotFound for none, Forbidden for another's."""
    batch = services.packed(Batch.id == batch_id) if is_uuid(batch_id) else None
    if batch is None:
        raise NotFound("no-lot", _l("Không có lô nào mang mã %(lot)s, nên không có tem."), lot=batch_id)
    if not may_print(who, batch):
        raise not_yours(lot=batch.lot)
    return batch


def order_for(batch: Batch, wish: Wish) -> Order:
    """What is to be drawn."""
    return Order(services.text_of(batch), wish.paper, wish.form, wish.place, wish.count, wish.what == "unit")


def printed_before(session: Session, batch_id: str) -> int:
    """Labels of the lot, all alike, that were printed so far."""
    counted = select(func.sum(LabelRun.count)).where(LabelRun.batch_id == batch_id, LabelRun.what == "lot")
    return session.scalar(counted) or 0


def needs_reason(session: Session, batch: Batch, wish: Wish) -> bool:
    """True when there would be more labels of the lot than packs. Unit labels are bounded by their serials."""
    if wish.what == "unit":
        return False
    return printed_before(session, batch.id) + wish.count > (batch.made_units or 0)


def start(who: Actor, batch_id: str, wish: Wish, why: str) -> LabelRun:
    """Have labels printed. BadInput without a reason where one is needed, Conflict for more numbers than packs."""
    services.printable(batch_for(who, batch_id))
    why = clean_line(why, "why", 300, required=False)
    with write() as session:
        batch = session.get_one(Batch, batch_id)
        reprint = needs_reason(session, batch, wish)
        if reprint and not why:
            raise BadInput("why-more", _l("Thế là nhiều tem hơn gói. Bác ghi vì sao cần thêm nhé."), field="why")
        if wish.what == "unit" and wish.count > (free := left(session, batch)):
            raise Conflict(
                "more-than-packed", _l("Lô này chỉ còn %(left)s gói chưa có tem riêng."), field="count", left=free
            )  # fmt: skip
        run = LabelRun(
            batch_id=batch.id, member_id=who.id, what=wish.what, reprint=reprint, why=why, paper=wish.paper.key,
            form=wish.form, place=wish.place, count=wish.count,
        )  # fmt: skip
        session.add(run)
        return _ask(session, who, run)


def again(who: Actor, run_id: str, wish: Wish, why: str, serials: Sequence[str]) -> LabelRun:
    """Print a run's labels once more, all of them or the named ones. Numbers that were voided are not printed."""
    first = standing(who, run_id).run
    services.printable(batch_for(who, first.batch_id))
    why = clean_line(why, "why", 300)
    with write() as session:
        first = session.get_one(LabelRun, run_id)
        root = first.again_of or first.id
        count, named = wish.count, None
        if first.what == "unit":
            named = list(serials) or first.serials
            live = set(_live(session, root, named))
            for serial in serials:
                if serial not in live:
                    raise BadInput(
                        "not-in-run", _l("Lần in ấy không có tem số %(serial)s, hoặc số này đã huỷ."), field="serials",
                        serial=serial,
                    )  # fmt: skip
            count = len(live)
            if not count:
                raise Conflict("all-void", _l("Các số của lần in này đã huỷ cả rồi."))
            if count > MOST[wish.form]:
                raise BadInput("out-of-range", _l("Phải từ %(low)s đến %(high)s."), field="form", low=1,
                               high=MOST[wish.form])  # fmt: skip
        run = LabelRun(
            batch_id=first.batch_id, member_id=who.id, what=first.what, again_of=root, reprint=True, why=why,
            paper=wish.paper.key, form=wish.form, place=wish.place, count=count, serials=named,
        )  # fmt: skip
        if first.what == "unit":
            note_ends(session, run, sorted(named) if named else None)
        session.add(run)
        return _ask(session, who, run)


def _ask(session: Session, who: Actor, run: LabelRun) -> LabelRun:
    session.flush()
    run.job_id = ask(session, PRINT, who, {"run": run.id}, total=run.count).id
    return run


def spoil(who: Actor, run_id: str, serials: Sequence[str]) -> int:
    """Labels of a run came out spoilt: void their numbers, so that the packs may get others. How many."""
    found = standing(who, run_id).run
    if not serials:
        raise BadInput("no-serials", _l("Bác ghi số của những tem bị hỏng."), field="serials")
    with write() as session:
        return void_spoilt(session, session.get_one(Batch, found.batch_id), serials)


def named(text: str) -> list[str]:
    """Serials as somebody typed them, apart by blanks, commas or lines; each once, in capitals."""
    found = dict.fromkeys(text.upper().replace(",", " ").replace(";", " ").split())
    if len(found) > MOST_NAMED:
        raise BadInput("too-many", _l("Mỗi lần ghi nhiều nhất %(most)s số."), field="serials", most=MOST_NAMED)
    return list(found)


def standing(who: Actor, run_id: str) -> Standing:
    """A run, for those who print that lot's labels: NotFound for none, Forbidden for another's."""
    run = db.session.get(LabelRun, run_id, populate_existing=True) if is_uuid(run_id) else None
    if run is None:
        raise NotFound("no-run", _l("Không có lần in nào mang mã này."), run=run_id)
    batch = batch_for(who, run.batch_id)
    job = db.session.get(Job, run.job_id, populate_existing=True) if run.job_id else None
    return Standing(run, job, order_of(run, batch))


def order_of(run: LabelRun, batch: Batch) -> Order:
    """What the run draws. A paper that is no longer in the file is printed as plain A4."""
    paper = papers().get(run.paper) or papers()[PLAIN]
    return Order(services.text_of(batch), paper, run.form, run.place, run.count, run.what == "unit")


def of_lot(batch_id: str, page: int) -> tuple[Sequence[LabelRun], int]:
    """A page of a lot's runs, the newest first, and how many pages there are."""
    count = db.session.scalar(select(func.count()).select_from(LabelRun).where(LabelRun.batch_id == batch_id)) or 0
    query = select(LabelRun).where(LabelRun.batch_id == batch_id).options(joinedload(LabelRun.member))
    query = query.order_by(LabelRun.made_at.desc(), LabelRun.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    return db.session.scalars(query).all(), (count + PAGE - 1) // PAGE


def note_ends(session: Session, run: LabelRun, chosen: Sequence[str] | None) -> None:
    """Write the first and the last serial into the run, as they will be printed."""
    if chosen:
        run.first_serial, run.last_serial = chosen[0], chosen[-1]
        return
    of_run = and_(Unit.run_id == (run.again_of or run.id), Unit.voided_at.is_(None))
    run.first_serial = session.scalar(select(Unit.serial).where(of_run).order_by(Unit.id).limit(1))
    run.last_serial = session.scalar(select(Unit.serial).where(of_run).order_by(Unit.id.desc()).limit(1))


def _live(session: Session, root: str, chosen: Sequence[str] | None) -> Iterator[str]:
    for some in in_parts(chosen) if chosen else [None]:
        yield from session.scalars(_of_run(root, some))


def _of_run(root: str, some: Sequence[str] | None) -> Select[str]:
    query = select(Unit.serial).where(Unit.run_id == root, Unit.voided_at.is_(None))
    return query.where(Unit.serial.in_(some)) if some is not None else query


def serials(run: LabelRun) -> Iterator[str]:
    """The numbers that a run prints, in order, some thousand read at a time; none of those that were voided since."""
    root, after = run.again_of or run.id, ""
    if run.serials:
        with db.engine.connect() as connection:
            for some in in_parts(sorted(run.serials)):
                yield from connection.scalars(_of_run(root, some).order_by(Unit.serial)).all()
        return
    while True:
        which: ColumnElement[bool] = and_(Unit.run_id == root, Unit.voided_at.is_(None), Unit.id > after)
        query = select(Unit.id, Unit.serial).where(which).order_by(Unit.id).limit(_READ_AT_ONCE)
        with db.engine.connect() as connection:
            rows = connection.execute(query).all()
        yield from (serial for _id, serial in rows)
        if len(rows) < _READ_AT_ONCE:
            return
        after = rows[-1][0]


def addresses(run: LabelRun) -> Iterator[str]:
    """Every address that the run's codes hold, in the order of printing."""
    order = order_of(run, run.batch)
    if run.what == "lot":
        yield order.label.address
        return
    for serial in serials(run):
        yield making.unit_label(order.label, serial).address
