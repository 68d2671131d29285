"""Dossiers: what one would hold, having one made, fetching it. All for the office of the product's cooperative."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Select, select

from batches.balance.spans import Span
from batches.dossier import files
from batches.dossier.checklist import Standing, checklist
from batches.dossier.evidence import Evidence, gather
from batches.dossier.making import MOST_BYTES
from batches.evidence.errors import no_room
from batches.evidence.services import SPARE
from village.db import db, write
from village.errors import BadInput, Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.jobs.models import GOING, Job, State
from village.jobs.services import ask, job_for
from village.people.access import Actor, wrong_role
from village.people.models import Role
from village.products.models import Product
from village.products.services import product_of, products_of

MAKE = "dossier.make"
SHOWN = 12
"""Dossiers of a cooperative that are kept and shown: the newest."""


@dataclass(frozen=True)
class Preview:
    """What a dossier of this product and period would hold."""

    evidence: Evidence
    told: list[Standing]

    @property
    def missing(self) -> list[Standing]:
        """What it would lack."""
        return [one for one in self.told if not one.there]


def offered(who: Actor) -> list[Product]:
    """The products that a dossier can be about: those sold in packs."""
    office_only(who)
    return [one for one in products_of(who.cooperative_id) if one.packed]


def preview(who: Actor, product_id: str, span: Span) -> Preview:
    """Look before it is made. NotFound for another cooperative's product."""
    product = _packed(who, product_id)
    found = gather(db.session(), who, product, span)
    return Preview(found, checklist(found))


def start(who: Actor, product_id: str, span: Span) -> Job:
    """Have one made. Asked for again while it is being made, it is the same one; Conflict while another one is."""
    product = _packed(who, product_id)
    if files.room() - MOST_BYTES < SPARE:
        raise no_room()
    args = {"product": product.id, "first": span.first.isoformat(), "last": span.last.isoformat(), "slug": product.slug}
    with write() as session:
        # Those who ask at once take turns here.
        session.execute(select(Product.id).where(Product.id == product.id).with_for_update())
        going = session.scalars(
            select(Job).where(Job.kind == MAKE, Job.cooperative_id == who.cooperative_id, Job.state.in_(GOING))
        ).all()
        same = next((job for job in going if job.args == args), None)
        if same is None and going:
            raise Conflict("dossier-going", _l("Một bộ hồ sơ khác đang được làm. Xong bộ ấy rồi bác làm tiếp nhé."))
        return same or ask(session, MAKE, who, args)


def latest(who: Actor) -> list[Job]:
    """The newest dossiers of the cooperative that were asked for."""
    office_only(who)
    return list(db.session.scalars(_of(who.cooperative_id).limit(SHOWN)))


def beyond(cooperative_id: str) -> list[str]:
    """The jobs whose dossiers are too many to keep."""
    rows = db.session.scalars(_of(cooperative_id).offset(SHOWN).limit(1000))
    return [job.id for job in rows]


def _of(cooperative_id: str) -> Select[Job]:
    mine = select(Job).where(Job.kind == MAKE, Job.cooperative_id == cooperative_id)
    return mine.order_by(Job.made_at.desc(), Job.id.desc())


def fetched(who: Actor, job_id: str) -> tuple[Path, Job]:
    """The zip that was made. NotFound for another cooperative's and for what is gone, Conflict before it is ready."""
    office_only(who)
    job = job_for(who, job_id)
    if job.kind != MAKE or job.cooperative_id != who.cooperative_id:
        raise NotFound("no-job", _l("Không có việc nào mang mã này."), job=job_id)
    if job.state is not State.DONE:
        raise Conflict("not-yet", _l("Hồ sơ này chưa làm xong."))
    path = files.made(job.id)
    if not path.exists():
        raise NotFound("dossier-gone", _l("Bộ hồ sơ này cũ quá, đã dọn đi rồi. Bác làm lại một bộ mới nhé."))
    return path, job


def office_only(who: Actor) -> None:
    """Forbidden for anybody else."""
    if not who.has(Role.OFFICE):
        raise wrong_role()


def _packed(who: Actor, product_id: str) -> Product:
    office_only(who)
    product = product_of(who, product_id)
    if not product.packed:
        raise BadInput("not-packed", _l("Món này không đóng gói bán nên không có hồ sơ."), field="product")
    return product
