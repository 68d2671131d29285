"""What stands in a dossier as words: its cover, the note on what is in it, how to check it. In Vietnamese: a council
reads it."""

import datetime as dt
from collections.abc import Sequence

from batches.dossier.archive import Filed
from batches.dossier.checklist import HEADINGS, Standing, missing
from batches.dossier.evidence import Evidence
from trace.passports.document import Sheet
from village import i18n
from village.places.models import Cooperative

COVER, READ_ME, SUMS = "00-bia.pdf", "00-doc-truoc.txt", "00-SHA256SUMS"
_PRIVATE = (
    "Giấy tờ trong hồ sơ là nguyên tờ, có thể mang tên và chữ ký: chỉ nộp cho hội đồng. "
    "Hộ nào chưa đồng ý nêu tên thì chỉ ghi bản và hợp tác xã."
)


def period(found: Evidence) -> str:
    """`từ 01/08/2026 đến 31/07/2027`"""
    return f"từ {i18n.date(found.span.first)} đến {i18n.date(found.span.last)}"


def whole(told: Sequence[Standing]) -> str:
    """Whether all is there, in a sentence."""
    lacking = missing(list(told))
    return f"Còn thiếu {len(lacking)} mục." if lacking else "Hồ sơ đủ các mục trong danh mục."


def cover(
    found: Evidence,
    coop: Cooperative,
    told: Sequence[Standing],
    files: Sequence[Filed],
    notes: Sequence[str],
    day: dt.date,
) -> bytes:
    """The first page and what follows it: whose, what for, what is missing, every file with its SHA-256."""
    sheet = Sheet("Hồ sơ minh chứng OCOP", f"{found.product.name_vi} · {coop.name}")
    sheet.facts(
        [
            ("Sản phẩm", [found.product.name_vi, f"GTIN {found.product.gtin}"], ""),
            ("Chủ thể", [coop.name, coop.address, f"Số đăng ký {coop.registration} · GLN {coop.gln}"], ""),
            ("Kỳ", [period(found)], ""),
            ("Ngày lập", [i18n.date(day)], ""),
        ]
    )
    sheet.heading(whole(told))
    lacking = missing(list(told))
    if lacking:
        sheet.facts([(one.name, [one.said], "") for one in lacking])
    for note in notes:
        sheet.text(note)
    sheet.text(_PRIVATE, small=True)
    sheet.text("Điểm do hội đồng chấm; hồ sơ này không tự chấm điểm nào.", small=True)
    for heading in HEADINGS:
        sheet.heading(f"Phần {heading.key} ({heading.points} điểm): {heading.name}")
        rows = [
            (one.name, "có" if one.there else "thiếu", one.said, one.folder if _in(files, one.folder) else "")
            for one in told
            if one.heading == heading.key
        ]
        sheet.table(("Mục", "", "Có gì, thiếu gì", "Ngăn"), rows, (42, 14, 66, 46))
    sheet.heading("Các tệp và dấu SHA-256")
    sheet.table(
        ("Tệp", "Byte", "SHA-256"),
        [(one.name, i18n.number(one.size), one.sha256) for one in files],
        (56, 16, 86),
        hashes=2,
    )
    return sheet.pdf()


def _in(files: Sequence[Filed], folder: str) -> bool:
    return any(one.name.startswith(f"{folder}/") for one in files)


def read_me(
    found: Evidence, coop: Cooperative, told: Sequence[Standing], notes: Sequence[str], ledger: str, verifier: str
) -> bytes:
    """What is in it, what is missing, and how anybody checks it without us."""
    lines = [
        "HỒ SƠ MINH CHỨNG OCOP", "", found.product.name_vi, f"GTIN {found.product.gtin}", coop.name,
        f"Kỳ {period(found)}", "", whole(told), "",
    ]  # fmt: skip
    for heading in HEADINGS:
        lines.append(f"Phần {heading.key} ({heading.points} điểm): {heading.name}")
        lines += [
            f"  {'[có]   ' if one.there else '[THIẾU]'} {one.name}. {one.said}"
            for one in told
            if one.heading == heading.key
        ]
    lines += ["", *notes, _PRIVATE, "", *_CHECKING]
    return "\n".join(lines).replace("<sổ>", ledger).replace("<trang>", verifier).encode() + b"\n"


_CHECKING = (
    "TỰ KIỂM TRA",
    "1. Các tệp còn nguyên: trong thư mục đã giải nén, chạy",
    "     sha256sum -c 00-SHA256SUMS",
    "2. Từng lô đúng như sổ chung: mỗi tệp .soi-proof trong C5-lo-va-so-chung là cả câu chuyện của một lô,",
    "   kiểm được khi không có mạng. Cần Python 3.9 trở lên và gói cryptography:",
    "     python3 soi_verify.py lot 001-....soi-proof --key \"<khoá của sổ>\"",
    "   Tệp soi_verify.py có kèm ở đó để tiện; ai không muốn tin bản kèm thì lấy ở <trang>/soi_verify.py.",
    "   Khoá của sổ ghi trong khoa-so.txt và ở <sổ>, nhưng phải so với khoá có được bằng đường khác:",
    "   in trên giấy, giữ từ trước, hay từ người mình tin.",
    "3. Không cài gì: kéo tệp .soi-proof vào trang <trang>.",
)  # fmt: skip


def sums(files: Sequence[Filed]) -> bytes:
    """As sha256sum reads it."""
    return "".join(f"{one.sha256}  {one.name}\n" for one in files).encode()


def story(found: Evidence) -> bytes:
    """The product's story, in the two languages that it was told in."""
    product = found.product
    parts = [product.name_vi, "", product.story_vi]
    if product.story_en:
        parts += ["", product.name_en, "", product.story_en]
    return ("\n".join(parts) + "\n").encode()
