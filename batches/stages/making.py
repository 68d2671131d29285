"""The batches that come out of a stage: their codes, dates, ancestors, and their rows."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from batches.mass import Portion, basis_points, carry_origins
from batches.processes.models import Kind, Process, Stage
from batches.stages.checks import REGROUPING, is_main, portions
from batches.stages.wanted import Make, Wanted
from trace.events.services import Share
from trace.gs1.digital_link import class_uri
from trace.gs1.errors import Gs1Error
from trace.gs1.lots import check_lot, new_lot
from trace.lots.held import batch_of, in_hand, row_of
from trace.lots.models import Batch
from village import clock
from village.db import core, insert_later, insert_now
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.ids import uuid7
from village.places.models import Household, Site
from village.products.models import Product

LOT_PREFIX = "BL"
_COLUMNS = Batch.__table__.c
_TAKEN = select(_COLUMNS.id).where(_COLUMNS.gtin == bindparam("gtin"), _COLUMNS.lot == bindparam("lot"))


def make(
    session: Session,
    wanted: Wanted,
    process: Process,
    stage: Stage,
    inputs: Sequence[Share],
    products: Sequence[Product],
    household: Household,
    site: Site,
    keep: Sequence[Batch],
) -> list[Share]:
    """The new batches, one for each output, in their own rows. Ancestors are shared out over them by weight.

    What comes out beside the main output has no ancestors by weight: bounds speak of the main output, behind which all
    that went in stands. `keep`: the batches of an event that is corrected, which keep their codes and get the new
    figures.
    """
    weights = [
        (one.units or 0) * (product.net_grams or 0) if product.packed else one.grams or 0
        for one, product in zip(wanted.outputs, products, strict=True)
    ]
    origins = origins_after(stage, portions(inputs))
    measured = next((basis_points(r.value) for r in wanted.readings if r.type == "Moisture"), None)
    moisture = _moisture(inputs) if measured is None and stage.kind in REGROUPING else measured
    day = wanted.occurred_at.astimezone(clock.VN).date()
    lots = set[tuple[str, str]]()
    shares: list[Share] = []
    mains = [is_main(stage, product) for product in products]
    total, before = sum(grams for grams, main in zip(weights, mains, strict=True) if main), 0
    for number, (one, product, grams) in enumerate(zip(wanted.outputs, products, weights, strict=True)):
        if keep:
            batch = keep[number]
            _remake(batch, grams, one.units)
        told = {
            "site_id": site.id,
            "outside": outside_after(stage, [share.batch.outside for share in inputs], wanted.facts.get("origin")),
            "origins": shared_out(origins, before, grams, total) if mains[number] else {},
            "moisture": moisture if mains[number] else None,
            "made_at": wanted.occurred_at,
            "best_before": best_before(process, product, day) if product.packed else None,
        }
        before += grams if mains[number] else 0
        if keep:
            for name, value in told.items():
                setattr(batch, name, value)
        else:
            new = _new(session, one, product, process, household, grams, day, number, lots)
            batch = batch_of({**new, **told})
        shares.append(Share(batch, grams, one.units))
    if keep:
        session.flush()
    elif shares:
        insert_later(session, Batch.__table__, [row_of(share.batch) for share in shares])
    return shares


def origins_after(stage: Stage, inputs: Sequence[Portion]) -> dict[str, int]:
    """The ancestors behind what comes out. What is split or blended is not its own ancestor."""
    if not inputs:
        return {}
    same = {portion.material for portion in inputs} if stage.kind in REGROUPING else set[str]()
    return {key: grams for key, grams in carry_origins(inputs).items() if key not in same}


def shared_out(origins: Mapping[str, int], before: int, grams: int, total: int) -> dict[str, int]:
    """The part of `origins` that goes with `grams` of `total`, after `before` of them: all parts sum up exactly."""
    return {key: value * (before + grams) // total - value * before // total for key, value in origins.items()}


def _moisture(inputs: Sequence[Share]) -> int | None:
    """Of what is split or blended: by weight, where it was measured in every part."""
    parts = [(share.grams or 0, share.batch.moisture) for share in inputs]
    if not parts or any(moisture is None for _grams, moisture in parts):
        return None
    return sum(grams * (moisture or 0) for grams, moisture in parts) // sum(grams for grams, _moisture in parts)


def outside_after(stage: Stage, inputs: Sequence[str | None], told: str | None = None) -> str | None:
    """Where it was bought: as told now, or as of all that it was split off or blended from."""
    if stage.kind is Kind.BUY:
        return told
    return inputs[0] if stage.kind in REGROUPING and len(set(inputs)) == 1 else None


def _new(
    session: Session,
    one: Make,
    product: Product,
    process: Process,
    household: Household,
    grams: int,
    day: dt.date,
    number: int,
    lots: set[tuple[str, str]],
) -> dict[str, object]:
    """What a batch is from its birth on, under a code of its own."""
    field = f"outputs.{number}.lot"
    lot = _lot(session, one, product, process, day, field)
    if (product.gtin, lot) in lots:
        raise _lot_taken(lot, field)
    lots.add((product.gtin, lot))
    return {
        "id": uuid7(),
        "epc": class_uri(product.gtin, lot),
        "gtin": product.gtin,
        "lot": lot,
        "product_id": product.id,
        "household_id": household.id,
        "cooperative_id": household.cooperative_id,
        "process": process.key,
        "process_version": process.version,
        "material": product.material,
        "made_grams": grams,
        "left_grams": grams,
        "made_units": one.units,
        "left_units": one.units,
        "hold": "none",
        "hold_reason": "",
        "void": False,
    }


def _remake(batch: Batch, grams: int, units: int | None) -> None:
    """A corrected batch keeps its code; what was used of it must still fit."""
    used_grams = batch.made_grams - batch.left_grams
    used_units = (batch.made_units or 0) - (batch.left_units or 0)
    if grams < used_grams or (units is not None and units < used_units):
        raise Conflict(
            "already-used",
            _l("Mẻ %(lot)s đã dùng nhiều hơn số bác muốn sửa. Sửa bước sau trước rồi mới sửa bước này được."),
            lot=batch.lot,
        )
    batch.made_grams, batch.left_grams = grams, grams - used_grams
    if units is not None:
        batch.made_units, batch.left_units = units, units - used_units


def _lot(session: Session, one: Make, product: Product, process: Process, day: dt.date, field: str) -> str:
    if one.lot is None:
        # Ten million codes a month: the rare clash is left to the unique constraint, and the stage recorded anew.
        return new_lot(LOT_PREFIX, day, secrets.randbelow, process.material(product.material).suffix)
    try:
        lot = check_lot(one.lot)
    except Gs1Error as error:
        raise BadInput(
            "bad-lot", _l("Mã lô chỉ gồm 1 đến 20 chữ không dấu, số và dấu gạch."), field=field, lot=one.lot[:40]
        ) from error
    if _taken(session, product.gtin, lot):
        raise _lot_taken(lot, field)
    return lot


def _lot_taken(lot: str, field: str) -> Conflict:
    return Conflict("lot-taken", _l("Đã có lô mang mã %(lot)s rồi."), field=field, lot=lot)


def _taken(session: Session, gtin: str, lot: str) -> bool:
    held = in_hand(session)
    known = held.lot_taken(gtin, lot) if held is not None else None
    if known is not None:
        return known
    insert_now(session)
    return core(session).execute(_TAKEN, {"gtin": gtin, "lot": lot}).first() is not None


def best_before(process: Process, product: Product, day: dt.date) -> dt.date:
    """The product's own shelf life in days, or else the process's in months."""
    if product.shelf_days is not None:
        return day + dt.timedelta(days=product.shelf_days)
    months = day.month - 1 + process.shelf_life_months
    year, month = day.year + months // 12, months % 12 + 1
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month, min(day.day, last))
