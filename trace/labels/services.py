"""A lot's label as bytes: what stands on it comes from the batch, its product and its cooperative."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import joinedload

from trace.gs1.digital_link import DigitalLink
from trace.labels import render
from trace.labels.text import LabelText
from trace.lots.models import Batch
from village import clock
from village.db import db
from village.errors import BadInput, Conflict, Forbidden, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import signed_in
from village.people.models import Role
from village.places.models import Household
from village.settings import Settings

GUEST_SHEET = 210
"""Labels that anybody may print at once; members of a cooperative up to `render.MAX_LABELS`."""
TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Printed:
    """A finished label or sheet."""

    body: bytes
    mimetype: str
    file_name: str

    @property
    def etag(self) -> str:
        """Of its bytes: the same label gives the same ones."""
        return hashlib.sha256(self.body).hexdigest()[:24]


def labelled(link: DigitalLink) -> Batch:
    """The packed lot that gets a label. NotFound for none or one not packed, Conflict for one that may not go out."""
    batch = packed(and_(Batch.gtin == link.gtin, Batch.lot == link.lot))
    if batch is None:
        raise NotFound("no-lot", _l("Không có lô nào mang mã %(lot)s, nên không có tem."), gtin=link.gtin, lot=link.lot)
    return printable(batch)


def packed(which: ColumnElement[bool]) -> Batch | None:
    """The lot with all that its label needs; NotFound for a batch that is not packed."""
    batch = db.session.scalar(
        select(Batch)
        .where(which)
        .options(
            joinedload(Batch.product),
            joinedload(Batch.household).options(joinedload(Household.cooperative), joinedload(Household.hamlet)),
        )
    )
    if batch is not None and (not batch.product.packed or batch.best_before is None):
        raise NotFound("no-label", _l("Mẻ %(lot)s chưa đóng gói nên chưa có tem."), lot=batch.lot)
    return batch


def printable(batch: Batch) -> Batch:
    """The lot itself; Conflict for one that may not go out."""
    if batch.void:
        raise Conflict("void-lot", _l("Lô %(lot)s đã được khai là ghi nhầm, nên không in tem nữa."), lot=batch.lot)
    if batch.hold == "recalled":
        raise Conflict("recalled-lot", _l("Lô %(lot)s đã bị thu hồi, nên không in tem nữa."), lot=batch.lot)
    return batch


def _soi() -> Settings:
    found: Settings = current_app.extensions["soi"]
    return found


def text_of(batch: Batch) -> LabelText:
    """What stands on the label. The household only where it agreed to be named."""
    cooperative, product = batch.household.cooperative, batch.product
    maker = f"{batch.household.name}, {cooperative.name}" if batch.household.named else cooperative.name
    return LabelText(
        # In the village's own language, as all of the label is.
        name=f"TẬP GHI · {product.name_vi}" if _soi().training else product.name_vi,
        net_grams=product.net_grams or 0,
        lot=batch.lot,
        produced=batch.made_at.astimezone(clock.VN).date(),
        expires=batch.best_before or dt.date.max,
        producer=maker,
        producer_address=cooperative.address,
        ingredients=product.ingredients_vi,
        gtin=batch.gtin,
        address=DigitalLink(batch.gtin, lot=batch.lot).under(_soi().public_url),
        usage=" ".join(part for part in (product.usage_vi, product.storage_vi) if part),
        warning=product.warning_vi,
    )


def printed(batch: Batch, kind: str, sheet: int | None) -> Printed:
    """The label in one of `TYPES`; with `sheet`, that many on A4 (PDF only)."""
    text = text_of(batch)
    name = file_name(batch)
    if kind == "svg":
        return Printed(render.label_svg(text).encode(), TYPES[kind], f"{name}.svg")
    if kind == "png":
        return Printed(render.label_png(text), TYPES[kind], f"{name}.png")
    if sheet is None:
        return Printed(render.label_pdf(text), TYPES[kind], f"{name}.pdf")
    return Printed(render.sheet_pdf(text, sheet), TYPES[kind], f"{name}-{sheet}.pdf")


def file_name(batch: Batch) -> str:
    """What a lot's files are called, without an ending."""
    return f"tem-{batch.gtin}-{''.join(c if c.isalnum() or c in '-_' else '_' for c in batch.lot)}"


def sheet_size(asked: str | None) -> int | None:
    """How many labels a sheet is to hold, as the address asks; None for a single one."""
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 5 and 1 <= int(asked) <= render.MAX_LABELS):
        raise BadInput(
            "bad-sheet", _l("Mỗi lần in từ 1 đến %(most)s tem."), field="sheet", most=render.MAX_LABELS
        )  # fmt: skip
    count = int(asked)
    if count > GUEST_SHEET and not signed_in().has(Role.PRODUCER, Role.OFFICE, Role.SELLER):
        raise Forbidden("many-labels", _l("In hơn %(most)s tem một lần là việc của hợp tác xã."), most=GUEST_SHEET)
    return count
