"""What a dossier is asked for, and whether it is there: OCOP's list under its three headings.

Source: Quyết định 148/QĐ-TTg (2023): A 40, B 25 and C 35 points. The points are the council's to give; here they only
head the list.
"""

from collections.abc import Callable
from dataclasses import dataclass

from babel.support import LazyProxy

from batches.dossier.evidence import Evidence
from village import clock, i18n
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l


@dataclass(frozen=True)
class Heading:
    """One part of the score."""

    key: str
    name: LazyProxy
    points: int


HEADINGS = (
    Heading("A", _l("Sản phẩm và sức mạnh cộng đồng"), 40),
    Heading("B", _l("Khả năng tiếp thị"), 25),
    Heading("C", _l("Chất lượng sản phẩm"), 35),
)


@dataclass(frozen=True)
class Standing:
    """How one thing on the list stands. `said`: what there is, or what is missing; `fix`: where the office adds it."""

    key: str
    heading: str
    name: str
    there: bool
    said: str
    fix: str
    folder: str


@dataclass(frozen=True)
class _Wanted:
    key: str
    folder: str
    name: LazyProxy
    fix: str
    look: Callable[[Evidence], tuple[bool, str]]

    @property
    def heading(self) -> str:
        """Its part of the score: the folder's first letter."""
        return self.folder[0]


def checklist(found: Evidence) -> list[Standing]:
    """The whole list, in order."""
    told = []
    for one in WANTED:
        there, said = one.look(found)
        fix = one.fix.replace("<product>", found.product.id)
        told.append(Standing(one.key, one.heading, str(one.name), there, said, fix, one.folder))
    return told


def missing(told: list[Standing]) -> list[Standing]:
    """What is not there."""
    return [one for one in told if not one.there]


def _certificate(kind: str) -> Callable[[Evidence], tuple[bool, str]]:
    def look(found: Evidence) -> tuple[bool, str]:
        today = clock.today()
        known = found.of_kind(kind)
        valid = [(certificate, paper) for certificate, paper in known if certificate.valid_on(today)]
        if not known:
            return False, _("Chưa ghi giấy này.")
        if not valid:
            last = max(certificate.expires_on for certificate, _paper in known)
            return False, _("Giấy đã hết hạn từ ngày %(day)s.", day=i18n.date(last))
        with_paper = [certificate for certificate, paper in valid if paper is not None]
        if not with_paper:
            return False, _("Đã ghi số %(number)s nhưng chưa gửi tờ giấy lên.", number=valid[0][0].number)
        return True, _("Số %(number)s, %(issuer)s.", number=with_paper[0].number, issuer=with_paper[0].issuer)

    return look


def _origin(found: Evidence) -> tuple[bool, str]:
    figures = found.balance.figures
    if not found.balance.balance.rows or not (figures.harvested or figures.bought):
        return False, _("Trong kỳ này chưa ghi thu hoạch hay mua nguyên liệu.")
    return True, _(
        "Thu %(harvested)s, mua ngoài %(bought)s; có bảng cân đi cân lại.",
        harvested=i18n.kilograms(figures.harvested), bought=i18n.kilograms(figures.bought),
    )  # fmt: skip


def _stamp(found: Evidence) -> tuple[bool, str]:
    lot = found.labelled
    return (True, _("Tem của lô %(lot)s.", lot=lot.lot)) if lot else (False, _("Chưa có lô nào in tem được."))


def _story(found: Evidence) -> tuple[bool, str]:
    return (True, _("Đã viết.")) if found.product.story_vi.strip() else (False, _("Chưa viết chuyện của món này."))


def _photos(found: Evidence) -> tuple[bool, str]:
    if not found.photos:
        return False, _("Các lô trong kỳ chưa có ảnh nào.")
    return True, _("%(count)s ảnh bà con chụp lúc làm.", count=i18n.number(len(found.photos)))


def _passport(_found: Evidence) -> tuple[bool, str]:
    return True, _("Máy soạn sẵn.")


def _lab(found: Evidence) -> tuple[bool, str]:
    if not found.reports:
        return False, _("Chưa có phiếu kiểm nghiệm nào.")
    good = [one for one in found.reports if one.passed and one.valid_on(clock.today())]
    if not good:
        return False, _("Chưa có phiếu nào đạt và còn hạn.")
    return True, _("%(count)s phiếu, phiếu mới nhất của %(laboratory)s.", count=i18n.number(len(found.reports)),
                   laboratory=good[0].laboratory)  # fmt: skip


def _inspections(found: Evidence) -> tuple[bool, str]:
    if not found.inspections:
        return False, _("Các lô trong kỳ chưa có lần kiểm tra nào.")
    passed = sum(bool(one.passed) for one in found.inspections)
    return True, _(
        "%(count)s lần kiểm tra, %(passed)s lần đạt.", count=i18n.number(len(found.inspections)),
        passed=i18n.number(passed),
    )  # fmt: skip


def _lots(found: Evidence) -> tuple[bool, str]:
    if not found.lots:
        return False, _("Trong kỳ này chưa đóng gói lô nào.")
    return True, _("%(count)s lô, mỗi lô một tệp bằng chứng từ sổ chung.", count=i18n.number(len(found.lots)))


_CERTIFICATES, _PRODUCT = "/coop/certificates", "/coop/products/<product>"
WANTED = (
    _Wanted("business", "A1-dang-ky-kinh-doanh", _l("Đăng ký kinh doanh"), _CERTIFICATES, _certificate("business")),
    _Wanted("contract", "A2-hop-dong-nguyen-lieu", _l("Hợp đồng nguyên liệu"), _CERTIFICATES, _certificate("contract")),
    _Wanted("origin", "A3-nguon-nguyen-lieu", _l("Nguồn nguyên liệu, cân đi cân lại"), "/coop/balance", _origin),
    _Wanted("environment", "A4-moi-truong", _l("Giấy về môi trường"), _CERTIFICATES, _certificate("environment")),
    _Wanted("barcode", "B1-ma-so-ma-vach", _l("Mã số mã vạch"), _CERTIFICATES, _certificate("barcode")),
    _Wanted("stamp", "B2-tem-truy-xuat", _l("Tem truy xuất"), "/batches", _stamp),
    _Wanted("story", "B3-cau-chuyen", _l("Câu chuyện sản phẩm"), _PRODUCT, _story),
    _Wanted("photos", "B4-anh", _l("Ảnh"), "/batches", _photos),
    _Wanted("passport", "B5-ho-chieu-so", _l("Hộ chiếu số"), _PRODUCT, _passport),
    _Wanted("food-safety", "C1-an-toan-thuc-pham", _l("An toàn thực phẩm"), _CERTIFICATES, _certificate("food-safety")),
    _Wanted("quality", "C2-cong-bo-chat-luong", _l("Công bố chất lượng"), _CERTIFICATES, _certificate("quality")),
    _Wanted("lab", "C3-kiem-nghiem", _l("Phiếu kiểm nghiệm"), "/coop/reports", _lab),
    _Wanted("inspections", "C4-kiem-tra", _l("Kiểm tra chất lượng lúc làm"), "/batches", _inspections),
    _Wanted("lots", "C5-lo-va-so-chung", _l("Các lô và bằng chứng trong sổ"), "/batches", _lots),
)
STARS_FOLDER = "A5-sao-ocop-dang-co"
"""For stars that the product has already: of use to the council, asked for by nobody."""
