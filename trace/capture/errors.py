"""What can be wrong with what a stranger's system sends or asks, with EPCIS's own name for it as `exception`."""

from collections.abc import Sequence
from typing import Any

from trace.epcis.asking import QueryFault
from trace.epcis.faults import Fault
from village.errors import Conflict, Malformed, NotFound, SoiError
from village.i18n import lazy_gettext as _l


def invalid(faults: Sequence[Fault]) -> Malformed:
    """A document or event that is no EPCIS 2.0: every fault with its place."""
    first = faults[0]
    return Malformed(
        "epcis-invalid",
        _l("Dữ liệu EPCIS có chỗ chưa đúng, ở %(pointer)s."),
        exception="epcisException:ValidationException",
        pointer=first.pointer,
        errors=[told(one) for one in faults],
    )


def told(fault: Fault) -> dict[str, Any]:
    """A fault as a program reads it."""
    return {"pointer": fault.pointer, "code": fault.slug, "detail": fault.detail}


def bad_query(fault: QueryFault) -> Malformed:
    """A query that cannot be read."""
    return Malformed(
        "epcis-query",
        _l("Câu hỏi có chỗ chưa đúng, ở %(parameter)s."),
        exception="epcisException:QueryParameterException",
        parameter=fault.parameter[:200],
        reason=fault.detail,
    )


class TooLarge(SoiError):
    """More than goes at once."""

    status = 413
    title = _l("Nhiều quá")


class NotAcceptable(SoiError):
    """The answer cannot be had as the asker wants it."""

    status = 406
    title = _l("Không trả lời được theo kiểu ấy")


class Unsupported(SoiError):
    """Something else than JSON was sent."""

    status = 415
    title = _l("Không đọc được kiểu dữ liệu này")


class TooLong(SoiError):
    """An address that is too long."""

    status = 414
    title = _l("Địa chỉ dài quá")


class NotDone(SoiError):
    """A part of the standard that this village does not offer."""

    status = 501
    title = _l("Chưa có việc này")


def too_many(most: int) -> TooLarge:
    """More events were found than the asker wants to hear of."""
    said = _l("Có nhiều hơn %(most)s sự kiện. Bác hỏi hẹp lại nhé.")
    return TooLarge("query-too-large", said, exception="epcisException:QueryTooLargeException", most=most)


def not_offered() -> NotDone:
    """Subscriptions and web sockets."""
    said = _l("Ở đây không có đăng ký nhận tin. Bác đặt tên cho câu hỏi rồi hỏi lại khi cần nhé.")
    return NotDone("not-offered", said, exception="epcisException:ImplementationException")


def taken(event_id: str) -> Conflict:
    """Another event bears this id."""
    return Conflict(
        "event-id-taken",
        _l("Mã sự kiện này đã là của một sự kiện khác."),
        exception="epcisException:ValidationException",
        event_id=event_id,
    )


def nothing(what: str) -> NotFound:
    """There is no such resource."""
    said = _l("Không có gì ở đây: %(what)s.")
    return NotFound("epcis-no-such", said, exception="epcisException:NoSuchNameException", what=what[:200])
