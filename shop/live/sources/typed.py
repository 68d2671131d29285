"""Comments typed by a helper who hears or sees them: a name and the words."""

from shop.live import intake
from shop.live.intake import Result
from shop.live.log import Said
from shop.live.models import AUTHOR_MAX
from shop.live.sources.pasting import author_of
from shop.live.sources.services import own
from village.errors import BadInput
from village.i18n import lazy_gettext as _l
from village.people.access import Actor
from village.text import clean_line

TYPED = "key:"
WORDS_MAX = 300


def type_in(actor: Actor, session_id: str, name: object, words: object, key: str) -> Result:
    """Take one comment as `intake.receive` does. `key` is the form's own: sent twice, it is taken once.

    Who has the same name is the same viewer; without a name it is one of its own. BadInput names `words` or `name`.
    """
    text = clean_line(words, "words", WORDS_MAX)
    who = clean_line(name, "name", AUTHOR_MAX) if str(name).strip() else ""
    if not key:
        raise BadInput("missing", _l("Bác tải lại trang rồi gõ lại giúp mình."), field="words")
    comment_id = f"{TYPED}{key[:40]}"
    said = Said(comment_id, author_of(who) if who else comment_id, who, text)
    return intake.receive(actor, session_id, [said], own(actor, session_id, "keyboard"))[0]
