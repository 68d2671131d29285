"""All that the village holds of the buyer of one order, in a form that other programs read."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.delivery.models import Shipment
from shop.live.models import LiveClaim, LiveComment, LiveDecision
from shop.mails.listening import ABOUT
from shop.orders.models import Order
from shop.payments.models import Payment, Refund
from shop.recalls.models import RecallOrder
from shop.refusals.models import CallFirst, ParcelOutcome
from shop.rights.forgetting import commitments_of
from village.db import db
from village.outbox.models import Message


def data_of(order: Order) -> dict[str, Any]:
    """Everything, as JSON takes it: money in đồng, times in UTC as RFC 3339. Reads only."""
    session = db.session()
    return {
        "order": {
            "number": order.number, "status": order.status.value, "placed_at": _at(order.created_at),
            "channel": order.channel, "language": order.language, "note": order.note,
            "total": order.total, "delivery_fee": order.delivery_fee, "paid": order.paid, "refunded": order.refunded,
            "payment": order.payment, "payment_state": order.payment_state.value,
            "forgotten_at": _at(order.forgotten_at),
        },
        "buyer": {
            "name": order.buyer_name, "phone": order.buyer_phone, "email": order.buyer_email,
            "address": order.buyer_address, "ward": order.buyer_ward, "province": order.buyer_province,
            "livestream_author": order.live_author,
        },
        "lines": [
            {
                "gtin": line.gtin, "name": line.name_vi, "quantity": line.quantity, "unit_price": line.unit_price,
                "lots": [{"lot": part.lot, "quantity": part.units} for part in line.allocations],
            }
            for line in order.lines
        ],
        "timeline": [{"what": step.what, "at": _at(step.at), "note": step.note} for step in order.steps],
        "payments": [
            {
                "method": one.method, "amount": one.amount, "received": one.received, "state": one.state.value,
                "memo": one.memo, "reference": one.reference, "created_at": _at(one.created_at),
            }
            for one in session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id))
        ],
        "refunds": [
            {
                "method": one.method, "amount": one.amount, "state": one.state.value, "reason": one.reason,
                "created_at": _at(one.created_at),
            }
            for one in session.scalars(select(Refund).where(Refund.order_id == order.id).order_by(Refund.id))
        ],
        "parcels": _parcels(session, order),
        "cash_on_delivery": _cash(session, order),
        "messages": _messages(session, order),
        "livestream": _said(session, order),
        "livestream_link": _link(session, order),
        "ledger": {"entries": sorted(index for index, _name in commitments_of(session, [order.number]))},
    }  # fmt: skip


def _parcels(session: Session, order: Order) -> list[dict[str, Any]]:
    parcels = session.scalars(select(Shipment).where(Shipment.order_id == order.id).order_by(Shipment.number))
    return [
        {
            "carrier": one.carrier, "tracking": one.tracking, "state": one.state.value, "cod_amount": one.cod_amount,
            "steps": [{"state": step.state.value, "at": _at(step.at), "note": step.note} for step in one.steps],
        }
        for one in parcels
    ]  # fmt: skip


def _cash(session: Session, order: Order) -> dict[str, Any]:
    """What is kept of her for the next order in cash: how parcels ended, until when, and whether she was to be rung."""
    ends = select(ParcelOutcome, Shipment.number).join(Shipment, Shipment.id == ParcelOutcome.shipment_id)
    call = session.get(CallFirst, order.id)
    return {
        "outcomes": [
            {
                "parcel": number, "outcome": one.outcome, "day": one.day.isoformat(), "until": one.expires.isoformat(),
                "kept_as": one.phone_hash,
            }
            for one, number in session.execute(ends.where(Shipment.order_id == order.id).order_by(Shipment.number))
        ],
        "call_first": call and {
            "reason": call.reason, "asked_at": _at(call.asked_at), "called_at": _at(call.called_at),
        },
    }  # fmt: skip


def _messages(session: Session, order: Order) -> list[dict[str, Any]]:
    """What she was written, recalls included."""
    recalls = select(RecallOrder.message_id).where(RecallOrder.order_id == order.id)
    mine = ((Message.about_kind == ABOUT) & (Message.about_id == order.id)) | Message.id.in_(recalls)
    return [
        {
            "channel": one.channel.value, "to": one.to, "subject": one.subject, "body": one.body,
            "state": one.state.value, "made_at": _at(one.made_at),
        }
        for one in session.scalars(select(Message).where(mine).order_by(Message.id))
    ]  # fmt: skip


def _said(session: Session, order: Order) -> list[dict[str, Any]]:
    comments = select(LiveComment).join(LiveDecision, LiveDecision.comment_id == LiveComment.id)
    mine = comments.where(LiveDecision.order_id == order.id).order_by(LiveComment.seq).distinct()
    return [
        {
            "platform": one.platform, "author": one.author_name, "text": one.text, "at": _at(one.said_at),
            "log": _opened(one),
        }
        for one in session.scalars(mine)
    ]  # fmt: skip


def _opened(comment: LiveComment) -> dict[str, Any] | None:
    """With what she opens the commitments of her own event in the livestream's public log (docs/formats.md)."""
    if comment.author_salt is None or comment.text_salt is None:
        return None
    return {
        "number": comment.seq, "hash": comment.hash, "author": comment.author_id, "comment": comment.comment_id,
        "author_salt": comment.author_salt.hex(), "text_salt": comment.text_salt.hex(),
    }  # fmt: skip


def _link(session: Session, order: Order) -> dict[str, Any] | None:
    """Her short link into the livestream, and what was done with it."""
    own = (LiveClaim.session_id == order.live_session_id, LiveClaim.author_id == order.live_author)
    claim = session.scalar(select(LiveClaim).where(*own)) if order.live_author else None
    if claim is None:
        return None
    return {
        "code": claim.code, "created_at": _at(claim.created_at), "told_at": _at(claim.told_at),
        "reminded_at": _at(claim.reminded_at), "claimed_at": _at(claim.claimed_at),
    }  # fmt: skip


def _at(moment: Any) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment is not None else None
