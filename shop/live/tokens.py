"""Cuts a folded comment into codes, numbers, phones, words and signs, and names the class of each word."""

from dataclasses import dataclass

from shop.live.codes import Codebook
from shop.live.fold import plain
from shop.live.keys import telex
from shop.live.words import LEXICON

_PICTURES = "\u2190"
"""Signs from here on are arrows, dingbats and emoji."""


@dataclass(slots=True)
class Token:
    """`kind`: c(ode) n(umber) p(hone) w(ord) s(ign). `name`: the code, or the class of the word or sign."""

    kind: str
    low: str
    bare: str
    start: int
    end: int
    name: str


def cut(low: str, bare: str, shown: str, book: Codebook) -> list[Token]:
    """The tokens of a folded comment (see `fold.Folded`) whose phones were taken out of `low` and `bare`."""
    tokens: list[Token] = []
    signs = LEXICON.signs
    names, prefixes = book.names, book.prefixes
    half = False
    for found in book.tokens.finditer(bare):
        start, end = found.span()
        kind = found.lastgroup or "s"
        piece = bare[start:end]
        name = ""
        if kind in names:
            name, kind = names[kind], "c"
        elif kind == "g":
            kind = "w"
        elif kind == "s":
            name = signs.get(piece, "picture" if piece > _PICTURES else "")
        elif kind == "w" and piece in prefixes:
            half = True
        tokens.append(Token(kind, low[start:end], piece, start, end, name))
    if half:
        tokens = _spelled(tokens, book)
    _classify(tokens, low != bare, shown)
    return tokens


def _spelled(tokens: list[Token], book: Codebook) -> list[Token]:
    """Codes whose digits were spoken: "md không một" is MD01, if all of its digits are there."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "w" and token.bare in book.prefixes and not LEXICON.word(token.bare):
            key, word = token.bare, token
            for stop in range(at + 1, min(at + 5, len(tokens))):
                if tokens[stop].low not in LEXICON.digits:
                    break
                key += LEXICON.digits[tokens[stop].low]
                if key in book.whole:
                    token = Token("c", word.low, word.bare, word.start, tokens[stop].end, book.whole[key])
                    at = stop
        found.append(token)
        at += 1
    return found


def _classify(tokens: list[Token], marked: bool, shown: str) -> None:
    """Names the class of each word. `marked`: the comment has marks, so that what has none is meant so."""
    for token in tokens:
        if token.kind == "w" and (word := telex(token.low)) is not None:
            token.low, token.bare = word, plain(word)  # "laays" is "lấy"
    openings = LEXICON.phrases
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind != "w":
            at += 1
            continue
        if at + 1 < len(tokens) and (token.bare, tokens[at + 1].bare) in openings:
            stop = at + 1
            while stop < len(tokens) and stop < at + 5 and tokens[stop].kind == "w":
                stop += 1
            if stop > at + 1:
                run = tokens[at:stop]
                hit = LEXICON.phrase([each.low for each in run], tuple(each.bare for each in run))
                if hit is not None:
                    token.name = hit[0]
                    for other in tokens[at + 1 : at + hit[1]]:
                        other.name = "+"  # belongs to the phrase before it
                    at += hit[1]
                    continue
        name = LEXICON.word(token.low)
        if name and token.low in LEXICON.bared:
            if marked and token.low in LEXICON.with_marks:
                name = LEXICON.with_marks[token.low]
            elif name == "cancel" and _capital(shown, token) and any(other.kind == "p" for other in tokens):
                name = "unclear"  # "Huy 0912345678 md01": somebody's name?
            elif at and _capital(shown, token):
                name = "" if marked or name != "cancel" else "unclear"
        elif at > 1 and name in ("", "shop") and token.bare in LEXICON.domains and _is_address(tokens, at):
            name = "spam"
        elif at and token.low in LEXICON.names and name and _capital(shown, token):
            name = ""
        if token.low in LEXICON.final and at and _ends(tokens, at):
            name = "particle"
        token.name = name
        at += 1


def _capital(shown: str, token: Token) -> bool:
    """Whether a word begins with a capital, and is not all of capitals."""
    return shown[token.start : token.start + 2].istitle() and shown[token.end - 1].islower()


def _ends(tokens: list[Token], at: int) -> bool:
    """Whether no more than names for the shop follow a word that stands behind a code, a unit or a filler."""
    before = tokens[at - 1]
    behind = before.kind in "cn" or before.name in ("particle", "weak", "who") or before.low in LEXICON.units
    return behind and all(token.kind in "sp" or token.low in LEXICON.called for token in tokens[at + 1 :])


def _is_address(tokens: list[Token], at: int) -> bool:
    dot, host = tokens[at - 1], tokens[at - 2]
    return dot.bare == "." and dot.end == tokens[at].start and host.end == dot.start and host.kind in "wn"
