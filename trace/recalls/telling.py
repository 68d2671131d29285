"""Telling people of a recall: over which channel; and the other cooperatives' offices, whose lots are stopped."""

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from trace.recalls.reach import Call
from trace.recalls.scope import Scope
from village import clock
from village.outbox.letters import Letter
from village.outbox.models import Message, MessageState
from village.outbox.services import put_all
from village.places.models import Cooperative

ABOUT = "recall"
"""What the messages are about; their `about` is (ABOUT, the recall's id)."""


def channel() -> str:
    """Short messages where the village can send them; otherwise somebody rings."""
    return "sms" if current_app.extensions["soi"].sms_url else "call"


def tell_offices(session: Session, call: Call, scope: Scope) -> None:
    """Have each other cooperative told whose lots came of these: it must stop its packs, too, and tell its people."""
    lots = {lot.cooperative_id: 0 for lot in scope.fresh if lot.cooperative_id != call.cooperative_id}
    if not lots:
        return
    for lot in scope.fresh:
        if lot.cooperative_id in lots:
            lots[lot.cooperative_id] += 1
    offices = session.scalars(select(Cooperative).where(Cooperative.id.in_([*lots, call.cooperative_id]))).all()
    caller = next(one.name for one in offices if one.id == call.cooperative_id)
    address = current_app.extensions["soi"].public_url
    # In Vietnamese, whoever pressed the button: the language is the reader's, and the reader is here.
    letters = [
        Letter(
            channel(), one.phone, f"Thu hồi: {lots[one.id]} lô của {one.name}",
            f"{caller} đang thu hồi một mẻ, trong đó {lots[one.id]} lô của {one.name} làm ra từ mẻ ấy đã được giữ "
            f"lại. Lý do: {call.reason} Nhờ văn phòng cất riêng các gói ấy, xem ở {address}/coop/recalls/{call.id}",
            f"recall:{call.id}:office:{one.id}",
        )
        for one in offices
        if one.id in lots
    ]  # fmt: skip
    put_all(session, call.cooperative_id, (ABOUT, call.id), letters)


def take_back(session: Session, recall_id: str) -> None:
    """What nobody has begun to send or ring yet is no longer true, and is not sent."""
    session.execute(
        update(Message)
        .where(
            Message.about_kind == ABOUT,
            Message.about_id == recall_id,
            Message.state == MessageState.WAITING,
            Message.holder.is_(None),
            Message.tries == 0,
        )
        .values(state=MessageState.CANCELLED, ended_at=clock.now())
        .execution_options(synchronize_session=False)
    )
