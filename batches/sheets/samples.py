"""A table to begin with, for one process: its columns, an example row for each stage, and what each column wants."""

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session

from batches.processes.models import WHOLE, Kind, Process, Stage
from batches.sheets.columns import READING, Column, columns
from batches.sheets.exporting import Form
from batches.sheets.lines import ELSEWHERE, SAMPLE_NOTE
from batches.sheets.names import Names
from batches.sheets.written_safely import CsvTable, Value, Workbook
from village import clock
from village.i18n import gettext as _
from village.people.access import Actor
from village.places.models import Household
from village.reference import reference

START = 1_000_000
"""Grams with which the example begins."""


def sample(session: Session, who: Actor, process: Process, form: Form) -> bytes:
    """The file's bytes."""
    shown = _columns(process)
    rows = _rows(session, who, process, shown)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        if form == "csv":
            with CsvTable(path) as table:
                # Above the headings, where reading begins, there is room for words.
                for one in shown:
                    table.row([f"# {one.heading}: {_wants(one)}"])
                for row in rows:
                    table.row(row)
        else:
            book = Workbook(path)
            with book.sheet(_("Ghi chép"), [16] * len(shown)) as table:
                for row in rows:
                    table.row(row)
            with book.sheet(_("Cách ghi"), (22, 90)) as table:
                table.row([_("Cột"), _("Ghi gì")])
                for one in shown:
                    table.row([one.heading, _wants(one)])
            book.close()
        return path.read_bytes()


def _columns(process: Process) -> list[Column]:
    types = {READING + need.type for stage in process.stages for need in stage.readings}
    kinds = {stage.kind for stage in process.stages}
    unused = {"event"} | (set() if Kind.BUY in kinds else {"origin"}) | (set() if Kind.LOSE in kinds else {"reason"})
    return [
        one
        for one in columns()
        if not one.ignored and one.key not in unused and (not one.key.startswith(READING) or one.key in types)
    ]


def _rows(session: Session, who: Actor, process: Process, shown: list[Column]) -> list[list[Value]]:
    rows: list[list[Value]] = [[one.heading for one in shown]]
    household = _household(session, who)
    there: dict[str, tuple[str, int]] = {}
    day = clock.now().astimezone(clock.VN).replace(hour=7, minute=0, second=0, microsecond=0) - dt.timedelta(days=20)
    for number, stage in enumerate(_chain(process), start=1):
        values = _values(session, who, process, stage, there, f"r{number}")
        if values is None:
            continue
        values |= {
            "ref": f"r{number}", "when": day.replace(tzinfo=None), "household": household, "process": process.name.vi,
            "stage": stage.name.vi, "note": _(SAMPLE_NOTE),
        }  # fmt: skip
        rows.append([values.get(one.key) for one in shown])
        day += dt.timedelta(days=1)
    return rows


def _household(session: Session, who: Actor) -> str:
    mine = [one for one in reference(session).households.values() if who.works_for(one.id, one.cooperative_id)]
    own: Household | None = next((one for one in mine if one.id == who.household_id), mine[0] if mine else None)
    return own.name if own else _("tên hộ")


def _chain(process: Process) -> list[Stage]:
    """The plain way from the field to the shop, with nothing optional on it."""
    kinds = (Kind.COMMISSION, Kind.TRANSFORM, Kind.INSPECT, Kind.PACK, Kind.DISPATCH)
    return [one for one in process.stages if one.kind in kinds and not one.optional and one.kind not in ELSEWHERE]


def _values(
    session: Session, who: Actor, process: Process, stage: Stage, there: dict[str, tuple[str, int]], ref: str
) -> dict[str, Value] | None:
    """What an example of this stage says, out of what the examples before it left in `there`: (ref, amount) by
    material."""
    values: dict[str, Value] = {
        READING + need.type: need.usual[0] if need.usual else need.limit or need.low
        for need in stage.readings
        if need.required
    }
    if stage.kind is Kind.COMMISSION:
        there[stage.output or ""] = (ref, START)
        return values | {"amount": Decimal(START) / 1000}
    source = next(((material, *there[material]) for material in stage.inputs if material in there), None)
    if source is None:
        return None
    material, name, amount = source
    if stage.kind is Kind.INSPECT:
        return values | {"takes": name, "passed": _("đạt")}
    if stage.kind is Kind.DISPATCH:
        return values | {"takes": f"{name} {_('%(count)s gói', count=amount)}"}
    taken = f"{name} {_kilograms(amount)} kg"
    if stage.kind is Kind.PACK:
        product = _pack(session, who, process, stage)
        if product is None:
            return None
        count = amount // product[1]
        there[stage.output or ""] = (ref, count)
        return values | {"takes": taken, "product": product[0], "amount": count}
    made = _made(stage, material, amount)
    del there[material]
    there[stage.output or ""] = (ref, made)
    return values | {"takes": taken, "amount": Decimal(made) / 1000}


def _made(stage: Stage, material: str, amount: int) -> int:
    bounds = stage.yields.get(material)
    share = (bounds.usual_min + bounds.usual_max) // 2 if bounds else WHOLE
    return amount * share // WHOLE // 1000 * 1000


def _kilograms(grams: int) -> str:
    return f"{Decimal(grams) / 1000:f}".replace(".", ",")


def _pack(session: Session, who: Actor, process: Process, stage: Stage) -> tuple[str, int] | None:
    """(name, net grams) of the smallest pack that the cooperative sells of this."""
    packs = [
        (one.net_grams, one.name_vi)
        for one in Names(session, who).products().values()
        if one.active and one.cooperative_id == who.cooperative_id and one.net_grams
        and (one.process, one.material) == (process.key, stage.output)
    ]  # fmt: skip
    return (min(packs)[1], min(packs)[0]) if packs else None


def _wants(column: Column) -> str:
    if column.key.startswith(READING):
        return _("con số đo được, thí dụ 13,2; bước nào không đo thì để trống")
    return {
        "ref": _("tên riêng của dòng, viết liền (r1, r2…), để dòng sau lấy từ nó khi lô chưa có mã"),
        "when": _("20/11/2026 hoặc 20/11/2026 06:30"),
        "household": _("tên hộ như trong danh sách của hợp tác xã; để trống nếu là hộ mình"),
        "site": _("tên nơi làm hoặc mã GLN; để trống nếu hộ chỉ có một nơi"),
        "process": _("tên quy trình, thí dụ Miến dong"),
        "stage": _("tên bước, mỗi dòng một bước"),
        "takes": _("mã lô hoặc số hiệu, rồi số cân hay số gói; nhiều mẻ thì cách nhau bằng dấu ; như r1 120; r2 30,5"),
        "product": _("tên sản phẩm hoặc GTIN; để trống nếu bước chỉ làm ra một thứ; nhiều thứ thì cách bằng dấu ;"),
        "amount": _("số cân (kg) hoặc số gói làm ra; nhiều thứ thì cách nhau bằng dấu ;"),
        "lot": _("mã lô mình đã in sẵn; để trống thì sổ cho mã"),
        "passed": _("đạt hoặc không đạt, cho bước kiểm tra"),
        "reason": _("vì sao hao, cho bước ghi hao hụt"),
        "origin": _("mua từ vùng nào, cho bước mua ngoài"),
        "value": _("tiền mua hay bán được, bằng đồng; không lên sổ chung"),
        "note": _("lời ghi thêm; số nào lạ thì phải có lý do ở đây"),
    }[column.key]
