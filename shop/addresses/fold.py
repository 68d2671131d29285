"""Names without their marks, for comparing what people type. Computes only."""

import re
import unicodedata

_OTHER = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """Lower-case letters and digits of ASCII, words apart by one blank: `Tỉnh Đắk-Lắk` → `tinh dak lak`."""
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return _OTHER.sub(" ", "".join(c for c in bare if not unicodedata.combining(c))).strip()
