"""Vietnam's 34 provinces and cities since 1 July 2025, by their two-digit numbers.

Source: Quyết định 19/2025/QĐ-TTg (30 June 2025), its list of administrative units. ISO 3166-2:VN names some of them by
letters or by the numbers of before; what a proxy sends in that way is understood as well.
"""

from types import MappingProxyType

PROVINCES = MappingProxyType({
    "01": "Hà Nội", "04": "Cao Bằng", "08": "Tuyên Quang", "11": "Điện Biên", "12": "Lai Châu", "14": "Sơn La",
    "15": "Lào Cai", "19": "Thái Nguyên", "20": "Lạng Sơn", "22": "Quảng Ninh", "24": "Bắc Ninh", "25": "Phú Thọ",
    "31": "Hải Phòng", "33": "Hưng Yên", "37": "Ninh Bình", "38": "Thanh Hoá", "40": "Nghệ An", "42": "Hà Tĩnh",
    "44": "Quảng Trị", "46": "Huế", "48": "Đà Nẵng", "51": "Quảng Ngãi", "52": "Gia Lai", "56": "Khánh Hoà",
    "66": "Đắk Lắk", "68": "Lâm Đồng", "75": "Đồng Nai", "79": "TP. Hồ Chí Minh", "80": "Tây Ninh",
    "82": "Đồng Tháp", "86": "Vĩnh Long", "91": "An Giang", "92": "Cần Thơ", "96": "Cà Mau",
})  # fmt: skip
ABROAD = "99"
"""Ours: outside of Vietnam."""

_ISO = MappingProxyType({
    "HN": "01", "04": "04", "03": "08", "07": "08", "71": "11", "01": "12", "05": "14", "02": "15", "06": "15",
    "69": "19", "53": "19", "09": "20", "13": "22", "54": "24", "56": "24", "68": "25", "70": "25", "14": "25",
    "HP": "31", "61": "31", "66": "33", "20": "33", "18": "37", "63": "37", "67": "37", "21": "38", "22": "40",
    "23": "42", "24": "44", "25": "44", "26": "46", "DN": "48", "27": "48", "29": "51", "28": "51", "30": "52",
    "31": "52", "34": "56", "36": "56", "33": "66", "32": "66", "35": "68", "40": "68", "72": "68", "39": "75",
    "58": "75", "SG": "79", "57": "79", "43": "79", "37": "80", "41": "80", "45": "82", "46": "82", "49": "86",
    "50": "86", "51": "86", "44": "91", "47": "91", "CT": "92", "52": "92", "73": "92", "59": "96", "55": "96",
})  # fmt: skip


def known(place: str) -> str:
    """`place`, if it is a number of ours; empty otherwise."""
    return place if place in PROVINCES or place == ABROAD else ""


def of_header(value: str) -> str:
    """The province that a proxy names: `VN-HN`, `HN`; another country's code (`FR-75`) is abroad; else empty."""
    text = value.strip().upper()
    country, dash, region = text.partition("-")
    if dash and len(country) == 2 and country.isascii() and country.isalpha() and country != "VN":
        return ABROAD
    return _ISO.get(region if dash else text, "")
