"""Cuts a folded comment into codes, numbers, phones, words and signs, and names the class of each word."""

from dataclasses import dataclass

from shop.live.codes import Codebook
from shop.live.words import LEXICON


@dataclass(slots=True)
class Token:
    """`kind`: c(ode) n(umber) p(hone) w(ord) s(ign). `name`: the code, or the class of the word."""

    kind: str
    low: str
    bare: str
    start: int
    end: int
    name: str


def cut(low: str, bare: str, book: Codebook) -> list[Token]:
    """The tokens of a folded comment (see `fold.Folded`) whose phones were taken out."""
    tokens: list[Token] = []
    names = book.names
    for found in book.tokens.finditer(bare):
        start, end = found.span()
        kind = found.lastgroup or "s"
        name = ""
        if kind in names:
            name, kind = names[kind], "c"
        elif kind == "g":
            kind = "w"
        tokens.append(Token(kind, low[start:end], bare[start:end], start, end, name))
    _classify(tokens)
    return tokens


def _classify(tokens: list[Token]) -> None:
    openings = LEXICON.openings
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
                hit = LEXICON.phrase([each.low for each in run], [each.bare for each in run], 0)
                if hit is not None:
                    token.name = hit[0]
                    for other in tokens[at + 1 : at + hit[1]]:
                        other.name = "+"  # belongs to the phrase before it
                    at += hit[1]
                    continue
        token.name = LEXICON.word(token.low)
        at += 1
