"""What the page of sources shows."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import current_app

from shop.live.models import LiveForeignOrder, LiveSession, LiveSource
from shop.live.sources import faults, services
from shop.live.sources.tiktok import orders as tiktok
from village.db import db
from village.i18n import lazy_gettext as _l
from village.people.access import Actor

KINDS = {
    "facebook": _l("Facebook: lời nhắn dưới buổi live"),
    "tiktok": _l("TikTok Shop: đơn trong giỏ của TikTok"),
    "webhook": _l("Máy đọc lời nhắn"),
    "paste": _l("Dán tay"),
    "file": _l("Nạp từ tệp"),
    "keyboard": _l("Gõ tay"),
    "api": _l("Chương trình của nhà mình"),
}
READ = ("facebook", "tiktok", "webhook")
"""Kinds that bring comments by themselves, so that they can be stopped, and can fail."""
WHY = {
    faults.UNREACHABLE: _l("Bên ấy chưa trả lời. Mình vẫn gọi lại, lúc thông thì đọc bù."),
    faults.REFUSED: _l("Bên ấy không nhận khoá của mình nữa. Bác nhờ ban hợp tác xã lấy khoá mới."),
    faults.TOO_OFTEN: _l("Bên ấy bảo mình hỏi thưa lại. Một phút nữa mình đọc tiếp, không sót lời nào."),
    faults.GONE: _l("Không thấy buổi live này trên trang nữa. Bác xem lại rồi nối lại nhé."),
    faults.LOST_PLACE: _l("Mất dấu chỗ đọc tới, mình đọc lại từ đầu. Lời nào có rồi thì bỏ qua."),
    **tiktok.FAULTS,
}
NOT_TOLD = {
    faults.UNREACHABLE: _l("Messenger chưa trả lời. Mình vẫn gửi lại, bác khỏi gửi tay."),
    faults.REFUSED: _l("Khoá của trang chưa được phép nhắn tin (pages_messaging). Bác nhờ hợp tác xã xin quyền ấy."),
    faults.TOO_OFTEN: _l("Messenger bảo gửi thưa lại. Một phút nữa mình gửi tiếp."),
}
"""Why viewers are sent nothing now."""
_OTHERWISE = _l("Đọc chưa được, mình vẫn thử lại. Bác dán tay tạm nhé.")


@dataclass(frozen=True)
class Shown:
    """One source."""

    id: str
    kind: str
    name: LazyProxy
    badge: str
    """A badge of the house, for its state."""
    state: LazyProxy
    why: LazyProxy | None
    heard: int
    heard_at: dt.datetime | None
    video: str
    """The live video's number; empty for none."""
    address: str
    """Where a comment reader posts; empty for other kinds."""
    fresh: bool
    """True as long as nothing came, so that the secret can still be shown."""
    can_turn: bool
    can_tell: bool
    tells: bool
    """True when viewers are sent their links."""
    not_told: LazyProxy | None
    """Why they are sent nothing now."""
    stopped: bool


@dataclass(frozen=True)
class Page:
    """The page."""

    live: LiveSession
    sources: Sequence[Shown]
    facebook: bool
    tiktok: bool
    doubts: Sequence[tuple[LiveForeignOrder, LazyProxy]]
    """TikTok Shop's orders that need a person, and why."""

    @property
    def takes(self) -> bool:
        """True while comments that a person brings are taken."""
        return self.live.status in ("open", "paused") and not self.live.over


def page(actor: Actor, session_id: str) -> Page:
    """The sources of a session; NotFound or Forbidden as `authorised`."""
    live, sources = services.sources_of(actor, session_id)
    offered, brought = services.offered(actor), services.brought(db.session(), live)
    has = {source.kind for source in sources if source.state != "stopped"}
    waiting = [(row, why(row.fault)) for row in tiktok.in_doubt(db.session(), live.id)]
    return Page(
        live, [_shown(live, source, *brought.get(source.id, (0, None))) for source in sources], offered["facebook"],
        offered["tiktok"] and "tiktok" not in has, waiting,
    )  # fmt: skip


def why(slug: str) -> LazyProxy:
    """A fault's words."""
    return WHY.get(slug, _OTHERWISE)


def _shown(live: LiveSession, source: LiveSource, heard: int, heard_at: dt.datetime | None) -> Shown:
    read, webhook = source.kind in READ, source.kind == "webhook"
    badge, state = _state(live, source)
    return Shown(
        id=source.id, kind=source.kind, name=KINDS[source.kind], badge=badge, state=state,
        why=why(source.fault) if source.fault and source.state == "failing" else None,
        heard=heard, heard_at=heard_at,
        video=source.external_id or "" if source.kind == "facebook" else "",
        address=f"{current_app.extensions['soi'].public_url}/hooks/live/{source.id}" if webhook else "",
        fresh=webhook and source.tried_at is None,
        can_turn=read and not live.over, can_tell=source.kind == "facebook" and not live.over, tells=source.tells,
        not_told=NOT_TOLD.get(source.tell_fault, _OTHERWISE) if source.tells and source.tell_fault else None,
        stopped=source.state == "stopped",
    )  # fmt: skip


def _state(live: LiveSession, source: LiveSource) -> tuple[str, LazyProxy]:
    if source.state == "stopped":
        return "done", _l("Đã đọc hết") if live.status == "ended" else _l("Đã ngắt")
    if source.kind not in READ:
        return "info", _l("Người nhà")
    if source.state == "failing":
        return "doubt", _l("Đang trục trặc")
    if source.state == "running":
        return ("waiting", _l("Đang đọc nốt")) if live.over else ("whole", _l("Đang nghe"))
    return "waiting", _l("Chờ mở phiên") if live.status == "planned" else _l("Chờ lời đầu tiên")
