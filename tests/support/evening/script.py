"""What is said in an evening: who writes what, when by the platform's clock, and what she means by it.

Everything follows from the seed. Nobody's second order of a code is ambiguous, so that every comment has one meaning:
what becomes of it depends on the stock alone.
"""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Meaning = Literal["order", "more", "cancel", "phone", "question", "chatter"]
CODES = ("MD01", "MD02", "MD03", "MD10", "MK01")
POPULAR = (8, 4, 3, 3, 2)
"""How viewers' wishes fall to the codes."""
_ORDERS = (
    "chốt {code} x{packs}", "{code} x{packs}", "{code} {packs} gói", "cho em {packs} gói {code}",
    "lấy {packs} gói {code} nha", "chốt {packs} {code} nhé", "em lấy {code} x{packs} ạ", "mình chốt {packs} gói {code}",
    "{code}x{packs}", "cho chị {code} {packs} gói", "CHỐT {CODE} X{packs}",
)  # fmt: skip
_MORE = ("thêm {packs} {code}", "lấy thêm {packs} gói {code}")
_CANCELS = ("hủy {code}", "hủy {code} giúp em")
_PHONES = ("{phone}", "sđt em {phone}")
_QUESTIONS = ("{code} giá bao nhiêu vậy", "{code} còn không chị", "ship tới huế được không?", "{code} nặng bao nhiêu?")
_CHATTER = ("đẹp quá", "chào cả nhà", "❤️❤️❤️", "hôm nay đông vui ghê", "😍", "chúc cả nhà tối vui")
_MIX: Mapping[Meaning, int] = {"order": 46, "more": 3, "cancel": 4, "phone": 6, "question": 11, "chatter": 30}
NAMES = ("An", "Bình", "Chi", "Dung", "Giang", "Hạnh", "Khanh", "Lý", "Mai", "Nga", "Phương", "Thảo", "Vân", "Yến")


@dataclass(frozen=True)
class Spoken:
    """One comment of the script."""

    at: float
    """Seconds from the evening's beginning, by the platform's clock; no two of a session are said at once."""
    stage: int
    """Which livestream."""
    id: str
    author: str
    name: str
    text: str
    meaning: Meaning
    wanted: tuple[tuple[str, int], ...] = ()
    """Code and packs, of an order; of a cancellation 0 packs, which are all."""
    stretch: str = ""


@dataclass(frozen=True)
class Stretch:
    """So many comments a second for so long; `share` is how they fall to the livestreams."""

    name: str
    seconds: float
    rate: float
    share: tuple[int, ...] = (1, 1, 1)


QUIET, BUSY, BURST = "quiet", "busy", "burst"


def _whole() -> tuple[Stretch, ...]:
    shares = itertools.cycle(((8, 1, 1), (1, 8, 1), (1, 1, 8), (1, 1, 1)))
    stretches: list[Stretch] = []
    for number in range(8):
        stretches += [Stretch(QUIET, 69.25, 6000 / 554), Stretch(BURST, 2, 500, next(shares))]
        if number in (2, 5):
            stretches.append(Stretch(BUSY, 15, 200))
    return tuple(stretches)


WHOLE = _whole()
"""Ten minutes, 20,000 comments: eight bursts of 500 a second, half a minute of 200 a second, and what lies between."""
SHORT = (
    Stretch(QUIET, 0.5, 40), Stretch(BURST, 0.4, 500, (8, 1, 1)), Stretch(BUSY, 1.0, 200), Stretch(QUIET, 0.5, 40),
    Stretch(BURST, 0.3, 500, (1, 1, 8)), Stretch(QUIET, 0.3, 40),
)  # fmt: skip
"""The same in three seconds, for the suite."""


@dataclass
class _Viewer:
    """What somebody in one livestream has asked for so far."""

    id: str
    name: str
    phone: str
    asked: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    told: bool = False


class Audience:
    """The viewers of one livestream, who speak one after the other. `first` is the first one's number, as platforms
    number people."""

    def __init__(
        self, stage: int, chance: random.Random, mark: str, codes: Sequence[str] = CODES, first: int = 0
    ) -> None:
        self._stage, self._chance, self._mark, self._codes = stage, chance, mark, codes
        self._first = (stage + 1) * 10**12 + first
        self._viewers: list[_Viewer] = []
        self._numbers = itertools.count(1)

    def speak(self, at: float, stretch: str = "") -> Spoken:
        """What is said next."""
        meaning = self._chance.choices(list(_MIX), list(_MIX.values()))[0]
        who, text, wanted = getattr(self, f"_{meaning}")(at)
        if who is None:
            return self.speak(at, stretch)
        number = next(self._numbers)
        return Spoken(
            at, self._stage, f"{self._mark}-{self._stage}-{number}", who.id, who.name, text, meaning, wanted, stretch
        )

    def order(self, at: float, stretch: str = "") -> Spoken:
        """As `speak`, and always an order."""
        who, text, wanted = self._order(at)
        number = next(self._numbers)
        return Spoken(
            at, self._stage, f"{self._mark}-{self._stage}-{number}", who.id, who.name, text, "order", wanted, stretch
        )

    def _new(self) -> _Viewer:
        number = len(self._viewers)
        name = f"{self._chance.choice(NAMES)} {self._chance.choice(NAMES)}"
        phone = f"09{self._stage + 1}{number % 10_000_000:07d}"
        self._viewers.append(_Viewer(str(self._first + number), name, phone))
        return self._viewers[-1]

    def _somebody(self) -> _Viewer:
        if self._viewers and self._chance.random() < 0.5:
            return self._chance.choice(self._viewers[-400:])
        return self._new()

    def _order(self, _at: float) -> tuple[_Viewer, str, tuple[tuple[str, int], ...]]:
        who = self._somebody()
        left = [(code, weight) for code, weight in zip(self._codes, POPULAR, strict=False) if code not in who.asked]
        if not left:
            who = self._new()
            left = list(zip(self._codes, POPULAR, strict=False))
        code = self._chance.choices([code for code, _ in left], [weight for _, weight in left])[0]
        packs = self._chance.choices((1, 2, 3, 5), (5, 5, 2, 1))[0]
        who.asked.add(code)
        text = self._chance.choice(_ORDERS).format(code=code.lower(), CODE=code, packs=packs)
        if not who.told and self._chance.random() < 0.2:
            who.told = True
            text += f" {who.phone}"
        return who, text, ((code, packs),)

    def _with(self) -> tuple[_Viewer | None, str]:
        """A viewer with a code that she asked for and did not cancel."""
        for who in self._chance.sample(self._viewers[-400:], min(6, len(self._viewers[-400:]))):
            if left := sorted(who.asked - who.cancelled):
                return who, self._chance.choice(left)
        return None, ""

    def _more(self, _at: float) -> tuple[_Viewer | None, str, tuple[tuple[str, int], ...]]:
        who, code = self._with()
        return who, self._chance.choice(_MORE).format(code=code.lower(), packs=1), ((code, 1),)

    def _cancel(self, _at: float) -> tuple[_Viewer | None, str, tuple[tuple[str, int], ...]]:
        who, code = self._with()
        if who is not None:
            who.cancelled.add(code)
        return who, self._chance.choice(_CANCELS).format(code=code.lower()), ((code, 0),)

    def _phone(self, _at: float) -> tuple[_Viewer | None, str, tuple[tuple[str, int], ...]]:
        who = self._somebody()
        who.told = True
        return who, self._chance.choice(_PHONES).format(phone=who.phone), ()

    def _question(self, _at: float) -> tuple[_Viewer | None, str, tuple[tuple[str, int], ...]]:
        code = self._chance.choice(self._codes).lower()
        return self._somebody(), self._chance.choice(_QUESTIONS).format(code=code), ()

    def _chatter(self, _at: float) -> tuple[_Viewer | None, str, tuple[tuple[str, int], ...]]:
        return self._somebody(), self._chance.choice(_CHATTER), ()


def written(seed: int, stretches: Sequence[Stretch], stages: int = 3, mark: str = "") -> list[Spoken]:
    """The whole script in the order in which it is said."""
    chance = random.Random(seed)
    audiences = [Audience(stage, chance, mark or f"e{seed}") for stage in range(stages)]
    said = [
        audiences[stage].speak(at, stretch.name) for at, stage, stretch in _moments(chance, stretches, stages)
    ]
    return sorted(said, key=lambda one: one.at)


def _moments(
    chance: random.Random, stretches: Sequence[Stretch], stages: int
) -> Iterator[tuple[float, int, Stretch]]:
    """When somebody says something, and where: evenly spread by chance within each stretch, no two in one instant."""
    begins, taken = 0.0, set[int]()
    for stretch in stretches:
        share = stretch.share[:stages]
        for at in sorted(chance.uniform(0, stretch.seconds) for _ in range(round(stretch.seconds * stretch.rate))):
            # Platforms tell milliseconds.
            moment = round((begins + at) * 1000)
            while moment in taken:
                moment += 1
            taken.add(moment)
            yield moment / 1000, chance.choices(range(stages), share)[0], stretch
        begins += stretch.seconds


def by_stage(said: Sequence[Spoken]) -> dict[int, list[Spoken]]:
    """The script of each livestream."""
    found: dict[int, list[Spoken]] = defaultdict(list)
    for one in said:
        found[one.stage].append(one)
    return dict(found)
