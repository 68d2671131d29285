"""An address as it was typed, taken apart as far as it says itself. Computes only.

Nothing is guessed: only the last piece can be the province, and only when it names one and nothing else; a ward is a
piece that says so (`xã`, `phường`, `thị trấn`, `đặc khu`). Districts, gone since July 2025, stay where they were
written: whoever brings the parcel still knows them.
"""

import re
from dataclasses import dataclass

from shop.addresses.fold import folded
from shop.addresses.provinces import BY_NAME, Known, Province, understand

_PIECES = re.compile(r"\s*[,;\n]\s*|\s+[-–]\s+")
WARD_MAX = 80
"""Characters of a ward's name."""
_COUNTRY = frozenset(("viet nam", "vietnam", "vn"))
_POSTCODE = re.compile(r"[\s,;]*\b\d{5,6}$")
_WARD = re.compile(r"(?:xa (?!lo )|phuong |thi tran |dac khu |[xp] (?=[a-z]))[a-z0-9].{0,40}|p ?\d{1,2}")
"""Of a folded piece. `P. 502` is a room, `Xa lộ` a road, and `TT` may be half a dozen things."""
_SAID = re.compile(r"(?:tỉnh|thành phố|tp\.?)\s+(?P<name>[^\d,;]{2,30})$", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where something goes. An empty piece was not said."""

    line: str
    """House, street or hamlet, and whatever else was written."""
    ward: str = ""
    province: Province | None = None
    was: str = ""
    """The province's old name, where that was written."""


def read(text: str) -> Address:
    """`text` (one line or several) taken apart from behind."""
    pieces = [piece for piece in _PIECES.split(_POSTCODE.sub("", text.strip())) if piece]
    if pieces and folded(pieces[-1]) in _COUNTRY:
        pieces.pop()
    if pieces:
        pieces[-1] = _POSTCODE.sub("", pieces[-1])
    known, pieces = _province(pieces)
    ward = next((piece for piece in reversed(pieces[1:]) if _is_ward(piece)), "")
    line = ", ".join(piece for piece in pieces if piece != ward)
    if known is None:
        return Address(line, ward)
    return Address(line, ward, known.province, known.was)


class Differs(ValueError):
    """The province that was chosen is not the one that the line names."""

    def __init__(self, named: Known) -> None:
        super().__init__(named.was or named.province.name)
        self.named = named


def settle(line: str, ward: str, chosen: Province | None) -> Address:
    """One address out of a form's three fields; what the line says of ward and province fills what was left empty.

    An old name goes on in the line (`…, Hà Giang cũ`), for whoever knows the place by it. Raises Differs.
    """
    found = read(line)
    if chosen and found.province and chosen != found.province:
        raise Differs(Known(found.province, found.was))
    kept = found.line
    if ward and found.ward and folded(ward) != folded(found.ward):
        kept = f"{kept}, {found.ward}"
    if found.was and folded(found.was) not in folded(kept):
        kept = f"{kept}, {found.was} cũ" if kept else ""
    return Address(kept, ward or found.ward, chosen or found.province, found.was)


def whole(line: str, ward: str, province: str) -> str:
    """The address on one line, as people write it: an old name stands behind today's. `province` by its name."""
    told = BY_NAME.get(province)
    for was in told.before if told else ():
        if line.endswith(f", {was} cũ"):
            line, province = line.removesuffix(f", {was} cũ"), f"{province} ({was} cũ)"
    return ", ".join(piece for piece in (line, ward, province) if piece)


def _province(pieces: list[str]) -> tuple[Known | None, list[str]]:
    if not pieces:
        return None, pieces
    # `Bà Rịa - Vũng Tàu` has the dash that others put between pieces.
    for count in (2, 1):
        known = understand(" ".join(pieces[-count:]))
        if known is not None:
            return known, pieces[:-count]
    # "xóm 5 xã Bình Lư tỉnh Lai Châu": without commas the word `tỉnh` has to say it.
    said = _SAID.search(pieces[-1])
    known = understand(said["name"]) if said else None
    if said is None or known is None:
        return None, pieces
    return known, [piece for piece in (*pieces[:-1], pieces[-1][: said.start()].strip()) if piece]


def _is_ward(piece: str) -> bool:
    return len(piece) <= WARD_MAX and _WARD.fullmatch(folded(piece)) is not None
