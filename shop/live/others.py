"""Whether a comment is for somebody else than the shop, or somebody else's words."""

from collections.abc import Sequence

from shop.live.tokens import Token
from shop.live.words import LEXICON


def mentions(tokens: Sequence[Token], bare: str) -> bool:
    """Whether she calls another viewer by "@name"; the shop itself may be called."""
    if "@" not in bare:
        return False
    for at, token in enumerate(tokens):
        if token.bare == "@" and at + 1 < len(tokens):
            name = tokens[at + 1]
            tight = at and tokens[at - 1].end == token.start and tokens[at - 1].kind == "w"
            if not tight and name.bare not in LEXICON.shops:
                return True
    return False


def calls_somebody(tokens: Sequence[Token]) -> bool:
    """Whether she calls another viewer by name: "Hà ơi …". The shop is called by what it is, "chị ơi"."""
    return any(
        token.bare in ("oi", "ui") and at and tokens[at - 1].kind == "w" and not tokens[at - 1].name
        for at, token in enumerate(tokens)
    )


def quoted(tokens: Sequence[Token], bare: str, counted: bool) -> bool:
    """Whether a code stands behind somebody's name and a colon, within quotation marks or behind a reply's ">"."""
    if not any(sign in bare for sign in ':">'):
        return False
    named = False
    for at, token in enumerate(tokens):
        if token.kind == "c":
            return False
        if token.bare == '"' and at + 2 < len(tokens) and tokens[at + 2].bare == '"':
            return tokens[at + 1].kind != "c" or not counted  # "md01" in quotation marks, x2
        if token.bare == '"' or (token.bare == ">" and at == 0):
            return True
        if token.kind == "w":
            named = named or not token.name or token.low in LEXICON.shops
            if token.name and token.low not in LEXICON.shops and token.name != "who":
                return False
        elif token.bare == ":" and named:
            return True
    return False
