"""Names that the public knows (GLN, canonical Digital Link, GTIN-14), beside our own ids, for the rows they name."""

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.stages.wanted import Take, Wanted
from trace.gs1.digital_link import CANONICAL
from trace.lots.cases import contents
from trace.lots.models import Batch
from trace.lots.services import no_such_batch
from village.db import core, insert_now
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.reference import Reference, reference

_GLN = re.compile(r"[0-9]{13}")
_GTIN = re.compile(r"[0-9]{14}")
_LINK = f"{CANONICAL}/01/"
ID_LENGTH = 36
"""Characters of a UUID. A GLN has 13, a GTIN 14, and a Digital Link with its lot at least 41."""


def refuse_private(wanted: Wanted) -> None:
    """What a phone signs names everything as the public does, or BadInput."""
    named = [("site", bool(_GLN.fullmatch(wanted.site)))]
    named += [(f"inputs.{n}.batch", one.batch.startswith(_LINK)) for n, one in enumerate(wanted.inputs)]
    named += [(f"outputs.{n}.product", bool(_GTIN.fullmatch(one.product))) for n, one in enumerate(wanted.outputs)]
    for field, public in named:
        if not public:
            raise BadInput(
                "public-name-needed",
                _l("Có chữ ký của máy thì nơi làm ghi bằng GLN, mẻ bằng địa chỉ GS1, sản phẩm bằng GTIN 14 số."),
                field=field,
            )


def resolved(session: Session, who: Actor, wanted: Wanted) -> Wanted:
    """The same with our ids. A public name is looked for in the member's own cooperative only.

    A case that is named by its number alone brings along what lies in it.
    """
    if _our_ids(wanted):
        return wanted
    village = reference(session)
    return replace(
        wanted,
        site=_site(village, who, wanted.site),
        inputs=_inputs(session, who, wanted.inputs) if wanted.inputs else _of_case(session, who, wanted),
        outputs=tuple(replace(one, product=_product(village, who, one.product)) for one in wanted.outputs),
    )


def _our_ids(wanted: Wanted) -> bool:
    """True when nothing is named as the public does: each of its names is shorter or longer than our ids."""
    names = (wanted.site, *(one.product for one in wanted.outputs), *(one.batch for one in wanted.inputs))
    return "sscc" not in wanted.facts and all(len(name) == ID_LENGTH for name in names)


def _site(village: Reference, who: Actor, name: str) -> str:
    if not _GLN.fullmatch(name):
        return name
    mine = (one.id for one in village.sites.values() if one.gln == name and one.cooperative_id == who.cooperative_id)
    # A name that nothing bears is refused where an unknown id is.
    return next(mine, name)


def _product(village: Reference, who: Actor, name: str) -> str:
    if not _GTIN.fullmatch(name):
        return name
    ours = (one for one in village.products.values() if one.cooperative_id == who.cooperative_id)
    mine = (one.id for one in ours if one.gtin == name)
    return next(mine, name)


def _of_case(session: Session, who: Actor, wanted: Wanted) -> tuple[Take, ...]:
    sscc = wanted.facts.get("sscc")
    if sscc is None:
        return ()
    return tuple(Take(batch, units=units) for batch, units in contents(session, sscc, who.cooperative_id).items())


def _inputs(session: Session, who: Actor, takes: Sequence[Take]) -> tuple[Take, ...]:
    links = [take.batch for take in takes if take.batch.startswith(_LINK)]
    if not links:
        return tuple(takes)
    insert_now(session)
    rows = core(session).execute(
        select(Batch.epc, Batch.id).where(Batch.epc.in_(links), Batch.cooperative_id == who.cooperative_id)
    )
    found: dict[str, str] = {epc: batch_id for epc, batch_id in rows}
    for number, take in enumerate(takes):
        if take.batch in links and take.batch not in found:
            raise no_such_batch(take.batch, f"inputs.{number}.batch")
    return tuple(replace(take, batch=found.get(take.batch, take.batch)) for take in takes)
