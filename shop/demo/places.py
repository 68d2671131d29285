"""Who lives in the demo village. Hamlets are real names of the commune; every person and household is invented."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from shop.delivery.models import DeliveryFees
from trace.gs1.gtin import with_check_digit
from village import clock
from village.certificates.models import Certificate, ocop_expiry
from village.people.models import Member, MemberRole, Role
from village.places.models import Cooperative, Hamlet, Household, Site, SiteKind
from village.products.models import Product, ProductPrice

PREFIX = "9506000"
"""GS1's prefix for examples: no real company's."""
COMMUNE = "xã Bình Lư, tỉnh Lai Châu"
HAMLETS = ("Chu Va 6", "Chu Va 8", "Huổi Ke", "Tân Bình", "Hưng Bình", "Nà Đa")


SHARED_AT = (22.337, 103.604)
"""Where the cooperative's own places are set, in Tân Bình. All positions are made up, near the commune's middle."""
BRAND = "Nắng Chu Va (mẫu)"


@dataclass(frozen=True)
class Home:
    """A household of the demo: its hamlet, its producer's sign-in name, whether it lets itself be named."""

    name: str
    hamlet: str
    username: str
    producer: str
    named: bool
    story: str
    latitude: float
    longitude: float


HOMES = (
    Home("Hộ Lò Thị Mẫu", "Chu Va 6", "producer", "Lò Thị Mẫu", True,
         "Nhà ba đời làm miến, sào phơi bắc sát chân núi, nắng từ sáng đến chiều.", 22.312, 103.601),
    Home("Hộ Giàng A Thử", "Chu Va 8", "thu", "Giàng A Thử", True,
         "Trồng dong trên nương cao, củ nhỏ nhưng nhiều bột.", 22.318, 103.612),
    Home("Hộ Vàng Văn Ví", "Huổi Ke", "vi", "Vàng Văn Ví", False, "", 22.331, 103.587),
    Home("Hộ Tẩn Mẩy Dụ", "Hưng Bình", "du", "Tẩn Mẩy Dụ", True,
         "Vừa làm miến vừa hái chè, mùa nào việc nấy.", 22.342, 103.572),
    Home("Hộ Lý Thị Nháp", "Nà Đa", "nhap", "Lý Thị Nháp", True, "Ruộng Séng Cù bên suối.", 22.356, 103.566),
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """A product of the demo."""

    key: str
    process: str
    material: str
    vi: str
    en: str
    net: int | None = None
    price: int | None = None
    picture: str = "pack"


ITEMS = (
    Item("tuber", "mien-dong", "tuber", "Củ dong riềng", "Canna tubers", picture="harvest"),
    Item("wet-starch", "mien-dong", "wet-starch", "Tinh bột ướt", "Wet starch", picture="settle"),
    Item("dry-starch", "mien-dong", "dry-starch", "Tinh bột khô", "Dry starch", picture="starch"),
    Item("pulp", "mien-dong", "pulp", "Bột nghiền", "Ground pulp", picture="grind"),
    Item("sheets", "mien-dong", "sheets", "Bánh tráng miến", "Steamed sheets", picture="steam"),
    Item("rested-sheets", "mien-dong", "rested-sheets", "Bánh đã ủ", "Rested sheets", picture="rest"),
    Item("strands", "mien-dong", "strands", "Sợi mới cắt", "Fresh strands", picture="cut"),
    Item("noodles", "mien-dong", "noodles", "Miến dong khô", "Dried noodles", picture="noodles"),
    Item("mien-500", "mien-dong", "packs", "Miến dong Bình Lư 500 g", "Bình Lư canna noodles 500 g", 500, 55_000),
    Item("mien-1000", "mien-dong", "packs", "Miến dong Bình Lư 1 kg", "Bình Lư canna noodles 1 kg", 1000, 105_000),
    Item("fresh-leaf", "che-tam-duong", "fresh-leaf", "Búp chè tươi", "Fresh tea leaves", picture="tea"),
    Item("rolled-leaf", "che-tam-duong", "rolled-leaf", "Chè đã vò", "Rolled leaves", picture="tea"),
    Item("tea", "che-tam-duong", "tea", "Chè khô", "Dry tea", picture="tea"),
    Item("che-200", "che-tam-duong", "packs", "Chè Tam Đường 200 g", "Tam Đường tea 200 g", 200, 120_000, "pack-tea"),
    Item("fresh-paddy", "gao-seng-cu", "fresh-paddy", "Thóc tươi", "Fresh paddy", picture="rice"),
    Item("dry-paddy", "gao-seng-cu", "dry-paddy", "Thóc khô", "Dry paddy", picture="rice"),
    Item("rice", "gao-seng-cu", "rice", "Gạo Séng Cù", "Séng Cù rice", picture="rice"),
    Item("gao-5000", "gao-seng-cu", "packs", "Gạo Séng Cù 5 kg", "Séng Cù rice 5 kg", 5000, 190_000, "pack-rice"),
    Item("residue", "mien-dong", "residue", "Bã dong riềng", "Canna residue", picture="residue"),
    Item("bran", "gao-seng-cu", "bran", "Cám gạo", "Rice bran", picture="bran"),
    Item("husk", "gao-seng-cu", "husk", "Trấu", "Rice husk", picture="husk"),
    Item("root", "khoai-sam-say", "root", "Củ khoai sâm", "Yacon roots", picture="yacon-root"),
    Item("slices", "khoai-sam-say", "slices", "Khoai thái lát", "Yacon slices", picture="yacon-slices"),
    Item("dried", "khoai-sam-say", "dried", "Khoai sâm sấy", "Dried yacon", picture="yacon-dried"),
    Item("khoai-300", "khoai-sam-say", "packs", "Khoai sâm sấy 300 g", "Dried yacon 300 g", 300, 85_000, "yacon-dried"),
)
WORDS = {
    "mien-dong": (
        "100 % tinh bột dong riềng, nước", "100 % canna starch, water",
        "Ngâm nước nguội 15 phút, trụng nước sôi 1 phút, rồi nấu canh hay xào.",
        "Soak 15 minutes in cold water, blanch for a minute, then cook in soup or stir-fry.",
        "Nơi khô mát, buộc kín sau khi mở.", "Keep dry and cool; close well after opening.",
        "Củ dong trồng trên nương Bình Lư, bột lắng nước suối, sợi phơi nắng núi. Không tẩy trắng.",
        "Canna from Bình Lư's slopes, starch settled in stream water, strands dried in mountain sun. Never bleached.",
    ),
    "che-tam-duong": (
        "100 % búp chè", "100 % tea leaves", "Hãm nước 85 °C chừng 3 phút.", "Steep at 85 °C for about 3 minutes.",
        "Nơi khô, kín, tránh nắng.", "Keep dry, closed and out of the sun.",
        "Chè hái một tôm hai lá trên đồi Tam Đường.", "A bud and two leaves from the hills of Tam Đường.",
    ),
    "khoai-sam-say": (
        "100 % khoai sâm", "100 % yacon", "Ăn liền, hoặc ngâm nước ấm nấu chè.",
        "Eat as it is, or soak in warm water for a sweet soup.", "Nơi khô, buộc kín sau khi mở.",
        "Keep dry; close well after opening.", "Khoai sâm đất Bình Lư, thái lát sấy mộc, không thêm đường.",
        "Yacon from Bình Lư, sliced and dried as it is, without sugar.",
    ),
    "gao-seng-cu": (
        "100 % gạo Séng Cù", "100 % Séng Cù rice", "Vo nhẹ một lần, nấu ít nước hơn gạo thường.",
        "Rinse once, cook with a little less water than usual.", "Nơi khô thoáng.", "Keep dry and airy.",
        "Lúa Séng Cù một vụ, nước suối, gặt tay.", "One crop a year, stream water, cut by hand.",
    ),
}  # fmt: skip


def gln(number: int) -> str:
    """A place number under the example prefix."""
    return with_check_digit(f"{PREFIX}{number:05d}")


def settle(session: Session) -> dict[str, Cooperative]:
    """Cooperatives, hamlets, households, sites, members, products and certificates."""
    hamlets = {name: _known(session, name) for name in HAMLETS}
    sun = Cooperative(
        name="Hợp tác xã Nắng Chu Va (dựng làm mẫu)", gln=gln(1), address=f"bản Chu Va 6, {COMMUNE}",
        phone="+842130000001", registration="MẪU-0001",
    )  # fmt: skip
    session.add_all([sun])
    session.flush()
    session.add(
        DeliveryFees(
            cooperative_id=sun.id, ward="Bình Lư", province="Lai Châu", commune=0, near=20_000, far=35_000,
            carrier_near=25_000, carrier_far=32_000, carrier_more=5_000,
        )
    )  # fmt: skip
    for number, home in enumerate(HOMES, start=10):
        _home(session, number, home, sun, hamlets[home.hamlet])
    shared = (("Xưởng chung hợp tác xã", "workshop", 5), ("Kho hợp tác xã", "store", 6))
    for name, kind, number in shared:
        site = _site(name, kind, number, sun.id, hamlets["Tân Bình"].id, None)  # type: ignore[arg-type]  # kinds as written above
        site.latitude, site.longitude = SHARED_AT
        session.add(site)
    for username, name, role in (
        ("seller", "Người bán mẫu", Role.SELLER),
        ("office", "Văn phòng mẫu", Role.OFFICE),
        ("auditor", "Người soát sổ mẫu", Role.AUDITOR),
        ("partner", "Người của hãng chuyển hàng mẫu", Role.PARTNER),
    ):
        session.add(Member(username=username, name=name, cooperative_id=sun.id, roles=[MemberRole(role=role)]))
    products = [_product(number, item, sun.id) for number, item in enumerate(ITEMS, start=101)]
    session.add_all(products)
    session.flush()
    session.add_all(ProductPrice(product_id=one.id, price=one.price) for one in products if one.price)
    by_slug = {product.slug: product for product in products}
    _certify(session, sun, by_slug)
    return {"sun": sun}


def _known(session: Session, name: str) -> Hamlet:
    found = session.query(Hamlet).filter_by(name=name).one_or_none()
    if found is None:
        found = Hamlet(name=name)
        session.add(found)
        session.flush()
    return found


def _home(session: Session, number: int, home: Home, coop: Cooperative, hamlet: Hamlet) -> None:
    household = Household(
        name=home.name, cooperative_id=coop.id, hamlet_id=hamlet.id, named=home.named, story=home.story
    )
    session.add(household)
    session.flush()
    workshop = _site(f"Nhà làm miến {home.name}", "workshop", number, coop.id, hamlet.id, household.id)
    field = _site(f"Nương dong {home.hamlet}", "field", number + 20, coop.id, hamlet.id, household.id)
    workshop.latitude, workshop.longitude = home.latitude, home.longitude
    field.latitude, field.longitude = home.latitude + 0.006, home.longitude - 0.004
    member = Member(
        username=home.username, name=home.producer, cooperative_id=coop.id, household_id=household.id,
        roles=[MemberRole(role=Role.PRODUCER)],
    )  # fmt: skip
    session.add_all([workshop, field, member])


def _site(name: str, kind: SiteKind, number: int, coop: str, hamlet: str, household: str | None) -> Site:
    return Site(name=name, kind=kind, gln=gln(number), cooperative_id=coop, hamlet_id=hamlet, household_id=household)


def _product(number: int, item: Item, coop: str) -> Product:
    words = WORDS[item.process] if item.net else ("",) * 8
    return Product(
        gtin=with_check_digit(f"0{PREFIX}{number:05d}"), slug=item.key, name_vi=item.vi, name_en=item.en,
        cooperative_id=coop, process=item.process, material=item.material, net_grams=item.net, price=item.price,
        picture=item.picture, ingredients_vi=words[0], ingredients_en=words[1], usage_vi=words[2], usage_en=words[3],
        storage_vi=words[4], storage_en=words[5], story_vi=words[6], story_en=words[7],
        brand=BRAND if item.net else "", warning_vi="Thấy ẩm mốc thì bác đừng dùng." if item.net else "",
        warning_en="Do not use it if it is damp or mouldy." if item.net else "",
    )  # fmt: skip


def _certify(session: Session, coop: Cooperative, products: dict[str, Product]) -> None:
    today = clock.today()
    for slug in ("mien-500", "mien-1000"):
        issued = today - dt.timedelta(days=400)
        session.add(
            Certificate(
                kind="ocop",
                number=f"MẪU-OCOP-{slug}",
                issuer="Uỷ ban nhân dân (mẫu)",
                stars=3,
                issued_on=issued,
                expires_on=ocop_expiry(issued),
                product_id=products[slug].id,
                cooperative_id=coop.id,
            )
        )
    session.add(
        Certificate(
            kind="food-safety",
            number="MẪU-ATTP-01",
            issuer="Cơ quan cấp phép (mẫu)",
            stars=None,
            issued_on=today - dt.timedelta(days=1020),
            expires_on=today + dt.timedelta(days=75),
            product_id=None,
            cooperative_id=coop.id,
        )
    )
