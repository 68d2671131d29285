"""What materials, stages and ends are called, in the reader's language."""

from decimal import Decimal

from babel.support import LazyProxy

from batches.balance.flows import End, Knot
from batches.processes.catalogue import versions
from batches.processes.models import Process, Text
from village.i18n import gettext as _
from village.i18n import in_language, kilograms, number
from village.i18n import lazy_gettext as _l

TONNE = 1_000_000

ENDS: dict[End, LazyProxy] = {
    End.HARVEST: _l("Thu hoạch"),
    End.OUTSIDE: _l("Mua từ ngoài"),
    End.BEFORE: _l("Có từ trước"),
    End.RECEIVED: _l("Lấy của hộ khác"),
    End.ADDED: _l("Thêm nước"),
    End.MISSING: _l("Chưa rõ ở đâu ra"),
    End.DRIED: _l("Nước bay đi"),
    End.WATER: _l("Nước và bụi"),
    End.LOST: _l("Hao hụt đã ghi"),
    End.UNCLEAR: _l("Hao, chưa rõ vì sao"),
    End.SOLD: _l("Đã xuất đi"),
    End.GIVEN: _l("Hộ khác làm tiếp"),
    End.BESIDE: _l("Ra cùng lúc"),
    End.LEFT: _l("Còn lại"),
}


def knot_words(process: Process, knot: Knot) -> str:
    """A knot's name. A material or stage that the newest version no longer has is named by the last one that had it."""
    if knot.kind == "end":
        return str(ENDS[End(knot.key)])
    for version in [process, *reversed(list(versions()[process.key].values()))]:
        for one in version.materials if knot.kind == "material" else version.stages:
            if one.key == knot.key:
                return capital(one.name)
    return knot.key


def capital(name: Text) -> str:
    """A name that begins a line."""
    words = in_language(name.vi, name.en)
    return words[:1].upper() + words[1:]


def weight(grams: int) -> str:
    """A weight as one says it: `1,6 tấn` from a tonne on, else kilograms."""
    if grams < TONNE:
        return kilograms(grams)
    return _("%(tonnes)s tấn", tonnes=number(round(Decimal(grams) / TONNE, 1)))
