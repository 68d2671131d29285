"""What must be true before a stage is written down: whose it is, when it was, what is left, what can come out."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.mass import Finding, Measured, Portion, judge
from batches.processes.catalogue import all_processes, process_of
from batches.processes.models import Kind, Process, Stage
from batches.stages.findings import tell
from batches.stages.wanted import Take, Wanted
from trace.events.services import Share
from trace.lots import cases
from trace.lots.held import in_hand
from trace.lots.models import Batch
from trace.lots.services import no_such_batch
from village import clock
from village.errors import BadInput, Conflict, Forbidden
from village.i18n import gettext as _
from village.i18n import kilograms
from village.i18n import lazy_gettext as _l
from village.people.access import Actor, not_yours
from village.people.models import Role
from village.places.models import Household, Site
from village.products.models import Product
from village.reference import Reference

SKEW = dt.timedelta(minutes=10)
"""How far a phone's clock may run ahead."""
FARTHEST = dt.timedelta(hours=14)
"""The largest offset from UTC that any place on earth has."""
OLDEST = dt.timedelta(days=3 * 365)


LOOKING = frozenset((Kind.OBSERVE, Kind.INSPECT))
"""Nothing is taken: a batch is looked at as it is."""
STAYING = LOOKING | {Kind.CASE, Kind.UNCASE}
"""What goes in is there as before when it is done."""
STOPPED = LOOKING | {Kind.LOSE, Kind.UNCASE}
"""What may still be done with a batch on hold: it is looked at, taken out of its case, or done away with."""
REGROUPING = frozenset((Kind.SPLIT, Kind.MERGE))
"""What comes out is what went in, in other batches."""
_FACTS: dict[Kind, tuple[str, ...]] = {
    Kind.BUY: ("origin",),
    Kind.LOSE: ("reason", "sscc"),
    Kind.CASE: ("sscc",),
    Kind.UNCASE: ("sscc",),
    Kind.DISPATCH: ("sscc",),
}


def process_for(wanted: Wanted, found: Iterable[Batch], version: int | None = None) -> Process:
    """The process asked for, in the version under which the inputs began (the newest among them), or BadInput.

    A story that begins now begins under the newest version. `version`: that of an event which is corrected.
    """
    newest = all_processes().get(wanted.process)
    if newest is None:
        raise BadInput(
            "unknown-process", _l("Không có quy trình nào tên %(process)s."), field="process", process=wanted.process
        )
    begun = [batch.process_version for batch in found if batch.process == newest.key]
    if version is None and not begun:
        return newest
    return process_of(newest.key, version if version is not None else max(begun))


def stage_of(process: Process, wanted: Wanted) -> Stage:
    """The stage asked for, or BadInput."""
    for stage in process.stages:
        if stage.key == wanted.stage:
            return stage
    raise BadInput("unknown-stage", _l("Quy trình này không có bước %(stage)s."), field="stage", stage=wanted.stage)


def facts_of(stage: Stage, wanted: Wanted) -> None:
    """The facts that this kind of stage tells, all of them and no others, or BadInput."""
    allowed = _FACTS.get(stage.kind, ())
    for name, text in wanted.facts.items():
        if name not in allowed:
            raise BadInput("no-such-fact", _l("Bước này không ghi mục %(name)s."), field=f"facts.{name}", name=name)
        if name == "sscc":
            cases.number(text)
    if stage.kind is Kind.BUY and not wanted.facts.get("origin"):
        raise BadInput("no-origin", _l("Bác ghi giúp mua từ vùng nào."), field="facts.origin")
    if stage.kind is Kind.LOSE and wanted.facts.get("reason") not in {reason.key for reason in stage.reasons}:
        raise BadInput("no-reason", _l("Bác chọn giúp vì sao mất."), field="facts.reason")
    if stage.kind is Kind.UNCASE and "sscc" not in wanted.facts:
        raise BadInput("no-sscc", _l("Bác ghi giúp số của thùng."), field="facts.sscc")


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


def found_inputs(session: Session, takes: Sequence[Take]) -> dict[str, Batch]:
    """The batches that are named, by id, locked against other writers; those that are none are left out."""
    if not takes:
        return {}
    if len({one.batch for one in takes}) != len(takes):
        raise BadInput("batch-twice", _l("Một mẻ được chọn hai lần."), field="inputs")
    ids = [one.batch for one in takes]
    if (held := in_hand(session)) is not None:
        return held.found(session, ids)
    rows = session.scalars(select(Batch).where(Batch.id.in_(ids)).order_by(Batch.id).with_for_update())
    return {row.id: row for row in rows}


def take(
    session: Session, who: Actor, process: Process, stage: Stage, wanted: Wanted, found: Mapping[str, Batch]
) -> list[Share]:
    """What goes in of each batch: this member's own, of this process, with enough left outside of closed cases."""
    sscc = wanted.facts.get("sscc") if stage.kind is not Kind.CASE else None
    if sscc is not None:
        cases.check_closed(session, who, sscc, {one.batch: one.units for one in wanted.inputs})
    shares = [
        _share(who, process, stage, one, found, f"inputs.{n}", wanted.occurred_at)
        for n, one in enumerate(wanted.inputs)
    ]
    counted = {share.batch.id: share.units for share in shares if share.units is not None}
    if sscc is None and counted:
        cased = cases.packed_in(session, counted)
        for n, share in enumerate(shares):
            cases.refuse_cased(share.batch, share.units or 0, cased.get(share.batch.id, 0), f"inputs.{n}.units")
    if stage.kind is Kind.MERGE:
        _one_material(shares)
    return shares


def _one_material(shares: Sequence[Share]) -> None:
    if len(shares) < 2:
        raise BadInput("one-batch", _l("Gộp thì phải có từ hai mẻ trở lên."), field="inputs")
    if len({share.batch.material for share in shares}) > 1:
        raise BadInput("several-materials", _l("Chỉ gộp được những mẻ cùng một thứ."), field="inputs")


def _share(
    who: Actor,
    process: Process,
    stage: Stage,
    one: Take,
    found: Mapping[str, Batch],
    field: str,
    occurred_at: dt.datetime,
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
    if batch.process != process.key:
        raise BadInput(
            "other-process", _l("Mẻ %(lot)s thuộc quy trình khác."), field=f"{field}.batch", lot=batch.lot
        )
    if occurred_at < batch.made_at - SKEW:
        raise BadInput(
            "before-its-making",
            _l("Mẻ %(lot)s làm ra lúc %(made)s, sau giờ bác ghi. Bác xem lại ngày giờ nhé."),
            field="occurred_at",
            lot=batch.lot,
            made=batch.made_at.astimezone(clock.VN).strftime("%H:%M %d/%m/%Y"),
        )
    if stage.kind in LOOKING:
        return Share(batch)
    if batch.hold != "none" and stage.kind not in STOPPED:
        raise Conflict(
            "on-hold",
            _l("Mẻ %(lot)s đang tạm giữ nên chưa dùng được. %(reason)s"),
            field=f"{field}.batch",
            lot=batch.lot,
            reason=_(batch.hold_reason),
        )
    if batch.made_units is None:
        if stage.kind in (Kind.CASE, Kind.UNCASE):
            raise BadInput("not-packs", _l("Thùng chỉ đựng gói."), field=f"{field}.batch", lot=batch.lot)
        return _grams(batch, one, field)
    if stage.kind in REGROUPING:
        raise BadInput("packs-stay", _l("Gói đã đóng thì không chia, không gộp được."), field=f"{field}.batch")
    return _packs(batch, one, field)


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


def household_of(
    village: Reference, who: Actor, stage: Stage, wanted: Wanted, inputs: Sequence[Share], site: Site
) -> Household:
    """Whose work this is: the inputs' household, else the one named, the site's, or the member's own.

    The office may blend batches of several households: the blend is of the household that it names, or the site's.
    """
    owners = {share.batch.household_id for share in inputs}
    blends = stage.kind is Kind.MERGE and who.has(Role.OFFICE)
    if len(owners) > 1 and not blends:
        raise BadInput("several-households", _l("Các mẻ này của nhiều hộ, không ghi chung được."), field="inputs")
    if len(owners) > 1:
        chosen = wanted.household or site.household_id
    else:
        chosen = next(iter(owners), None) or wanted.household or site.household_id or who.household_id
    household = village.households.get(chosen) if chosen else None
    if household is None:
        raise BadInput("which-household", _l("Bác chọn giúp ghi cho hộ nào."), field="household")
    if not who.works_for(household.id, household.cooperative_id):
        raise not_yours(field="household")
    return household


def product_of(
    village: Reference,
    who: Actor,
    process: Process,
    stage: Stage,
    inputs: Sequence[Share],
    product_id: str,
    field: str,
) -> Product:
    """The product that a stage gives, if it is this cooperative's and the right material.

    What is split or blended stays the product that it was.
    """
    product = village.products.get(product_id)
    if product is None or not product.active or product.cooperative_id != who.cooperative_id:
        raise BadInput(
            "unknown-product", _l("Không có sản phẩm nào mang mã %(product)s."), field=field, product=product_id
        )
    if stage.kind in REGROUPING:
        right = product.id in {share.batch.product_id for share in inputs}
    else:
        gives = {stage.output, *(one.material for one in stage.byproducts)}
        right = product.process == process.key and product.material in gives
    if not right:
        raise BadInput(
            "wrong-product",
            _l("Bước này không làm ra %(product)s."),
            field=field,
            product=product.name_vi,
        )
    return product


def is_main(stage: Stage, product: Product) -> bool:
    """False for what comes out beside what the stage is for, such as the residue of settling."""
    return stage.kind in REGROUPING or product.material == stage.output


def portions(inputs: Sequence[Share]) -> list[Portion]:
    """The inputs as the mass balance sees them, with the ancestors behind the part that is taken."""
    return [portion(share.batch, share.grams or 0) for share in inputs]


def portion(batch: Batch, grams: int) -> Portion:
    """So much of a batch, with its part of the ancestors, rounded down: all parts are never more than the whole."""
    origins = {
        material: whole * grams // batch.made_grams
        for material, whole in batch.origins.items()
        if material != batch.material
    }
    return Portion(batch.material, grams, origins, batch.moisture)


def balance(
    process: Process,
    stage: Stage,
    wanted: Wanted,
    inputs: Sequence[Share],
    products: Sequence[Product],
) -> list[Finding]:
    """Refuse what mass forbids; return what is doubtful, which needs a reason in the note."""
    outputs = list(zip(wanted.outputs, products, strict=True))
    mains = [(one, product) for one, product in outputs if is_main(stage, product)]
    made = [one.grams for one, _product in mains if one.grams is not None]
    beside: dict[str, int] = {}
    for one, product in outputs:
        if not is_main(stage, product):
            beside[product.material] = beside.get(product.material, 0) + (one.grams or 0)
    findings = judge(
        process,
        stage,
        portions(inputs),
        output_grams=sum(made) if made else None,
        units=mains[0][0].units if mains else None,
        net_grams=mains[0][1].net_grams if mains else None,
        readings=[Measured(one.type, one.value, one.unit) for one in wanted.readings],
        byproducts=beside,
        parts=len(outputs) if stage.kind in REGROUPING else None,
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

