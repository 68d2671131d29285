"""What must be true before a stage is written down: whose it is, when it was, what is left, what can come out."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.mass import Finding, Measured, Portion, judge
from batches.processes.catalogue import all_processes
from batches.processes.models import Kind, Process, Stage
from batches.stages.findings import tell
from batches.stages.wanted import Take, Wanted
from trace.events.services import Share
from trace.lots.models import Batch
from trace.lots.services import no_such_batch
from village import clock
from village.errors import BadInput, Conflict, Forbidden
from village.i18n import gettext as _
from village.i18n import kilograms
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.places.models import Household, Site
from village.products.models import Product
from village.reference import Reference

SKEW = dt.timedelta(minutes=10)
"""How far a phone's clock may run ahead."""
FARTHEST = dt.timedelta(hours=14)
"""The largest offset from UTC that any place on earth has."""
OLDEST = dt.timedelta(days=3 * 365)


def stage_of(wanted: Wanted) -> tuple[Process, Stage]:
    """The process and stage asked for, or BadInput."""
    process = all_processes().get(wanted.process)
    if process is None:
        raise BadInput(
            "unknown-process", _l("Không có quy trình nào tên %(process)s."), field="process", process=wanted.process
        )
    for stage in process.stages:
        if stage.key == wanted.stage:
            return process, stage
    raise BadInput("unknown-stage", _l("Quy trình này không có bước %(stage)s."), field="stage", stage=wanted.stage)


def time_of(occurred_at: dt.datetime) -> None:
    """No stage happens in the future, or before anybody can remember."""
    offset = occurred_at.utcoffset()
    if offset is None or abs(offset) > FARTHEST or offset.total_seconds() % 60:
        raise BadInput(
            "bad-offset", _l("Độ lệch giờ của lần ghi không có nơi nào trên đời dùng."), field="occurred_at"
        )
    now = clock.now()
    if occurred_at > now + SKEW:
        raise BadInput(
            "future-time",
            _l("Giờ ghi là %(when)s, mà bây giờ chưa đến lúc ấy. Bác xem lại ngày giờ nhé."),
            field="occurred_at",
            when=occurred_at.strftime("%H:%M %d/%m/%Y"),
        )
    if occurred_at < now - OLDEST:
        raise BadInput("too-old", _l("Ngày này lâu quá rồi, hơn ba năm. Bác xem lại nhé."), field="occurred_at")


def site_of(village: Reference, who: Actor, site_id: str) -> Site:
    """The site, if this member may work there."""
    site = village.sites.get(site_id)
    if site is None or not site.active:
        raise BadInput("unknown-site", _l("Không có nơi nào mang mã %(site)s."), field="site", site=site_id)
    shared = site.household_id is None and site.cooperative_id == who.cooperative_id
    if not shared and not who.works_for(site.household_id or "", site.cooperative_id):
        raise not_yours(field="site")
    return site


def take(session: Session, who: Actor, stage: Stage, takes: Sequence[Take], occurred_at: dt.datetime) -> list[Share]:
    """The batches that go in, locked against other writers, each this member's own and with enough left."""
    if not takes:
        return []
    if len({one.batch for one in takes}) != len(takes):
        raise BadInput("batch-twice", _l("Một mẻ được chọn hai lần."), field="inputs")
    rows = session.scalars(
        select(Batch).where(Batch.id.in_([one.batch for one in takes])).order_by(Batch.id).with_for_update()
    )
    found = {row.id: row for row in rows}
    return [_share(who, stage, one, found, f"inputs.{n}", occurred_at) for n, one in enumerate(takes)]


def _share(
    who: Actor, stage: Stage, one: Take, found: dict[str, Batch], field: str, occurred_at: dt.datetime
) -> Share:
    batch = found.get(one.batch)
    if batch is None or batch.void:
        raise no_such_batch(one.batch, f"{field}.batch")
    if not who.works_for(batch.household_id, batch.cooperative_id):
        raise Forbidden(
            "not-your-batch",
            _l("Mẻ %(lot)s là của hộ khác, bác không ghi được."),
            field=f"{field}.batch",
            lot=batch.lot,
        )
    if occurred_at < batch.made_at - SKEW:
        raise BadInput(
            "before-its-making",
            _l("Mẻ %(lot)s làm ra lúc %(made)s, sau giờ bác ghi. Bác xem lại ngày giờ nhé."),
            field="occurred_at",
            lot=batch.lot,
            made=batch.made_at.astimezone(clock.VN).strftime("%H:%M %d/%m/%Y"),
        )
    if stage.kind in (Kind.OBSERVE, Kind.INSPECT):
        return Share(batch)
    if batch.hold != "none":
        raise Conflict(
            "on-hold",
            _l("Mẻ %(lot)s đang tạm giữ nên chưa dùng được. %(reason)s"),
            field=f"{field}.batch",
            lot=batch.lot,
            reason=_(batch.hold_reason),
        )
    return _packs(batch, one, field) if batch.made_units is not None else _grams(batch, one, field)


def _grams(batch: Batch, one: Take, field: str) -> Share:
    if one.units is not None:
        raise BadInput("weighed-not-counted", _l("Mẻ này tính bằng cân, không tính bằng gói."), field=f"{field}.units")
    if not one.grams or one.grams <= 0:
        raise BadInput("no-weight", _l("Bác ghi giúp lấy ra bao nhiêu cân."), field=f"{field}.grams")
    if one.grams > batch.left_grams:
        raise Conflict(
            "not-enough-left",
            _l("Mẻ %(lot)s chỉ còn %(left_kg)s, không lấy ra %(asked_kg)s được."),
            field=f"{field}.grams",
            lot=batch.lot,
            left=batch.left_grams,
            asked=one.grams,
            left_kg=kilograms(batch.left_grams),
            asked_kg=kilograms(one.grams),
        )
    return Share(batch, one.grams)


def _packs(batch: Batch, one: Take, field: str) -> Share:
    net = batch.product.net_grams or 1
    units = one.units if one.units is not None else (one.grams or 0) // net
    if units <= 0 or (one.grams is not None and one.grams != units * net):
        raise BadInput("no-units", _l("Bác ghi giúp lấy ra bao nhiêu gói."), field=f"{field}.units")
    if units > (batch.left_units or 0):
        raise Conflict(
            "not-enough-left",
            _l("Lô %(lot)s chỉ còn %(left)s gói, không lấy ra %(asked)s gói được."),
            field=f"{field}.units",
            lot=batch.lot,
            left=batch.left_units,
            asked=units,
        )
    return Share(batch, units * net, units)


def household_of(village: Reference, who: Actor, wanted: Wanted, inputs: Sequence[Share], site: Site) -> Household:
    """Whose work this is: the inputs' household, else the one named, the site's, or the member's own."""
    owners = {share.batch.household_id for share in inputs}
    if len(owners) > 1:
        raise BadInput("several-households", _l("Các mẻ này của nhiều hộ, không ghi chung được."), field="inputs")
    chosen = next(iter(owners), None) or wanted.household or site.household_id or who.household_id
    household = village.households.get(chosen) if chosen else None
    if household is None:
        raise BadInput("which-household", _l("Bác chọn giúp ghi cho hộ nào."), field="household")
    if not who.works_for(household.id, household.cooperative_id):
        raise not_yours(field="household")
    return household


def product_of(
    village: Reference, who: Actor, process: Process, stage: Stage, product_id: str, field: str
) -> Product:
    """The product that a stage gives, if it is this cooperative's and the right material."""
    product = village.products.get(product_id)
    if product is None or not product.active or product.cooperative_id != who.cooperative_id:
        raise BadInput(
            "unknown-product", _l("Không có sản phẩm nào mang mã %(product)s."), field=field, product=product_id
        )
    if (product.process, product.material) != (process.key, stage.output):
        raise BadInput(
            "wrong-product",
            _l("Bước này không làm ra %(product)s."),
            field=field,
            product=product.name_vi,
        )
    return product


def portions(stage: Stage, inputs: Sequence[Share]) -> list[Portion]:
    """The inputs as the mass balance sees them, with the ancestors behind the part that is taken."""
    return [
        Portion(
            share.batch.material,
            share.grams or 0,
            {
                material: grams * (share.grams or 0) // share.batch.made_grams
                for material, grams in share.batch.origins.items()
                if material != share.batch.material
            },
            share.batch.moisture,
        )
        for share in inputs
    ]


def balance(
    process: Process,
    stage: Stage,
    wanted: Wanted,
    inputs: Sequence[Share],
    product: Product | None,
) -> list[Finding]:
    """Refuse what mass forbids; return what is doubtful, which needs a reason in the note."""
    made = [one.grams for one in wanted.outputs if one.grams is not None]
    findings = judge(
        process,
        stage,
        portions(stage, inputs),
        output_grams=sum(made) if made else None,
        units=wanted.outputs[0].units if wanted.outputs else None,
        net_grams=product.net_grams if product else None,
        readings=[Measured(one.type, one.value, one.unit) for one in wanted.readings],
    )
    for finding in findings:
        if finding.severity == "refuse":
            raise BadInput(finding.slug, tell(process, finding.slug, finding.params), field=_field(finding))
    if findings and not wanted.note:
        told = [{"type": f.slug, "detail": tell(process, f.slug, f.params)} for f in findings]
        raise BadInput(
            "reason-needed",
            _l("%(doubts)s Nếu đúng vậy, bác ghi lý do vào ô ghi chú nhé."),
            field="note",
            doubts=" ".join(one["detail"] for one in told),
            warnings=told,
        )
    return findings


def _field(finding: Finding) -> str:
    if finding.slug.startswith("reading"):
        return "readings"
    if finding.slug in ("wrong-input", "no-input"):
        return "inputs"
    return "outputs.0.units" if finding.slug.startswith("packed") else "outputs.0.grams"

