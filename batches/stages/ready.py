"""A stage looked over before it is written down: what it names, found and allowed; and what a phone signs of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from batches.mass import Finding
from batches.processes.models import Kind, Process, Stage
from batches.stages import checks
from batches.stages.wanted import Make, Wanted
from trace.epcis.events import timestamp
from trace.events.services import Share
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.places.models import Household, Site
from village.products.models import Product
from village.reference import Reference, reference


@dataclass(frozen=True)
class Ready:
    """Everything that a stage names, in rows, once no rule speaks against it."""

    process: Process
    stage: Stage
    site: Site
    inputs: list[Share]
    household: Household
    products: list[Product]
    findings: list[Finding]

    @property
    def looking(self) -> bool:
        """True when the inputs are there as before: looked at, or put into a case and out of it."""
        return self.stage.kind in checks.STAYING


def make_ready(session: Session, who: Actor, wanted: Wanted, version: int | None = None) -> Ready:
    """Look a stage over in the caller's transaction, which may be one that only reads. `wanted` names our ids.

    `version`: the process's, for an event that is corrected.
    """
    found = checks.found_inputs(session, wanted.inputs)
    process = checks.process_for(wanted, found.values(), version)
    stage = checks.stage_of(process, wanted)
    checks.time_of(wanted.occurred_at)
    checks.facts_of(stage, wanted)
    village = reference(session)
    site = checks.site_of(village, who, wanted.site)
    inputs = checks.take(session, who, process, stage, wanted, found)
    household = checks.household_of(village, who, stage, wanted, inputs, site)
    products = _products(village, who, process, stage, inputs, wanted.outputs)
    findings = checks.balance(process, stage, wanted, inputs, products)
    return Ready(process, stage, site, inputs, household, products, findings)


def claim_of(ready: Ready, wanted: Wanted) -> dict[str, Any]:
    """What a phone signs of this stage, without its note's commitment (docs/formats.md, "What a phone signs")."""
    claim: dict[str, Any] = {
        "id": wanted.id,
        "process": ready.process.key,
        "stage": ready.stage.key,
        "occurred_at": timestamp(wanted.occurred_at),
        "site": ready.site.gln,
        "inputs": [{"batch": share.batch.epc} | _amount(share.grams, share.units) for share in ready.inputs],
        "outputs": [
            {"product": product.gtin} | _amount(one.grams, one.units)
            for product, one in zip(ready.products, wanted.outputs, strict=True)
        ],
        "readings": [
            {"type": r.type, "value": int(r.value) if r.value == int(r.value) else float(r.value), "unit": r.unit}
            for r in wanted.readings
        ],
    }
    if wanted.passed is not None:
        claim["passed"] = wanted.passed
    if wanted.photos:
        claim["photos"] = list(wanted.photos)
    if wanted.facts:
        claim["facts"] = dict(wanted.facts)
    return claim


def _amount(grams: int | None, units: int | None) -> dict[str, int]:
    if units is not None:
        return {"units": units}
    return {} if grams is None else {"grams": grams}


def _products(
    village: Reference,
    who: Actor,
    process: Process,
    stage: Stage,
    inputs: Sequence[Share],
    outputs: Sequence[Make],
) -> list[Product]:
    if stage.output is None and stage.kind not in checks.REGROUPING:
        if outputs:
            raise BadInput("no-output-here", _l("Bước này không làm ra mẻ mới."), field="outputs")
        return []
    if not outputs:
        raise BadInput("no-output", _l("Bác ghi giúp làm ra được bao nhiêu."), field="outputs")
    if stage.kind is Kind.SPLIT and (len(inputs) != 1 or len(outputs) < 2):
        raise BadInput("two-parts", _l("Chia thì một mẻ thành hai mẻ trở lên."), field="outputs")
    if stage.kind is Kind.MERGE and len(outputs) != 1:
        raise BadInput("one-blend", _l("Gộp xong thì chỉ thành một mẻ."), field="outputs")
    found = []
    for number, one in enumerate(outputs):
        product = checks.product_of(village, who, process, stage, inputs, one.product, f"outputs.{number}.product")
        if product.packed != (one.units is not None):
            raise BadInput(
                "grams-or-units",
                _l("Gói thì ghi số gói, còn lại thì ghi số cân."),
                field=f"outputs.{number}.{'units' if product.packed else 'grams'}",
            )
        if product.packed and one.grams not in (None, (one.units or 0) * (product.net_grams or 0)):
            raise BadInput("net-weight", _l("Số cân không khớp với số gói."), field=f"outputs.{number}.grams")
        if not product.packed and (one.grams is None or one.grams <= 0):
            raise BadInput("no-output", _l("Bác ghi giúp làm ra được bao nhiêu."), field=f"outputs.{number}.grams")
        found.append(product)
    mains = [product for product in found if checks.is_main(stage, product)]
    if not mains:
        raise BadInput("no-main-output", _l("Bác ghi giúp cả thứ chính làm ra được bao nhiêu."), field="outputs")
    if stage.kind is Kind.PACK and len(mains) != 1:
        raise BadInput("one-pack-size", _l("Mỗi lần đóng gói ghi một cỡ gói thôi nhé."), field="outputs")
    return found
