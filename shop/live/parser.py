"""Reads one comment of a live sale: what is ordered, by which words, or why a person must look.

Pure and linear in time. It never guesses: whatever can be read in two ways has the intent `review`.
The steps: fold letters → take phones out → match live codes only → bind quantities → tell the intent.
"""

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from shop.live import amounts, asides, others, phones
from shop.live.amounts import Amounts
from shop.live.binding import Bound, Item, bind
from shop.live.codes import Codebook, codebook
from shop.live.fold import Folded, fold
from shop.live.keys import numbered
from shop.live.tokens import Token, cut
from shop.live.words import LEXICON

Intent = Literal["order", "cancel", "change", "question", "review", "phone", "ignored"]

MAX_LENGTH = 500
"""Characters read of one comment; a longer one is for a person if it names a code."""

_DIGIT_WITHIN = re.compile(r"[1-9](?<=[a-z].)[1-9]?[a-z]")
_MAX_STRANGERS = 8
_MAX_TOKENS = 200
_LOOKED_AT = 1500


@dataclass(frozen=True, slots=True)
class Line:
    """So many packs of one live code. In a cancellation, quantity 0 means all that she ordered of it."""

    code: str
    quantity: int
    because: str
    """The words of the comment that gave it, letters folded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one comment says. `lines` are to be acted on, and stand only with `order` and `cancel`."""

    intent: Intent
    lines: tuple[Line, ...] = ()
    phone: str | None = None
    """National form; of several, the first."""
    additive: bool = False
    """She asks for so much more ("thêm", "nữa") on top of what she has."""
    reason: str = ""
    """Slug: why it is not simply an order."""
    suggested: tuple[Line, ...] = ()
    """With `review`, `change` and `question`: the lines it may mean, for a person to confirm."""
    by_pin: bool = False
    """It names no code, and is read as being about the pinned one."""


def parse(text: str, live_codes: Collection[str], max_per_line: int = 99, pinned: str | None = None) -> Reading:
    """Reads a comment against the codes live in its session. Never raises for any text.

    An `order` has at least one line, its quantities are 1 to `max_per_line`, no code comes twice.
    `pinned` is the live code that a number alone means ("2", "lấy 2 gói ạ"); None when it means nothing.
    """
    book = codebook(frozenset(live_codes))
    if len(text) > MAX_LENGTH:
        return _too_long(text, book)
    folded = fold(text)
    if len(folded.bare) > MAX_LENGTH:
        return _too_long(folded.bare, book)
    if _DIGIT_WITHIN.search(folded.bare):
        folded = numbered(folded)
    found = phones.find(folded.bare, book.anywhere)
    phone = found[0].number if found else None
    low, bare = folded.low, folded.bare
    if found:
        low, bare = phones.take_out(low, found), phones.take_out(bare, found)
    for start, end in phones.no_use(bare) if "+" in bare or "xx" in bare or "**" in bare else ():
        low, bare = (text[:start] + " " * (end - start) + text[end:] for text in (low, bare))
    tokens = cut(low, bare, folded.shown, book)
    if len(tokens) > _MAX_TOKENS:
        named = any(token.kind == "c" for token in tokens)
        return Reading("review" if named else "ignored", phone=phone, reason="too-long")
    if not tokens:
        return Reading("ignored", reason="noise")
    pinned = pinned if pinned in live_codes else None
    marked = low != bare
    first = _Decision(folded, tokens, amounts.read(tokens, book, marked), phone, max_per_line, pinned)
    reading = first.reading()
    wavers = reading.intent in _DOUBTFUL and reading.reason not in _CERTAIN and first.may_order()
    if wavers or (reading.intent == "cancel" and not first.has & {"cancel", "drop"}):
        aside = asides.find(tokens)
        if aside.dropped or (aside.touched and reading.intent == "cancel"):
            left = [token for at, token in enumerate(cut(low, bare, folded.shown, book)) if at not in aside.dropped]
            second = _Decision(folded, left, amounts.read(left, book, marked), phone, max_per_line)
            return _second_thought(reading, second, aside.total)
    return reading


_DOUBTFUL = frozenset(("review", "question", "change"))
_CERTAIN = frozenset(("turned-text", "mention", "quoted", "spam", "no-code", "above-limit", "invalid-quantity",
                      "unknown-code", "code-one-edit-away", "weight", "unit"))  # fmt: skip
"""Doubts that do not go away with what stands beside the order."""


def _second_thought(first: Reading, second: "_Decision", total: int | None) -> Reading:
    """The reading of what is left without asides: an order only if it asks for so many of each, else as it was."""
    again = second.reading()
    counted = total is None or total == sum(line.quantity for line in again.lines)
    if again.intent == "order" and second.given and second.may_order() and counted:
        return again
    if first.intent == "cancel":
        return Reading("review", phone=first.phone, reason="cancel")  # "md01 không lấy hóa đơn"
    return first


def _too_long(text: str, book: Codebook) -> Reading:
    looked = text[:_LOOKED_AT] + " " + text[-MAX_LENGTH:] if len(text) > _LOOKED_AT + MAX_LENGTH else text
    bare = fold(looked).bare
    named = book.anywhere is not None and book.anywhere.search(bare) is not None
    return Reading("review" if named else "ignored", reason="too-long")


_WANTS = frozenset(("order", "take"))
_ASKS_FOR = _WANTS | {"more"}
_QUIET = frozenset(("particle", "weak", "who", "contact", "go", "+", "goods", "crowd"))
_BESIDE_NUMBER = frozenset(("order", "take", "amount", "number", "unit", "particle", "who", "more", "+"))
"""What may stand beside a number that means packs of the pinned product; any other word may turn it round."""
_SIGNS_BESIDE_NUMBER = frozenset((".", ",", "!", "+", "*", "=", "-", ")"))


def _beside_number(token: Token) -> bool:
    if token.kind == "w":
        return token.name in _BESIDE_NUMBER and token.bare != "like"  # "xin 1 like"
    if token.kind == "s":
        return token.name == "fine" or token.bare in _SIGNS_BESIDE_NUMBER
    return token.kind in "np"


class _Decision:
    """Tells the intent of one comment from its words; the rules stand in the order in which they bind."""

    def __init__(
        self, folded: Folded, tokens: list[Token], read: Amounts, phone: str | None, limit: int,
        pinned: str | None = None,
    ) -> None:  # fmt: skip
        self.folded = folded
        self.tokens = tokens
        self.read = read
        self.phone = phone
        self.limit = limit
        self.has = {token.name for token in tokens if token.kind in "ws" and token.name}
        self.codes = list(dict.fromkeys(item.code for item in read.items if item.kind == "C"))
        self.pinned = pinned if not self.codes else None
        self.by_pin = self.pinned is not None and self._only_a_number()
        if self.pinned is not None and self.by_pin:
            at = next(item for item in read.items if item.kind in "QX")
            read.items.insert(0, Item("C", self.pinned, 1, at.start, at.end))
            self.codes = [self.pinned]
        self.quantified = any(item.kind in "QX" for item in read.items)
        self.lines: tuple[Line, ...] = ()
        self.given = False
        self.trouble = self._bind()

    def may_order(self) -> bool:
        """Whether it has what an order beside other words must have: a code, a quantity, and a wish or a unit."""
        return bool(self.codes) and self.quantified and (self.read.marked or not self.has.isdisjoint(_ASKS_FOR))

    def reading(self) -> Reading:
        intent, reason = self._intent()
        if self.by_pin and intent == "order" and self._counts_people():
            intent, reason = "review", "no-code"
        lines = self.lines
        if intent == "cancel":
            lines = tuple(line if self.given else Line(line.code, 0, line.because) for line in self.lines)
        acted = lines if intent in ("order", "cancel") else ()
        clear = not self.trouble or self.given
        offered = self.lines if clear and intent in ("review", "change", "question") else ()
        more = intent == "order" and ("more" in self.has or self.read.plus)
        if self.pinned is not None and (intent, reason) == ("review", "no-code") and not self.quantified:
            offered = (Line(self.pinned, 1, self.folded.shown),)
        return Reading(intent, acted, self.phone, more, reason, offered, self.by_pin)

    def _only_a_number(self) -> bool:
        """Whether the comment is a quantity alone, with no more than words that ask for it."""
        amounts = [item for item in self.read.items if item.kind in "QX"]
        return len(amounts) == 1 and not self.read.loose and all(map(_beside_number, self.tokens))

    def _counts_people(self) -> bool:
        """Whether a bare number stands before a word for people, and nothing asks for it: "hi 2 chị"."""
        beside = zip(self.tokens, self.tokens[1:], strict=False)
        return not (self.read.marked or self.has & _WANTS) and any(
            (one.kind == "n" or one.name == "number") and after.name == "who" for one, after in beside
        )

    def _bind(self) -> str:
        """Binds quantities; returns the slug of what hinders it, "" if the lines are clear."""
        read = self.read
        if not self.codes:
            return read.problem or "no-code"
        bound = bind(read.items, read.each)
        if bound is None:
            return read.problem or "ambiguous-quantity"
        self.given = all(line.given for line in bound)
        lines, excess = self._sum(bound)
        if excess:
            return read.problem or excess
        self.lines = lines
        if read.problem:
            return read.problem
        if read.loose and not self.given:
            return read.loose
        if read.loose == "price" and any(item.kind == "Q" for item in read.items):
            return "price"  # "2 gói 100k": her price or ours?
        if read.kinds and read.kinds != len(self.codes):
            return "ambiguous-quantity"
        if "or" in self.has and len(self.codes) > 1:
            return "ambiguous-code"
        return ""

    def _sum(self, bound: list[Bound]) -> tuple[tuple[Line, ...], str]:
        total: dict[str, tuple[int, bool, list[str]]] = {}
        for line in bound:
            if line.quantity < 1:
                return (), "invalid-quantity"
            words = self.folded.shown[line.start : line.end]
            quantity, given, because = total.get(line.code, (0, False, []))
            if line.given and given:
                quantity += line.quantity
                because = [*because, words]
            elif line.given or not quantity:
                quantity, because = line.quantity, [words]
            if quantity > self.limit:
                return (), "above-limit"
            total[line.code] = (quantity, given or line.given, because)
        return tuple(Line(code, n, ", ".join(because)) for code, (n, _, because) in total.items()), ""

    def _intent(self) -> tuple[Intent, str]:
        has, read = self.has, self.read
        if not self.codes:
            return self._without_code()
        if self.folded.turned:
            return "review", "turned-text"
        if self.folded.odd:
            return "review", "odd-number"
        if others.quoted(self.tokens, self.folded.bare, read.marked):
            return "review", "quoted"
        if others.mentions(self.tokens, self.folded.bare):
            return ("review" if read.marked or self.phone else "ignored"), "mention"
        if "spam" in has:
            return "review", "spam"
        wants = bool(has & _WANTS)
        refused = self._refusal()
        if refused == "negation":
            return "ignored", "negation"
        if "hold" in has:
            return "review", "negation"
        if refused == "cancel" or "cancel" in has or "drop" in has:
            return self._cancellation(refused == "cancel")
        if "change" in has:
            return "change", "change"
        if "complaint" in has:
            return "review", "complaint"
        if "past" in has:
            return "review", "past"
        if "bargain" in has:
            return ("review" if self.phone else "question"), "bargain"
        sure = read.marked and self.phone is not None
        if refused == "question" or has & {"ask", "inquire"} or self._asks():
            if not (sure and self.given) or self._hangs_on_answer():
                return ("review" if wants and self.quantified else "question"), "question"
        elif refused:
            return "review", refused
        if "show" in has:
            return ("review" if self.quantified or self.phone else "ignored"), "show"
        if self.trouble:
            return "review", self.trouble
        if "unclear" in has or ("then" in has and "condition" not in has):
            return "review", "unclear"
        if others.calls_somebody(self.tokens) and not (self.phone or self._for_herself()):
            return "review", "mention"
        if "later" in has and not sure:
            return "review", "later"
        if "crowd" in has or ("go" in has and not (self.quantified or self.phone or self._for_herself())):
            return "review", "urging"
        return self._plain_order(wants)

    def _plain_order(self, wants: bool) -> tuple[Intent, str]:
        read, has = self.read, self.has
        strong = "order" in has or read.marked or self.phone is not None
        counted = read.marked and (wants or self._praised_by_sign())
        if "praise" in has and not ("order" in has or self.phone or counted):
            return "review", "praise"
        if "laugh" in has and not (strong or wants):
            return "review", "praise"
        if has & {"weak", "picture"} and not (strong or wants or self.given):
            return "review", "unclear"
        if read.strangers > self._strangers_allowed(strong, wants):
            return "review", "unclear"
        return "order", ""

    def _praised_by_sign(self) -> bool:
        """Whether only pictures praise it: "🔥 md01 3 gói 🔥"."""
        return all(token.kind == "s" for token in self.tokens if token.name == "praise")

    def _strangers_allowed(self, strong: bool, wants: bool) -> int:
        """How many unknown words an order may have: names and places come with a telephone number or an address."""
        if self.phone is not None or (self.has & {"address", "place"} and (strong or self.given)):
            return _MAX_STRANGERS
        if self.read.marked or (wants and self.quantified):
            return 2
        return 1 if strong else 0

    def _without_code(self) -> tuple[Intent, str]:
        read, has = self.read, self.has
        if "spam" in has:
            return "ignored", "spam"
        problem = (
            read.problem if read.problem in ("unknown-code", "code-one-edit-away", "ambiguous-code") else ""
        )
        if others.mentions(self.tokens, self.folded.bare) and not problem:
            return "ignored", "mention"
        if (has & {"ask", "inquire", "bargain"} or self._asks() or self._refusal() == "question") and not (
            read.marked and self.phone
        ):
            return "question", "question"
        if problem:
            return "review", problem
        if has & {"cancel", "change"} or self._refusal() == "cancel":
            return "review", "cancel-without-code"
        if self.pinned is not None and "drop" in has and self.quantified:
            return "review", "cancel-without-code"
        if has & {"past", "complaint"}:
            return ("review", "complaint") if "complaint" in has else ("ignored", "past")
        if has & {"hold", "notyet", "show"}:
            return "ignored", "noise"
        if "order" in has or read.marked or (has & _WANTS and (self.quantified or self.phone)):
            return "review", "no-code"
        if self.phone is not None:
            return "phone", ""
        if "take" in has and not read.strangers and "address" not in has:
            return "review", "no-code"
        return "ignored", "noise"

    def _asks(self) -> bool:
        return "?" in self.folded.bare and any(token.bare == "?" for token in self.tokens)

    def _hangs_on_answer(self) -> bool:
        """Whether a question is about more than an order that stands: "md01 bao nhiêu 1 gói", "md02 thì sao?"."""
        words = [("" if token.kind in "cs" else token.low) for token in self.tokens]
        places = [at for at, token in enumerate(self.tokens) if token.name == "ask"]
        asked = [itertools.takewhile(bool, words[at + 1 : at + 4]) for at in places]
        each = any(word in LEXICON.single for behind in asked for word in behind)
        return "inquire" in self.has or each or asides.asks_of_another(self.tokens)

    def _for_herself(self) -> bool:
        return any(
            token.name == "order" and token.bare in ("cho", "lay", "gui", "ban", "de", "giu")
            for token in self.tokens
        )

    def _refusal(self) -> str:
        """What a "không" or "chưa" in it does: "cancel", "negation", "question", or "" if there is none."""
        found = ""
        for at, token in enumerate(self.tokens):
            if token.name not in ("not", "notyet"):
                continue
            if token.bare == "k" and at and self.tokens[at - 1].kind == "n":
                continue
            rest = [word for word in self.tokens[at + 1 :] if word.kind != "s"]
            # "ngon ko shop, em lấy 2": what stands behind a comma is not refused.
            clause = itertools.takewhile(lambda word: word.kind != "s", self.tokens[at + 1 : at + 5])
            ahead = [word for word in clause if word.name not in ("who", "particle", "weak", "+", "more")]
            if ahead and ahead[0].name in ("order", "take") and ahead[0].kind == "w":
                return "negation" if token.name == "notyet" else "cancel"
            if ahead and ahead[0].name == "cancel":
                return "unclear"
            if all(word.kind == "p" or (word.kind == "w" and word.name in _QUIET) for word in rest):
                found = found or "question"
            else:
                return "negation" if token.name == "notyet" and not rest else "unclear"
        return found

    def _cancellation(self, refused: bool) -> tuple[Intent, str]:
        has, read = self.has, self.read
        # "không lấy đâu": after a refusal, "đâu" is no "where".
        where = any(token.name == "ask" and not (refused and token.bare == "dau") for token in self.tokens)
        # "không mua được": she could not, which is not that she will not.
        unable = refused and any(token.bare in ("duoc", "dc") for token in self.tokens)
        if "crowd" in has or where or unable or has & {"past", "inquire", "complaint", "notyet"} or self._asks():
            return "review", "cancel"
        if "not" in has and not refused:
            return "review", "cancel"
        wanted = [token.name for token in self.tokens if token.kind == "w" and token.name in _WANTS]
        more = any(token.name == "more" and token.bare != "nua" for token in self.tokens)
        positive = more or len(wanted) - (1 if refused else 0) > 0
        if "change" in has:
            return "change", "change"
        if positive:
            return ("change", "change") if len(self.codes) > 1 else ("review", "cancel")
        if "drop" in has and "cancel" not in has and not self._drops_code():
            return "review", "cancel"
        if self.trouble or "unclear" in has or read.strangers > 3:
            return "review", self.trouble or "cancel"
        if refused and self._refuses_the_last():
            return "review", "cancel"
        return "cancel", ""

    def _refuses_the_last(self) -> bool:
        """Whether another clause than the refusal's names a code of its own: "md01 2 gói, md02 không lấy"."""
        begins = next(at for at, token in enumerate(self.tokens) if token.name == "not")
        stops = [at for at, token in enumerate(self.tokens[:begins]) if token.kind == "s" and token.bare in ",.;!"]
        clause = {token.name for token in self.tokens[max(stops, default=0) :] if token.kind == "c"}
        return any(code not in clause for code in self.codes)

    def _drops_code(self) -> bool:
        """Whether "bỏ" stands before a code, with no more than a quantity or a pronoun between."""
        for at, token in enumerate(self.tokens):
            # "2 bo combo1": two sets ("bộ"), or drop them ("bỏ")?
            if token.name == "drop" and not (token.low == "bo" and at and self.tokens[at - 1].kind == "n"):
                for after in self.tokens[at + 1 : at + 5]:
                    if after.kind == "c":
                        return True
                    if after.kind == "w" and after.name not in ("who", "particle", "weak", "unit", "code", "+"):
                        break
        return False
