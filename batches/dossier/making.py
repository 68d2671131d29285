"""Putting a dossier together: evidence in, a zip on disk out."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from batches.balance.spans import Span
from batches.dossier import papers, tables, texts
from batches.dossier.archive import Archive, Full
from batches.dossier.checklist import STARS_FOLDER, WANTED, Standing, checklist
from batches.dossier.drawing import standalone
from batches.dossier.evidence import MOST_LOTS, MOST_PHOTOS, Evidence, gather
from trace.gs1.digital_link import DigitalLink
from trace.labels import render
from trace.labels import services as labels
from trace.ledger import published, witnesses
from trace.ledger.lotproof import SUFFIX as LOT_SUFFIX
from trace.lots.proof import lot_proof
from trace.passports.printing import passport_pdf
from trace.passports.services import passport
from trace.photos.services import store as photo_store
from trace.reports.services import papers as report_papers
from village import clock
from village.errors import Conflict, NotFound
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.places.models import Household
from village.products.models import Product
from village.settings import ROOT, Settings
from village.text import plain_letters

MOST_BYTES, MOST_PHOTO_BYTES = 400 << 20, 300 << 20
"""Of a whole dossier, and how full it may be for one more photo to go in."""
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
VERIFIER = ROOT / "trace" / "verifier" / "soi_verify.py"
_FOLDER = {one.key: one.folder for one in WANTED}

Say = Callable[[int, int], None]
"""Told how far it is: so many of so many steps."""


@dataclass
class Making:
    """A dossier while it is made."""

    found: Evidence
    told: list[Standing]
    archive: Archive
    say: Say
    notes: list[str] = field(default_factory=list)
    """What a reader has to know besides, such as photos that were left out."""
    steps: int = 0

    def step(self) -> None:
        """One more thing is in."""
        self.steps += 1
        self.say(self.steps, len(self.found.lots) + len(self.found.photos) + 10)


def make(session: Session, who: Actor, product_id: str, span: Span, path: Path, say: Say) -> Making:
    """Write the dossier to `path`. Raises Conflict where its papers are more than a dossier may hold."""
    product = session.scalars(
        select(Product).where(Product.id == product_id).options(joinedload(Product.cooperative))
    ).one()
    link = DigitalLink(product.gtin)
    soi: Settings = current_app.extensions["soi"]
    # First: it may write, and whoever writes forgets what it had read.
    paper = passport_pdf(passport(link), soi.public_url, training=soi.training)
    product = session.scalars(
        select(Product).where(Product.id == product_id).options(joinedload(Product.cooperative))
    ).one()
    found = gather(session, who, product, span)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch, Archive(path, clock.today(), MOST_BYTES) as archive:
        making = Making(found, checklist(found), archive, say)
        try:
            _certificates(making)
            _origin(making, session, Path(scratch))
            _stamp(making)
            if found.product.story_vi.strip():
                archive.add(f"{_FOLDER['story']}/cau-chuyen.txt", texts.story(found))
            archive.add(f"{_FOLDER['passport']}/ho-chieu-so.pdf", paper)
            _reports(making, Path(scratch))
            _inspections(making, Path(scratch))
            _lots(making, session, Path(scratch), soi.public_url)
        except Full as error:
            full = _l("Giấy tờ của kỳ này nặng quá một bộ hồ sơ. Bác chọn kỳ ngắn hơn nhé.")
            raise Conflict("dossier-too-big", full) from error
        _photos(making)
        _about(making, soi)
    return making


def _about(making: Making, soi: Settings) -> None:
    """The cover, what to read first, and the hashes; last, since they tell of all the rest."""
    found, archive, coop = making.found, making.archive, making.found.product.cooperative
    if found.lots_in_all > len(found.lots):
        making.notes.append(f"Kỳ này có {found.lots_in_all} lô; hồ sơ mang {MOST_LOTS} lô mới nhất.")
    if found.void:
        making.notes.append(f"{found.void} lô của kỳ này đã được khai là ghi nhầm, không tính vào hồ sơ.")
    if soi.training:
        making.notes.append("TẬP GHI: hồ sơ này lấy từ sổ tập, không phải sổ thật.")
    if soi.demo:
        making.notes.append("Làng dựng thử: người, hộ và mẻ hàng trong hồ sơ đều do máy đặt ra.")
    archive.add(
        texts.READ_ME,
        texts.read_me(found, coop, making.told, making.notes, f"{soi.public_url}/ledger", f"{soi.public_url}/verify"),
    )
    files = sorted(archive.files, key=lambda one: one.name)
    archive.add(texts.COVER, texts.cover(found, coop, making.told, files, making.notes, clock.today()))
    archive.add(texts.SUMS, texts.sums(sorted(archive.files, key=lambda one: one.name)))


def _certificates(making: Making) -> None:
    for kind in (*_FOLDER, "ocop"):
        folder = _FOLDER.get(kind, STARS_FOLDER)
        for number, (certificate, row) in enumerate(making.found.of_kind(kind), start=1):
            if row is None:
                continue
            if not papers.store().intact(row.sha256):
                making.notes.append(f"Tờ giấy số {certificate.number} không còn nguyên trong máy, nên không kèm.")
                continue
            name = f"{folder}/{number:02d}-{_short(certificate.number)}.{ENDINGS[row.mime]}"
            making.archive.copy(name, papers.store().path(row.sha256))
    making.step()


def _origin(making: Making, session: Session, scratch: Path) -> None:
    found, folder = making.found, _FOLDER["origin"]
    if not found.balance.balance.rows:
        return
    rows = session.scalars(
        select(Household)
        .where(Household.id.in_([home.id for home in found.balance.homes]))
        .options(joinedload(Household.hamlet), joinedload(Household.cooperative))
    )
    sheets = tables.balance_sheets(found, {home.id: home for home in rows})
    _tables(making, folder, tables.write_tables(scratch, "can-doi", sheets))
    drawn = standalone(found.balance.balance.picture, f"Cân đi cân lại, {texts.period(found)}")
    making.archive.add(f"{folder}/can-doi.svg", drawn.encode())
    making.step()


def _stamp(making: Making) -> None:
    lot = making.found.labelled
    if lot is None:
        return
    label = labels.text_of(lot)
    making.archive.add(f"{_FOLDER['stamp']}/tem.pdf", render.label_pdf(label))
    making.archive.add(f"{_FOLDER['stamp']}/tem.png", render.label_png(label))
    making.step()


def _reports(making: Making, scratch: Path) -> None:
    folder, names = _FOLDER["lab"], dict[str, str]()
    for number, report in enumerate(making.found.reports, start=1):
        if report.sha256 in names:
            continue
        if not report_papers().intact(report.sha256):
            making.notes.append(f"Tờ phiếu số {report.number} không còn nguyên trong máy, nên không kèm.")
            continue
        names[report.sha256] = f"{number:02d}-{_short(report.number)}.{ENDINGS[report.mime]}"
        making.archive.copy(f"{folder}/{names[report.sha256]}", report_papers().path(report.sha256))
    if making.found.reports:
        _tables(making, folder, tables.write_tables(scratch, "phieu", tables.report_sheets(making.found, names)))
    making.step()


def _inspections(making: Making, scratch: Path) -> None:
    if making.found.inspections:
        sheets = tables.inspection_sheets(making.found)
        _tables(making, _FOLDER["inspections"], tables.write_tables(scratch, "kiem-tra", sheets))
    making.step()


def _lots(making: Making, session: Session, scratch: Path, public_url: str) -> None:
    found, folder = making.found, _FOLDER["lots"]
    if not found.lots:
        return
    _tables(making, folder, tables.write_tables(scratch, "lo", tables.lot_sheets(found, public_url)))
    for number, lot in enumerate(found.lots, start=1):
        try:
            proof = lot_proof(lot.gtin, lot.lot, witnesses.enough).document
        except NotFound:
            proof = None
        if proof is None:
            making.notes.append(f"Lô {lot.lot} chưa có bằng chứng trong sổ đã ký.")
        else:
            making.archive.add(f"{folder}/{number:03d}-{_short(lot.lot)}{LOT_SUFFIX}", proof)
        making.step()
    making.archive.copy(f"{folder}/soi_verify.py", VERIFIER)
    keys = "".join(f"{key}\n" for key in published.vkeys(session))
    making.archive.add(f"{folder}/khoa-so.txt", keys.encode())


def _photos(making: Making) -> None:
    """Last, and as many as there is room for: photos are the heaviest and the least missed."""
    folder, left_out = _FOLDER["photos"], 0
    told: list[dict[str, str | int]] = []
    for number, (photo, event) in enumerate(making.found.photos, start=1):
        making.step()
        if not photo_store().intact(photo.sha256):
            continue
        name = f"{number:03d}.{ENDINGS.get(photo.mime, 'jpg')}"
        if making.archive.held + photo.size > MOST_PHOTO_BYTES:
            left_out += 1
            continue
        making.archive.copy(f"{folder}/{name}", photo_store().path(photo.sha256))
        told.append({"file": name, "sha256": photo.sha256, "stage": event.name_vi, "entry": event.entry_index})
    if told:
        body = json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"
        making.archive.add(f"{folder}/anh.json", body)
    if left_out or making.found.photos_in_all > MOST_PHOTOS:
        making.notes.append(f"Hồ sơ mang {len(told)} ảnh mới nhất; còn ảnh nữa ở trang của từng lô.")


def _tables(making: Making, folder: str, paths: list[Path]) -> None:
    for path in paths:
        making.archive.copy(f"{folder}/{path.name}", path)


def _short(text: str) -> str:
    """What people typed, as part of a file's name."""
    return plain_letters(text)[:40].strip("-") or "khong-so"
