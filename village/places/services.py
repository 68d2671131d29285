"""The office's work on its cooperative, on households, hamlets and sites. Each may touch only its own."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from village.certificates.models import Certificate
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, wrong_role
from village.people.models import Member, Role
from village.places.models import Cooperative, Hamlet, Household, Site
from village.places.schemas import CooperativeFields, HouseholdFields, SiteFields
from village.products.models import Product
from village.text import clean_name

HAMLET_MAX = 80


def cooperative_of(who: Actor) -> Cooperative:
    """The asker's cooperative."""
    return db.session.get_one(Cooperative, who.cooperative_id)


def alone_in(session: Session, cooperative_id: str) -> None:
    """Be the only one of this cooperative's office, to the transaction's end, of those who ask for it here. Whoever
    only writes a row that refers to the cooperative, such as an order, goes on meanwhile."""
    session.execute(select(Cooperative.id).where(Cooperative.id == cooperative_id).with_for_update(key_share=True))


@dataclass(frozen=True)
class Counts:
    """How many of each a cooperative has."""

    members: int
    households: int
    hamlets: int
    sites: int
    products: int
    certificates: int


def counts_of(who: Actor) -> Counts:
    """How many of each the asker's cooperative looks after; of the bản, all of the commune."""
    own = who.cooperative_id
    return Counts(
        count_of(Member, Member.cooperative_id == own, Member.active),
        count_of(Household, Household.cooperative_id == own),
        count_of(Hamlet),
        count_of(Site, Site.cooperative_id == own, Site.active),
        count_of(Product, Product.cooperative_id == own, Product.active),
        count_of(Certificate, Certificate.cooperative_id == own),
    )


def hamlets() -> list[Hamlet]:
    """All bản of the commune, by name."""
    return list(db.session.scalars(select(Hamlet).order_by(Hamlet.name)))


def households_of(cooperative_id: str) -> list[Household]:
    """A cooperative's households with their hamlets, by name."""
    query = select(Household).where(Household.cooperative_id == cooperative_id).order_by(Household.name)
    return list(db.session.scalars(query.options(selectinload(Household.hamlet))))


def sites_of(cooperative_id: str) -> list[Site]:
    """A cooperative's sites, its households' among them, those in use first."""
    query = select(Site).where(Site.cooperative_id == cooperative_id).order_by(Site.active.desc(), Site.name)
    return list(db.session.scalars(query.options(selectinload(Site.hamlet), selectinload(Site.household))))


def household_of(who: Actor, household_id: str) -> Household:
    """One household of the asker's cooperative; NotFound for any other."""
    return _own_household(db.session(), who, household_id)


def site_of(who: Actor, site_id: str) -> Site:
    """One site of the asker's cooperative; NotFound for any other."""
    return _own_site(db.session(), who, site_id)


def edit_cooperative(who: Actor, fields: CooperativeFields) -> None:
    """Change how the cooperative is named. Its GLN stands on the ledger and stays."""
    _office(who)
    with write() as session:
        cooperative = session.get_one(Cooperative, who.cooperative_id)
        _free(session, Cooperative.name, fields.name, "name", cooperative.id)
        cooperative.name, cooperative.address = fields.name, fields.address
        cooperative.phone, cooperative.registration = fields.phone, fields.registration
        flush(session)


def found_cooperative(gln: str, fields: CooperativeFields) -> str:
    """A new cooperative, from the server's command line; gives its id."""
    with write() as session:
        _free(session, Cooperative.name, fields.name, "name")
        _free(session, Cooperative.gln, gln, "gln")
        cooperative = Cooperative(
            name=fields.name, gln=gln, address=fields.address, phone=fields.phone, registration=fields.registration
        )
        session.add(cooperative)
        flush(session)
        return cooperative.id


def add_hamlet(who: Actor, name: str) -> str:
    """Put a bản on the commune's list; gives its id."""
    _office(who)
    clean = clean_name(name, "name", HAMLET_MAX)
    with write() as session:
        _free(session, Hamlet.name, clean, "name")
        hamlet = Hamlet(name=clean)
        session.add(hamlet)
        flush(session)
        return hamlet.id


def add_household(who: Actor, fields: HouseholdFields) -> str:
    """Take a household into the asker's cooperative; gives its id."""
    _office(who)
    with write() as session:
        _free(session, Household.name, fields.name, "name")
        household = Household(cooperative_id=who.cooperative_id)
        _fill_household(session, household, fields)
        session.add(household)
        flush(session)
        return household.id


def edit_household(who: Actor, household_id: str, fields: HouseholdFields) -> None:
    """Change what is told of a household, and whether scan pages may name it."""
    _office(who)
    with write() as session:
        household = _own_household(session, who, household_id)
        _free(session, Household.name, fields.name, "name", household.id)
        _fill_household(session, household, fields)
        flush(session)


def add_site(who: Actor, fields: SiteFields) -> str:
    """Put a field, workshop or store on the list; gives its id."""
    _office(who)
    with write() as session:
        _free(session, Site.gln, fields.gln, "gln")
        site = Site(cooperative_id=who.cooperative_id, gln=fields.gln)
        _fill_site(session, who, site, fields)
        session.add(site)
        flush(session)
        return site.id


def edit_site(who: Actor, site_id: str, fields: SiteFields) -> None:
    """Change what is known of a site. Its GLN stands on the ledger and stays."""
    _office(who)
    with write() as session:
        site = _own_site(session, who, site_id)
        if fields.gln != site.gln:
            raise BadInput("gln-stays", _l("Mã đã vào sổ, không đổi được. Bác lập địa điểm mới nhé."), field="gln")
        _fill_site(session, who, site, fields)


def use_site(who: Actor, site_id: str, active: bool) -> None:
    """Open a site for new records, or close it; what happened there stays."""
    _office(who)
    with write() as session:
        _own_site(session, who, site_id).active = active


def count_of(table: Any, *where: Any) -> int:
    """How many rows of `table` meet the conditions."""
    return db.session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def flush(session: Session) -> None:
    """Send what is pending; Conflict when somebody else took the same name or number a moment ago."""
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("taken-meanwhile", _l("Vừa có người ghi đúng tên hoặc mã này. Bác xem lại nhé.")) from error


def _office(who: Actor) -> None:
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _own_household(session: Session, who: Actor, household_id: str) -> Household:
    household = session.get(Household, household_id)
    if household is None or household.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-household", _l("Hợp tác xã không có hộ này."))
    return household


def _own_site(session: Session, who: Actor, site_id: str) -> Site:
    site = session.get(Site, site_id)
    if site is None or site.cooperative_id != who.cooperative_id:
        raise NotFound("no-such-site", _l("Hợp tác xã không có địa điểm này."))
    return site


def _fill_household(session: Session, household: Household, fields: HouseholdFields) -> None:
    _known_hamlet(session, fields.hamlet_id)
    household.name, household.hamlet_id = fields.name, fields.hamlet_id
    household.story, household.named = fields.story, fields.named


def _fill_site(session: Session, who: Actor, site: Site, fields: SiteFields) -> None:
    _known_hamlet(session, fields.hamlet_id)
    if fields.household_id:
        household = session.get(Household, fields.household_id)
        if household is None or household.cooperative_id != who.cooperative_id:
            raise BadInput("no-such-household", _l("Hợp tác xã không có hộ này."), field="household")
    site.name, site.kind, site.hamlet_id, site.household_id = (
        fields.name, fields.kind, fields.hamlet_id, fields.household_id
    )  # fmt: skip
    site.latitude, site.longitude = fields.latitude, fields.longitude
    site.area_m2 = fields.area_m2


def _known_hamlet(session: Session, hamlet_id: str) -> None:
    if session.get(Hamlet, hamlet_id) is None:
        raise BadInput("no-such-hamlet", _l("Bác chọn một bản trong danh sách nhé."), field="hamlet")


def _free(session: Session, column: InstrumentedAttribute[str], value: str, field: str, own_id: str = "") -> None:
    if session.scalar(select(column).where(column == value, column.class_.id != own_id)) is not None:
        raise BadInput(f"{field}-taken", _l("Đã có một nơi khác mang đúng tên hoặc mã này."), field=field)
