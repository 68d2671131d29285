"""Comments that nobody would write, and some that somebody might: for the parser, which must survive them all."""

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from shop.live.fold import plain
from shop.live.parser import Reading, parse
from shop.live.words import LEXICON

LIVE = ("MD01", "MD02", "MD03", "MD10", "MK01", "COMBO1")
BOOKS: tuple[tuple[str, ...], ...] = (
    LIVE, ("1", "2", "3", "10", "11"), ("A", "B", "C"), ("A-1", "A.1.2", "B_7"), ("MIEN", "MIENG", "MIENGAO"),
    ("X2", "X10", "2X"), ("A1B2C3D4E5F6G7H8I9J0", "0A0B0C0D"), ("GOI1", "CHOT2", "LAY3", "HUY4", "KHONG5"),
    tuple(f"SP{number:03}" for number in range(1, 51)),
)  # fmt: skip
"""Codes that sellers sell by: the usual ones, and some that are numbers, words, single letters, or much alike."""
LIMIT = 99
PATIENCE = 0.005
"""Seconds that no comment may take."""

_WRITTEN = (
    "md01 MD02 md 03 md-10 mk01 combo1 combo 1 md99 md0l mdo1 x x2 x0 x-1 x2.5 2 3 15 0 007 1/2 1.000.000 2,5 20/11 "
    "gói 2g túi kg 500g 50k 18h chục một hai mươi lăm nửa hủy không ko chốt lấy bỏ đổi đừng chưa rồi và hoặc mỗi loại "
    "thêm nữa còn ? ! , + - – ( ) / . : ; * @ # & | = < > \" ' 0912345678 0168.123.4567 +84 84912345678 091 "
    "0️⃣ 1️⃣ × ② М Ⅲ ½ \u200b \u202e \u2067 \u0301 \ud800 🅼 😀 🔟 \x00 \x1b \n \t ﷺ"
)
_PIECES = _WRITTEN.split(" ")
_WORDS = tuple(LEXICON.classes)
_LOOKALIKE = {"m": "мΜｍ𝐦Ⓜ", "d": "ԁｄ𝐝đ", "0": "Oо０𝟎٠", "1": "lІ１𝟏١", "x": "х×✖ｘ", "o": "оο０",
              "a": "аαａ", "2": "２②²٢"}  # fmt: skip
_PLANES = ((0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x700), (0x1E00, 0x2100), (0x2000, 0x2070),
           (0x1D400, 0x1D800), (0x1F000, 0x1FAFF), (0xD800, 0xE000), (0, 0x110000), (0xFB00, 0x10000))  # fmt: skip


def salad(rng: random.Random) -> str:
    """Words of orders and of everything else in no order."""
    pieces = rng.choices(_PIECES, k=rng.randint(1, 14)) + rng.choices(_WORDS, k=rng.randint(0, 8))
    rng.shuffle(pieces)
    return rng.choice((" ", " ", " ", "", ",", "  ")).join(pieces)


def spoiled(rng: random.Random) -> str:
    """An honest comment that lost, doubled and swapped letters."""
    letters = list(rng.choice(("chốt md01 x2 0912345678", "cho em 2 gói md01 1 túi md02 nha", "hủy md01 giúp em")))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(letters))
        letters[at : at + 1] = rng.choice(
            ([], [letters[at]] * rng.randint(2, 60), [chr(rng.randrange(*rng.choice(_PLANES)))], [letters[at - 1]])
        ) or [" "]
    return "".join(letters)


def disguised(rng: random.Random) -> str:
    """Words whose letters only look as they should."""
    return "".join(rng.choice(_LOOKALIKE.get(letter, letter)) for letter in salad(rng))


def decomposed(rng: random.Random) -> str:
    """Letters taken apart, and marks piled upon them."""
    text = unicodedata.normalize(rng.choice(("NFD", "NFKD")), salad(rng))
    pile = "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.choice((0, 1, 5, 300))))
    return text.replace(rng.choice(text), rng.choice(text) + pile, 40)


def bidirectional(rng: random.Random) -> str:
    """Text that turns round within itself."""
    signs = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\u061c"
    return "".join(rng.choice(signs) + piece for piece in salad(rng).split(" "))


def nested(rng: random.Random) -> str:
    """Brackets, quotes and tags within each other."""
    opening, closing = rng.choice((("(", ")"), ("<", ">"), ("<b>", "</b>"), ('"', '"'), ("@", "@"), ("[[", "]]")))
    depth = rng.choice((3, 80, 3000))
    return opening * depth + salad(rng) + closing * depth


def long(rng: random.Random) -> str:
    """One piece, again and again, up to ten thousand letters."""
    piece = rng.choice((rng.choice(_PIECES), rng.choice(_WORDS), salad(rng))) + rng.choice(("", " ", ", "))
    return (piece * 10_000)[: rng.choice((100, 480, 500, 501, 2_000, 10_000))]


def digits(rng: random.Random) -> str:
    """Numbers of every length, with and without what people put between them."""
    count = rng.choice((1, 7, 9, 10, 11, 12, 40, 499, 10_000))
    return rng.choice(("", "md01 ", "x", "md01x")) + rng.choice(("", "", " ", ".", "-")).join(
        rng.choices("0123456789O", k=count)
    )


def anything(rng: random.Random) -> str:
    """Letters from all of Unicode, halves of pairs too."""
    plane = rng.choice(_PLANES)
    return "".join(chr(rng.randrange(*plane)) for _ in range(rng.choice((3, 30, 300, 499))))


KINDS: tuple[Callable[[random.Random], str], ...] = (
    salad, salad, spoiled, disguised, decomposed, bidirectional, nested, long, digits, anything,
)  # fmt: skip


def comments(seed: int) -> Iterator[str]:
    """Absurd comments without an end; the same for the same seed."""
    rng = random.Random(seed)
    while True:
        yield rng.choice(KINDS)(rng)


def about(text: str, live: Sequence[str]) -> str:
    """The same text, with the codes of another session in the place of the usual ones."""
    for number, code in enumerate(LIVE):
        text = text.replace(code.lower(), live[number % len(live)].lower())
    return text


def faults(text: str, reading: Reading, live: Sequence[str] = LIVE) -> list[str]:
    """What no reading may be, whatever was written."""
    found = []
    codes = [line.code for line in (*reading.lines, *reading.suggested)]
    if not set(codes) <= set(live):
        found.append("a code that is not live")
    if len(set(codes)) != len(codes):
        found.append("a code twice")
    least = 0 if reading.intent == "cancel" else 1
    if not all(least <= line.quantity <= LIMIT for line in reading.lines):
        found.append("a quantity out of bounds")
    if reading.lines and reading.intent not in ("order", "cancel"):
        found.append("lines without an order")
    if reading.intent == "order" and not (reading.lines and all(line.because for line in reading.lines)):
        found.append("an order that does not say why")
    if reading.phone is not None and not (reading.phone.isascii() and reading.phone.isdigit()):
        found.append("a telephone number that is none")
    if reading.intent in ("review", "change", "ignored") and not reading.reason:
        found.append("a doubt that does not say why")
    if not all(plain(line.because) for line in reading.lines):
        found.append("words that say nothing")
    return found


def read(text: str, live: Sequence[str] = LIVE) -> Reading:
    """A comment as a session reads it."""
    return parse(text, live, LIMIT)
