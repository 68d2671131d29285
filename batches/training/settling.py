"""What stands in a training village: invented places and products, and for each learner a household with work to do."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from batches.processes.catalogue import all_processes
from batches.stages.services import record_stage
from batches.stages.wanted import Make, Measure, Take, Wanted
from batches.training.ticket import Ticket
from trace.gs1.gtin import with_check_digit
from trace.ledger import store
from trace.lots.models import Batch
from village import clock
from village.db import db, write
from village.ids import uuid7
from village.people.access import Actor
from village.people.models import Member, MemberRole, Role
from village.people.sign_in import start_session
from village.places.models import Cooperative, Hamlet, Household, Site, SiteKind
from village.products.models import Product

PREFIX = "9506000"
"""GS1's prefix for examples: no code of a training village is anybody's."""
FIRST_GLN, FIRST_HOME_GLN, MOST_HOMES = 1, 1000, 40_000
PROCESS = "mien-dong"
# What a newcomer finds at home: how far each batch has come, as (stage, material, kilograms left by it).
WAY = (
    ("harvest", "tuber", 400), ("settle", "wet-starch", 100), ("steam", "sheets", 110), ("rest", "rested-sheets", 60),
    ("cut", "strands", 58), ("dry", "noodles", 52),
)  # fmt: skip
STOPS = (1, 2, 5, 6)


def settle() -> None:
    """Settle an empty training village; one that is settled already stays as it is."""
    store.ensure_born()
    if db.session.scalar(select(Cooperative.id).limit(1)):
        return
    with write() as session:
        hamlet = Hamlet(name="Bản Tập")
        coop = Cooperative(
            name="Hợp tác xã tập ghi", gln=_gln(FIRST_GLN), address="xã Bình Lư, tỉnh Lai Châu",
            phone="+842130000000", registration="TẬP-0001",
        )  # fmt: skip
        session.add_all([hamlet, coop])
        session.flush()
        for number, (name, kind) in enumerate((("Xưởng chung", "workshop"), ("Kho chung", "store")), start=2):
            session.add(_site(name, kind, number, coop.id, hamlet.id, None))  # type: ignore[arg-type]  # kinds as above
        wanted = [(process.key, m) for process in all_processes().values() for m in process.materials]
        for number, (process, material) in enumerate(wanted, start=1):
            packed = material.unit == "packs"
            session.add(
                Product(
                    gtin=with_check_digit(f"0{PREFIX}{number:05d}"), slug=f"tap-{process}-{material.key}",
                    name_vi=material.name.vi.capitalize(), name_en=material.name.en.capitalize(),
                    cooperative_id=coop.id, process=process, material=material.key,
                    net_grams=500 if packed else None, price=50_000 if packed else None, picture=material.picture,
                )
            )  # fmt: skip


def enter(ticket: Ticket, device: str) -> str:
    """Let a learner in; gives her session's token. Who comes for the first time finds a household with work to do."""
    who = _learner(ticket)
    if who.has(Role.PRODUCER) and who.household_id and not _has_work(who.household_id):
        _begin(who)
    with write() as session:
        return start_session(session, who.id, device, by_link=True)


def _learner(ticket: Ticket) -> Actor:
    """The learner's row as authorisation sees it, with the roles that she has today; made if she is new."""
    name = f"tap-{ticket.learner}"
    try:
        with write() as session:
            member = session.scalar(select(Member).where(Member.username == name).with_for_update())
            if member is None:
                member = _newcomer(session, name, producer=Role.PRODUCER in ticket.roles)
            have = {one.role: one for one in member.roles}
            member.roles = [have.get(role) or MemberRole(role=role) for role in sorted(ticket.roles)]
            session.flush()
            return Actor(
                member.id, name, member.name, ticket.roles, member.cooperative_id, member.household_id
            )
    except IntegrityError:
        # Pressed twice: the other one has just made her.
        return _learner(ticket)


def _newcomer(session: Session, username: str, *, producer: bool) -> Member:
    coop = session.scalars(select(Cooperative).order_by(Cooperative.gln).limit(1)).one()
    hamlet = session.scalars(select(Hamlet).order_by(Hamlet.id).limit(1)).one()
    household_id = None
    if producer:
        number = (session.scalar(select(func.count()).select_from(Household)) or 0) % MOST_HOMES
        home = Household(name=f"Hộ tập {number + 1}", cooperative_id=coop.id, hamlet_id=hamlet.id)
        session.add(home)
        session.flush()
        household_id = home.id
        codes = FIRST_HOME_GLN + 2 * number
        session.add(_site("Nương nhà mình", "field", codes, coop.id, hamlet.id, home.id))
        session.add(_site("Nhà làm miến", "workshop", codes + 1, coop.id, hamlet.id, home.id))
    member = Member(username=username, name="Người tập ghi", cooperative_id=coop.id, household_id=household_id)
    session.add(member)
    return member


def _site(name: str, kind: SiteKind, number: int, coop: str, hamlet: str, household: str | None) -> Site:
    return Site(
        name=name, kind=kind, gln=_gln(number), cooperative_id=coop, hamlet_id=hamlet, household_id=household
    )


def _gln(number: int) -> str:
    return with_check_digit(f"{PREFIX}{number:05d}")


def _has_work(household_id: str) -> bool:
    return db.session.scalar(select(Batch.id).where(Batch.household_id == household_id).limit(1)) is not None


def _begin(who: Actor) -> None:
    """Record a few stages of the last days in her name."""
    session = db.session
    sites = {s.kind: s.id for s in session.scalars(select(Site).where(Site.household_id == who.household_id))}
    products = {
        one.material: one.id for one in session.scalars(select(Product).where(Product.process == PROCESS))
    }
    start = clock.now().astimezone(clock.VN) - dt.timedelta(days=len(STOPS))
    for day, stop in enumerate(STOPS):
        _walk(who, sites, products, start + dt.timedelta(days=day), WAY[:stop])


def _walk(
    who: Actor,
    sites: dict[SiteKind, str],
    products: dict[str, str],
    start: dt.datetime,
    way: Sequence[tuple[str, str, int]],
) -> None:
    before: tuple[Take, ...] = ()
    for hours, (stage, material, kilograms) in enumerate(way):
        wanted = Wanted(
            id=uuid7(),
            process=PROCESS,
            stage=stage,
            occurred_at=start + dt.timedelta(hours=2 * hours),
            site=sites["workshop" if before else "field"],
            inputs=before,
            outputs=(Make(products[material], kilograms * 1000),),
            readings=(Measure("Moisture", Decimal("13.2"), "P1"),) if stage == "dry" else (),
        )
        made = record_stage(who, wanted, {"training": wanted.id})["batches"][0]
        before = (Take(made["id"], made["grams"]),)
