"""Comments that a person pasted, one a line: who said each, if the line says so, and what."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from shop.live import intake
from shop.live.intake import Result
from shop.live.log import Said
from shop.live.models import AUTHOR_MAX, Decision
from shop.live.sources.services import own
from shop.live.spoken import needs_look
from shop.live.texts import kept
from shop.live.words import LEXICON
from village.errors import BadInput
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

_NAMED = re.compile(r"\s*([^\W\d_][^\d:\n]{0,38}?[^\W\d_.]?)\s*[:：]\s*(\S.*)", re.DOTALL)
_LABELS = frozenset(("địa chỉ", "dia chi", "ghi chú", "ghi chu", "lưu ý", "luu y", "note", "ps"))
_LABEL_CLASSES = frozenset(
    ("contact", "address", "amount", "order", "take", "code", "cancel", "change", "unit", "money")
)
"""What stands before a colon and is no name: "sđt: …", "chốt: …"."""
PASTED = "paste:"
NAMED = "name:"


def paste(actor: Actor, session_id: str, text: str, paste_id: str) -> list[Result]:
    """Take comments that a person pasted, one a line, as `intake.receive` does.

    A line may begin with the viewer's name and a colon; who has the same name is then the same viewer. `paste_id` is
    the form's own: sent twice, its lines are taken once.
    """
    said = pasted(text, paste_id)
    if not said:
        raise BadInput("missing", _l("Bác dán lời nhắn vào đây đã nhé."), field="comments")
    return intake.receive(actor, session_id, said, own(actor, session_id, "paste"))


def pasted(text: str, paste_id: str) -> list[Said]:
    """The comments in a pasted text, in its order; the same line twice is two comments."""
    seen: Counter[str] = Counter()
    said = []
    for line in re.split(r"\r\n?|\n", text):
        if not line.strip():
            continue
        seen[line] += 1
        digest = hashlib.sha256(f"{seen[line]}\n{line}".encode(errors="replace")).hexdigest()[:24]
        comment_id = f"{PASTED}{paste_id}:{digest}"
        name, words = split_name(line)
        said.append(Said(comment_id, author_of(name) if name else comment_id[:AUTHOR_MAX], name, words))
    return said


def author_of(name: str) -> str:
    """Who bears this name, where no platform says so by a number: the same name is the same viewer."""
    return NAMED + hashlib.sha256(" ".join(name.casefold().split()).encode(errors="replace")).hexdigest()[:32]


def split_name(line: str) -> tuple[str, str]:
    """The name that a pasted line begins with (empty without one), and the comment: `Lan: md01 x2`."""
    found = _NAMED.fullmatch(line)
    if found is None:
        return "", line.strip()
    name, words = kept(found[1].strip(), 200), found[2].strip()
    low = name.lower()
    label = low in _LABELS or all(LEXICON.word(word) in _LABEL_CLASSES for word in low.split())
    return ("", line.strip()) if label or words.startswith("//") else (name, words)


def outcome(results: Sequence[Result]) -> str:
    """What became of pasted comments, in one sentence for whoever pasted them."""
    taken = sum(result.decision is Decision.ORDER for result in results)
    look = sum(needs_look(result.decision, result.reason) for result in results)
    return _(
        "Đã đọc %(count)s lời nhắn: %(taken)s thành đơn, %(look)s cần bác xem.",
        count=len(results), taken=taken, look=look,
    )  # fmt: skip
