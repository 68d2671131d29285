"""Finds Vietnamese phone numbers in comments and writes them the one way: `0912345678`, `02133876543`.

Validity is `phonenumbers`' own pattern for the region; the 11-digit mobile numbers of before
September 2018 are first moved to their new prefix (decision 798/QĐ-BTTTT).
"""

import re
from typing import NamedTuple

from phonenumbers import PhoneMetadata

from shop.live.fold import plain
from shop.live.words import LEXICON

OLD_PREFIXES = {
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037", "0168": "038",
    "0169": "039", "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078", "0123": "083",
    "0124": "084", "0125": "085", "0127": "081", "0129": "082", "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip
"""Prefix of an old 11-digit mobile number → its prefix today."""

MARK = "\x01"
"""Stands in the text where a phone number was taken out."""


def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    metadata = PhoneMetadata.metadata_for_region("VN")
    if metadata is None or metadata.mobile is None or metadata.fixed_line is None:
        raise RuntimeError("phonenumbers has no data for Vietnam")
    mobile = metadata.mobile.national_number_pattern
    fixed = metadata.fixed_line.national_number_pattern
    # Nine digits that begin with 1 are machines' numbers: nobody gives one for a delivery.
    return re.compile(f"(?!1)(?:{mobile})"), re.compile(f"(?:{fixed})")


_MOBILE, _FIXED = _patterns()
_RUN = re.compile(r"(?<![0-9a-z])\(?\+?(?=[0o8])[0-9o](?:[ .\-_()/]{0,2}[0-9o]){8,14}")
_GLUED = re.compile(r"(?<=[a-z])[0-9][0-9o]{9,18}(?![0-9a-z])")
_DIGITS = re.compile(r"[0-9o]+")
# Nine or ten digits in words behind a "không": nobody counts packs so.
_SPOKEN_DIGIT = "|".join(sorted({plain(word) for word in LEXICON.digits}, key=len, reverse=True))
_SPOKEN = re.compile(
    rf"(?<![a-z])(?:khong|0)(?:[ ,.\-]{{1,2}}(?:{_SPOKEN_DIGIT})){{9,10}}"
    rf"(?![a-z]|[ ,.\-]{{1,2}}(?:{_SPOKEN_DIGIT})(?![a-z]))"
)
_SPOKEN_WORD = re.compile(_SPOKEN_DIGIT + "|0")
# A number of another country, or one that hides its middle: "+1 (408) 555-0123", "0908xxx456".
# "md01 +1 150.000 120.000" and "+1 091234567" are packs, prices and a number with a digit too few.
_ABROAD = re.compile(
    rf"(?<![0-9a-z])\+(?:{'|'.join(LEXICON.countries)})[ .\-]?(?:\([0-9]{{1,4}}\)|(?:(?<![17] )0)?[1-9])"
    r"(?![0-9 .\-]*[.,]000)(?:[ .\-]{0,2}[0-9]){7,11}(?![0-9a-z])"
)
_HIDDEN = re.compile(r"(?<![0-9a-z])0[0-9]{2,4}[ .]?[x*]{2,6}[ .]?[0-9]{2,4}(?![0-9a-z])")
_MAX_TRIES = 40
"""Runs of digits looked at in one text: bounds the time that a wall of digits takes."""


class Phone(NamedTuple):
    """A number found in a text, from `start` up to `end`."""

    number: str
    start: int
    end: int

    @property
    def mobile(self) -> bool:
        """False for a landline, where no courier's message arrives."""
        return not self.number.startswith("02")


def normalise(digits: str) -> str | None:
    """The national form of a string of digits (`84…`, `0084…`, `0…`, old prefixes), or None if invalid."""
    digits = digits.removeprefix("00")
    if digits.startswith("84") and len(digits) >= 11:
        digits = "0" + digits[2:].removeprefix("0")
    if len(digits) == 11 and digits.startswith("01"):
        new = OLD_PREFIXES.get(digits[:4])
        if new is None:
            return None
        digits = new + digits[4:]
    if not digits.startswith("0"):
        return None
    if len(digits) == 10 and _MOBILE.fullmatch(digits, 1):
        return digits
    if len(digits) == 11 and _FIXED.fullmatch(digits, 1):
        return digits
    return None


def _in_run(bare: str, start: int, end: int, codes: frozenset[int]) -> Phone | None:
    groups = [found.span() for found in _DIGITS.finditer(bare, start, end)]
    digits: list[str] = []
    ends: list[int] = []
    for group_start, group_end in groups:
        for at in range(group_start, group_end):
            digits.append("0" if bare[at] == "o" else bare[at])
            ends.append(at + 1)
        if len(digits) >= 9 and len(ends) == group_end - groups[0][0]:
            break  # a full number in one piece: what follows it is something else
    number = "".join(digits)
    for length in (13, 12, 11, 10):
        if length > len(number):
            continue
        stop = ends[length - 1]
        if bare[stop : stop + 1].isalnum() and stop not in codes:
            continue
        found = normalise(number[:length])
        if found is not None:
            if bare.startswith(")", stop) and "(" in bare[start:stop] and ")" not in bare[start:stop]:
                stop += 1
            return Phone(found, start, stop)
    return None


def _in_glued(bare: str, start: int, end: int) -> Phone | None:
    number = bare[start:end].replace("o", "0")
    whole = normalise(number)
    if whole is not None:
        return Phone(whole, start, end)
    tails = [
        (found, length)
        for length in (10, 11)
        if 0 < len(number) - length <= 4 and (found := normalise(number[-length:])) is not None
    ]
    if len(tails) != 1:
        return None
    found, length = tails[0]
    return Phone(found, end - length, end)


def find(bare: str, taken: re.Pattern[str] | None = None) -> list[Phone]:
    """All numbers in a folded text (lower case, no marks), from left to right.

    `taken` matches words that hold digits of their own (product codes): no number begins inside one.
    """
    found: list[Phone] = []
    spans: list[tuple[int, int]] | None = None
    begins: frozenset[int] = frozenset()
    at = tries = 0
    while tries < _MAX_TRIES and (run := _RUN.search(bare, at)) is not None:
        tries += 1
        start = run.start()
        if spans is None:
            spans = [word.span() for word in taken.finditer(bare)] if taken is not None else []
            begins = frozenset(begin for begin, _ in spans)
        inside = [end for begin, end in spans if begin < run.end() and start < end and begin <= start]
        if inside:
            at = inside[0]
            continue
        phone = _in_run(bare, start, run.end(), begins)
        if phone is None:
            first = _DIGITS.search(bare, start)
            at = first.end() if first is not None else run.end()
        else:
            found.append(phone)
            at = phone.end
    for glued in _GLUED.finditer(bare):
        phone = _in_glued(bare, glued.start(), glued.end())
        if phone is not None and not any(
            phone.start < other.end and other.start < phone.end for other in found
        ):
            found.append(phone)
    if "khong" in bare:
        found.extend(_spoken(bare))
    found.sort(key=lambda phone: phone.start)
    return found


def _spoken(bare: str) -> list[Phone]:
    """Numbers said digit by digit: "không chín một hai …"."""
    found = []
    for run in _SPOKEN.finditer(bare):
        words = _SPOKEN_WORD.findall(run[0])
        number = normalise("".join(LEXICON.digits.get(word, "0") for word in words))
        if number is not None:
            found.append(Phone(number, run.start(), run.end()))
    return found


def no_use(bare: str) -> list[tuple[int, int]]:
    """Where numbers stand that no courier can call: abroad, or with a hidden middle. `bare` has no others any more."""
    found = [run.span() for run in _ABROAD.finditer(bare)] if "+" in bare else []
    if "xx" in bare or "**" in bare:
        found += [run.span() for run in _HIDDEN.finditer(bare)]
    return found


def take_out(text: str, phones: list[Phone]) -> str:
    """The text with each number replaced by `MARK` and spaces, so that positions stay as they are."""
    for phone in phones:
        text = text[: phone.start] + MARK + " " * (phone.end - phone.start - 1) + text[phone.end :]
    return text
