"""A planned row as the stage that it asks to have recorded, once it is known which batches it takes."""

from collections.abc import Mapping, Sequence

from batches.sheets import cells
from batches.sheets.cells import Unclear
from batches.sheets.columns import (
    AMOUNT,
    HOUSEHOLD,
    LOT,
    NOTE,
    ORIGIN,
    PASSED,
    READING,
    REASON,
    SITE,
    STAGE,
    TAKES,
    WHEN,
)
from batches.sheets.lines import Result, Source
from batches.sheets.plan import Planned
from batches.stages.checks import LOOKING
from batches.stages.wanted import Make, Take, Wanted
from trace.lots.models import Batch
from village.i18n import lazy_gettext as _l
from village.products.models import Product

_COLUMNS = (
    ("inputs", TAKES), ("outputs", AMOUNT), ("readings", READING), ("occurred_at", WHEN), ("household", HOUSEHOLD),
    ("site", SITE), ("stage", STAGE), ("note", NOTE), ("passed", PASSED), ("facts.reason", REASON),
    ("facts.origin", ORIGIN),
)  # fmt: skip


def column_of_field(field: str | None) -> str:
    """The column in which the value of such a field stands; empty for the row as a whole."""
    if field is not None and field.endswith(".lot"):
        return LOT
    return next((column for name, column in _COLUMNS if field is not None and field.startswith(name)), "")


def wanted_of(row: Planned, batches: Sequence[Batch], products: Mapping[str, Product]) -> Wanted:
    """The stage. `batches` are what its sources name, in their order. Raises Unclear with `column`."""
    line = row.line
    looks = line.kind in LOOKING
    return Wanted(
        id=row.id,
        process=line.process,
        stage=line.stage,
        occurred_at=line.when,
        site=line.site,
        household=line.household,
        inputs=tuple(
            Take(batch.id) if looks else _take(batch, source)
            for batch, source in zip(batches, line.sources, strict=True)
        ),
        outputs=tuple(_make(one, batches, products) for one in line.results),
        readings=line.readings,
        note=line.note,
        passed=line.passed,
        facts=line.facts,
        value_dong=line.value,
    )


def _take(batch: Batch, source: Source) -> Take:
    if source.amount is None:
        return Take(batch.id)
    try:
        if batch.made_units is not None:
            return Take(batch.id, units=cells.packs(source.amount, source.unit))
        return Take(batch.id, grams=cells.grams(source.amount, source.unit))
    except Unclear as error:
        raise Misfit(TAKES, error) from error


def _make(one: Result, batches: Sequence[Batch], products: Mapping[str, Product]) -> Make:
    product_id = one.product or (batches[0].product_id if batches else "")
    product = products.get(product_id)
    try:
        if product is None:
            raise Unclear(_l("Bác ghi giúp làm ra thứ gì."))
        if product.packed:
            return Make(product.id, units=cells.packs(one.amount, one.unit), lot=one.lot)
        return Make(product.id, grams=cells.grams(one.amount, one.unit), lot=one.lot)
    except Unclear as error:
        raise Misfit(AMOUNT, error) from error


class Misfit(Exception):
    """An amount that does not fit what it is of."""

    def __init__(self, column: str, reason: Unclear) -> None:
        super().__init__(column)
        self.column, self.reason = column, reason
