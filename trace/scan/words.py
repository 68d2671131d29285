"""How the scan page says things: faults, amounts, readings, places, people. In the reader's language."""

import datetime as dt
from decimal import Decimal
from typing import Any

from trace.events.models import Event, EventBatch
from trace.events.reasons import reason_name
from trace.lots.holding import HOLD, RELEASE, REPORT, RETURN
from trace.lots.models import Batch
from trace.scan.proof import Fault
from village import i18n
from village.i18n import gettext as _
from village.i18n import in_language
from village.people.phones import shown_phone
from village.places.models import Household, Site
from village.products.models import Product

MOST_NAMED = 8
"""Batches named in one sentence; a blend of a whole season is summed up."""


def fault(found: Fault) -> str:
    """One sentence about what does not hold."""
    if found.slug == "amount" and found.told and found.shown:
        return _(
            "Số trong sổ là %(told)s, bản ghi này lại nói %(shown)s.",
            told=_counted(*found.told), shown=_counted(*found.shown),
        )  # fmt: skip
    if found.slug == "time" and isinstance(found.told, dt.datetime) and isinstance(found.shown, dt.datetime):
        return _(
            "Sổ ghi lúc %(told)s, bản ghi này lại nói %(shown)s.",
            told=i18n.moment(found.told), shown=i18n.moment(found.shown),
        )  # fmt: skip
    if found.slug == "recall":
        if found.told:
            return _("Sổ ghi lô này đang bị thu hồi, mà ở đây không nói ra.")
        return _("Ở đây nói lô này đang bị thu hồi, mà sổ không ghi vậy.")
    told = {
        "bytes": _("Dòng này của sổ đã bị đổi sau khi ghi."),
        "unreadable": _("Dòng này của sổ không còn đọc được."),
        "missing": _("Dòng này không còn trong sổ."),
        "signature": _("Chữ ký của người giữ sổ không khớp với điều đang ghi ở đây."),
        "tree": _("Dòng này không nằm trong cuốn sổ đã ký."),
        "chain": _("Dòng này không nối với dòng trước nó của cùng một mẻ."),
        "unlisted": _("Bước này có trong sổ nhưng đã bị gỡ khỏi câu chuyện."),
        "identity": _("Bước này chỉ tới một dòng khác trong sổ."),
        "stage": _("Sổ ghi một bước khác với bước đang kể ở đây."),
        "time": _("Giờ ghi ở đây không khớp với sổ."),
        "place": _("Nơi ghi ở đây không khớp với sổ."),
        "reading": _("Số đo ghi ở đây không khớp với sổ."),
        "series": _("Đường số đo ở đây không phải đường đã ghi trong sổ."),
        "verdict": _("Kết quả kiểm tra ghi ở đây không khớp với sổ."),
        "fact": _("Nơi mua, lý do hay số thùng ghi ở đây không khớp với sổ."),
        "photo": _("Ảnh ở bước này không phải ảnh đã ghi trong sổ."),
        "lot": _("Mã mẻ ghi ở đây không khớp với sổ."),
        "amount": _("Số lượng ghi ở đây không khớp với sổ."),
        "best-before": _("Hạn dùng ghi ở đây không khớp với sổ."),
        "correction": _("Bước này được ghi là đã sửa, nhưng sổ không nói vậy."),
        "parents": _("Mẻ nào làm ra mẻ nào: ở đây kể khác với sổ."),
        "checkpoint": _("Chữ ký trên cả cuốn sổ không khớp."),
        "custodian": _("Khoá của người giữ sổ không phải khoá đã ghi trong sổ."),
    }
    return told.get(found.slug, _("Bước này không khớp với sổ chung."))


def _counted(quantity: int, unit: str) -> str:
    return packs(quantity) if unit == "packs" else i18n.kilograms(quantity)


def phone(number: str) -> str:
    """A telephone number as people write it."""
    return shown_phone(number)


def packs(units: int) -> str:
    """`40 gói`"""
    return _("%(count)s gói", count=i18n.number(units))


def net(grams: int) -> str:
    """`500 g`, `1 kg`: as on the pack."""
    return i18n.kilograms(grams) if grams >= 1000 else f"{i18n.number(grams)}\u00a0g"


def name(product: Product) -> str:
    """A product's name."""
    return in_language(product.name_vi, product.name_en)


def short_name(batch: Batch) -> str:
    """A batch in the small drawing: a pack by its net weight, a material by its name, cut to fit."""
    if batch.product.net_grams is not None:
        return _("Gói %(net)s", net=net(batch.product.net_grams))
    words = name(batch.product)
    words = words[:1].upper() + words[1:]
    return words if len(words) <= 17 else words[:16].rstrip() + "…"


def amount(grams: int | None, units: int | None) -> str:
    """What there was of a batch."""
    if units is not None:
        return packs(units)
    return i18n.kilograms(grams) if grams else ""


def share(part: EventBatch) -> str:
    """`1.250 kg củ dong riềng`, `40 gói miến 500 g`"""
    how_much = amount(part.grams, part.units)
    what = name(part.batch.product)
    what = what[:1].lower() + what[1:]
    return f"{how_much} {what}".strip()


def what_happened(event: Event) -> str:
    """Amounts and readings, in a sentence or two."""
    inputs = [share(part) for part in event.parts if part.part == "input"]
    outputs = [share(part) for part in event.parts if part.part == "output"]
    said: list[str] = []
    if event.kind == "inspect":
        said.append(inspected(event))
    elif event.stage == RETURN:
        back = [share(part) for part in event.parts if part.part == "about"]
        said.append(_("%(back)s gửi đi rồi lại về, còn nguyên.", back=_joined(back)))
    elif event.kind == "lose":
        said.append(_("%(lost)s không còn nữa: %(reason)s.", lost=_joined(inputs), reason=reason(event)))
    elif event.kind == "buy":
        said.append(
            _("%(what)s, mua ngoài từ %(origin)s.", what=_joined(outputs), origin=event.facts.get("origin", ""))
        )
    elif event.kind != "dispatch" and outputs:
        made = _joined(outputs)
        said.append(_("%(made)s, từ %(taken)s.", made=made, taken=_joined(inputs)) if inputs else f"{made}.")
    said += [reading(one) for one in event.readings]
    return " ".join(said)


def inspected(event: Event) -> str:
    """An inspection's outcome; the office's own acts are said as what they are."""
    if event.stage == HOLD:
        return _("Giữ lại để xem, chưa dùng.")
    if event.stage == RELEASE:
        return _("Đã xem lại, dùng được.")
    outcome = _("Đạt.") if event.passed else _("Chưa đạt.")
    if event.stage != REPORT:
        return outcome
    laboratory, number = event.facts.get("laboratory", ""), event.facts.get("number", "")
    return f"{outcome} " + _("%(laboratory)s, phiếu số %(number)s.", laboratory=laboratory, number=number)


def reason(event: Event) -> str:
    """Why something was lost, in the words of its process."""
    key = event.facts.get("reason", "")
    name = reason_name(event.process, event.process_version, event.stage, key)
    return in_language(*name) if name else key


def _joined(words: list[str]) -> str:
    if len(words) > MOST_NAMED:
        words = [*words[:MOST_NAMED], _("%(count)s mẻ khác", count=i18n.number(len(words) - MOST_NAMED))]
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s và %(last)s", first=", ".join(words[:-1]), last=words[-1])


def reading(one: dict[str, Any]) -> str:
    """`Độ ẩm 13,2 %.`"""
    names = {
        "Moisture": _("Độ ẩm"),
        "DryMatter": _("Chất khô"),
        "Temperature": _("Nhiệt độ"),
        "RelativeHumidity": _("Độ ẩm không khí"),
    }
    units = {"P1": "%", "CEL": "°C"}
    point = "," if i18n.current_language() == "vi" else "."
    unit = units.get(one["unit"], one["unit"])
    if "series" in one:
        told = {key: f"{Decimal(one[key]):.1f}".replace(".", point) for key in ("value", "low", "high")}
        return _("%(name)s từ %(low)s đến %(high)s %(unit)s, trung bình %(value)s %(unit)s.",
                 name=names.get(one["type"], one["type"]), unit=unit, **told)  # fmt: skip
    value = str(one["value"]).replace(".", point)
    return f"{names.get(one['type'], one['type'])} {value}\u00a0{unit}."


def place(site: Site) -> str:
    """`Tại xưởng, bản Chu Va 6`: a site's own name may name a person, so it is not said."""
    kinds = {"field": _("Ngoài ruộng"), "workshop": _("Tại xưởng"), "store": _("Tại kho")}
    return f"{kinds[site.kind]}, {hamlet(site.hamlet.name)}"


def hamlet(called: str) -> str:
    """`bản Chu Va 6`, however the office wrote it."""
    return called if called.lower().startswith(("bản ", "thôn ", "tổ ")) else _("bản %(name)s", name=called)


def who(household: Household) -> str:
    """The household's name where it agreed to that; else where it lives and whom it belongs to."""
    if household.named:
        return household.name
    return _(
        "Một hộ ở %(hamlet)s, %(cooperative)s",
        hamlet=hamlet(household.hamlet.name), cooperative=household.cooperative.name,
    )  # fmt: skip


def _read(event: Event, kind: str) -> str:
    found = [reading(one).rstrip(".") for one in event.readings if one["type"] == kind]
    return ", ".join(found) or _("chưa đo")


def corrected(before: Event, after: Event) -> str:
    """What was put right, on the knot of the event that tells it right."""
    day = i18n.date(after.recorded_at)
    changes: list[str] = []
    old = {(part.part, part.position): part for part in before.parts}
    for part in after.parts:
        was = old.get((part.part, part.position))
        if was is not None and (was.grams, was.units) != (part.grams, part.units):
            then, now = amount(was.grams, was.units), amount(part.grams, part.units)
            changes.append(_("%(was)s thành %(now)s", was=then, now=now))
    if before.occurred_at != after.occurred_at:
        then, now = i18n.moment(before.occurred_at), i18n.moment(after.occurred_at)
        changes.append(_("%(was)s thành %(now)s", was=then, now=now))
    for kind in dict.fromkeys(one["type"] for one in (*before.readings, *after.readings)):
        was_read, now_read = _read(before, kind), _read(after, kind)
        if was_read != now_read:
            changes.append(_("%(was)s thành %(now)s", was=was_read, now=now_read))
    if before.facts.get("origin") != after.facts.get("origin"):
        then, now = before.facts.get("origin", ""), after.facts.get("origin", "")
        changes.append(_("%(was)s thành %(now)s", was=then, now=now))
    if before.facts.get("reason") != after.facts.get("reason"):
        changes.append(_("%(was)s thành %(now)s", was=reason(before), now=reason(after)))
    if before.passed is not after.passed:
        changes.append(_("kết quả kiểm tra"))
    index = before.entry_index
    if not changes:
        return _("Ghi nhầm, đã ghi lại ngày %(day)s. Bản cũ vẫn giữ ở dòng %(index)s.", day=day, index=index)
    return _(
        "Ghi nhầm, đã sửa ngày %(day)s: %(changes)s. Bản cũ vẫn giữ ở dòng %(index)s.",
        day=day, changes="; ".join(changes[:MOST_NAMED]), index=index,
    )  # fmt: skip
